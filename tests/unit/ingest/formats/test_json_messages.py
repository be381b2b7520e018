"""JSON messages become bookings."""

import json

import pytest

from account_alerts.config import PROJECT
from account_alerts.model.alerts import EntryType
from account_alerts.records.bookings import DEFAULTS, FIELDS
from ingest.formats import json_messages
from tests.builders import NOON, entry
from tests.unit.ingest.formats.messages import error, parse


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "an array without bookings"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": 1, "a": 2}', "a field is there twice"),
        (json.dumps({**entry(), "amount_minor": 1.5}).encode(), "amount_minor is no integer"),
        (json.dumps({**entry(), "amount_minor": True}).encode(), "amount_minor is no integer"),
        (json.dumps({**entry(), "more": 1}).encode(), "1 unknown fields"),
        (json.dumps({**entry(), "amount_minor": float("nan")}).encode(), "not JSON: NaN"),
    ],
)
def test_an_error_of_json(data: bytes, reason: str) -> None:
    assert reason in error(data)


def test_a_payment() -> None:
    payment = {
        **{"payment_id": "p", "currency": "EUR", "amount_minor": 5, "booked_at": NOON},
        "debtor": {"account_id": "a", "balance_minor": -5},
        "creditor": {"account_id": "b", "entry_id": "own", "name": "Shop"},
    }
    debit, credit = parse(json.dumps(payment).encode()).bookings
    assert debit == entry(
        "p/debtor", "a", amount_minor=5, balance_minor=-5, counterparty="b", counterparty_name="Shop"
    )
    assert credit == entry(
        "own", "b", amount_minor=5, balance_minor=None, counterparty="a", credit_debit="CRDT"
    )
    payment["creditor"] = {"account_id": "a", "balance_minor": 5}
    assert "the same account" in error(json.dumps(payment).encode())


def test_the_schema_names_what_is_read() -> None:
    parts = json.loads((PROJECT / "schemas/BridgeMessage.schema.json").read_text())["$defs"]
    assert set(parts["booking"]["properties"]) == FIELDS
    assert set(parts["booking"]["required"]) == FIELDS.difference(DEFAULTS)
    assert set(parts["payment"]["properties"]) == json_messages.PAYMENT
    assert set(parts["side"]["properties"]) == json_messages.SIDE
    assert tuple(parts["entry_type"]["enum"]) == tuple(EntryType)
