"""Which gateways are up, by the outcomes of sending."""

from delivery.alert import Delivery, LastRetry
from delivery.gateways.base import Outcome, Result
from delivery.gateways.outcomes import About, outcome, rejected, retry, unsendable
from delivery.worker.circuit_breaker import CircuitBreakers
from delivery.worker.gateway_health import GatewayHealth
from tests.unit.delivery import alerts
from tests.unit.delivery.alerts import delivery
from tests.unit.delivery.fakes import SENT, World

ALERT = delivery()
DOWN = retry("no connection", down=True)
OURS = outcome(About.US, "SMTP 554 5.7.1")
DOUBT = outcome(About.UNKNOWN, "SMTP 550")


def timed_out(health: GatewayHealth) -> Outcome:
    return health.record_timeout("EMAIL", "no answer in time")


def new_health() -> tuple[World, CircuitBreakers, GatewayHealth]:
    world = World()
    breakers = CircuitBreakers(2.0, world.clock)
    return world, breakers, GatewayHealth(breakers, world.metrics, world.clock)


def test_a_gateway_goes_down_and_comes_up_again() -> None:
    world, breakers, health = new_health()
    assert health.record_outcome(ALERT, DOWN, world.clock.monotonic()) == DOWN
    assert breakers.is_open("EMAIL")
    assert world.count("gateway_up", route="EMAIL") == 0
    world.clock.advance(1)
    health.record_outcome(ALERT, SENT, world.clock.monotonic())
    assert not breakers.is_open("EMAIL")
    assert world.count("gateway_up", route="EMAIL") == 1


def test_a_rejection_too_shows_that_the_gateway_is_up() -> None:
    world, breakers, health = new_health()
    breakers.trip("EMAIL")
    health.record_outcome(ALERT, rejected("no such mailbox"), world.clock.monotonic())
    assert not breakers.is_open("EMAIL")


def test_what_the_gateway_was_not_asked_about_says_nothing_of_it() -> None:
    world, breakers, health = new_health()
    breakers.trip("EMAIL")
    health.record_outcome(ALERT, unsendable("no mail address"), world.clock.monotonic())
    assert breakers.is_open("EMAIL")


def test_while_others_are_answered_a_fault_is_the_alerts_own() -> None:
    world, breakers, health = new_health()
    started = world.clock.monotonic()
    world.clock.advance(1)
    health.record_outcome(ALERT, SENT, started)
    outcome = health.record_outcome(ALERT, DOWN, started)
    assert not outcome.gateway_down
    assert not breakers.is_open("EMAIL")
    # One that began after that answer counts.
    assert health.record_outcome(ALERT, DOWN, started + 2).gateway_down
    assert breakers.is_open("EMAIL")


def test_routes_are_down_by_themselves() -> None:
    world, breakers, health = new_health()
    health.record_outcome(delivery(route="FCM"), DOWN, world.clock.monotonic())
    assert breakers.open_routes() == ["FCM"]


def test_twenty_timeouts_in_a_row_mean_that_the_gateway_is_down() -> None:
    world, breakers, health = new_health()
    for _ in range(19):
        outcome = health.record_outcome(ALERT, timed_out(health), world.clock.monotonic())
        assert (outcome.reason, outcome.gateway_down) == ("no answer in time", False)
    health.record_answer("EMAIL")
    for _ in range(19):
        health.record_outcome(ALERT, timed_out(health), world.clock.monotonic())
    assert not breakers.is_open("EMAIL")
    health.record_outcome(ALERT, timed_out(health), world.clock.monotonic())
    assert breakers.is_open("EMAIL")


def test_a_timeout_does_not_close_a_breaker() -> None:
    world, breakers, health = new_health()
    breakers.trip("EMAIL")
    health.record_outcome(ALERT, timed_out(health), world.clock.monotonic())
    assert breakers.is_open("EMAIL")


def tried_before(world: World, reason: str, *, attempt: int = 4) -> Delivery:
    """Return an alert that had an answer a second ago."""
    return delivery(attempt=attempt, last_retry=LastRetry(reason, world.clock.now_ms() - 1_000))


