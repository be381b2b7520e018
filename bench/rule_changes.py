"""What `python -m bench rules` writes: rules at once, changes one by one, and bookings on their accounts."""

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from confluent_kafka import KafkaError, Message, TopicPartition

from account_alerts.config import Config
from account_alerts.kafka.clients import consumer, producer, send
from account_alerts.records.codec import codec
from bench import feed
from bench.measures import percentile
from operations.waiting import print_progress

CURRENCY = "CZK"
_AMOUNT, REACHED, OUT_OF_REACH = 1_000, 500, 10**15
_QUIET_SECONDS = 15.0
_PROBE_SECONDS = 0.25
_REPORT_SECONDS = 15.0
_BATCH = 10_000
Key = tuple[str, str]
"""A booking and a customer who is to hear of it."""
Write = tuple[str, str, bytes]
"""Topic, key, value."""


class TooSlowError(RuntimeError):
    """The rules did not catch up in time."""


class Records:
    """Makes the records of accounts and customers."""

    def __init__(self, config: Config) -> None:
        """Encode as the environment does."""
        self._codec, self._topics = codec(config), config.topics

    def authorization(self, account: str, customers: Iterable[str]) -> Write:
        """Encode who may see an account."""
        topic = self._topics.account_authorizations.name
        value = {"account_id": account, "customer_ids": list(customers)}
        return topic, account, self._codec.encode("AccountAuthorization", value, topic)

    def settings(self, customer: str, accounts: Iterable[str], threshold: int = REACHED) -> Write:
        """Encode what a customer asks for: a mail of each debit above the threshold (minor units)."""
        topic = self._topics.alert_settings.name
        asked = [
            {
                "setting_id": f"S{number}",
                "account_id": account,
                "currency": CURRENCY,
                "alert_type": "DEBITED_ABOVE",
                "channels": ["EMAIL"],
                "threshold_minor": threshold,
            }
            for number, account in enumerate(accounts)
        ]
        addresses = [{"channel": "EMAIL", "address": f"{customer}@example.com"}]
        value = {"customer_id": customer, "addresses": addresses, "settings": asked}
        return topic, customer, self._codec.encode("AlertSettings", value, topic)

    def booking(self, entry_id: str, account: str) -> Write:
        """Encode a debit above the threshold that can be reached."""
        topic = self._topics.account_entries.name
        value = {
            "entry_id": entry_id,
            "account_id": account,
            "currency": CURRENCY,
            "amount_minor": _AMOUNT,
            "credit_debit": "DBIT",
            "balance_minor": 1_000_000,
            "booked_at": time.time_ns() // 1_000_000,
            "entry_type": "TRANSFER",
        }
        return topic, account, self._codec.encode("AccountEntry", value, topic)


class Flow:
    """Writes records, and notes when the broker wrote each booking and each alert (milliseconds UTC)."""

    def __init__(self, config: Config) -> None:
        """Write and read the environment's topics."""
        self._config = config
        self._client = producer(config, **{"linger.ms": 2, "queue.buffering.max.messages": 1_000_000})
        self._failed: list[str] = []
        self.written: dict[str, int] = {}
        """By booking, or by the key of a change."""
        self.alerts: dict[Key, int] = {}
        """The first alert of each customer about a booking."""

    def write(self, record: Write, name: str | None = None) -> None:
        """Queue a record; with a name, when it was written is noted under it."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failed.append(str(error))
            elif name is not None:
                self.written[name] = message.timestamp()[1]

        topic, key, value = record
        send(self._client, topic, key.encode(), value, delivered)

    def flush(self) -> None:
        """Wait until Kafka has everything.

        Raises:
            RuntimeError: It refused a record.
        """
        feed.flush(self._client)
        if self._failed:
            raise RuntimeError(f"{len(self._failed)} records were not written: {self._failed[0]}")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read the alerts that come meanwhile, in a thread."""
        ends, stop = feed.Ender(self._config, feed.outbound(self._config)).ends(), threading.Event()
        client, reader = consumer(self._config), codec(self._config)
        client.assign([TopicPartition(*place, offset) for place, offset in ends.items()])

        def read() -> None:
            while not stop.is_set():
                for message in client.consume(_BATCH, 0.05):
                    if message.error() is None:
                        alert = reader.decode("OutboundAlert", message.value() or b"")
                        key = alert["entry_id"], alert["customer_id"]
                        self.alerts.setdefault(key, message.timestamp()[1])

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            client.close()


