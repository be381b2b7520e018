"""Dead letters are listed and put back; those that are cut say so, and keep no other back."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from account_alerts.config import Config, load
from account_alerts.config.ingest import Bridge
from account_alerts.kafka.dead_letters import dead_letter
from operations import dead_letters, queue
from operations.dead_letters import DeadLetterError
from tests.builders import entry
from tests.reference.binary import encode

BOOKING = encode("AccountEntry", entry())
LETTERS = [
    dead_letter(b"a1", BOOKING, "account-entries", 0, 0, "why"),
    dead_letter(b"a1", BOOKING + b"\0" * 20_000_000, "account-entries", 0, 1, "too long"),
    dead_letter(b"k" * 600_000, BOOKING, "account-entries", 0, 2, "not the account_id"),
    dead_letter(None, None, "account-entries", 0, 3, "no value"),
    dead_letter(None, b"<Document/>", "bookings", 0, 0, "not a camt.054"),
    dead_letter(b"c", b"", "outbound-sms", 0, 0, "no gateway"),
    dead_letter(b"c", b"", "bank.published.alert_settings", 0, 0, "the row is no JSON"),
]


class Stored:
    """A record of the dead-letters topic."""

    def __init__(self, offset: int) -> None:
        self._offset, self._letter = offset, LETTERS[offset]

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_750_000_000_000

    def headers(self) -> list[tuple[str, bytes]]:
        return self._letter.headers

    def key(self) -> bytes | None:
        return self._letter.key

    def value(self) -> bytes | None:
        return self._letter.value


@pytest.fixture
def config() -> Config:
    return load()


@pytest.fixture
def written(config: Config, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is put back."""
    records: list[Any] = []

    def send_all(config: Config, given: Iterable[Any]) -> int:
        before = len(records)
        records.extend(given)
        return len(records) - before

    def put(bridge: Bridge, messages: Iterable[queue.Outgoing]) -> int:
        return send_all(config, [(bridge.address, message.body) for message in messages])

    monkeypatch.setattr(dead_letters, "read_to_end", lambda *_: map(Stored, range(len(LETTERS))))
    monkeypatch.setattr(dead_letters, "send_all", send_all)
    monkeypatch.setattr(queue, "put", put)
    return records


def test_a_cut_letter_is_listed_with_size_and_hash_of_the_whole(config: Config, written: list[Any]) -> None:
    whole, cut, key, null, *_ = (
        dead_letters.as_dict(letter, dead_letters.Records(config)) for letter in dead_letters.read(config)
    )
    assert (whole["size"], whole["sha256"], whole["is_cut"]) == (len(BOOKING), None, False)
    assert whole["record"] == entry()
    assert (cut["size"], len(cut["sha256"]), cut["is_cut"]) == (len(BOOKING) + 20_000_000, 64, True)
    assert cut["record"] is None
    assert (key["size"], key["sha256"], key["is_cut"]) == (len(BOOKING), None, True)
    assert (null["size"], null["is_cut"]) == (None, False)


def test_what_cannot_be_put_back_keeps_no_other_back(config: Config, written: list[Any]) -> None:
    replayed = dead_letters.replay(config)
    assert replayed.count == 3
    assert written == [
        ("bookings", b"<Document/>"),
        ("account-entries", b"a1", BOOKING),
        ("account-entries", None, None),
    ]
    assert replayed.kept.keys() == {"0:1", "0:2", "0:5", "0:6"}
    assert replayed.kept["0:1"] == replayed.kept["0:2"] == "only its first part is there"
    assert "alerts deliveries retry" in replayed.kept["0:5"]
    assert "is no input topic" in replayed.kept["0:6"]


def test_letters_that_are_named(config: Config, written: list[Any]) -> None:
    assert dead_letters.replay(config, ["0:1", "0:4"]).count == 1
    with pytest.raises(DeadLetterError, match="no dead letter 0:9"):
        dead_letters.replay(config, ["0:1", "0:9"])
    assert written == [("bookings", b"<Document/>")]


def test_a_repaired_message_goes_back_to_the_queue(
    config: Config, written: list[Any], tmp_path: Path
) -> None:
    file = tmp_path / "repaired.jsonl"
    line = {"topic": "bookings", "key": None, "value_base64": base64.b64encode(b"[]").decode()}
    file.write_text(json.dumps(line))
    assert dead_letters.replay_file(config, file) == 1
    assert written == [("bookings", b"[]")]
    file.write_text(json.dumps(line | {"record": entry()}))
    with pytest.raises(DeadLetterError, match="line 1: 'bookings' is the queue"):
        dead_letters.replay_file(config, file)


def test_a_line_that_is_cut_needs_key_and_record(config: Config, written: list[Any], tmp_path: Path) -> None:
    line = {
        "topic": "account-entries",
        "key": "a1",
        "value_base64": base64.b64encode(BOOKING).decode(),
        "is_cut": True,
    }
    file = tmp_path / "repaired.jsonl"
    file.write_text(json.dumps(line))
    with pytest.raises(DeadLetterError, match="line 1: it is cut"):
        dead_letters.replay_file(config, file)
    file.write_text(json.dumps(line | {"record": entry()}))
    assert dead_letters.replay_file(config, file) == 1
    assert written == [("account-entries", b"a1", BOOKING)]
