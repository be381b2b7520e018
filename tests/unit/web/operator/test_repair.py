from typing import Any

import pytest

from tests.builders import entry, setting, settings
from web.operator.repair import apply, fields, mask

BROKEN = entry(account_id="NL01EXAM4300", currency="EUX", counterparty_name="J. Exemple", description="rent")


def test_what_is_personal_is_masked_and_stays_as_it_is() -> None:
    shown = {field.name: field for field in fields(BROKEN)}
    assert (shown["account_id"].value, shown["account_id"].mask) == ("", "••••4300")
    for name in ("amount_minor", "balance_minor", "counterparty_name", "description"):
        assert (shown[name].value, shown[name].mask) == ("", "••••")
    assert shown["currency"].value == "EUX"
    assert shown["credit_debit"].choices == ("CRDT", "DBIT")
    form = {field.name: field.value for field in fields(BROKEN)} | {"currency": "EUR"}
    repair = apply(BROKEN, form)
    assert repair.faults == {}
    assert repair.record == BROKEN | {"currency": "EUR"}


@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        ({}, {"currency": "currency is not in ISO 4217"}),
        ({"currency": "EUR", "amount_minor": "0"}, {"amount_minor": "amount_minor is not greater than 0"}),
        (
            {"currency": "EUR", "amount_minor": "12.50"},
            {"amount_minor": "amount_minor is a whole number, such as 1250"},
        ),
        ({"currency": "EUR", "reversal": "maybe"}, {"reversal": "reversal is true or false"}),
        ({"currency": "EUR", "entry_id": ""}, {"entry_id": "entry_id is no text"}),
        ({"currency": ""}, {"currency": "currency is no text"}),
        ({"currency": "EUR", "booked_at": str(2**70)}, {"booked_at": "booked_at is no integer of 64 bits"}),
        ({"currency": "EUR", "amount_minor": " 1250 ", "unknown": "x"}, {}),
    ],
)
def test_what_was_typed_is_checked_as_the_chain_does(typed: dict[str, str], faults: dict[str, str]) -> None:
    repair = apply(BROKEN, typed)
    assert repair.faults == faults
    kept = {field.name: field for field in fields(BROKEN, typed, repair)}
    for name, fault in faults.items():
        assert kept[name].fault == fault
        assert kept[name].value == typed.get(name, BROKEN[name])


def test_what_is_made_of_parts_is_masked_to_the_last_and_not_edited() -> None:
    record = settings("c-1", setting(account_id="NL01EXAM4300", threshold_minor=None))
    shown = {field.name: field for field in fields(record)}
    assert not shown["addresses"].editable
    assert "c-1" not in shown["addresses"].mask
    assert "EMAIL" in shown["addresses"].mask
    assert "NL01EXAM" not in shown["settings"].mask
    assert shown["time_zone"].value == "UTC"
    assert apply(record, {"addresses": "[]", "time_zone": "Europe/Prague"}).record == record | {
        "time_zone": "Europe/Prague"
    }


@pytest.mark.parametrize("value", ["Anna", 12, True, 1.5])
def test_a_field_that_is_new_is_masked(value: Any) -> None:
    assert mask({"birthday": value, "deep": [{"name": value, "none": None}]}) == {
        "birthday": "••••",
        "deep": [{"name": "••••", "none": None}],
    }
