"""The inbox on a real ledger: messages by event, pages, what is read and deleted, what is new."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from delivery.ledger import statements
from web.inbox import InboxWatch
from web.store import messages
from web.store.messages import Mark, Page
from web.store.pools import Connection, Store

pytestmark = pytest.mark.environment
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_Result = TypeVar("_Result")
_INSERT = """
INSERT INTO deliveries (alert_id, channel, route, state, alert_type, customer_id, address, account_id,
  entry_id, setting_id, record, source_partition, source_offset, raised_at, written_at, received_at,
  claimed_at, lease_owner, attempts)
SELECT %(customer)s || '-' || n || '-' || channel, channel, channel, 'SENT', 'DEBITED_ABOVE', %(customer)s,
  'someone', %(account)s, %(customer)s || '-e' || n, %(setting)s, 'record', 0, n, at, at, at, at, 'p1', 1
FROM generate_series(1, %(count)s) AS n
CROSS JOIN unnest(%(channels)s::text[]) AS channel
CROSS JOIN LATERAL (SELECT %(noon)s::timestamptz + n * interval '1 s') AS times (at)
"""


class Inbox:
    """Customers' inboxes on a ledger."""

    def __init__(self, config: Config) -> None:
        self.ledger = config.require("delivery")

    def add(
        self, customer: str, count: int, *channels: str, account: str = "a1", setting: str = "s1"
    ) -> None:
        """Add so many messages; the later ones are newer, by a second."""
        values = {"customer": customer, "count": count, "channels": list(channels), "noon": NOON}
        with database.connect(self.ledger) as connection:
            connection.execute(_INSERT, {**values, "account": account, "setting": setting})

    def add_now(self, customer: str, channel: str) -> None:
        """Add a message that comes at this moment."""
        sql = _INSERT.replace(
            "SELECT %(customer)s || '-' || n || '-' || channel", "SELECT %(customer)s || '-' || channel"
        )
        values = {"customer": customer, "count": 1, "channels": [channel], "noon": datetime.now(UTC)}
        with database.connect(self.ledger) as connection:
            connection.execute(sql, {**values, "account": "a1", "setting": "s1"})

    def ask(self, work: Callable[[Connection], Awaitable[_Result]]) -> _Result:
        """Do something with a connection."""

        async def run() -> _Result:
            store = Store(self.ledger, 1)
            await store.open()
            try:
                async with store.read() as connection:
                    return await work(connection)
            finally:
                await store.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def inbox(postgres: Config) -> Iterator[Inbox]:
    yield Inbox(postgres)
    with database.connect(postgres.require("delivery")) as connection:
        connection.execute("DELETE FROM deliveries WHERE starts_with(customer_id, 'inbox-')")
        connection.execute("DELETE FROM message_marks WHERE starts_with(customer_id, 'inbox-')")


def _entries(page: Page) -> list[str]:
    return [message.deliveries[0]["entry_id"].rpartition("e")[2] for message in page.messages]


def test_a_booking_is_one_message_whatever_its_channels(inbox: Inbox) -> None:
    inbox.add("inbox-1", 3, "EMAIL", "PUSH")
    page = inbox.ask(lambda connection: messages.read_page(connection, "inbox-1"))
    assert _entries(page) == ["3", "2", "1"]
    assert [len(message.deliveries) for message in page.messages] == [2, 2, 2]
    assert page.following is None
    assert not any(message.is_read for message in page.messages)


def test_pages_hold_each_message_once(inbox: Inbox) -> None:
    inbox.add("inbox-2", 95, "EMAIL", "PUSH", "SMS")

    async def read_all(connection: Connection) -> list[Page]:
        pages = [await messages.read_page(connection, "inbox-2", limit=10)]
        while (before := pages[-1].following) is not None:
            pages.append(await messages.read_page(connection, "inbox-2", before=before, limit=10))
        return pages

    pages = inbox.ask(read_all)
    assert [entry for page in pages for entry in _entries(page)] == [str(n) for n in range(95, 0, -1)]
    assert all(len(message.deliveries) == 3 for page in pages for message in page.messages)


def test_nobody_finds_a_message_of_another_customer(inbox: Inbox) -> None:
    inbox.add("inbox-3", 1, "EMAIL")
    assert inbox.ask(lambda connection: messages.find(connection, "inbox-3", "inbox-3-1-EMAIL")) is not None
    assert inbox.ask(lambda connection: messages.find(connection, "inbox-1", "inbox-3-1-EMAIL")) is None
    assert inbox.ask(lambda connection: messages.find(connection, "inbox-3", "nothing")) is None


