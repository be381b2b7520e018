"""Circuit breakers, one for each route: while a gateway is down, only a probe goes there now and then."""

from dataclasses import dataclass

from account_alerts.service.clock import Clock

_FIRST_PROBE = 0.5


@dataclass
class _Open:
    probe_at: float
    wait: float


class CircuitBreakers:
    """Which routes are down. A closed breaker lets alerts pass, an open one makes them wait."""

    def __init__(self, max_probe_interval: float, clock: Clock) -> None:
        """Begin with all closed; an open one is probed after half a second, then less often.

        Args:
            max_probe_interval: Seconds between probes at most.
            clock: Tells the time.
        """
        self._max_interval, self._clock = max_probe_interval, clock
        self._open: dict[str, _Open] = {}

    def is_open(self, route: str) -> bool:
        """Tell whether alerts of the route have to wait."""
        return route in self._open

    def open_routes(self) -> list[str]:
        """Return the routes that are down."""
        return list(self._open)

    def trip(self, route: str) -> bool:
        """Open a route's breaker; returns whether it was closed."""
        if route in self._open:
            return False
        wait = min(_FIRST_PROBE, self._max_interval)
        self._open[route] = _Open(self._clock.monotonic() + wait, wait)
        return True

    def reset(self, route: str) -> bool:
        """Close a route's breaker; returns whether it was open."""
        return self._open.pop(route, None) is not None

    def due_probes(self) -> list[str]:
        """Return the routes whose time has come for a probe, and put each off until the next."""
        now = self._clock.monotonic()
        ready = [route for route, state in self._open.items() if state.probe_at <= now]
        for route in ready:
            state = self._open[route]
            state.wait = min(state.wait * 2, self._max_interval)
            state.probe_at = now + state.wait
        return ready
