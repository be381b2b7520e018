"""Dead letters: records that no job could use, to be looked at, repaired and replayed."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from confluent_kafka import Message

from account_alerts.config import Config
from account_alerts.kafka.clients import read_one, read_to_end, send_all, to_bytes
from account_alerts.model.errors import InvalidRecordError, NotFoundError
from account_alerts.records.codec import Codec, CodecError, Record, RecordName, codec
from operations import queue

_RECORDS: dict[str, RecordName] = {
    "account_entries": "AccountEntry",
    "account_authorizations": "AccountAuthorization",
    "alert_settings": "AlertSettings",
    "outbound_push": "OutboundAlert",
    "click_events": "ClickEvent",
    "sms_opt_outs": "SmsOptOut",
}
_OUTBOUND = ("outbound_email", "outbound_sms", "outbound_device_push")
"""What the senders read: their ledger knows each alert, and takes one that is put back for a repeat."""
_SILENCE = 10.0
"""Seconds without an answer of Kafka, where somebody waits for one."""
_LONGEST_ID = 40
_Message = tuple[str, bytes | None, bytes | None]
"""Topic, key and value."""


class DeadLetterError(InvalidRecordError):
    """A letter that cannot be put back; the message says which and why."""


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter: where it is, where it came from, what was wrong, and the original key and bytes.

    Of a record that was too large it has the first part only: it is cut, and cannot be put back.
    """

    id: str
    written_at: int
    topic: str
    partition: int | None
    offset: int | None
    reason: str
    key: bytes | None
    value: bytes | None
    size: int | None
    """Bytes of the whole record."""
    sha256: str | None
    """Of the whole record, where it was cut."""
    is_cut: bool


def read(config: Config) -> Iterator[DeadLetter]:
    """Read all dead letters that Kafka has now, each partition in order."""
    for message in read_to_end(config, config.topics.dead_letters.name):
        yield _letter(message)


def read_newest(config: Config, most: int) -> list[DeadLetter]:
    """Read the newest dead letters, the newest first; of each partition so many at most.

    Raises:
        KafkaUnreachableError: Kafka does not answer.
    """
    found = read_to_end(config, config.topics.dead_letters.name, last=most, silence=_SILENCE)
    return sorted(map(_letter, found), key=lambda letter: -letter.written_at)


def find(config: Config, letter_id: str) -> DeadLetter:
    """Read one dead letter by its id (`partition:offset`).

    Raises:
        NotFoundError: It is not there (any more).
        KafkaUnreachableError: Kafka does not answer.
    """
    partition, _, offset = letter_id.partition(":")
    message = None
    if partition.isdecimal() and offset.isdecimal() and len(letter_id) < _LONGEST_ID:
        topic = config.topics.dead_letters.name
        message = read_one(config, topic, int(partition), int(offset), _SILENCE)
    if message is None:
        raise NotFoundError(f"no dead letter {letter_id}: it may be older than the topic keeps")
    return _letter(message)


def put_back(config: Config, letter: DeadLetter, record: Record) -> None:
    """Put a repaired record back where its letter came from, with the key that goes with it.

    Raises:
        DeadLetterError: It cannot go there.
        UnreachableError: Kafka did not take it.
    """
    records = Records(config)
    if letter.key is None or letter.is_cut:
        raise DeadLetterError("there is no whole key: repair it by `alerts dead-letters replay --file`")
    value = records.encode(letter.topic, record)
    # The one key that a record says itself: what is repaired there is repaired in the key, too.
    booking = letter.topic == config.topics.account_entries.name
    key = str(record["account_id"]).encode() if booking else letter.key
    _put(config, records, [(letter.topic, key, value)])


def as_dict(letter: DeadLetter, records: "Records") -> Record:
    """Return a letter as `--json` prints it and `replay_file` reads it; `record` is what could be decoded."""
    return {
        "id": letter.id,
        "written_at": letter.written_at,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "size": letter.size,
        "sha256": letter.sha256,
        "is_cut": letter.is_cut,
        "key": None if letter.key is None else letter.key.decode("utf-8", "replace"),
        "key_base64": _base64(letter.key),
        "value_base64": _base64(letter.value),
        "record": None if letter.is_cut else records.decode(letter.topic, letter.value),
    }


