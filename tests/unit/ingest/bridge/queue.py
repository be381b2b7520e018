"""An AMQP broker in memory: a session with one queue, driven by a test's scenario."""

from collections import deque
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any, cast

from proton import Delivery, Message

from tests.clock import FakeClock

Scenario = Callable[[], Generator[None, None, None]]
_MOST_TURNS = 500
_NAMES = {Delivery.ACCEPTED: "accepted", Delivery.REJECTED: "rejected", Delivery.RELEASED: "released"}


class FakeDelivery:
    """A message on its way; notes what the bridge says of it."""

    def __init__(self, encoded: bytes, *, partial: bool = False, aborted: bool = False) -> None:
        self.encoded = encoded
        self.readable = True
        self.partial = partial
        self.aborted = aborted
        self.pending = len(encoded)
        self.state: str | None = None
        self.settled = False

    def update(self, state: Any) -> None:
        assert not self.settled
        self.state = _NAMES[state]

    def settle(self) -> None:
        assert not self.settled
        self.settled = True


class FakeLink:
    """A receiver: deliveries come within its credit."""

    def __init__(self, queue: "FakeQueue") -> None:
        self._queue = queue
        self.credit = 0
        self.draining = False

    def flow(self, credit: int) -> None:
        self.credit += credit

    def drain(self, credit: int) -> None:
        self.credit += credit
        self.draining = True

    def recv(self, _: int) -> bytes:
        assert self._queue.current is not None
        return self._queue.current.encoded

    def advance(self) -> None:
        self.credit -= 1


class FakeQueue:
    """A container of proton's with the broker behind it.

    One call of `process` is a turn: what the scenario does up to its next `yield`, then what is due.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.timeout = 0.0
        self.link: FakeLink | None = None
        self.connections = 0
        self.reconnect_delays: list[float] = []
        self.current: FakeDelivery | None = None
        self.deliveries: list[FakeDelivery] = []
        self._clock = clock
        self._waiting: deque[FakeDelivery] = deque()
        self._timers: list[tuple[float, Any]] = []
        self._opening = self._closed = False
        self._handler: Any = None
        self._scenario: Generator[None, None, None] | None = None
        self._turns = 0

    def play(self, handler: Any, scenario: Scenario) -> "FakeQueue":
        self._handler, self._scenario = handler, scenario()
        return self

    # What tests do.

    def put(self, *messages: bytes | str | int | FakeDelivery, delivery_count: int = 0) -> list[FakeDelivery]:
        """Store messages; returns their deliveries."""
        stored = []
        for message in messages:
            if isinstance(message, FakeDelivery):
                stored.append(message)
                continue
            made = Message(body=cast("Any", message), delivery_count=delivery_count)
            made.inferred = isinstance(message, bytes)
            stored.append(FakeDelivery(made.encode()))
        self._waiting += stored
        return stored

    def lose_connection(self) -> None:
        """Break the connection; what is unsettled goes back to the queue."""
        self.link, self._closed = None, False
        event = SimpleNamespace(transport=SimpleNamespace(connection=None, condition=None))
        self._handler.on_transport_error(event)
        self._handler.on_transport_closed(event)

    # What the bridge does.

    def start(self) -> None:
        self._handler.on_start(None)

    def connect(self, url: str, **_: Any) -> Any:
        self.connections += 1
        return SimpleNamespace(close=self._close)

    def create_receiver(self, connection: Any, address: str, options: Any) -> None:
        self._opening = True

    def schedule(self, delay: float, handler: Any) -> None:
        self.reconnect_delays.append(delay)
        self._timers.append((self._clock.monotonic() + delay, handler))

    def _close(self) -> None:
        self._closed = True

    def process(self) -> bool:
        self._turns += 1
        assert self._turns < _MOST_TURNS, "the scenario does not end"
        if self._closed:
            return False
        if self._opening:
            self._opening, self.link = False, FakeLink(self)
            self._handler.on_link_opened(SimpleNamespace(receiver=self.link))
        assert self._scenario is not None
        next(self._scenario, None)
        due = [handler for at, handler in self._timers if at <= self._clock.monotonic()]
        self._timers = [(at, handler) for at, handler in self._timers if at > self._clock.monotonic()]
        for handler in due:
            handler.on_timer_task(None)
        self._deliver()
        return True

    def _deliver(self) -> None:
        if self.link is None:
            return
        if self.link.draining:
            self.link.credit = 0
        while self._waiting and self.link.credit > 0:
            self.current = self._waiting.popleft()
            self.deliveries.append(self.current)
            self._handler.on_delivery(SimpleNamespace(delivery=self.current, link=self.link))
