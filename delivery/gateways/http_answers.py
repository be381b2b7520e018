"""Outcomes that several gateways share, and how the answers of HTTP services become outcomes."""

import asyncio
import ssl
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2

from delivery.gateways.base import Outcome, Result

GONE = "device is gone"
"""The reason where a push service does not know a device any more: it may be removed."""
_LONGEST_WAIT = 3_600.0


def refused(reason: str) -> Outcome:
    """It never will work."""
    return Outcome(Result.REFUSED, reason=reason)


def retry(reason: str, *, after: float | None = None, down: bool = False) -> Outcome:
    """It may work later; `down`: for no message at present."""
    return Outcome(Result.RETRY, reason=reason, retry_after=after, gateway_down=down)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and host names are verified, against the system's authorities or the file's."""
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def http_client(
    ca_file: Path | None, connections: int, timeout_ms: int, *, http2: bool = False
) -> httpx2.AsyncClient:
    """A client that keeps its connections, follows no redirects and takes nothing from the environment."""
    limits = httpx2.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30
    )
    return httpx2.AsyncClient(
        verify=tls_context(ca_file),
        timeout=timeout_ms / 1000,
        limits=limits,
        http2=http2,
        trust_env=False,
    )


async def post(
    client: httpx2.AsyncClient, url: str, *, headers: dict[str, str], content: bytes
) -> httpx2.Response | Outcome:
    """The answer to a request, or the outcome where there is none.

    A time-out while the answer is awaited may be this message's; what prevents a connection is the gateway's.
    """
    try:
        return await client.post(url, headers=headers, content=content)
    except (httpx2.ReadTimeout, httpx2.PoolTimeout) as error:
        return retry(type(error).__name__)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        return retry(type(error).__name__, down=True)
    except RuntimeError:
        # The client was closed meanwhile.
        return retry("closed", down=True)


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds by the header Retry-After, be it a number or a date; at most an hour."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def may_pass(response: httpx2.Response) -> Outcome | None:
    """RETRY where the status says that it may work later, else None."""
    status = response.status_code
    after = retry_after(response)
    if status in (408, 425, 429):
        return retry(f"HTTP {status}", after=after)
    if status >= 500:
        return retry(f"HTTP {status}", after=after, down=status in (502, 503, 504))
    return None


async def never() -> None:
    """Wait without end, as a gateway without receipts does."""
    await asyncio.Event().wait()
