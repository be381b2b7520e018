"""What the AMQP library does with events, done for many messages a second."""

import select
from typing import Any

from proton import Handler
from proton.handlers import IOHandler
from proton.reactor import Container

_READS_AT_ONCE = 8
"""The library takes 8 KiB in a read, and then goes through a round of events that costs like a message."""


class _ReadsMore(IOHandler):
    """Reads again what is there already."""

    def on_selectable_readable(self, event: Any) -> None:
        """Read, as long as there is something, some times."""
        selectable = event.selectable
        super().on_selectable_readable(event)
        for _ in range(_READS_AT_ONCE - 1):
            if selectable.is_terminal or not selectable.reading or not _has_more(selectable):
                return
            super().on_selectable_readable(event)


def _has_more(selectable: Any) -> bool:
    readable, _, _ = select.select([selectable], [], [], 0)
    return bool(readable)


class _AllButDeliveries(Handler):
    """The library's own part of events: with a delivery it has nothing to do, and takes its time for that."""

    def __init__(self, base: Handler) -> None:
        self._base = base

    def on_delivery(self, event: Any) -> None:
        """Nothing."""

    def on_unhandled(self, _: str, event: Any) -> None:
        """All others."""
        event.dispatch(self._base)


def container(handler: Handler) -> Container:
    """A container whose deliveries come to the handler with little ado."""
    made = Container(handler, global_handler=_ReadsMore())
    made.global_handler = _AllButDeliveries(made.global_handler)
    return made