class Records:
    """Which record is on which input topic."""

    def __init__(self, config: Config) -> None:
        """Take topics and encoding from the configuration."""
        self._codec: Codec = codec(config)
        topics = config.topics.all()
        self._names = {topics[key].name: name for key, name in _RECORDS.items()}
        self._outbound = {topics[key].name for key in _OUTBOUND}
        self.queue = None if config.bridge is None else config.bridge.address
        """What letters of the bridge name as their topic."""

    def decode(self, topic: str, value: bytes | None) -> Record | None:
        """Decode a record; None where there is none in the bytes."""
        if value is None or topic not in self._names:
            return None
        try:
            return self._codec.decode(self._names[topic], value)
        except CodecError:
            return None

    def encode(self, topic: str, record: Record) -> bytes:
        """Encode a record for its topic."""
        self.check(topic)
        if topic not in self._names:
            raise DeadLetterError(f"{topic!r} is the queue: what came from there has bytes and no record")
        return self._codec.encode(self._names[topic], record, topic)

    def check(self, topic: str) -> None:
        """Raise a `DeadLetterError` unless it is an input topic, or the queue: a letter may name any."""
        if topic in self._outbound:
            raise DeadLetterError(f"{topic!r}: `alerts deliveries retry` sends an alert again")
        if topic not in self._names and topic != self.queue:
            raise DeadLetterError(f"{topic!r} is no input topic ({', '.join(self._names)})")


@dataclass(frozen=True)
class Replayed:
    """What became of letters that were to be put back."""

    count: int
    """Of those that are back where they came from."""
    kept: dict[str, str]
    """By the ids of the others, why not: they keep none of these back."""


def replay(config: Config, ids: Iterable[str] | None = None) -> Replayed:
    """Put letters back where they came from with their original key and bytes: a topic, or the bank's queue.

    Args:
        config: Where Kafka and the queue are, and the topics' names.
        ids: Those of these ids (`partition:offset`); None for all.

    Raises:
        DeadLetterError: An id is not there; nothing is written.
        UnreachableError: Kafka or the queue did not take all of them.
    """
    wanted = None if ids is None else set(ids)
    letters = [letter for letter in read(config) if wanted is None or letter.id in wanted]
    if missing := (wanted or set()) - {letter.id for letter in letters}:
        raise DeadLetterError(f"no dead letter {', '.join(sorted(missing))}; see `alerts dead-letters list`")
    records = Records(config)
    whole, kept = [], {}
    for letter in letters:
        try:
            if letter.is_cut:
                raise DeadLetterError("only its first part is there")
            records.check(letter.topic)
            whole.append((letter.topic, letter.key, letter.value))
        except DeadLetterError as error:
            kept[letter.id] = str(error)
    return Replayed(_put(config, records, whole), kept)


def _put(config: Config, records: "Records", messages: Iterable[_Message]) -> int:
    to_kafka: list[_Message] = []
    to_queue: list[queue.Outgoing] = []
    for topic, key, value in messages:
        if topic == records.queue:
            to_queue.append(queue.Outgoing(value or b""))
        else:
            to_kafka.append((topic, key, value))
    # What is there twice after an error does no harm: the ids stay.
    count = queue.put(config.require("bridge"), to_queue) if to_queue else 0
    return count + (send_all(config, to_kafka) if to_kafka else 0)


def replay_file(config: Config, file: Path) -> int:
    """Put repaired letters back: lines as `list --json` prints them, `record` or bytes mended.

    A `record` that is not null counts, else `value_base64` does; the key is `key`, or `key_base64` where that
    is null.

    Raises:
        DeadLetterError: A line is none of these, or has neither a `record` nor all bytes; nothing is written.
        UnreachableError: Kafka or the queue did not take all of them.
    """
    records = Records(config)
    messages = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            messages.append(_repaired(json.loads(line), records))
        except (KeyError, TypeError, ValueError) as error:
            raise DeadLetterError(f"{file}, line {number}: {error}") from error
    return _put(config, records, messages)


def _repaired(letter: dict[str, Any], records: Records) -> tuple[str, bytes | None, bytes | None]:
    topic, record = letter["topic"], letter.get("record")
    records.check(topic)
    key = letter.get("key")
    if letter.get("is_cut") and (record is None or key is None):
        raise DeadLetterError("it is cut: give key and record, or leave the line out")
    key_bytes = _bytes(letter.get("key_base64")) if key is None else str(key).encode()
    value = _bytes(letter.get("value_base64")) if record is None else records.encode(topic, record)
    return topic, key_bytes, value


def _letter(message: Message) -> DeadLetter:
    headers = dict(cast("list[tuple[str, bytes | None]]", message.headers() or []))

    def text(name: str) -> str:
        return (headers.get(name) or b"").decode("utf-8", "replace")

    def number(name: str) -> int | None:
        return int(text(name)) if text(name).isdecimal() else None

    value = to_bytes(message.value())
    return DeadLetter(
        id=f"{message.partition()}:{message.offset()}",
        written_at=message.timestamp()[1],
        topic=text("source.topic"),
        partition=number("source.partition"),
        offset=number("source.offset"),
        reason=text("reason"),
        key=to_bytes(message.key()),
        value=value,
        size=number("record.size") or (None if value is None else len(value)),
        sha256=text("record.sha256") or None,
        is_cut="record.size" in headers or "key.size" in headers,
    )


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value, validate=True)
