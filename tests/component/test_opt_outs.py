"""Opt-outs in PostgreSQL: several processes at once, and what is asked before each SMS."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from delivery.gateways.sms.incoming import IncomingSms, Part
from delivery.opt_out.keywords import Keyword
from delivery.opt_out.store import PostgresOptOuts

pytestmark = pytest.mark.environment
_numbers = itertools.count(420_700_000_001)
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
        assert not await one.record(number, START, "en")
        assert await one.stopped([number]) == frozenset()
        answered = await asyncio.gather(*(store.record(number, STOP, "en") for store in (one, other)))
        assert sorted(answered) == [False, True]
        assert await other.stopped([number, "1"]) == {number}
        assert await other.record(number, START, "cs")
        assert await one.stopped([number]) == frozenset()
        assert [await store.record(number, HELP, "en") for store in (one, other)] == [True, False]

    with_stores(postgres, work)
    kinds = query(postgres, "SELECT keyword, language FROM sms_replies WHERE number = %s ORDER BY 1", number)
    assert kinds == [("HELP", "en"), ("START", "cs"), ("STOP", "en")]


def test_a_change_is_always_later_than_what_it_replaces(postgres: Config) -> None:
    number = new_number()

    async def work(one: PostgresOptOuts, _: PostgresOptOuts) -> None:
        await one.record(number, STOP, "en")
        later = "SET changed_at = now() + interval '1 h' WHERE number = %s RETURNING changed_at"
        [(ahead,)] = query(postgres, f"UPDATE sms_opt_outs {later}", number)
        await one.record(number, START, "en")
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
        await one.record(number, STOP, "en")
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
        await one.record(number, STOP, "en")
        assert await one.oldest_unrecorded() > 0
        [change] = [each for each in await one.unrecorded(100) if each.number == number]
        await one.record(number, START, "en")
        await one.mark_recorded(change)
        [newer] = [each for each in await one.unrecorded(100) if each.number == number]
        assert not newer.stopped
        await one.mark_recorded(newer)
        assert [each for each in await one.unrecorded(100) if each.number == number] == []

    with_stores(postgres, work)
