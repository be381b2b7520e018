"""count_card_bookings, on a real Flink in this process, against a plain reading of the contract."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyflink.java_gateway import get_gateway
from pyflink.table import EnvironmentSettings, TableEnvironment

from account_alerts.config import PROJECT, load
from jobs.runner import prepare_process
from jobs.sql import values

MINUTE = 60_000
DAY = 1_440 * MINUTE
REACH = 2 * DAY
RULES_COLUMN = (
    "ARRAY<ROW<customer_id STRING NOT NULL, setting_id STRING NOT NULL, `count` INT NOT NULL, "
    "window_minutes INT NOT NULL, `language` STRING NOT NULL, channels ARRAY<STRING NOT NULL> NOT NULL, "
    "address_channels ARRAY<STRING NOT NULL> NOT NULL, addresses ARRAY<STRING NOT NULL> NOT NULL, "
    "valid_to BIGINT> NOT NULL> NOT NULL"
)
"""Rows.COUNTED of java/src/alerts/temporal."""
NOON = 1_750_000_000_000
Raised = list[tuple[str, str]]
"""(entry, setting) of each alert, sorted. Twice where a booking came again when it had been forgotten."""


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

    def holds(self, booking: Counted, longer: int = 0) -> bool:
        """Whether it holds, or ended at most so many minutes before."""
        return self.begins <= booking.came and (self.ends is None or booking.came < self.ends + longer)


@dataclass(frozen=True)
class Account:
    """What happened on an account, in Kafka's order."""

    rules: tuple[Rule, ...]
    bookings: tuple[Counted, ...]


