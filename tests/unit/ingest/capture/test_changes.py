"""What a change of the bank's tables becomes."""

import json
from typing import Any

import pytest

from ingest.capture.changes import Change, InvalidChangeError, read_change
from ingest.capture.debezium import BOOKINGS, OPT_OUTS, SETTINGS

_DAY = 86_400_000
_BOOKED_MS = 1_764_061_200_000
ADDED_LATER: dict[str, Any] = {
    **dict.fromkeys(("counterparty_name", "card_last_four", "original_currency", "original_amount_minor")),
    "reversal": False,
}


def row(**fields: Any) -> bytes:
    booking = {
        **{
            "entry_id": "e1",
            "account_id": "a1",
            "currency": "EUR",
            "amount_minor": 1,
            "credit_debit": "CRDT",
        },
        **{"balance_minor": 1, "booked_at": "2025-11-25T09:00:00Z", "entry_type": "CARD"},
        **dict.fromkeys(("merchant_id", "merchant_name", "merchant_category", "country", "counterparty")),
        "description": None,
    }
    return json.dumps(booking | fields).encode()


def test_a_new_booking_is_published_however_old_it_says_it_is() -> None:
    found = read_change(BOOKINGS, b"a1", row(__op="c", __source_ts_ms=_BOOKED_MS + 9 * _DAY), _DAY)
    assert found is not None
    assert found.record is not None
    assert found.record["booked_at"] == _BOOKED_MS


@pytest.mark.parametrize(("age", "published"), [(_DAY, True), (_DAY + 1, False)])
def test_of_a_snapshot_only_what_is_recent_is_published(age: int, published: bool) -> None:
    found = read_change(BOOKINGS, b"a1", row(__op="r", __source_ts_ms=_BOOKED_MS + age), _DAY)
    assert (found is not None) == published


def test_a_row_from_before_a_column_is_read() -> None:
    found = read_change(BOOKINGS, b"a1", row(__op="c"), _DAY)
    assert found is not None
    assert found.record == {**json.loads(row()), **ADDED_LATER, "booked_at": _BOOKED_MS}
    for name, value in (("balance_minor", None), ("reversal", True), ("counterparty_name", "Shop")):
        found = read_change(BOOKINGS, b"a1", row(__op="c", **{name: value}), _DAY)
        assert found is not None
        assert found.record is not None
        assert found.record[name] == value
    cut = {name: value for name, value in json.loads(row(__op="c")).items() if name != "amount_minor"}
    with pytest.raises(InvalidChangeError, match="no amount_minor"):
        read_change(BOOKINGS, b"a1", json.dumps(cut).encode(), _DAY)


def test_a_row_that_is_gone() -> None:
    gone = read_change(SETTINGS, b"c1", None, _DAY)
    assert gone is not None
    assert gone.record is None
    assert read_change(BOOKINGS, b"a1", None, _DAY) is None
    left = json.dumps({"customer_id": "c1", "record": None, "__op": "u", "__source_ts_ms": 7}).encode()
    assert read_change(SETTINGS, b"c1", left, _DAY) == Change("AlertSettings", None, 7)
    assert read_change(BOOKINGS, b"a1", row(__op="u"), _DAY) is None


def test_an_opt_out() -> None:
    stop = {
        "number": "31612345678",
        "stopped": True,
        "changed_at": "2025-11-25T09:00:00.007Z",
        "source": "SMS",
    }
    found = read_change(OPT_OUTS, b"31612345678", json.dumps(stop | {"__op": "r"}).encode(), _DAY)
    record = {"number": "31612345678", "stopped": True, "changed_at": _BOOKED_MS + 7}
    assert found == Change("SmsOptOut", record)
    gone = read_change(OPT_OUTS, b"31612345678", None, _DAY)
    assert gone == Change("SmsOptOut", None)
    with pytest.raises(InvalidChangeError, match="changed_at"):
        read_change(OPT_OUTS, b"31612345678", json.dumps(stop | {"changed_at": None}).encode(), _DAY)
    with pytest.raises(InvalidChangeError, match="number"):
        read_change(OPT_OUTS, b"31612345679", json.dumps(stop).encode(), _DAY)
