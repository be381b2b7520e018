"""What a worker needs from outside; the process hands in the real things, tests hand in fakes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from account_alerts.records.codec import Codec
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from delivery.alert import DeadLetter, Delivery, SourceRecord
from delivery.gateways.base import Gateway
from delivery.ledger.port import Ledger
from delivery.notices.sender import Notices
from delivery.opt_out.check import OptOutCheck
from delivery.rendering.messages import UnsubscribeLink


class AlertSource(Protocol):
    """Records of the channel's topic, in the order of their partitions."""

    lag: int
    """Records on Kafka that were not taken yet."""

    async def run(self) -> None:
        """Read until `stop`."""

    def stop(self) -> None:
        """Let `run` end."""

    async def wait(self) -> int:
        """Wait until there is a record; returns how many there are."""

    def take(self, count: int) -> list[SourceRecord]:
        """Return the oldest records, at most `count`."""

    def commit(self, records: Iterable[SourceRecord]) -> None:
        """Note that these, in their order, need not be read again."""


class DeadLetterSink(Protocol):
    """Where records are given up."""

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters; returns when Kafka has them all."""


Dispatch = Callable[[Sequence[Delivery], bool], None]
"""Decides on the alerts of one message (one, or those of a digest); whether it is a probe of its gateway."""


@dataclass(frozen=True)
class Ports:
    """The outside of a worker."""

    alerts: AlertSource
    ledger: Ledger
    dead_letters: DeadLetterSink
    gateway: Gateway
    decoder: Codec
    unsubscribe: UnsubscribeLink | None = None
    opt_outs: OptOutCheck | None = None
    """Asked before each SMS; None: on this channel nobody can opt out."""
    notices: Notices | None = None
    """What the web application wants sent; None: there is no bank's database that has it."""
    clock: Clock = SYSTEM_CLOCK
