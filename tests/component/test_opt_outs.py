"""Opt-outs in PostgreSQL: several processes at once, and what is asked before each SMS."""

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from delivery.gateways.sms.incoming import IncomingSms, Part
from delivery.ledger.session import Session
from delivery.opt_out.bank import BankRecorder, record_in
from delivery.opt_out.keywords import Keyword
from delivery.opt_out.store import PostgresOptOuts
from delivery.profiles.records import Batch, ProfileRow, profile_row
from delivery.profiles.store import ProfileStore
from tests import builders

pytestmark = pytest.mark.environment
_numbers = itertools.count(420_700_000_001)
_offsets = itertools.count(1)
STOP, START, HELP = Keyword


def new_number() -> str:
    """Return a number that no other test has."""
    return str(next(_numbers))


def with_stores(
    config: Config, work: Callable[[PostgresOptOuts, PostgresOptOuts], Awaitable[None]], lease: int = 60_000
) -> None:
    """Run a test with the opt-outs of two processes."""

    async def run() -> None:
        stores = [PostgresOptOuts(config.require("delivery"), lease) for _ in range(2)]
        try:
            await asyncio.wait_for(work(*stores), 60)
        finally:
            for store in stores:
                await store.close()

    asyncio.run(run())


def query(config: Config, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return rows of the ledger's database."""
    with database.connect(config.require("delivery")) as connection:
        cursor = connection.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def test_a_keyword_counts_once_whoever_receives_it(postgres: Config) -> None:
    number = new_number()

    async def work(one: PostgresOptOuts, other: PostgresOptOuts) -> None:
        assert not await one.record(number, START, "en", "en")
        assert await one.stopped([number]) == frozenset()
        answered = await asyncio.gather(*(store.record(number, STOP, "en", "en") for store in (one, other)))
        assert sorted(answered) == [False, True]
        assert await other.stopped([number, "1"]) == {number}
        assert await other.record(number, START, "cs", "en")
        assert await one.stopped([number]) == frozenset()
        assert [await store.record(number, HELP, "en", "en") for store in (one, other)] == [True, False]

    with_stores(postgres, work)
    kinds = query(postgres, "SELECT keyword, language FROM sms_replies WHERE number = %s ORDER BY 1", number)
    assert kinds == [("HELP", "en"), ("START", "cs"), ("STOP", "en")]


@pytest.mark.parametrize(
    ("customer", "keyword", "answer"),
    [("de-CH", "cs", "de"), ("de", None, "de"), (None, "cs", "cs"), (None, None, "nl")],
)
def test_the_language_of_an_answer(
    postgres: Config, customer: str | None, keyword: str | None, answer: str
) -> None:
    number = new_number()
    if customer is not None:
        record = builders.settings(f"c{number}", language=customer)
        record["addresses"] = [{"channel": "SMS", "address": f"00{number}"}]
        batch = Batch({"c": (0, ProfileRow("c", profile_row(record)))}, next(_offsets))
        store = ProfileStore(postgres.require("delivery"), threading.Event())
        assert store.apply("profiles", "settings-of-a-test", int(number[-4:]), batch)
        store.close()

    async def work(one: PostgresOptOuts, _: PostgresOptOuts) -> None:
        assert await one.record(number, STOP, keyword, "nl")

    with_stores(postgres, work)
    assert query(postgres, "SELECT language FROM sms_replies WHERE number = %s", number) == [(answer,)]


def test_a_change_is_always_later_than_what_it_replaces(postgres: Config) -> None:
    number = new_number()

    async def work(one: PostgresOptOuts, _: PostgresOptOuts) -> None:
        await one.record(number, STOP, "en", "en")
        later = "SET changed_at = now() + interval '1 h' WHERE number = %s RETURNING changed_at"
        [(ahead,)] = query(postgres, f"UPDATE sms_opt_outs {later}", number)
        await one.record(number, START, "en", "en")
        [(now,)] = query(postgres, "SELECT changed_at FROM sms_opt_outs WHERE number = %s", number)
        assert now > ahead

    with_stores(postgres, work)


def test_parts_that_come_to_two_processes_at_once(postgres: Config) -> None:
    async def work(one: PostgresOptOuts, other: PostgresOptOuts) -> None:
        for _ in range(20):
            number = new_number()
            parts = [
                IncomingSms(number, "Bank", 0, body, Part(1, 2, at)) for at, body in ((1, b"ST"), (2, b"OP"))
            ]
            found = await asyncio.gather(one.add_part(parts[0]), other.add_part(parts[1]))
            whole = [each for each in found if each]
            assert whole
            assert all(each == parts for each in whole)
            await one.delete_parts(parts[0])
            assert await one.add_part(parts[1]) == []

    with_stores(postgres, work)


def test_each_answer_is_claimed_by_one_process_and_again_when_its_lease_ends(postgres: Config) -> None:
    number = new_number()

    async def work(one: PostgresOptOuts, other: PostgresOptOuts) -> None:
        await one.record(number, STOP, "en", "en")
        claims = await asyncio.gather(one.claim_replies(100), other.claim_replies(100))
        [reply] = [each for claimed in claims for each in claimed if each.number == number]
        assert (reply.keyword, reply.language) == (STOP, "en")
        assert 0 <= reply.age < 60
        query(
            postgres, "UPDATE sms_replies SET due_at = now() WHERE reply_id = %s RETURNING 1", reply.reply_id
        )
        [again] = [each for each in await other.claim_replies(100) if each.number == number]
        assert again.reply_id == reply.reply_id
        await other.finish_reply(reply.reply_id, again=3_600_000, reason="down")
        assert [each for each in await one.claim_replies(100) if each.number == number] == []
        await other.finish_reply(reply.reply_id, sent=True)
        await other.prune(0)

    with_stores(postgres, work)
    assert query(postgres, "SELECT FROM sms_replies WHERE number = %s", number) == []


def test_changes_stand_until_the_bank_has_them(postgres: Config) -> None:
    number = new_number()

    async def work(one: PostgresOptOuts, _: PostgresOptOuts) -> None:
        await one.record(number, STOP, "en", "en")
        assert await one.oldest_unrecorded() > 0
        [change] = [each for each in await one.unrecorded(100) if each.number == number]
        await one.record(number, START, "en", "en")
        await one.mark_recorded(change)
        [newer] = [each for each in await one.unrecorded(100) if each.number == number]
        assert not newer.stopped
        await one.mark_recorded(newer)
        assert [each for each in await one.unrecorded(100) if each.number == number] == []

    with_stores(postgres, work)


def captured(config: Config, number: str, stopped: bool | None, changed_at: int = 0) -> None:
    """Let a row of the bank come back by capture; `stopped` None: it was deleted."""
    row = None if stopped is None else {"number": number, "stopped": stopped, "changed_at": changed_at}
    offset = next(_offsets)
    batch = Batch({number: (offset, ProfileRow(number, row))}, offset + 1)
    store = ProfileStore(config.require("delivery"), threading.Event())
    assert store.apply("sms_opt_outs", "opt-outs-of-a-test", 0, batch)
    store.close()


def state(config: Config, number: str) -> tuple[bool, bool] | None:
    """Return whether a number has opted out, and whether the bank is still behind."""
    found = query(config, "SELECT stopped, pending FROM sms_opt_outs WHERE number = %s", number)
    return (found[0][0], found[0][1]) if found else None


def test_an_older_row_of_the_bank_does_not_revive_a_number(postgres: Config) -> None:
    number = new_number()

    async def work(one: PostgresOptOuts, _: PostgresOptOuts) -> None:
        captured(postgres, number, False, 1_000)
        assert state(postgres, number) == (False, False)
        await one.record(number, STOP, "en", "en")
        [change] = [each for each in await one.unrecorded(100) if each.number == number]
        captured(postgres, number, False, 2_000)
        captured(postgres, number, None)
        assert state(postgres, number) == (True, True)
        captured(postgres, number, True, round(change.changed_at.timestamp() * 1000))
        assert state(postgres, number) == (True, False)
        assert [each for each in await one.unrecorded(100) if each.number == number] == []
        captured(postgres, number, False, 3_000)
        assert state(postgres, number) == (False, False)
        captured(postgres, number, None)
        assert state(postgres, number) is None

    with_stores(postgres, work)


def test_the_bank_has_the_last_word_of_the_customer(postgres: Config) -> None:
    number = new_number()

    async def work(one: PostgresOptOuts, _: PostgresOptOuts) -> None:
        session = Session(postgres.require("bank"), "test")
        recorder = BankRecorder(one, record_in(session))
        await one.record(number, STOP, "en", "en")
        await recorder.record_new()
        assert bank() == [(True, "SMS")]
        change_bank("UPDATE sms_opt_outs SET stopped = false, source = 'BRANCH' WHERE number = %s")
        # An answer that was lost: the same change is written again, and is older than the branch's.
        query(postgres, "UPDATE sms_opt_outs SET recorded_at = NULL WHERE number = %s", number)
        await recorder.record_new()
        assert bank() == [(False, "BRANCH")]
        history = "SELECT count(*) FROM history WHERE new_row ->> 'number' = %s"
        with database.connect(postgres.require("bank")) as connection:
            assert connection.execute(history, [number]).fetchone() == (2,)
        await session.close()

    def bank() -> list[tuple[Any, ...]]:
        with database.connect(postgres.require("bank")) as connection:
            sql = "SELECT stopped, source FROM sms_opt_outs WHERE number = %s"
            return connection.execute(sql, [number]).fetchall()

    def change_bank(sql: str) -> None:
        with database.connect(postgres.require("bank")) as connection:
            connection.execute(sql, [number])

    with_stores(postgres, work)


@pytest.mark.parametrize("number", ["", "+31612345678", "0612345678", "31 6 12345678"])
def test_the_bank_takes_numbers_in_one_form_only(postgres: Config, number: str) -> None:
    with (
        database.connect(postgres.require("bank")) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute("INSERT INTO sms_opt_outs VALUES (%s, true)", [number])
