"""HTTP connections that do not stay open for a request that never begins.

uvicorn waits for the head of a request as long as it takes; its keep-alive time-out ends with the first byte.
The body is limited by the app, which can still answer.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def limited(seconds: float) -> type[H11Protocol]:
    """Make uvicorn's protocol with a limit for the head of each request."""

    class Limited(H11Protocol):
        """Closes a connection on which no request has begun for so long."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Wait for the first request."""
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            """Wait on, where this is a part of a head; nothing to do where it is whole."""
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._cancel()
            elif self._timer is None:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no more."""
            self._cancel()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._timer = self.loop.call_later(seconds, self._give_up)

        def _cancel(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _give_up(self) -> Any:
            self._timer = None
            self.transport.close()

    return Limited
