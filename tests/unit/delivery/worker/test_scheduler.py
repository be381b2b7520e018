"""Claiming what is due: retries, ended leases, deferred alerts, digests, probes."""

from collections.abc import Sequence

from account_alerts.model.alerts import DeliveryState
from account_alerts.service.rate_limit import TokenBucket
from delivery.alert import Delivery
from delivery.policy import DeferralReason, RecipientState
from delivery.worker.capacity import Capacity
from delivery.worker.circuit_breaker import CircuitBreakers
from delivery.worker.scheduler import Scheduler
from tests.unit.delivery.alerts import ALERT, TOPIC, delivery, record
from tests.unit.delivery.fakes import LEASE, Row, World, run

DUE = 0


class Polled:
    """A scheduler, and the groups that it dispatches."""

    def __init__(self, world: World, in_flight: int = 100, rate: float | None = None) -> None:
        self.groups: list[list[str]] = []
        self.deliveries: list[Delivery] = []
        self.probes: list[bool] = []
        self.capacity = Capacity(in_flight)
        self.breakers = CircuitBreakers(2.0, world.clock)
        self.bucket = TokenBucket(rate, clock=world.clock)
        self.scheduler = Scheduler(
            "EMAIL", TOPIC, LEASE, world.ports, self.capacity, self.bucket, self.breakers, self._dispatch
        )

    def _dispatch(self, group: Sequence[Delivery], probe: bool) -> None:
        self.groups.append([delivery.alert_id for delivery in group])
        self.deliveries += group
        self.probes.append(probe)


def add(
    world: World,
    alert_id: str,
    state: DeliveryState = DeliveryState.RETRYING,
    *,
    due_in: int = DUE,
    route: str = "EMAIL",
    deferred_for: DeferralReason | None = None,
    owner: str = "p1",
    **fields: str,
) -> None:
    """Put a row into the ledger that is due in milliseconds."""
    alert = ALERT | {"alert_id": alert_id} | fields
    own = delivery(alert=alert, source=record(**alert), route=route)
    due_at = world.clock.now_ms() + due_in
    world.table.rows[alert_id] = Row(own, state, owner, due_at, deferred_for=deferred_for)


def test_what_is_due_is_claimed_once_and_not_before() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        add(world, "now")
        add(world, "later", due_in=1_000)
        assert await polled.scheduler.poll() == 1
        assert await polled.scheduler.poll() == 0
        world.clock.advance(1)
        assert await polled.scheduler.poll() == 1
        assert polled.groups == [["now"], ["later"]]
        assert [each.attempt for each in polled.deliveries] == [2, 2]
        assert polled.capacity.in_flight == 2

    run(poll)


def test_an_alert_of_a_process_that_died_is_taken_over_when_its_lease_ends() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        add(world, "left", DeliveryState.CLAIMED, due_in=LEASE, owner="dead")
        world.clock.advance(LEASE / 1000 - 0.001)
        assert await polled.scheduler.poll() == 0
        world.clock.advance(0.001)
        assert await polled.scheduler.poll() == 1
        [taken] = polled.deliveries
        assert (taken.attempt, world.table.rows["left"].owner) == (2, "p1")
        assert taken.lease_ends == world.clock.monotonic() + LEASE / 1000
        assert taken.source.key == b"c1"

    run(poll)


def test_what_two_processes_find_due_goes_to_one() -> None:
    async def poll() -> None:
        world = World()
        other = world.other_process()
        one, two = Polled(world), Polled(other)
        add(world, "a")
        assert [await one.scheduler.poll(), await two.scheduler.poll()] == [1, 0]

    run(poll)


def test_a_deferred_alert_comes_with_the_recipient_as_known_now() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        add(world, "a", DeliveryState.DEFERRED, deferred_for=DeferralReason.QUIET_HOURS)
        world.table.recipients["c1"] = RecipientState(known=True, authorized=True)
        await polled.scheduler.poll()
        [found] = polled.deliveries
        assert found.deferred_for is DeferralReason.QUIET_HOURS
        assert found.recipient.authorized

    run(poll)


def test_a_digest_is_one_group_for_each_customer_and_address() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        for alert_id, customer, address in (
            ("a1", "c1", "x@example.com"),
            ("b1", "c2", "x@example.com"),
            ("a2", "c1", "x@example.com"),
            ("c1", "c1", "y@example.com"),
        ):
            add(
                world,
                alert_id,
                DeliveryState.DEFERRED,
                deferred_for=DeferralReason.DIGEST,
                customer_id=customer,
                address=address,
            )
        assert await polled.scheduler.poll() == 3
        assert sorted(polled.groups) == [["a1", "a2"], ["b1"], ["c1"]]
        assert all(found.digest_id is not None for found in polled.deliveries)
        assert polled.capacity.in_flight == 4

    run(poll)


def test_a_channel_that_is_down_gets_one_probe_at_a_time() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        for number in range(5):
            add(world, f"a{number}")
        polled.breakers.trip("EMAIL")
        assert await polled.scheduler.poll() == 0
        world.clock.advance(0.5)
        assert await polled.scheduler.poll() == 1
        assert await polled.scheduler.poll() == 0
        assert (polled.groups, polled.probes) == ([["a0"]], [True])
        polled.breakers.reset("EMAIL")
        assert await polled.scheduler.poll() == 4
        assert polled.probes == [True, *[False] * 4]

    run(poll)


def test_a_probe_may_be_a_digest() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        for number in range(2):
            add(world, f"a{number}", DeliveryState.DEFERRED, deferred_for=DeferralReason.DIGEST)
        polled.breakers.trip("EMAIL")
        world.clock.advance(0.5)
        assert await polled.scheduler.poll() == 1
        assert (polled.groups, polled.probes) == ([["a0", "a1"]], [True])

    run(poll)


def test_a_route_that_is_down_does_not_stop_the_others() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        add(world, "fcm", route="FCM")
        add(world, "apns", route="APNS")
        polled.breakers.trip("FCM")
        assert await polled.scheduler.poll() == 1
        assert polled.groups == [["apns"]]

    run(poll)


def test_the_rate_and_the_places_are_kept() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world, in_flight=8, rate=3.0)
        for number in range(10):
            add(world, f"a{number}")
        assert await polled.scheduler.poll() == 3
        assert await polled.scheduler.poll() == 0
        world.clock.advance(1)
        assert await polled.scheduler.poll() == 1  # Four places are for what is due.

    run(poll)


def test_what_was_not_found_costs_no_permits() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world, rate=5.0)
        add(world, "a")
        await polled.scheduler.poll()
        assert polled.bucket.try_take(10) == 4

    run(poll)


def test_after_stop_nothing_is_claimed() -> None:
    async def poll() -> None:
        world = World()
        polled = Polled(world)
        add(world, "a")
        polled.scheduler.stop()
        await polled.scheduler.run()
        assert (polled.groups, world.table.rows["a"].state) == ([], DeliveryState.RETRYING)

    run(poll)


def test_the_probe_of_a_route_that_is_down_is_the_alert_that_was_tried_least() -> None:
    """One that is refused for itself, again and again, would keep the route down for all."""

    async def poll() -> None:
        world = World()
        polled = Polled(world)
        polled.breakers.trip("EMAIL")
        for alert_id, attempts in (("refused", 7), ("new", 1), ("newer", 1)):
            add(world, alert_id)
            world.table.rows[alert_id].attempts = attempts
        for _ in range(3):
            world.clock.advance(2)
            await polled.scheduler.poll()
        assert polled.groups == [["new"], ["newer"], ["refused"]]
        assert polled.probes == [True, True, True]

    run(poll)
