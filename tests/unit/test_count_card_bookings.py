"""count_card_bookings, on a real Flink in this process, against a plain reading of the contract."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyflink.table import EnvironmentSettings, TableEnvironment

from account_alerts.config import PROJECT, load
from jobs.flink_sql import create_view, prepare_process
from tests import ddl

MINUTE = 60_000
DAY = 1_440 * MINUTE
REACH = 2 * DAY
NOON = 1_750_000_000_000
Raised = set[tuple[str, str]]
"""(entry, setting) of each alert."""


@dataclass(frozen=True)
class Counted:
    """A card booking: minutes after NOON at which it came, how many seconds before that it was booked."""

    entry: str
    came: int
    delay: int

    @property
    def came_at(self) -> int:
        return NOON + self.came * MINUTE

    @property
    def booked_at(self) -> int:
        return self.came_at - self.delay * 1000


@dataclass(frozen=True)
class Rule:
    """A rule of an account, and the minutes after NOON between which it holds."""

    setting: str
    count: int
    window: int
    begins: int = 0
    ends: int | None = None

    def holds(self, booking: Counted) -> bool:
        return self.begins <= booking.came and (self.ends is None or booking.came < self.ends)


@dataclass(frozen=True)
class Account:
    """What happened on an account, in Kafka's order."""

    rules: tuple[Rule, ...]
    bookings: tuple[Counted, ...]


def plainly(account: Account) -> Raised:
    """What the contract asks for."""
    booked: dict[str, Counted] = {}
    raised: set[str] = set()
    alerts = set()
    reach = REACH // MINUTE
    for booking in account.bookings:
        counts = any(
            rule.begins <= booking.came and (rule.ends is None or booking.came < rule.ends + reach)
            for rule in account.rules
        )
        before = booked.get(booking.entry)
        if not counts or (before is not None and before.came >= booking.came - reach):
            continue
        booked[booking.entry] = booking
        end = booking.booked_at
        for rule in account.rules:
            if not rule.holds(booking):
                continue
            n = sum(end - rule.window * MINUTE < each.booked_at <= end for each in booked.values())
            if n <= rule.count:
                raised.discard(rule.setting)
            elif rule.setting not in raised:
                raised.add(rule.setting)
                alerts.add((booking.entry, rule.setting))
    return alerts


