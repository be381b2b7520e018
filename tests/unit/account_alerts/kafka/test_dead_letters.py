"""How a record is put aside."""

import hashlib

from account_alerts.config import LARGEST_RECORD
from account_alerts.kafka.dead_letters import dead_letter
from account_alerts.model.limits import DEAD_LETTER_KEY, DEAD_LETTER_REASON, DEAD_LETTER_RECORD


def test_a_dead_letter_is_the_record_as_it_came_with_where_from_and_why() -> None:
    letter = dead_letter(b"k", b"\xff", "account-entries", 3, 17, "účet?")
    assert letter.key == b"k"
    assert letter.value == b"\xff"
    assert letter.headers == [
        ("source.topic", b"account-entries"),
        ("source.partition", b"3"),
        ("source.offset", b"17"),
        ("reason", "účet?".encode()),
    ]
    assert dead_letter(None, None, "t", 0, 0, "\ud800").key is None


def test_of_what_is_too_long_the_first_part_is_kept_with_size_and_hash_of_the_whole() -> None:
    key, record = b"k" * (DEAD_LETTER_KEY + 1), b"\0" * 20_000_000
    letter = dead_letter(key, record, "t", 0, 0, "ž" * 20_000)
    assert letter.key == key[:-1]
    assert letter.value == b"\0" * DEAD_LETTER_RECORD
    assert dict(letter.headers[3:]) == {
        "reason": b"\xc5\xbe" * DEAD_LETTER_REASON,
        "key.size": str(len(key)).encode(),
        "key.sha256": hashlib.sha256(key).hexdigest().encode(),
        "record.size": b"20000000",
        "record.sha256": hashlib.sha256(record).hexdigest().encode(),
    }
    written = len(letter.key or b"") + len(letter.value or b"") + sum(len(each) for _, each in letter.headers)
    assert written + 100_000 < LARGEST_RECORD
    whole = dead_letter(key[:-1], record[:DEAD_LETTER_RECORD], "t", 0, 0, "r")
    assert len(whole.headers) == 4
