"""What the demo does, in its order."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TextIO

import psutil

from account_alerts.config import Config
from account_alerts.model import errors
from account_alerts.records.codec import Record, codec
from account_alerts.service.clock import SYSTEM_CLOCK
from demo.watch import AlertKey, Watch
from devenv import environment
from devenv.bank import customers, database
from devenv.bank.device_client import DeviceClient
from devenv.fake_gateways import INBOXES, device, received
from devenv.readiness import wait_for_rules
from operations import booking_files
from operations.tail import CHANNELS, Arrival, follow

BOOKINGS = 3000
"""So many are at hand, with what must come of each."""
STEADY_BOOKINGS = 1500
RATE = 50.0
"""Bookings a second: what two processors carry beside all the programs of the chain."""
WARM_UP_RATE = 25.0
_WARM_MS = 150
"""Warm is what raises all alerts within so long, ..."""
_WINDOW_MS = 5_000
"""... for so long."""
_PATIENCE_SECONDS = 60.0
_SETTINGS_SECONDS = 120.0
_EFFECT_SECONDS = 1.0
"""From then on a change holds for the next booking (contract)."""
_LINES_A_SECOND = 10
_SECOND_DEVICE = 5
"""Every so many-th customer has a phone besides the browser."""


def play(config: Config, out: TextIO) -> Watch:
    """Start the whole chain, let the sample's customers ask for alerts, book, and watch what they get.

    Args:
        config: A local environment's, on free ports and state of its own.
        out: Where people read what happens.

    Raises:
        OperationError: The environment did not start.
        KafkaUnreachableError: Kafka went away.
    """
    entries = booking_files.read()
    may_see = customers.authorizations()
    settings = customers.settings(entries, may_see)
    # The liveliest part is the last: most accounts were opened on the way there.
    bookings = iter(entries[-BOOKINGS:])
    devices = {record["customer_id"]: 1 + (n % _SECOND_DEVICE == 0) for n, record in enumerate(settings)}
    # From the command on, its own start included.
    watch = Watch(set(), devices, started=round(psutil.Process().create_time() * 1000))
    alerts: dict[str, set[AlertKey]] = defaultdict(set)
    for key in customers.expected_alerts():
        alerts[key[0]].add(key)

    def fill() -> None:
        database.load(config, [*may_see, *settings])
        committed = time.time()
        count = sum(len(record["settings"]) for record in settings)
        print(
            f"{len(settings)} customers ask for {count} alerts, in the bank's database", file=out, flush=True
        )
        print(f"pages of customers and operators: {config.require('web').public_url}", file=out, flush=True)
        register_devices(config, devices)
        print(f"{sum(devices.values())} devices registered", file=out, flush=True)
        last = wait_for_records(
            config, {"account_authorizations": len(may_see), "alert_settings": len(settings)}
        )
        watch.settings_seconds = max(last / 1000 - committed, 0.0)

    environment.up(config, fresh=True, full=True, on_services=fill)
    time.sleep(_EFFECT_SECONDS)
    wait_for_rules(config)

    def put(count: int, rate: float, is_enough: Callable[[], bool] = lambda: False) -> None:
        put_bookings(config, islice(bookings, count), alerts, watch, out, rate, is_enough)
        wait_for_messages(config, watch)

    def warm() -> bool:
        watch.warm = watch.is_warm(_WINDOW_MS, _WARM_MS)
        return watch.warm

    with following(config, watch, out):
        print("--- WARMING UP: Java compiles what it runs; these alerts are slower", file=out, flush=True)
        put(BOOKINGS - STEADY_BOOKINGS, WARM_UP_RATE, warm)
        state = "STEADY STATE" if watch.warm else "NOT YET WARM, as the machine is busy"
        print(f"--- {state}, after {len(watch.put)} bookings", file=out, flush=True)
        before = set(watch.put)
        put(STEADY_BOOKINGS, RATE)
        watch.steady = watch.put.keys() - before
    return watch


def register_devices(config: Config, devices: dict[str, int]) -> None:
    """Give each customer a browser, and a phone where there is to be a second device."""

    def register(customer: str) -> None:
        for kind in ("WEB_PUSH", "FCM")[: devices[customer]]:
            wanted = {"customer": customer, **device.create(config, kind)}
            service.ask("POST", "/v1/devices", json=wanted)

    with DeviceClient(config) as service, ThreadPoolExecutor(4) as pool:
        list(pool.map(register, devices))


def wait_for_records(config: Config, wanted: dict[str, int]) -> int:
    """Wait until topics, by their keys in the configuration, hold so many keys; return when the last came.

    Raises:
        OperationError: They do not come.
    """
    names = {config.topics.all()[key].name: count for key, count in wanted.items()}
    keys: dict[str, set[bytes]] = {name: set() for name in names}
    last = 0
    end = time.monotonic() + _SETTINGS_SECONDS

    def complete() -> bool:
        return all(len(keys[name]) >= count for name, count in names.items())

    for record in follow(
        config, names, from_beginning=True, stop=lambda: complete() or time.monotonic() > end
    ):
        keys[record.topic() or ""].add(bytes(record.key() or b""))
        last = max(last, record.timestamp()[1])
    if not complete():
        found = ", ".join(f"{len(keys[name])} of {count} in {name}" for name, count in names.items())
        raise errors.OperationError(f"the bank's customers do not come to Kafka: {found}. See publisher.out.")
    return last


@contextmanager
def following(
    config: Config, watch: Watch, out: TextIO | None, *, from_beginning: bool = False
) -> Iterator[None]:
    """Take down what comes to the topics meanwhile, and show the alerts.

    Args:
        config: Where Kafka is.
        watch: Takes it down.
        out: Where people read it; None: nowhere.
        from_beginning: Also what is on the topics already.

    Raises:
        KafkaUnreachableError: Kafka went away.
    """
    topics, decoder = config.topics, codec(config)
    alerts = {topics.all()[f"outbound_{name}"].name: name for name in CHANNELS}
    ready, stop = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def follow_them() -> None:
        shown = 0.0
        try:
            names = [topics.account_entries.name, *alerts, topics.outbound_device_push.name]
            seen = follow(config, names, from_beginning=from_beginning, on_ready=ready.set, stop=stop.is_set)
            for record in seen:
                name, value, at = record.topic() or "", record.value() or b"", record.timestamp()[1]
                if name == topics.account_entries.name:
                    watch.note_booking(decoder.decode("AccountEntry", value), at)
                    continue
                alert = decoder.decode("OutboundAlert", value)
                if name == topics.outbound_device_push.name:
                    watch.note_push(alert, at)
                elif watch.note_alert(alert, at) and out and time.monotonic() - shown > 1 / _LINES_A_SECOND:
                    shown = time.monotonic()
                    print(Arrival(alerts[name], at, alert).line(), file=out, flush=True)
        except Exception as error:  # Told by the thread that waits.
            failures.append(error)
        finally:
            ready.set()

    follower = threading.Thread(target=follow_them, daemon=True)
    follower.start()
    ready.wait()
    try:
        if not failures:
            yield
    finally:
        stop.set()
        follower.join()
    if failures:
        raise failures[0]


def put_bookings(
    config: Config,
    entries: Iterable[Record],
    alerts: Mapping[str, set[AlertKey]],
    watch: Watch,
    out: TextIO,
    rate: float,
    is_enough: Callable[[], bool],
) -> None:
    """Put bookings onto the bank's queue as camt.054, each booked at the moment it is put there.

    Args:
        config: Where the queue is.
        entries: The bookings.
        alerts: What each raises.
        watch: Takes down when each was put, and what must come of it.
        out: Where people read how far it is.
        rate: Bookings a second.
        is_enough: Asked each second; ends it before all are put.

    Raises:
        OperationError: The queue does not take them.
    """
    from devenv.bank import camt054_writer
    from operations import queue

    bridge = config.require("bridge")
    shown = time.monotonic()

    def messages() -> Iterator[queue.Outgoing]:
        nonlocal shown
        for number, entry in enumerate(entries, 1):
            now = SYSTEM_CLOCK.now_ms()
            watch.wanted |= alerts.get(entry["entry_id"], set())
            watch.put[entry["entry_id"]] = now
            message = camt054_writer.write({**entry, "booked_at": now})
            yield queue.Outgoing(message, entry["account_id"])
            if time.monotonic() - shown > 1:
                shown = time.monotonic()
                print(f"--- {number} bookings on the queue, {len(watch.raised)} alerts", file=out, flush=True)
                if is_enough():
                    return

    queue.put(bridge, messages(), rate)


def wait_for_messages(config: Config, watch: Watch, patience: float = _PATIENCE_SECONDS) -> None:
    """Wait until all that must come is at the customers' gateways, or nothing has come for a while."""
    end = time.monotonic() + patience
    while not watch.alerts_complete() and time.monotonic() < end:
        time.sleep(0.5)
    while True:
        for channel, name in INBOXES.items():
            watch.note_messages(channel, received.items(config, name))
        if watch.complete() or time.monotonic() > end:
            return
        time.sleep(1)
