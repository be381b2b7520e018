"""What Flink gives to an operator, in memory: keyed state, timers, metrics."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pyflink.common import Row


class FakeMapState:
    """The map state of the current key."""

    def __init__(self, flink: "FakeFlink") -> None:
        self._flink = flink
        self._maps: dict[Any, dict[Any, Any]] = defaultdict(dict)

    def _map(self) -> dict[Any, Any]:
        return self._maps[self._flink.key]

    def get(self, key: Any) -> Any:
        return self._map().get(key)

    def put(self, key: Any, value: Any) -> None:
        self._map()[key] = value

    def remove(self, key: Any) -> None:
        self._map().pop(key, None)

    def contains(self, key: Any) -> bool:
        return key in self._map()

    def items(self) -> Iterator[tuple[Any, Any]]:
        return iter(self._map().items())


class FakeValueState:
    """The value state of the current key."""

    def __init__(self, flink: "FakeFlink") -> None:
        self._flink = flink
        self._values: dict[Any, Any] = {}

    def value(self) -> Any:
        return self._values.get(self._flink.key)

    def update(self, value: Any) -> None:
        self._values[self._flink.key] = value


class FakeCounter:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def inc(self, n: int = 1) -> None:
        self.count += n


class FakeFlink:
    """Runtime context, context of a call, timer service and clock of one operator, all in one.

    State outlives an operator: open another one with it, and that is a restart.
    """

    def __init__(self, now: int = 0) -> None:
        self.key: Any = None
        self.now = now
        self.states: dict[str, Any] = {}
        self.counters: dict[str, FakeCounter] = defaultdict(FakeCounter)
        self.timers: set[tuple[int, Any]] = set()

    def get_map_state(self, descriptor: Any) -> FakeMapState:
        state: FakeMapState = self.states.setdefault(descriptor.name, FakeMapState(self))
        return state

    def get_state(self, descriptor: Any) -> FakeValueState:
        state: FakeValueState = self.states.setdefault(descriptor.name, FakeValueState(self))
        return state

    def get_metrics_group(self) -> "FakeFlink":
        return self

    def counter(self, name: str) -> FakeCounter:
        return self.counters[name]

    def now_ms(self) -> int:
        return self.now

    def monotonic(self) -> float:
        return self.now / 1000

    def timer_service(self) -> "FakeFlink":
        return self

    def current_processing_time(self) -> int:
        return self.now

    def register_processing_time_timer(self, at: int) -> None:
        self.timers.add((at, self.key))

    def get_current_key(self) -> Any:
        return self.key

    def wait(self, operator: Any, milliseconds: int) -> list[Any]:
        """Let time pass; what the operator's timers give meanwhile."""
        end, given = self.now + milliseconds, []
        while due := sorted(timer for timer in self.timers if timer[0] <= end):
            self.timers.discard(due[0])
            self.now, self.key = max(self.now, due[0][0]), due[0][1]
            given += list(operator.on_timer(due[0][0], self))
        self.now = end
        return given


def row(**fields: Any) -> Row:
    """A row with these fields."""
    return Row(**fields)
