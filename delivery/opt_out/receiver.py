"""Takes SMS from customers: reads the command in them, and records it."""

from collections.abc import Sequence

from account_alerts.model.errors import UnreachableError
from delivery.gateways.sms.incoming import IncomingSms, readings
from delivery.opt_out.keywords import Command, read_command
from delivery.opt_out.metrics import OptOutMetrics
from delivery.opt_out.port import OptOutStore

_MOST_WAITING = 1_000
"""While the ledger is away, an SMSC delivers the same SMS again and again."""


class CommandReceiver:
    """Records commands, of SMS in parts once all are there; any process may have any part."""

    def __init__(self, store: OptOutStore, language: str, metrics: OptOutMetrics) -> None:
        """Take nothing yet; `language`: of an answer where nothing says which."""
        self._store, self._language, self._metrics = store, language, metrics
        self._waiting = 0

    async def receive(self, sms: IncomingSms) -> None:
        """Take an SMS or a part of one; returns when what it says is recorded.

        Raises:
            UnreachableError: So many wait for the ledger already that this one has to come again.
        """
        if self._waiting >= _MOST_WAITING:
            raise UnreachableError("too many SMS from customers wait for the ledger")
        self._waiting += 1
        try:
            await self._record(sms)
        finally:
            self._waiting -= 1

    async def _record(self, sms: IncomingSms) -> None:
        parts = [sms] if sms.part is None else await self._store.add_part(sms)
        if not parts:
            return
        command = _read(parts)
        if command is not None:
            await self._store.record(sms.number, command.keyword, command.language, self._language)
        self._metrics.count_received(None if command is None else command.keyword)
        if sms.part is not None:
            await self._store.delete_parts(sms)


def _read(parts: Sequence[IncomingSms]) -> Command | None:
    """Return the command in an SMS; of the ways to read it the first in which there is one."""
    for text in readings(parts):
        if (command := read_command(text)) is not None:
            return command
    return None