def told(account: Account, booking: Counted) -> list[Rule]:
    """The rules that TemporalJoin tells of: each as it holds, or as it ended last, at most `REACH` before."""
    begun = [rule for rule in account.rules if rule.holds(booking, REACH // MINUTE)]
    newest = {rule.setting: rule.begins for rule in sorted(begun, key=lambda rule: rule.begins)}
    return [rule for rule in begun if rule.begins == newest[rule.setting]]


def plainly(account: Account) -> Raised:
    """What the contract asks for."""
    booked: dict[str, Counted] = {}
    raised: set[str] = set()
    alerts = []
    for booking in account.bookings:
        begun = told(account, booking)
        kept = max([REACH, *(min(rule.window * MINUTE + DAY, 9 * DAY) for rule in begun)]) // MINUTE
        before = booked.get(booking.entry)
        if not begun or (before is not None and before.came >= booking.came - kept):
            continue
        booked[booking.entry] = booking
        end = booking.booked_at
        for rule in begun:
            n = sum(end - rule.window * MINUTE < each.booked_at <= end for each in booked.values())
            if n <= rule.count:
                raised.discard(rule.setting)
            elif rule.setting not in raised and rule.holds(booking):
                raised.add(rule.setting)
                alerts.append((booking.entry, rule.setting))
    return sorted(alerts)


class Counter:
    """The job's own function and view, on a file of bookings instead of a topic."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "bookings.json"
        prepare_process()
        self.env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
        self.env.get_config().set("parallelism.default", "1")
        self.env.get_config().set("table.local-time-zone", "UTC")
        self.env.create_java_temporary_function("count_card_bookings", "alerts.count.CountCardBookings")
        self.env.execute_sql(
            f"""CREATE TABLE counted_bookings (
              account_id STRING NOT NULL,
              currency STRING NOT NULL,
              entry_id STRING NOT NULL,
              amount_minor BIGINT NOT NULL,
              balance_minor BIGINT,
              booked_at TIMESTAMP_LTZ(3) NOT NULL,
              rules_time TIMESTAMP_LTZ(3) NOT NULL,
              rules {RULES_COLUMN}
            ) WITH ('connector' = 'filesystem', 'path' = '{self.file.as_uri()}', 'format' = 'json')"""
        )

    def alerts(self, accounts: list[Account]) -> list[Raised]:
        """(entry, setting) of the alerts of each account."""
        lines = [
            json.dumps(_row(str(number), account, booking))
            for number, account in enumerate(accounts)
            for booking in account.bookings
            if told(account, booking)
        ]
        self.file.write_text("\n".join(lines))
        found: list[Raised] = [[] for _ in accounts]
        known = values(load(PROJECT / "conf/local.yaml"))
        reach, kept = known["count_reach"], known["count_kept"]
        result = self.env.execute_sql(
            "SELECT account_id, entry_id, setting_id FROM count_card_bookings("
            "booking => TABLE counted_bookings PARTITION BY (account_id, currency), "
            f"reach => CAST({reach} AS BIGINT), kept => CAST({kept} AS BIGINT), "
            "uid => 'count-card-bookings')"
        )
        with result.collect() as rows:
            for account_id, entry_id, setting_id in rows:
                found[int(account_id)].append((entry_id, setting_id))
        return [sorted(alerts) for alerts in found]


def _row(account_id: str, account: Account, booking: Counted) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "currency": "EUR",
        "entry_id": booking.entry,
        "amount_minor": 1,
        "balance_minor": None,
        "booked_at": _time(booking.booked_at),
        "rules_time": _time(booking.came_at),
        "rules": [_rule(rule) for rule in told(account, booking)],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "customer_id": "c",
        "setting_id": rule.setting,
        "count": rule.count,
        "window_minutes": rule.window,
        "language": "en",
        "channels": ["EMAIL"],
        "address_channels": ["EMAIL"],
        "addresses": ["c@example.com"],
        "valid_to": None if rule.ends is None else NOON + rule.ends * MINUTE,
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
CASES: dict[str, tuple[Account, Collection[tuple[str, str]]]] = {
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
    "a negative number of minutes: no booking is in it": (
        Account((Rule("s", 0, -1), Rule("t", 0, -(2**31))), bookings(0, 1, 2)),
        set(),
    ),
    "a window of a week": (
        Account((Rule("s", 5, 10_080),), bookings(*range(0, 10_000, 1_440))),
        {("e5", "s")},
    ),
    "a rule that was away: it had fallen meanwhile": (
        Account(
            (Rule("s", 2, 10, ends=3), Rule("s", 2, 10, begins=33), Rule("all", 99, 10)),
            bookings(0, 1, 2, 30, 31, 32, 34),
        ),
        {("e2", "s"), ("e6", "s")},
    ),
    "a rule that was away: it had not fallen": (
        Account(
            (Rule("s", 2, 10, ends=3), Rule("s", 2, 10, begins=4), Rule("all", 99, 10)),
            bookings(0, 1, 2, 5, 6),
        ),
        {("e2", "s")},
    ),
    "one that comes when those beside it are forgotten does not make it fall": (
        Account(
            (Rule("s", 2, 10),),
            bookings(0, *([4_000] * 3), 4_001, 4_002, delays={4: 4_001 * 60 + 60}),
        ),
        {("e3", "s")},
    ),
    "booked a year before it came": (
        Account(
            MORE_THAN_2_IN_10,
            bookings(0, 1, 2, 20, 21, 22, delays=dict.fromkeys(range(6), 365 * 86_400)),
        ),
        {("e2", "s"), ("e5", "s")},
    ),
    "two settings of one name": (
        Account((Rule("s", 0, 60), Rule("s", 1_000, 60)), bookings(0, 1, 2)),
        {("e0", "s")},
    ),
    "one that comes again when it has been forgotten": (
        Account(
            (Rule("s", 1, 10),),
            (*bookings(0, 1, 100, 3_999), Counted("e1", 4_000, 0)),
        ),
        [("e1", "s"), ("e1", "s")],
    ),
    "a month without a booking": (
        Account(MORE_THAN_2_IN_10, bookings(0, 1, 2, 40_000, 40_001, 40_002)),
        {("e2", "s"), ("e5", "s")},
    ),
}


def test_each_case(counter: Counter) -> None:
    found = counter.alerts([account for account, _ in CASES.values()])
    assert dict(zip(CASES, found, strict=True)) == {
        name: sorted(alerts) for name, (_, alerts) in CASES.items()
    }


def test_all_booked_at_the_same_moment_and_forgotten_later(counter: Counter) -> None:
    """Bookings that have a date only; two days later none of them counts, and the list is empty again."""
    same = tuple(Counted(f"e{number}", 600, 600 * 60) for number in range(5_000))
    later = tuple(Counted(f"f{number}", 600 + 3 * 1_440, 600 * 60 + 3 * DAY // 1000) for number in range(3))
    account = Account((Rule("s", 4_999, 1_440), Rule("t", 4_998, 1)), (*same, *later))
    assert counter.alerts([account]) == [[("e4998", "t"), ("e4999", "s")]]


def test_a_busy_account(counter: Counter) -> None:
    """A booking every second, for three hours: as many in the window as the account has in it, no more."""
    busy = tuple(Counted(f"e{second}", second // 60, 59 - second % 60) for second in range(3 * 3600))
    account = Account((Rule("s", 3599, 60), Rule("t", 3600, 60)), busy)
    assert counter.alerts([account]) == [[("e3599", "s")]]


def test_no_state_has_a_time_to_live(counter: Counter) -> None:
    """One of any length makes each access look through the state of other accounts."""
    jvm = get_gateway().jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    methods = loader.loadClass("alerts.count.CountCardBookings").getMethods()
    (evaluate,) = (method for method in methods if method.getName() == "eval")
    hints = [
        jvm.java.util.Objects.toString(hint)
        for each in evaluate.getParameters()
        for hint in each.getAnnotations()
    ]
    of_state = [hint for hint in hints if "StateHint" in hint]
    assert of_state
    assert all('ttl="0 s"' in hint for hint in of_state)


RULES = st.builds(
    Rule,
    st.sampled_from(["r1", "r2", "r3"]),
    count=st.integers(0, 4),
    window=st.sampled_from([-1, 0, 1, 2, 7, 60, 61, 1_439, 1_440, 2_880]),
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
    min_size=10,  # Each example is a job of Flink's: few, and many accounts in each.
    max_size=20,
)


@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(ACCOUNTS)
def test_any_order_any_window_any_repeat(counter: Counter, accounts: list[Account]) -> None:
    assert counter.alerts(accounts) == [plainly(account) for account in accounts]