def test_an_answer_about_us_stops_the_route_at_once() -> None:
    world, breakers, health = new_health()
    assert health.record_outcome(ALERT, OURS, world.clock.monotonic()).gateway_down
    assert breakers.is_open("EMAIL")
    assert world.count("gateway_up", route="EMAIL") == 0


def test_an_alert_that_is_answered_so_again_while_others_are_taken_stops_nobody() -> None:
    world, breakers, health = new_health()
    again = tried_before(world, "SMTP 554 5.7.1")
    health.record_outcome(ALERT, SENT, world.clock.monotonic())
    world.clock.advance(1)
    answered = health.record_outcome(again, OURS, world.clock.monotonic())
    assert (answered.result, answered.gateway_down) == (Result.RETRY, False)
    assert not breakers.is_open("EMAIL")
    # Of another alert it counts.
    assert health.record_outcome(ALERT, OURS, world.clock.monotonic()).gateway_down


def test_a_probe_that_had_the_answer_before_says_nothing_of_the_route() -> None:
    world, breakers, health = new_health()
    health.record_outcome(ALERT, SENT, world.clock.monotonic())
    breakers.trip("EMAIL")
    world.clock.advance(1)
    again = delivery(attempt=4, last_retry=LastRetry("SMTP 554 5.7.1", 0))
    health.record_outcome(again, OURS, world.clock.monotonic())
    assert breakers.is_open("EMAIL")


def test_a_doubtful_answer_is_about_the_address_where_others_are_taken() -> None:
    world, breakers, health = new_health()
    assert health.record_outcome(ALERT, DOUBT, world.clock.monotonic()) == DOUBT
    again = tried_before(world, "SMTP 550")
    assert health.record_outcome(again, DOUBT, world.clock.monotonic()) == DOUBT
    health.record_outcome(ALERT, SENT, world.clock.monotonic())
    early = tried_before(world, "SMTP 550", attempt=3)
    assert health.record_outcome(early, DOUBT, world.clock.monotonic()) == DOUBT
    assert health.record_outcome(again, DOUBT, world.clock.monotonic()) == rejected("SMTP 550")
    # Something else was said before.
    other = tried_before(world, "SMTP 451")
    assert health.record_outcome(other, DOUBT, world.clock.monotonic()) == DOUBT
    assert not breakers.is_open("EMAIL")


def test_doubtful_answers_to_five_alerts_in_a_row_are_about_us() -> None:
    world, breakers, health = new_health()

    def answer(*alert_ids: str) -> list[bool]:
        each = [delivery(alert=alerts.ALERT | {"alert_id": alert_id}) for alert_id in alert_ids]
        return [health.record_outcome(one, DOUBT, world.clock.monotonic()).gateway_down for one in each]

    assert not any(answer("a", "b", "c", "d", *"aaaaaa"))
    health.record_outcome(ALERT, SENT, world.clock.monotonic())
    world.clock.advance(1)
    assert answer("a", "b", "c", "d", "e", "a") == [False, False, False, False, True, True]
    assert breakers.is_open("EMAIL")
    world.clock.advance(1)
    health.record_outcome(ALERT, SENT, world.clock.monotonic())
    assert not breakers.is_open("EMAIL")


def test_a_doubtful_answer_does_not_close_a_breaker() -> None:
    world, breakers, health = new_health()
    breakers.trip("EMAIL")
    health.record_outcome(ALERT, DOUBT, world.clock.monotonic())
    assert breakers.is_open("EMAIL")


def test_a_device_made_for_another_key_stops_the_route_once_and_is_rejected_where_others_are_taken() -> None:
    mismatch = outcome(About.MISMATCH, "HTTP 403")
    world, breakers, health = new_health()
    assert health.record_outcome(ALERT, mismatch, world.clock.monotonic()).gateway_down
    assert breakers.is_open("EMAIL")
    # Nobody is taken: the key is wrong, and nothing is given up however often it is tried.
    again = tried_before(world, "HTTP 403", attempt=50)
    assert health.record_outcome(again, mismatch, world.clock.monotonic()).result is Result.RETRY
    world.clock.advance(1)
    health.record_outcome(ALERT, SENT, world.clock.monotonic())
    world.clock.advance(1)
    assert health.record_outcome(again, mismatch, world.clock.monotonic()) == rejected("HTTP 403")