class Counter:
    """The job's own function and view, on a file of bookings instead of a topic."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bookings.json"
        prepare_process()
        self.env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
        self.env.get_config().set("parallelism.default", "1")
        self.env.get_config().set("table.local-time-zone", "UTC")
        self.env.create_java_temporary_function("count_card_bookings", "alerts.count.CountCardBookings")
        rules = re.sub(r"\b(count|language)\b", r"`\1`", ddl.value_columns("alert_rules")["rules"])
        self.env.execute_sql(
            f"""CREATE TABLE counted_bookings (
              account_id STRING NOT NULL,
              currency STRING NOT NULL,
              entry_id STRING NOT NULL,
              amount_minor BIGINT NOT NULL,
              balance_minor BIGINT NOT NULL,
              booked_at TIMESTAMP_LTZ(3) NOT NULL,
              rules_time TIMESTAMP_LTZ(3) NOT NULL,
              rules {rules}
            ) WITH ('connector' = 'filesystem', 'path' = '{self.file.as_uri()}', 'format' = 'json')"""
        )
        create_view(self.env, "rules/raised_counts.sql", load(PROJECT / "conf/local.yaml"))

    def alerts(self, accounts: list[Account]) -> list[Raised]:
        """(entry, setting) of the alerts of each account."""
        lines = [
            json.dumps(_row(str(number), account, booking))
            for number, account in enumerate(accounts)
            for booking in account.bookings
        ]
        self.file.write_text("\n".join(lines))
        found: list[Raised] = [set() for _ in accounts]
        result = self.env.execute_sql("SELECT account_id, entry_id, setting_id FROM raised_counts")
        with result.collect() as rows:
            for account_id, entry_id, setting_id in rows:
                alert = entry_id, setting_id
                assert alert not in found[int(account_id)], "the same alert twice"
                found[int(account_id)].add(alert)
        return found


def _row(account_id: str, account: Account, booking: Counted) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "currency": "EUR",
        "entry_id": booking.entry,
        "amount_minor": 1,
        "balance_minor": 1,
        "booked_at": _time(booking.booked_at),
        "rules_time": _time(booking.came_at),
        "rules": [_rule(rule) for rule in account.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "customer_id": "c",
        "setting_id": rule.setting,
        "alert_type": "TRANSACTION_COUNT",
        "currency": "EUR",
        "threshold_minor": None,
        "count": rule.count,
        "window_minutes": rule.window,
        "language": "en",
        "channels": ["EMAIL"],
        "address_channels": ["EMAIL"],
        "addresses": ["c@example.com"],
        "valid_from": _time(NOON + rule.begins * MINUTE),
        "valid_to": None if rule.ends is None else _time(NOON + rule.ends * MINUTE),
    }


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03}Z"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Counter:
    return Counter(tmp_path_factory.mktemp("counter"))


def bookings(*came: int, delays: dict[int, int] | None = None) -> tuple[Counted, ...]:
    """Bookings e0, e1 and so on, each so many minutes after NOON."""
    return tuple(
        Counted(f"e{number}", minute, (delays or {}).get(number, 0)) for number, minute in enumerate(came)
    )


MORE_THAN_2_IN_10 = (Rule("s", 2, 10),)
CASES = {
    "the crossing booking, and none after it": (
        Account(MORE_THAN_2_IN_10, bookings(0, 1, 2, 3, 4)),
        {("e2", "s")},
    ),
    "again after the number has fallen": (
        Account(MORE_THAN_2_IN_10, bookings(0, 1, 2, 20, 21, 22)),
        {("e2", "s"), ("e5", "s")},
    ),
    "the window is open at its beginning": (Account(MORE_THAN_2_IN_10, bookings(0, 5, 10)), set()),
    "one that came twice counts once": (
        Account(MORE_THAN_2_IN_10, (*bookings(0, 1), Counted("e1", 2, 60), Counted("e1", 3, 120))),
        set(),
    ),
    "one that comes late counts where it belongs": (
        Account(MORE_THAN_2_IN_10, bookings(0, 1, 30, 31, delays={2: 28 * 60})),
        {("e2", "s")},
    ),
    "one that was booked later is not in the window of one before": (
        Account(MORE_THAN_2_IN_10, bookings(5, 6, 7, delays={2: 180})),
        set(),
    ),
    "two rules of one account": (
        Account((Rule("s", 2, 10), Rule("t", 0, 1)), bookings(0, 1, 2)),
        {("e2", "s"), ("e0", "t")},
    ),
    "a second rule knows what the first one counted": (
        Account((Rule("s", 9, 10), Rule("t", 2, 10, begins=2)), bookings(0, 1, 2)),
        {("e2", "t")},
    ),
    "a rule that ended raises nothing": (Account((Rule("s", 2, 10, ends=2),), bookings(0, 1, 2, 3)), set()),
    "the longest number of minutes there is": (
        Account((Rule("s", 2, 2**31 - 1),), bookings(0, 1, 2)),
        {("e2", "s")},
    ),
    "a month without a booking": (
        Account(MORE_THAN_2_IN_10, bookings(0, 1, 2, 40_000, 40_001, 40_002)),
        {("e2", "s"), ("e5", "s")},
    ),
}


def test_each_case(counter: Counter) -> None:
    found = counter.alerts([account for account, _ in CASES.values()])
    assert dict(zip(CASES, found, strict=True)) == {name: alerts for name, (_, alerts) in CASES.items()}
    assert found == [plainly(account) for account, _ in CASES.values()]


def test_a_busy_account(counter: Counter) -> None:
    """A booking every second, for three hours: as many in the window as the account has in it, no more."""
    busy = tuple(Counted(f"e{second}", second // 60, 59 - second % 60) for second in range(3 * 3600))
    account = Account((Rule("s", 3599, 60), Rule("t", 3600, 60)), busy)
    assert counter.alerts([account]) == [{("e3599", "s")}]


RULES = st.builds(
    Rule,
    st.sampled_from(["r1", "r2", "r3"]),
    count=st.integers(0, 4),
    window=st.sampled_from([1, 2, 7, 60, 61, 1_439, 1_440]),
    begins=st.integers(0, 30),
    ends=st.none() | st.integers(31, 3_000),
)
BOOKINGS = st.lists(
    st.builds(
        Counted,
        st.integers(0, 40).map(lambda number: f"e{number}"),
        # Close together for the windows, and far apart for what is forgotten.
        st.integers(0, 120) | st.integers(0, 10_000),
        st.integers(0, 200) | st.integers(0, 86_400),
    ),
    max_size=60,
).map(lambda several: tuple(sorted(several, key=lambda one: one.came)))
ACCOUNTS = st.lists(
    st.builds(Account, st.lists(RULES, max_size=3, unique_by=lambda rule: rule.setting).map(tuple), BOOKINGS),
    min_size=1,
    max_size=20,
)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(ACCOUNTS)
def test_any_order_any_window_any_repeat(counter: Counter, accounts: list[Account]) -> None:
    assert counter.alerts(accounts) == [plainly(account) for account in accounts]
