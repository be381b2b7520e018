"""Which gateways are up, by the outcomes of sending."""

from delivery.gateways.outcomes import rejected, retry
from delivery.worker.circuit_breaker import CircuitBreakers
from delivery.worker.gateway_health import GatewayHealth
from tests.unit.delivery.fakes import SENT, World

DOWN = retry("no connection", down=True)


def new_health() -> tuple[World, CircuitBreakers, GatewayHealth]:
    world = World()
    breakers = CircuitBreakers(2.0, world.clock)
    return world, breakers, GatewayHealth(breakers, world.metrics, world.clock)


def test_a_gateway_goes_down_and_comes_up_again() -> None:
    world, breakers, health = new_health()
    assert health.record_outcome("EMAIL", DOWN, world.clock.monotonic()) == DOWN
    assert breakers.is_open("EMAIL")
    assert world.count("gateway_up", route="EMAIL") == 0
    world.clock.advance(1)
    health.record_outcome("EMAIL", SENT, world.clock.monotonic())
    assert not breakers.is_open("EMAIL")
    assert world.count("gateway_up", route="EMAIL") == 1


def test_a_rejection_too_shows_that_the_gateway_is_up() -> None:
    world, breakers, health = new_health()
    breakers.trip("EMAIL")
    health.record_outcome("EMAIL", rejected("no such mailbox"), world.clock.monotonic())
    assert not breakers.is_open("EMAIL")


def test_while_others_are_answered_a_fault_is_the_alerts_own() -> None:
    world, breakers, health = new_health()
    started = world.clock.monotonic()
    world.clock.advance(1)
    health.record_outcome("EMAIL", SENT, started)
    outcome = health.record_outcome("EMAIL", DOWN, started)
    assert not outcome.gateway_down
    assert not breakers.is_open("EMAIL")
    # One that began after that answer counts.
    assert health.record_outcome("EMAIL", DOWN, started + 2).gateway_down
    assert breakers.is_open("EMAIL")


def test_routes_are_down_by_themselves() -> None:
    world, breakers, health = new_health()
    health.record_outcome("FCM", DOWN, world.clock.monotonic())
    assert breakers.open_routes() == ["FCM"]


def test_twenty_timeouts_in_a_row_mean_that_the_gateway_is_down() -> None:
    world, breakers, health = new_health()
    for _ in range(19):
        outcome = health.record_outcome("EMAIL", health.record_timeout("EMAIL"), world.clock.monotonic())
        assert (outcome.reason, outcome.gateway_down) == ("no answer in time", False)
    health.record_answer("EMAIL")
    for _ in range(19):
        health.record_outcome("EMAIL", health.record_timeout("EMAIL"), world.clock.monotonic())
    assert not breakers.is_open("EMAIL")
    health.record_outcome("EMAIL", health.record_timeout("EMAIL"), world.clock.monotonic())
    assert breakers.is_open("EMAIL")


def test_a_timeout_does_not_close_a_breaker() -> None:
    world, breakers, health = new_health()
    breakers.trip("EMAIL")
    health.record_outcome("EMAIL", health.record_timeout("EMAIL"), world.clock.monotonic())
    assert breakers.is_open("EMAIL")
