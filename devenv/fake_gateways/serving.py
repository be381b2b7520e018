"""The TLS and HTTP servers that local gateways share."""

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, cast

from devenv.fake_gateways.files import Files

if TYPE_CHECKING:
    from fastapi import FastAPI


def server_tls(own: Files) -> ssl.SSLContext:
    """Make a TLS context with the self-made certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.certificate, own.private_key)
    return context


async def serve_http(app: "FastAPI", own: Files, port: int, stop: asyncio.Event) -> None:
    """Serve HTTP/1.1 and HTTP/2 over TLS with the self-made certificate, until stopped."""
    # Here because the mail server needs neither.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config as Settings

    chosen = Settings()
    chosen.bind = [f"127.0.0.1:{port}"]
    chosen.certfile, chosen.keyfile = str(own.certificate), str(own.private_key)
    chosen.alpn_protocols = ["h2", "http/1.1"]
    chosen.keep_alive_timeout = 600
    chosen.keep_alive_max_requests = 1_000_000
    chosen.graceful_timeout = 1
    chosen.loglevel = "WARNING"

    async def stopped() -> None:
        await stop.wait()

    await serve(cast(Any, app), chosen, shutdown_trigger=stopped)
