"""Any message is parsed, whatever bytes it has."""

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from devenv.bank import camt054_writer
from ingest.formats.parsed import ParsedMessage
from tests.unit.ingest.formats.messages import BOOKINGS, one, parse


def unforeseen(parsed: ParsedMessage) -> list[str]:
    """Faults that only a mistake of our own can cause."""
    return [fault for fault in parsed.errors if fault.startswith("cannot be read")]


@given(BOOKINGS)
def test_what_is_written_is_read(booking: dict[str, Any]) -> None:
    read = one(camt054_writer.write(booking))
    assert read["entry_id"].rpartition("/")[0] == booking["entry_id"]
    assert {**read, "entry_id": booking["entry_id"]} == booking
    assert one(json.dumps(booking).encode()) == booking


@given(BOOKINGS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_no_change_of_its_bytes_makes_it_raise(
    booking: dict[str, Any], chance: random.Random, changes: int
) -> None:
    for whole in (camt054_writer.write(booking), json.dumps(booking).encode()):
        data = bytearray(whole)
        for _ in range(changes):
            start = chance.randrange(len(data))
            data[start : start + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        parsed = parse(bytes(data))
        assert parsed.bookings or parsed.errors or parsed.skipped
        assert not unforeseen(parsed)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    parsed = parse(data)
    assert parsed.bookings or parsed.errors
    assert not unforeseen(parsed)
