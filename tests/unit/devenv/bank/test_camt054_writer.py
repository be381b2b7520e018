"""A booking that is written as camt.054 is read again as it was."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from devenv.bank import camt054_writer
from tests.unit.ingest.formats.messages import BOOKINGS, one

_NAMES = st.none() | st.from_regex(r"[A-Za-z&<>'][A-Za-z&<>' ]{0,30}[A-Za-z&<>']", fullmatch=True)
_MORE = st.fixed_dictionaries(
    {
        "balance_minor": st.none() | st.integers(-(10**15), 10**15),
        "merchant_name": _NAMES,
        "counterparty": st.none() | st.just("DE02120300000000202051"),
        "counterparty_name": _NAMES,
        "country": st.sampled_from([None, "US"]),
        "card_last_four": st.sampled_from([None, "0042"]),
        "reversal": st.booleans(),
    }
)
_ORIGINALS = st.sampled_from([(None, None), ("USD", 2000), ("BHD", 1_234), ("VND", 500_000)])


@given(BOOKINGS, _MORE, _ORIGINALS)
def test_what_is_written_is_read(
    booking: dict[str, Any], more: dict[str, Any], original: tuple[str | None, int | None]
) -> None:
    booking |= more | {"original_currency": original[0], "original_amount_minor": original[1]}
    booking["account_id"] = "NL01"
    if booking["entry_type"] == "CARD" and booking["merchant_name"] is None:
        booking["counterparty_name"] = None  # It would be the shop's.
    read = one(camt054_writer.write(booking))
    assert read == {**booking, "entry_id": read["entry_id"]}