@dataclass
class BulkLoad:
    """Records written at once, and the bookings right behind them, once the effect delay has passed."""

    records: list[Write]
    bookings: dict[str, list[str]]
    """By account: who is to hear of a booking there."""
    probes: dict[str, str] = field(default_factory=dict)
    """Accounts whose rules are the last records of all, and the customer of each."""


@dataclass
class BulkResult:
    """The result; times in seconds."""

    records: int
    seconds: float
    """From the first record to the first alert of the last record's account."""
    records_per_second: float
    alerts_expected: int
    alerts_missing: int
    waited_p50: float
    """Of the bookings right behind the records, until their alert."""
    waited_max: float


def run_bulk(config: Config, load: BulkLoad, name: str, patience: float) -> BulkResult:
    """Write it all, and wait until the last rules are used and no more alerts come.

    Raises:
        TooSlowError: The rules did not catch up within `patience` seconds.
    """
    flow, records = Flow(config), Records(config)
    entries = {f"{name}-{account}": account for account in load.bookings}
    ready = [(entry, records.booking(entry, account)) for entry, account in entries.items()]
    expected = {
        (entry, customer) for entry, account in entries.items() for customer in load.bookings[account]
    }
    with flow.reading():
        began = time.time()
        for record in load.records:
            flow.write(record)
        flow.flush()
        print_progress(f"{len(load.records)} records written in {time.time() - began:.1f} s; then bookings")
        # No sooner is a change in force: a booking meets the rules of so long before it.
        time.sleep((config.rules.effect_delay + config.rules.clock_skew) / 1000)
        for entry, record in ready:
            flow.write(record, entry)
        flow.flush()
        caught_up = _probe(flow, records, load.probes, name, patience)
        last, count = time.monotonic(), len(flow.alerts)
        while not expected <= flow.alerts.keys() and time.monotonic() < last + _QUIET_SECONDS:
            time.sleep(0.2)  # The alerts are read by a thread.
            if len(flow.alerts) > count:
                last, count = time.monotonic(), len(flow.alerts)
    waits = sorted(
        (flow.alerts[key] - flow.written[key[0]]) / 1000 for key in expected & flow.alerts.keys()
    ) or [0.0]
    seconds = caught_up / 1000 - began
    return BulkResult(
        len(load.records),
        round(seconds, 1),
        round(len(load.records) / seconds, 1),
        len(expected),
        len(expected - flow.alerts.keys()),
        round(waits[len(waits) // 2], 2),
        round(waits[-1], 2),
    )


def _probe(flow: Flow, records: Records, probes: dict[str, str], name: str, patience: float) -> int:
    """Book on the last accounts again and again until each has raised an alert; when all had (ms UTC)."""
    end, report_at = time.monotonic() + patience, time.monotonic() + _REPORT_SECONDS
    sent: dict[str, list[Key]] = {account: [] for account in probes}
    open_accounts = set(probes)
    while open_accounts:
        if time.monotonic() > end:
            raise TooSlowError(f"{name}: the rules had not caught up after {patience:.0f} s")
        if time.monotonic() > report_at:
            report_at += _REPORT_SECONDS
            print_progress(f"{name}: {len(flow.alerts)} alerts, the last rules are not used yet")
        for account in open_accounts:
            entry = f"{name}-p{len(sent[account])}-{account}"
            flow.write(records.booking(entry, account), entry)
            sent[account].append((entry, probes[account]))
        flow.flush()
        time.sleep(_PROBE_SECONDS)
        open_accounts -= {
            account for account in open_accounts if any(key in flow.alerts for key in sent[account])
        }
    return max(min(flow.alerts[key] for key in keys if key in flow.alerts) for keys in sent.values())


def bulk(config: Config, name: str, accounts: int, viewers: int = 0, booked: int = 1) -> BulkLoad:
    """Accounts with a customer each, and a booking for each `booked`-th.

    `viewers` of the customers also ask about one account that all may see.
    """
    records = Records(config)
    hot = f"{name}-hot"
    load = BulkLoad([], {})
    if viewers:
        seeing = [f"{name}-c{number}" for number in range(viewers)]
        load.records.append(records.authorization(hot, seeing))
        load.bookings[hot] = seeing
    for number in range(accounts):
        account, customer = f"{name}-a{number}", f"{name}-c{number}"
        load.records.append(records.authorization(account, [customer]))
        load.records.append(records.settings(customer, [account, hot] if number < viewers else [account]))
        if number % booked == 0:
            load.bookings[account] = [customer]
    return _with_probes(records, load, name)


def many_accounts(config: Config, name: str, accounts: int, changes: int) -> BulkLoad:
    """One customer with so many accounts, who changes all their settings again and again."""
    records, customer = Records(config), f"{name}-c"
    own = [f"{name}-a{number}" for number in range(accounts)]
    load = BulkLoad([records.authorization(account, [customer]) for account in own], {})
    thresholds = cycle((OUT_OF_REACH, REACHED + 1))
    load.records += [records.settings(customer, own, next(thresholds)) for _ in range(changes - 1)]
    load.records.append(records.settings(customer, own))
    load.bookings = {account: [customer] for account in own}
    return _with_probes(records, load, name)


def _with_probes(records: Records, load: BulkLoad, name: str, count: int = 8) -> BulkLoad:
    load.probes = {f"{name}-l{number}": f"{name}-m{number}" for number in range(count)}
    for account, customer in load.probes.items():
        load.records.append(records.authorization(account, [customer]))
        load.records.append(records.settings(customer, [account]))
    return load


@dataclass
class SingleResult:
    """The result; times in milliseconds."""

    changes: int
    never: int
    """Changes that no booking used."""
    missing: int
    """Bookings after the first that used the change, and did not use it."""
    in_force: list[float]
    """From the change to the first booking that used it: p50, p99, most."""
    heard_of: list[float]
    """From the change to the first alert by it: p50, p99, most."""


def run_single(config: Config, name: str, changes: int, rate: float) -> SingleResult:
    """Change one customer's threshold after the other, with bookings every 20 ms on the account of each."""
    flow, records, plan = Flow(config), Records(config), list[tuple[float, int, Callable[[], Any]]]()
    spacing, before, after = 0.02, 0.2, 2.0
    for number in range(changes):
        account, customer = f"{name}-a{number}", f"{name}-c{number}"
        flow.write(records.authorization(account, [customer]))
        flow.write(records.settings(customer, [account], OUT_OF_REACH))
        at = before + number / rate
        change = records.settings(customer, [account])
        plan.append((at, len(plan), lambda record=change, of=account: flow.write(record, of)))  # type: ignore[misc]
        for place in range(int((before + after) / spacing)):
            entry = f"{account}-{place:03d}"
            record = records.booking(entry, account)
            moment = at - before + place * spacing
            plan.append((moment, len(plan), lambda r=record, e=entry: flow.write(r, e)))  # type: ignore[misc]
    flow.flush()
    heapq.heapify(plan)
    time.sleep(3)  # Rules from before, so that only the changes are measured.
    with flow.reading():
        start = time.monotonic()
        while plan:
            moment, _, action = heapq.heappop(plan)
            time.sleep(max(0.0, start + moment - time.monotonic()))
            action()
        flow.flush()
        time.sleep(5)  # What is not there by then, is late.
    in_force, heard_of, never, missing = list[float](), list[float](), 0, 0
    for number in range(changes):
        account, customer = f"{name}-a{number}", f"{name}-c{number}"
        own = sorted(entry for entry in flow.written if entry.startswith(f"{account}-"))
        used = [entry for entry in own if (entry, customer) in flow.alerts]
        if not used:
            never += 1
            continue
        missing += len(own) - own.index(used[0]) - len(used)
        in_force.append(flow.written[used[0]] - flow.written[account])
        heard_of.append(min(flow.alerts[entry, customer] for entry in used) - flow.written[account])
    return SingleResult(changes, never, missing, _cuts(in_force), _cuts(heard_of))


def _cuts(values: list[float]) -> list[float]:
    return [percentile(values, share) for share in (0.5, 0.99, 1.0)] if values else []
