"""Asks, right before an SMS is handed over, whether its number has opted out."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from delivery.gateways.sms.phone import international
from delivery.opt_out.port import OptOutStore


class OptOutCheck(Protocol):
    """Tells whether a number has opted out now."""

    async def is_stopped(self, address: str) -> bool:
        """Tell whether the number in an address has opted out; waits while nobody knows."""

    def loops(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what must run beside the sending, by name; each is without end."""


class BatchedCheck:
    """Asks the ledger about all numbers that wait in one statement, and never answers from memory.

    So a STOP that any process has recorded before the question counts, and nothing has to be kept fresh.
    """

    def __init__(self, store: OptOutStore) -> None:
        """Ask nothing yet."""
        self._store = store
        self._waiting: list[tuple[str, asyncio.Future[bool]]] = []
        self._asked = asyncio.Event()

    async def is_stopped(self, address: str) -> bool:
        """Tell whether the number in an address has opted out; False where it is no number."""
        number = international(address)
        if number is None:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((number, answer))
        self._asked.set()
        return await answer

    async def run(self) -> None:
        """Answer without end.

        Raises:
            Exception: The ledger does not answer this question; nothing more is handed over.
        """
        while True:
            await self._asked.wait()
            self._asked.clear()
            waiting, self._waiting = self._waiting, []
            stopped = await self._store.stopped({number for number, _ in waiting})
            for number, answer in waiting:
                if not answer.done():  # Who asked may have given up.
                    answer.set_result(number in stopped)
