"""The endpoint's connections, by a real server on this machine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from ingest.clicks.protocol import limited

_SECONDS = 0.3
_PATIENCE = 60
_REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def with_server(use: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
    """Connect to a server with the limit."""

    async def run() -> None:
        config = uvicorn.Config(
            _app,
            port=0,
            http=limited(_SECONDS),
            lifespan="off",
            log_config=None,
            timeout_keep_alive=_PATIENCE,
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(_PATIENCE):
                await use(reader, writer)
        finally:
            writer.close()
            server.should_exit = True
            await task

    asyncio.run(run())


def test_a_connection_without_a_request_is_closed() -> None:
    async def use(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    with_server(use)


def test_a_head_that_never_ends_is_closed() -> None:
    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_REQUEST[:20])
        assert await reader.read() == b""

    with_server(use)


def test_a_body_that_never_ends_is_closed_though_it_was_answered() -> None:
    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert await reader.read() == b""

    with_server(use)


def test_also_the_second_on_a_connection() -> None:
    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_REQUEST)
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.write(_REQUEST[:20])
        assert await reader.read() == b""

    with_server(use)


def test_a_connection_between_requests_stays_open() -> None:
    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(_REQUEST)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(_SECONDS * 2)

    with_server(use)
