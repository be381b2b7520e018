"""What the gateways that speak HTTP share: a client, and how answers become outcomes."""

import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2

from delivery.gateways.base import Outcome, Result
from delivery.gateways.outcomes import About, Meaning, outcome, retry
from delivery.gateways.tls import tls_context

_LONGEST_WAIT = 3_600.0


class HttpService:
    """A service behind HTTP; its connections stay open and are made when they are needed."""

    def __init__(
        self, ca_file: Path | None, connections: int, timeout_ms: int, *, http2: bool = False
    ) -> None:
        """Follow no redirects, and take nothing from the environment."""
        limits = httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30
        )
        self._client = httpx2.AsyncClient(
            verify=tls_context(ca_file),
            timeout=timeout_ms / 1000,
            limits=limits,
            http2=http2,
            trust_env=False,
        )

    async def post(self, url: str, *, headers: dict[str, str], content: bytes) -> httpx2.Response | Outcome:
        """Return the answer to a request, or the outcome where there is none.

        A time-out while the answer is awaited may be this message's, and one while a connection is waited for
        is due to others; what prevents a connection is the gateway's. An address that is none may be a
        device's own.
        """
        try:
            return await self._client.post(url, headers=headers, content=content)
        except httpx2.ReadTimeout as error:
            return Outcome(Result.RETRY, reason=type(error).__name__, unanswered=True)
        except httpx2.PoolTimeout as error:
            return Outcome(Result.RETRY, reason=type(error).__name__, unasked=True)
        except httpx2.InvalidURL as error:
            return outcome(About.UNKNOWN, type(error).__name__)
        except (httpx2.HTTPError, OSError) as error:
            return retry(type(error).__name__, down=True)
        except RuntimeError:
            # The client was closed meanwhile.
            return retry("closed", down=True)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds in the header Retry-After, be it a number or a date; at most an hour."""
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


def refusal(response: httpx2.Response, meaning: Meaning, reason: str | None = None) -> Outcome:
    """Return what an answer other than yes means for a message; the reason is HTTP's status by default."""
    return outcome(meaning.about, reason or f"HTTP {response.status_code}", after=retry_after(response))