def test_what_is_read_unread_and_deleted(inbox: Inbox) -> None:
    customer = "inbox-4"
    inbox.add(customer, 4, "EMAIL", "PUSH")

    async def work(connection: Connection) -> list[tuple[list[str], list[str], int]]:
        async def look() -> tuple[list[str], list[str], int]:
            page = await messages.read_page(connection, customer)
            unread = await messages.read_page(connection, customer, unread=True)
            return _entries(page), _entries(unread), await messages.count_unread(connection, customer)

        async def key(n: int) -> str:
            found = await messages.find(connection, customer, f"{customer}-{n}-PUSH")
            assert found is not None
            return found.key

        found = []
        await messages.mark(connection, customer, await key(4), Mark.READ)
        found.append(await look())
        await messages.mark(connection, customer, await key(3), Mark.DELETED)
        found.append(await look())
        await messages.mark_all_read(connection, customer, NOON + timedelta(seconds=3))
        found.append(await look())
        await messages.mark(connection, customer, await key(2), Mark.UNREAD)
        found.append(await look())
        assert await messages.find(connection, customer, f"{customer}-3-EMAIL") is None
        return found

    assert inbox.ask(work) == [
        (["4", "3", "2", "1"], ["3", "2", "1"], 3),
        (["4", "2", "1"], ["2", "1"], 2),
        (["4", "2", "1"], [], 0),
        (["4", "2", "1"], ["2"], 1),
    ]


def test_a_rule_and_an_account_have_messages_of_their_own(inbox: Inbox) -> None:
    inbox.add("inbox-5", 1, "EMAIL")
    inbox.add("inbox-5", 1, "PUSH", setting="adhoc:r1")
    page = inbox.ask(lambda connection: messages.read_page(connection, "inbox-5"))
    assert len(page.messages) == 2
    other = inbox.ask(lambda connection: messages.read_page(connection, "inbox-5", account_id="a2"))
    assert other.messages == []


def test_news_are_those_of_the_customers_who_ask(inbox: Inbox) -> None:
    inbox.add("inbox-6", 2, "EMAIL")
    asked = [
        {"customer_id": "inbox-6", "since": (NOON + timedelta(seconds=2)).isoformat()},
        {"customer_id": "inbox-7", "since": NOON.isoformat()},
    ]
    rows = inbox.ask(lambda connection: messages.read_news(connection, json.dumps(asked)))
    assert [(row["customer_id"], row["alert_id"]) for row in rows] == [("inbox-6", "inbox-6-2-EMAIL")]


def test_an_open_inbox_is_told_of_what_comes_and_of_nothing_else(inbox: Inbox) -> None:
    async def watch() -> list[str]:
        store = Store(inbox.ledger, 2)
        await store.open()
        watch, told, has_begun = InboxWatch(store), list[str](), False
        try:
            async with asyncio.timeout(60):
                async for row in watch.subscribe("inbox-live", 0.2):
                    if row is not None:
                        told.append(row["alert_id"])
                    if not has_begun:
                        has_begun = True
                        await asyncio.to_thread(inbox.add_now, "inbox-other", "EMAIL")
                        await asyncio.to_thread(inbox.add_now, "inbox-live", "EMAIL")
                    elif row is not None and len(told) == 1:
                        await asyncio.to_thread(inbox.add_now, "inbox-live", "PUSH")
                    elif row is None and len(told) == 2:
                        await watch.stop()
            assert not watch.is_watching
            return told
        finally:
            await store.close()

    assert asyncio.run(watch()) == ["inbox-live-EMAIL", "inbox-live-PUSH"]


def test_a_customer_who_is_erased_leaves_no_marks(inbox: Inbox) -> None:
    inbox.add("inbox-8", 1, "EMAIL")
    inbox.ask(lambda connection: messages.mark(connection, "inbox-8", "k", Mark.READ))
    inbox.ask(lambda connection: messages.mark_all_read(connection, "inbox-8", NOON))
    with database.connect(inbox.ledger) as connection:
        assert connection.execute(statements.ERASE, {"customer": "inbox-8"}).rowcount == 1
        for table in ("message_marks", "inboxes"):
            sql = f"SELECT count(*) FROM {table} WHERE customer_id = 'inbox-8'"
            assert connection.execute(sql).fetchone() == (0,)


def test_ten_thousand_messages_open_at_once(inbox: Inbox) -> None:
    inbox.add("inbox-9", 10_000, "EMAIL", "PUSH")
    with database.connect(inbox.ledger) as connection:
        connection.execute("ANALYZE deliveries")

    async def timed(connection: Connection) -> float:
        begin = time.monotonic()
        assert len((await messages.read_page(connection, "inbox-9")).messages) == 50
        assert await messages.count_unread(connection, "inbox-9") == messages.MOST_UNREAD + 1
        return time.monotonic() - begin

    assert inbox.ask(timed) < 0.3
