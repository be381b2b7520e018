"""What is new in the inboxes that are open: one question for all of them, every tenth of a second.

Each process asks for its own open pages, by an index: what it costs goes with the open pages, not with the
alerts that are delivered. Listening to the database instead would make every delivery wait for a lock.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from account_alerts.postgres import DatabaseError
from web.store import messages
from web.store.pools import Row, Store

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 0.1
_AWAY_SECONDS = 1.0
_OVERLAP = timedelta(seconds=3)
"""A row's time is when its transaction began; it is seen when that is committed."""
_MOST_WAITING = 100
"""News that a page which is too slow to take them has waiting; the oldest are dropped: a reload shows all."""


@dataclass(eq=False)
class _Subscription:
    since: datetime
    queue: asyncio.Queue[Row | None] = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))
    seen: dict[str, datetime] = field(default_factory=dict)
    """When each alert was received that is within the overlap."""

    def put(self, row: Row | None) -> None:
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(row)


class InboxWatch:
    """The open inboxes of this process."""

    def __init__(self, ledger: Store) -> None:
        """Watch nothing yet."""
        self._ledger = ledger
        self._open: dict[str, set[_Subscription]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_watching(self) -> bool:
        """Whether an inbox is open."""
        return bool(self._open)

    async def subscribe(self, customer_id: str, idle_seconds: float) -> AsyncIterator[Row | None]:
        """Yield the deliveries of a customer as they come; None where none has come for a while.

        Ends when the application does.
        """
        own = _Subscription(await self._now())
        self._open.setdefault(customer_id, set()).add(own)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="inboxes")
        try:
            while True:
                try:
                    row = await asyncio.wait_for(own.queue.get(), idle_seconds)
                except TimeoutError:
                    yield None
                    continue
                if row is None:
                    return
                yield row
        finally:
            subscriptions = self._open.get(customer_id, set())
            subscriptions.discard(own)
            if not subscriptions:
                self._open.pop(customer_id, None)

    async def stop(self) -> None:
        """End all subscriptions."""
        for subscription in [each for every in self._open.values() for each in every]:
            subscription.put(None)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _now(self) -> datetime:
        """Return the ledger's time: its rows go by it."""
        async with self._ledger.read() as connection:
            row = await (await connection.execute("SELECT now() AS now")).fetchone()
        assert row is not None
        now: datetime = row["now"]
        return now

    async def _watch(self) -> None:
        """Ask until no inbox is open any more."""
        while self._open:
            try:
                await self._ask()
            except DatabaseError as error:
                _log.warning("inboxes are not live: %s", error)
                await asyncio.sleep(_AWAY_SECONDS)
            await asyncio.sleep(_EVERY_SECONDS)

    async def _ask(self) -> None:
        asked = [
            {"customer_id": customer, "since": (min(each.since for each in own) - _OVERLAP).isoformat()}
            for customer, own in self._open.items()
        ]
        async with self._ledger.read() as connection:
            news = [
                (subscription, row["alert_id"])
                for row in await messages.read_news(connection, json.dumps(asked))
                for subscription in self._open.get(row["customer_id"], set())
                if _is_new(subscription, row["alert_id"], row["received_at"])
            ]
            if news:
                found = await messages.read_deliveries(connection, [alert_id for _, alert_id in news])
                for subscription, alert_id in news:
                    if alert_id in found:
                        subscription.put(found[alert_id])


def _is_new(subscription: _Subscription, alert_id: str, at: datetime) -> bool:
    """Tell whether a page has not been told of an alert, and note it."""
    if alert_id in subscription.seen or at < subscription.since - _OVERLAP:
        return False
    subscription.seen[alert_id] = at
    if subscription.since < at:
        subscription.since = at
        recent = at - 2 * _OVERLAP
        subscription.seen = {key: when for key, when in subscription.seen.items() if when >= recent}
    return True
