"""HTTP connections that do not stay open for a request that never ends.

uvicorn waits for a request as long as it takes: its keep-alive time-out ends with the first byte. The app
limits how long it reads a body itself, and can still answer; what it does not read is limited here.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_UNFINISHED = (h11.IDLE, h11.SEND_BODY)
"""What h11 calls a client of which a part of the head, or of the body, may still come."""


def limited(seconds: float) -> type[H11Protocol]:
    """Make uvicorn's protocol with a limit for each request."""

    class Limited(H11Protocol):
        """Closes a connection on which a request has not come whole for so long."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Wait for the first request."""
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            """Wait on, where this is a part of a request; no more, where it is whole."""
            super().data_received(data)
            if self.conn.their_state not in _UNFINISHED:
                self._cancel()
            elif self._timer is None:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no more."""
            self._cancel()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._timer = self.loop.call_later(seconds, self.transport.close)

        def _cancel(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return Limited
