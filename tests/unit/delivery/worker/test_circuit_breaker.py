"""Circuit breakers of routes."""

from delivery.worker.circuit_breaker import CircuitBreakers
from tests.clock import FakeClock


def test_what_is_down_is_probed_less_and_less() -> None:
    clock = FakeClock()
    breakers = CircuitBreakers(2.0, clock)
    assert breakers.trip("FCM")
    assert not breakers.trip("FCM")
    assert breakers.open_routes() == ["FCM"]
    probes = []
    for eighth in range(64):
        probes += [eighth / 8] * len(breakers.due_probes())
        clock.advance(0.125)
    assert probes == [0.5, 1.5, 3.5, 5.5, 7.5]
    assert breakers.reset("FCM")
    assert not breakers.reset("FCM")
    assert not breakers.is_open("FCM")


def test_a_probe_is_never_later_than_the_longest() -> None:
    clock = FakeClock()
    breakers = CircuitBreakers(0.125, clock)
    breakers.trip("SMS")
    for _ in range(3):
        assert breakers.due_probes() == []
        clock.advance(0.125)
        assert breakers.due_probes() == ["SMS"]
