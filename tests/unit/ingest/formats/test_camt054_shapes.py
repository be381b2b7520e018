"""The shapes of public camt.054 files of many banks become bookings.

Each file has the elements and codes of a public one, repeated ones at most twice, and made-up values. Its
name begins with the country of the account.
"""

from pathlib import Path

import pytest

from account_alerts.records.codec import Record
from tests.unit.ingest.formats.messages import parse

_FOLDER = Path(__file__).parent / "shapes"
_SAID = {
    "back": "reversal",
    "account": "counterparty",
    "name": "counterparty_name",
    "country": "country",
    "words": "description",
    "original": "original_currency",
}
_WANTED = {
    "au-two-credits": ["CRDT TRANSFER name"] * 2,
    "ch-credits": ["CRDT TRANSFER words"],
    "ch-credits-later": ["CRDT TRANSFER words"],
    "ch-debits": ["DBIT TRANSFER words"],
    "ch-direct-debit": ["CRDT DIRECT_DEBIT words"],
    "ch-direct-debits-reversed": [
        "CRDT DIRECT_DEBIT words",
        "CRDT DIRECT_DEBIT account name country words",
        *["DBIT DIRECT_DEBIT back account name country words"] * 2,
    ],
    "ch-esr-two-entries": ["CRDT TRANSFER words", "DBIT CASH words"],
    "ch-payment-orders": ["DBIT TRANSFER"],
    "ch-payment-orders-next-day": ["DBIT TRANSFER"],
    "ch-qr-reference": ["CRDT TRANSFER words"],
    "ch-returned-transfer": ["CRDT TRANSFER back words"],
    "ch-v02": ["DBIT TRANSFER"],
    "ch-v02-account-name": ["DBIT TRANSFER"],
    "ch-v04": ["DBIT TRANSFER words"],
    "ch-v08": ["DBIT TRANSFER words"],
    "ch-v08-bank-as-party": ["DBIT OTHER name country"],
    "ch-v08-uetr": ["DBIT OTHER"],
    "de-debit-without-date": ["DBIT OTHER account name"],
    "fi-all-kinds": ["CRDT TRANSFER", "CRDT DIRECT_DEBIT", "CRDT TRANSFER", *["DBIT TRANSFER"] * 2],
    "fi-reference-batch": ["CRDT TRANSFER", "CRDT DIRECT_DEBIT name words"],
    "nl-credit-v04": ["CRDT TRANSFER account name words"],
    "se-bankgiro-batch": ["CRDT TRANSFER"],
    "se-two-accounts": [
        "CRDT OTHER words",
        *["CRDT TRANSFER name words"] * 5,
        "CRDT TRANSFER words",
        "CRDT TRANSFER name words",
        "CRDT TRANSFER account name words",
    ],
    "se-v01": ["CRDT OTHER name country"],
    "se-v02": ["CRDT OTHER name"],
    "se-v03": ["CRDT OTHER name"],
    "se-v04": ["CRDT OTHER name"],
}
"""Direction, entry type, and what else each booking says."""


def _told(booking: Record) -> str:
    said = (name for name, field in _SAID.items() if booking[field])
    return " ".join((booking["credit_debit"], booking["entry_type"], *said))


def test_every_file_is_looked_at() -> None:
    assert {file.stem for file in _FOLDER.iterdir()} == set(_WANTED)
    assert len(_WANTED) >= 20
    assert len({name[:2] for name in _WANTED}) >= 5


@pytest.mark.parametrize("name", sorted(_WANTED))
def test_a_public_file_becomes_bookings(name: str) -> None:
    data = (_FOLDER / f"{name}.xml").read_bytes()
    parsed = parse(data, "Europe/Zurich")
    assert parsed.errors == []
    assert [_told(each) for each in parsed.bookings] == _WANTED[name]
    assert {each["balance_minor"] for each in parsed.bookings} == {None}
    again = parse(data, "Europe/Zurich").bookings
    assert len({each["entry_id"] for each in parsed.bookings}) == len(parsed.bookings)
    assert again == parsed.bookings
