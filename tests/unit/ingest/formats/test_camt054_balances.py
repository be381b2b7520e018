"""The balance after each entry follows from the one after all of them, by time."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.camt054_balances import ALWAYS, put_in_order
from tests.unit.ingest.formats.messages import at, camt, closing, ntry, parse


def said(amount: str, time: str = "2026-11-25T09:00:00Z", indicator: str = "DBIT", **parts: str) -> str:
    """Make an entry without a balance of its own."""
    own = {
        "amount": f'<Amt Ccy="EUR">{amount}</Amt>',
        "indicator": f"<CdtDbtInd>{indicator}</CdtDbtInd>",
        "date": at(time),
        "service": "",
        "balance": "",
    }
    return ntry(**(own | parts))


_BALANCE = '<SplmtryData><Bal><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal></SplmtryData>'


def balances(*entries: str, after: str = "1000.00") -> dict[int, int | None]:
    """Return the balance after each booking, by its amount."""
    bookings = parse(camt("".join(entries), head=closing(after))).bookings
    return {each["amount_minor"]: each["balance_minor"] for each in bookings}


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(said("0.00"), id="zero"),
        pytest.param(said("0"), id="zero without decimals"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_refused_entry_that_moves_nothing_refuses_no_other(refused: str, place: int) -> None:
    entries = [said("25.00"), said("5.00")]
    entries.insert(place, refused)
    assert balances(*entries) == {2500: 100_500, 500: 100_000}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_entry_in_another_currency_is_booked_without_a_balance(place: int) -> None:
    entries = [said("25.00"), said("5.00")]
    entries.insert(place, said("7.00").replace("EUR", "USD"))
    assert balances(*entries) == {2500: 100_500, 700: None, 500: 100_000}


def test_a_refused_entry_that_moves_something_counts_all_the_same() -> None:
    refused = said("7.00", date="<BookgDt><Dt>yesterday</Dt></BookgDt>")
    assert balances(said("25.00"), refused, said("5.00")) == {2500: 101_200, 500: 100_000}


@pytest.mark.parametrize(
    ("balance", "reason"),
    [
        ("<SplmtryData><Bal/></SplmtryData>", "Bal: no Amt"),
        (_BALANCE * 2, "more than one Bal of what is booked"),
        (_BALANCE.replace("EUR", "USD"), "the balance is in another currency than the amount"),
        (_BALANCE.replace("CRDT", "BOTH"), "Bal: CdtDbtInd is neither CRDT nor DBIT"),
    ],
)
def test_a_balance_that_cannot_be_read_costs_no_booking_and_is_told(balance: str, reason: str) -> None:
    parsed = parse(
        camt(said("25.00") + said("7.00", balance=balance) + said("5.00"), head=closing("1000.00"))
    )
    found = {each["amount_minor"]: each["balance_minor"] for each in parsed.bookings}
    assert found == {2500: 101_200, 700: None, 500: 100_000}
    assert parsed.errors == [f"Ntfctn 1, Ntry 2: booked without a balance: {reason}"]


def test_a_closing_balance_that_cannot_be_read_is_told_once() -> None:
    broken = closing("1000.00").replace("CRDT", "BOTH")
    parsed = parse(camt(said("25.00") + said("5.00"), head=broken))
    assert [each["balance_minor"] for each in parsed.bookings] == [None, None]
    assert parsed.errors == ["Ntfctn 1: booked without a balance: Bal: CdtDbtInd is neither CRDT nor DBIT"]
    assert parse(camt("", head=broken)).errors == []


def test_without_any_balance_all_is_booked() -> None:
    parsed = parse(camt(said("25.00") + said("5.00")))
    assert [each["balance_minor"] for each in parsed.bookings] == [None, None]
    assert parsed.errors == []


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(said("7.001"), id="amount"),
        pytest.param(said("7.00", indicator="BOTH"), id="direction"),
        pytest.param(said("7.00", status="<Sts><Cd>OTHR</Cd></Sts>"), id="status"),
        pytest.param(said("7.00").replace("EUR", "EUX"), id="currency"),
    ],
)
def test_before_an_entry_of_which_nothing_is_known_there_is_no_balance(broken: str) -> None:
    parsed = parse(camt(said("25.00") + broken + said("5.00"), head=closing("1000.00")))
    found = {each["amount_minor"]: each["balance_minor"] for each in parsed.bookings}
    assert found == {2500: None, 500: 100_000}
    assert [error.split(":")[0] for error in parsed.errors] == ["Ntfctn 1, Ntry 2"]


def test_an_entry_that_is_not_booked_moves_nothing() -> None:
    pending = said("7.00", status="<Sts><Cd>PDNG</Cd></Sts>")
    assert balances(said("25.00"), pending, said("5.00")) == {2500: 100_500, 500: 100_000}


_THREE = {1: ("1.00", "2026-11-25T08:00:00Z"), 2: ("2.00", "2026-11-25T09:00:00Z"), 3: ("3.00", "2026-11-26")}


@pytest.mark.parametrize("order", list(permutations(_THREE)))
def test_times_decide_and_not_the_order_of_the_message(order: tuple[int, ...]) -> None:
    entries = [said(*_THREE[number]) for number in order]
    assert balances(*entries) == {100: 100_500, 200: 100_300, 300: 100_000}
    bookings = parse(camt("".join(entries), head=closing("1000.00"))).bookings
    assert [each["amount_minor"] for each in bookings] == [100, 200, 300]


def test_newest_first_with_entries_of_one_time() -> None:
    entries = [said("3.00", "2026-11-26"), said("2.00", "2026-11-25"), said("1.00", "2026-11-25")]
    assert balances(*entries) == {100: 100_500, 200: 100_300, 300: 100_000}


def test_entries_of_one_time_are_in_the_order_of_the_message() -> None:
    assert balances(said("1.00"), said("2.00")) == {100: 100_200, 200: 100_000}


def test_where_times_and_order_contradict_what_is_not_known_has_no_balance() -> None:
    entries = [
        said("1.00", "2026-11-26T08:00:00Z"),
        said("2.00", "2026-11-24T08:00:00Z"),
        said("3.00", "2026-11-25T08:00:00Z"),
        said("4.00", "2026-11-25"),
    ]
    assert balances(*entries) == {200: 100_800, 300: None, 400: None, 100: 100_000}
    assert parse(camt("".join(entries), head=closing("1000.00"))).errors == []


def test_a_balance_of_the_entry_itself_wins() -> None:
    own = '<SplmtryData><Bal><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal></SplmtryData>'
    assert balances(said("1.00"), said("2.00", balance=own), said("3.00")) == {
        100: 5_200,
        200: 5_000,
        300: 100_000,
    }


_SPANS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 3)).map(lambda span: (span[0], span[0] + span[1])),
    max_size=8,
)


@given(_SPANS)
def test_whose_place_is_known_stands_after_all_that_were_before(spans: list[tuple[float, float]]) -> None:
    order, unknown = put_in_order(spans)
    assert sorted(order) == list(range(len(spans)))
    for place, index in enumerate(order):
        for later in order[place + 1 :]:
            assert spans[index][0] <= spans[later][1]
            overlaps = spans[later][0] <= spans[index][1]
            if unknown and overlaps:
                assert {index, later} <= unknown


_LEDGER = st.lists(
    st.tuples(st.integers(1, 10**6), st.booleans(), st.booleans()), min_size=1, max_size=7
).flatmap(lambda ledger: st.tuples(st.just(ledger), st.permutations(range(len(ledger)))))


@given(_LEDGER, st.integers(-(10**6), 10**6))
def test_entries_of_different_times_have_the_balances_of_the_ledger(
    shuffled: tuple[list[tuple[int, bool, bool]], list[int]], opening: int
) -> None:
    """An account's ledger, told in any order, some entries with a time and some of a day of their own."""
    ledger, order = shuffled
    entries, wanted, balance = [], [], opening
    for day, (amount, credit, dated) in enumerate(ledger, 1):
        balance += amount if credit else -amount
        wanted.append((amount, balance))
        time = f"2026-11-{day:02}" if dated else f"2026-11-{day:02}T24:00:00+02:00"
        entries.append(said(f"{amount / 100:.2f}", time, "CRDT" if credit else "DBIT"))
    sign = "CRDT" if balance >= 0 else "DBIT"
    head = closing(f"{abs(balance) / 100:.2f}").replace("CRDT", sign)
    parsed = parse(camt("".join(entries[index] for index in order), head=head))
    assert parsed.errors == []
    assert [(each["amount_minor"], each["balance_minor"]) for each in parsed.bookings] == wanted


def test_an_entry_without_a_time_stands_where_it_stands() -> None:
    assert put_in_order([(1, 1), ALWAYS, (2, 2)]) == ([0, 1, 2], set())
    assert put_in_order([(2, 2), ALWAYS, (1, 1)]) == ([2, 1, 0], set())
