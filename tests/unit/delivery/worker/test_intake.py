"""Taking alerts from Kafka: each is claimed once, and committed only when the ledger has it."""

import asyncio
from collections.abc import Sequence

import pytest

from account_alerts.service.rate_limit import TokenBucket
from delivery.alert import Delivery, SourceRecord
from delivery.policy import RecipientState
from delivery.worker.capacity import Capacity
from delivery.worker.intake import Intake
from tests import builders
from tests.unit.delivery.alerts import record
from tests.unit.delivery.fakes import LEASE, World, run, settle

GARBAGE = SourceRecord("outbound-email", 0, 3, builders.NOON, b"c1", b"garbage")


class Taken:
    """An intake, and what it dispatches."""

    def __init__(self, world: World, in_flight: int = 100, rate: float | None = None) -> None:
        self.world, self.capacity = world, Capacity(in_flight)
        self.dispatched: list[Delivery] = []
        self.bucket = TokenBucket(rate, clock=world.clock)
        self.intake = Intake(
            "EMAIL", LEASE, world.ports, self.capacity, self.bucket, self._dispatch, world.metrics
        )

    def _dispatch(self, group: Sequence[Delivery], probe: bool) -> None:
        assert not probe
        self.dispatched += group

    @property
    def ids(self) -> list[str]:
        return [delivery.alert_id for delivery in self.dispatched]


def test_a_new_alert_is_claimed_dispatched_and_committed() -> None:
    async def receive() -> None:
        world = World()
        world.table.recipients["c1"] = RecipientState(known=True, time_zone="Europe/Prague")
        taken = Taken(world)
        world.alerts.add(record(offset=7))
        await taken.intake.receive()
        [delivery] = taken.dispatched
        assert (delivery.alert_id, delivery.attempt, delivery.route) == ("0123", 1, "EMAIL")
        assert delivery.recipient.time_zone == "Europe/Prague"
        assert delivery.lease_ends == world.clock.monotonic() + LEASE / 1000
        assert world.alerts.committed == [7]
        assert taken.capacity.in_flight == 1
        assert world.count("received_records_total") == 1

    run(receive)


def test_an_alert_that_comes_again_is_dispatched_once() -> None:
    async def receive() -> None:
        world = World()
        taken = Taken(world)
        world.alerts.add(record(offset=1), record(offset=2), record(offset=3, alert_id="b"))
        await taken.intake.receive()
        world.alerts.add(record(offset=4))
        await taken.intake.receive()
        assert taken.ids == ["0123", "b"]
        assert world.alerts.committed == [1, 2, 3, 4]
        assert world.count("duplicate_records_total") == 2
        assert taken.capacity.in_flight == 2

    run(receive)


def test_what_another_process_has_claimed_is_left_to_it() -> None:
    async def receive() -> None:
        world = World()
        other = world.other_process()
        theirs, own = Taken(other), Taken(world)
        other.alerts.add(record())
        await theirs.intake.receive()
        world.alerts.add(record(), record(offset=8, alert_id="own"))
        await own.intake.receive()
        assert (theirs.ids, own.ids) == (["0123"], ["own"])
        assert world.table.rows["0123"].owner == "p2"
        assert own.capacity.in_flight == 1

    run(receive)


def test_what_is_no_alert_becomes_a_dead_letter_and_stops_nothing() -> None:
    async def receive() -> None:
        world = World()
        taken = Taken(world)
        world.alerts.add(GARBAGE, record(offset=4), record(offset=5, alert_id="s", channel="SMS"))
        await taken.intake.receive()
        assert taken.ids == ["0123"]
        assert [letter.source.offset for letter in world.dead_letters.letters] == [3, 5]
        assert "SMS" in world.dead_letters.letters[1].reason
        assert world.alerts.committed == [3, 4, 5]
        assert world.count("dead_letters_total") == 2
        assert world.count("duplicate_records_total") == 0
        assert taken.capacity.in_flight == 1

    run(receive)


def test_nothing_is_committed_before_its_dead_letter_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async def receive() -> None:
        world = World()
        taken, written = Taken(world), asyncio.Event()

        async def write(_: object) -> None:
            await written.wait()

        monkeypatch.setattr(world.dead_letters, "write", write)
        world.alerts.add(GARBAGE, record(offset=4))
        receiving = asyncio.create_task(taken.intake.receive())
        await settle()
        assert (taken.ids, world.alerts.committed) == (["0123"], [])
        written.set()
        await receiving
        assert world.alerts.committed == [3, 4]

    run(receive)


def test_one_alert_that_the_ledger_cannot_hold_does_not_stop_the_others() -> None:
    async def receive() -> None:
        world = World()
        taken = Taken(world)
        world.ledger.unclaimable = {"a3"}
        world.alerts.add(*(record(offset=n, alert_id=f"a{n}") for n in range(8)))
        await taken.intake.receive()
        assert taken.ids == [f"a{n}" for n in range(8) if n != 3]
        [letter] = world.dead_letters.letters
        assert (letter.source.offset, letter.reason) == (3, "the ledger cannot hold it: DataError")
        assert world.alerts.committed == list(range(8))
        assert taken.capacity.in_flight == 7

    run(receive)


def test_a_claim_that_fails_commits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def receive() -> None:
        world = World()
        taken = Taken(world)

        async def claim(_: object) -> None:
            raise ConnectionError("the database is away for good")

        monkeypatch.setattr(world.ledger, "claim", claim)
        world.alerts.add(record())
        with pytest.raises(ConnectionError):
            await taken.intake.receive()
        assert (taken.ids, world.alerts.committed) == ([], [])

    run(receive)


def test_no_more_are_taken_than_there_are_places_and_permits() -> None:
    async def receive() -> None:
        world = World()
        taken = Taken(world, in_flight=3, rate=2.0)
        world.alerts.add(*(record(offset=n, alert_id=f"a{n}") for n in range(5)))
        await taken.intake.receive()
        assert taken.ids == ["a0", "a1"]
        world.clock.advance(1)
        await taken.intake.receive()
        assert taken.ids == ["a0", "a1", "a2"]  # One place was left.
        waiting = asyncio.create_task(taken.intake.receive())
        world.clock.advance(1)
        await settle()
        assert not waiting.done()
        taken.capacity.release(taken.dispatched[:1])
        await waiting
        assert taken.ids[-1] == "a3"

    run(receive)


def test_duplicates_cost_no_permits() -> None:
    async def receive() -> None:
        world = World()
        taken = Taken(world, rate=2.0)
        world.alerts.add(record(offset=1), record(offset=2))
        await taken.intake.receive()
        assert taken.bucket.try_take(5) == 1

    run(receive)


def test_after_stop_nothing_is_taken() -> None:
    async def receive() -> None:
        world = World()
        taken = Taken(world)
        receiving = asyncio.create_task(taken.intake.run())
        await settle()
        taken.intake.stop()
        world.alerts.add(record())
        await receiving
        assert (taken.ids, world.alerts.committed, world.table.rows) == ([], [], {})

    run(receive)
