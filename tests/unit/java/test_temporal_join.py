"""The temporal join, from checked records to candidates and counted bookings, against a plain model of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as patience
from hypothesis import strategies as st

from tests import builders
from tests.unit.java import joining
from tests.unit.java.join_model import Model
from tests.unit.java.joining import HOUR, Joining, Step, authorization, booking, restore, settings, watermark

TICK = HOUR // 4
"""All times are multiples of it: many are equal, and some are the hours at which is swept."""
START = 1_000 * HOUR
REACH = 6 * TICK
RETENTION = 10 * TICK
END_OF_TIME = 2**63 - 1
ACCOUNTS = ("a1", "a2", "a3")
CUSTOMERS = ("c1", "c2", "c3")
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]


@pytest.fixture(scope="module")
def join(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joining]:
    started = Joining(tmp_path_factory.mktemp("joining"))
    yield started
    started.close()


def _setting(name: str, account: str, currency: str, shape: str, number: int) -> builders.Record:
    setting = builders.setting(name, account, currency=currency, threshold_minor=number)
    match shape:
        case "count":
            return setting | {"alert_type": "TRANSACTION_COUNT", "count": number, "window_minutes": 60}
        case "invalid":
            return setting | {"threshold_minor": None}
        case "invalid count":
            return setting | {"alert_type": "TRANSACTION_COUNT", "count": number}
        case "invalid channel":
            return setting | {"channels": ["EMAIL", "PIGEON"]}
        case "unknown" | "APPLICATION_REMINDER":
            return setting | {"alert_type": shape, "threshold_minor": None}
    return setting


SHAPES = ("amount", "amount", "count", "count")
BAD_SHAPES = ("invalid", "invalid count", "invalid channel", "unknown", "APPLICATION_REMINDER")
SETTING = st.builds(
    _setting,
    st.sampled_from(["s1", "s2"]),
    st.sampled_from(ACCOUNTS),
    st.sampled_from(["EUR", "EUR", "JPY"]),
    st.sampled_from(SHAPES + BAD_SHAPES),
    st.integers(1, 2),
)
BACK = st.sampled_from([0, 0, 0, 0, 1, 5])
"""Ticks by which a leader's clock is behind an earlier one's."""
LATER = st.sampled_from([0, 0, 1, 1, 2, 9])
MOVES = st.one_of(
    st.tuples(
        st.just("authorization"),
        LATER,
        BACK,
        st.sampled_from(ACCOUNTS),
        st.lists(st.sampled_from(CUSTOMERS), max_size=4),
    ),
    st.tuples(
        st.just("settings"),
        LATER,
        BACK,
        st.sampled_from(CUSTOMERS),
        st.none() | st.lists(SETTING, max_size=4),
        st.sampled_from(["en", "en", "de"]),
        st.sampled_from([None, None, None, None, "broken"]),
    ),
    st.tuples(st.just("again"), st.integers(0, 20)),
    st.tuples(
        st.just("booking"),
        st.integers(-20, 3),
        st.sampled_from(ACCOUNTS),
        st.sampled_from(["EUR", "EUR", "JPY"]),
        st.booleans(),
    ),
    st.tuples(st.just("watermark"), st.integers(0, 4)),
    st.tuples(st.just("restore"), st.integers(1, 3)),
)
RUNS = st.lists(MOVES, min_size=10, max_size=50)


def _steps(moves: list[tuple[Any, ...]]) -> list[Step]:
    """A run whose watermarks rise, without bookings that Kafka no longer has; at last all ends."""
    clock, known = START, START - RETENTION
    steps: list[Step] = [
        authorization(START, "a1", "c1", "c2"),
        settings(START, "c1", builders.settings("c1", _setting("s1", "a1", "EUR", "count", 1))),
    ]
    for number, (kind, *details) in enumerate(moves):
        match kind, details:
            case "authorization", [later, back, account, customers]:
                clock += later * TICK
                steps.append(authorization(clock - back * TICK, account, *customers))
            case "settings", [later, back, customer, wanted, language, reason]:
                clock += later * TICK
                record = None if wanted is None else builders.settings(customer, *wanted, language=language)
                steps.append(settings(clock - back * TICK, customer, record, reason))
            case "again", [place]:
                earlier = steps[place % len(steps)]
                if earlier["do"] == "booking":
                    steps.append(earlier | {"at": max(earlier["at"], known - RETENTION)})
                elif earlier["do"] in ("authorization", "settings"):
                    steps.append(earlier | {"at": clock})
            case "booking", [later, account, currency, countable]:
                at = max(clock + later * TICK, known - RETENTION)
                steps.append(booking(at, f"e{number}", account, currency, countable=countable))
            case "watermark", [behind]:
                known = max(known, clock - behind * TICK)
                steps.append(watermark(known))
            case "restore", [parallelism]:
                steps.append(restore(parallelism))
    steps += [authorization(clock, account) for account in ACCOUNTS]
    steps += [settings(clock, customer, None) for customer in CUSTOMERS]
    # A clock that went back made the end of some later than that.
    end = max(step.get("at", 0) for step in steps) + RETENTION + REACH
    return [*steps, watermark(end), watermark(end + HOUR), joining.ENTRIES]


def _check(join: Joining, moves: list[tuple[Any, ...]], backend: str) -> None:
    steps = _steps(moves)
    came = join.run(steps, retention=RETENTION, reach=REACH, backend=backend)
    model = Model(TICK, REACH)
    for step, found in zip(steps, came, strict=True):
        entries = found.pop("entries", 0)
        found = {name: rows for name, rows in found.items() if name not in ("accesses", "iterations")}
        expected = model.do(step)
        assert {name: sorted(rows, key=str) for name, rows in found.items()} == {
            name: sorted(rows, key=str) for name, rows in expected.items()
        }, step
        assert entries == 0, "nothing is left"


@patience(max_examples=150, suppress_health_check=QUIET, phases=PHASES)
@given(RUNS)
def test_each_booking_meets_what_held_at_its_time(join: Joining, moves: list[tuple[Any, ...]]) -> None:
    _check(join, moves, "hashmap")


@patience(max_examples=20, suppress_health_check=QUIET, phases=PHASES)
@given(RUNS)
def test_each_booking_meets_what_held_on_rocksdb(join: Joining, moves: list[tuple[Any, ...]]) -> None:
    _check(join, moves, "rocksdb")


def _work(join: Joining, before: list[Step], step: Step, backend: str = "hashmap") -> tuple[int, int]:
    """How often a step after others asks a state, and how often for more than one entry."""
    last = join.run([*before, step], retention=RETENTION, reach=REACH, backend=backend)[-1]
    return last["accesses"], last["iterations"]


def _toggled(times: int) -> list[Step]:
    """A customer who has changed their settings often, and an account with as many authorizations."""
    steps = [watermark(START)]
    for number in range(times):
        setting = _setting("s1", "a1", "EUR", "count" if number % 2 else "amount", 1)
        steps.append(settings(START + number, "c1", builders.settings("c1", setting)))
        steps.append(authorization(START + number, "a1", "c1", f"c{number + 2}"))
    return [*steps, watermark(START + times)]


def test_a_booking_without_settings_asks_for_no_more_than_who_may_see_it(join: Joining) -> None:
    before = [authorization(START, "a1", "c1", "c2"), watermark(START)]

    assert _work(join, before, booking(START, "e1", "a2")) == (2, 0), "counts, who is authorized"
    assert _work(join, before, booking(START, "e1", "a2", countable=False)) == (1, 0)
    assert _work(join, before, booking(START, "e1", "a1", countable=False)) == (3, 0), "their settings"


@pytest.mark.parametrize(
    "step",
    [
        settings(START + HOUR, "c1", builders.settings("c1", builders.setting("s9", "a1"))),
        settings(START + HOUR, "c2", builders.settings("c2", builders.setting("s9", "a1"))),
        settings(START + HOUR, "c1", None),
        authorization(START + HOUR, "a1", "c9"),
        authorization(START + HOUR, "a1"),
        booking(START + HOUR, "e1", "a1", countable=False),
    ],
    ids=lambda step: step["do"],
)
def test_the_work_does_not_grow_with_the_history(join: Joining, step: Step) -> None:
    few, many = (_work(join, [*_toggled(times), watermark(START + HOUR)], step) for times in (10, 2000))

    assert few == many
    assert few[0] <= 8
    assert few[1] == 0


def test_bookings_that_waited_are_read_once(join: Joining) -> None:
    waiting = [booking(START + number, f"e{number}", "a1", countable=False) for number in range(1, 101)]

    few, many = (_work(join, waiting[:number], watermark(START + HOUR)) for number in (10, 100))

    assert few[1] == many[1] == 1


def test_nothing_is_forgotten_where_the_changes_have_ended(join: Joining) -> None:
    """A job that is drained: bookings that were on their way meet what held at their time."""
    steps = [
        authorization(START, "a1", "c1"),
        settings(START, "c1", builders.settings("c1", builders.setting("s1", "a1"))),
        settings(START + TICK, "c1", None),
        watermark(END_OF_TIME),
        booking(START, "e1", "a1", countable=False),
    ]

    came = join.run(steps, retention=RETENTION, reach=REACH)[-1]["candidates"]

    assert [candidate[0] for candidate in came] == ["e1"]


def _counted(join: Joining, steps: list[Step]) -> list[tuple[str, str]]:
    """(entry_id, setting_id) of the counts that were raised."""
    came = join.run(steps, retention=RETENTION, reach=REACH, real_counts=True)
    candidates = [candidate for step in came for candidate in step["candidates"]]
    return [(entry, setting) for entry, _, setting, kind, *_ in candidates if kind == "TRANSACTION_COUNT"]


def test_counts_outlive_a_restart_and_are_kept_by_currency(join: Joining) -> None:
    wanted = [_setting(currency, "a1", currency, "count", 1) for currency in ("EUR", "JPY")]
    steps = [
        authorization(START, "a1", "c1"),
        settings(START, "c1", builders.settings("c1", *wanted)),
        watermark(START),
        booking(START, "e1", "a1"),
        booking(START, "j1", "a1", "JPY"),
        restore(3),
        watermark(START),
        booking(START, "e1", "a1"),
        booking(START, "e2", "a1", countable=False),
        booking(START, "e3", "a1"),
        restore(1),
        watermark(START),
        booking(START, "e4", "a1"),
    ]

    assert _counted(join, steps) == [("e3", "EUR")]


def test_what_is_not_counted_any_more_is_forgotten_by_currency(join: Joining) -> None:
    wanted = [_setting(currency, "a1", currency, "count", 1) for currency in ("EUR", "JPY")]
    later = START + RETENTION + REACH
    steps = [
        authorization(START, "a1", "c1"),
        settings(START, "c1", builders.settings("c1", *wanted)),
        watermark(START),
        booking(START, "e1", "a1"),
        booking(START, "j1", "a1", "JPY"),
        joining.ENTRIES,
        watermark(later),
        booking(later, "j2", "a1", "JPY"),
        watermark(later + HOUR),
        joining.ENTRIES,
        watermark(later + RETENTION + REACH + 2 * HOUR),
        joining.ENTRIES,
    ]

    # On the heap a map is one entry.
    came = join.run(steps, retention=RETENTION, reach=REACH, real_counts=True, backend="rocksdb")

    both, one, none = (step["entries"] for step in came if "entries" in step)
    assert both > one > none


@patience(max_examples=50, suppress_health_check=QUIET, phases=PHASES)
@given(RUNS)
def test_nothing_is_left_of_what_was_counted(join: Joining, moves: list[tuple[Any, ...]]) -> None:
    came = join.run(_steps(moves), retention=RETENTION, reach=REACH, real_counts=True)

    assert came[-1]["entries"] == 0
