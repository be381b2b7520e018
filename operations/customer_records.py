"""Reads and changes settings and authorizations, straight on their topics."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from account_alerts.config import Config
from account_alerts.kafka.clients import read_to_end, send_all
from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.codec import Record, RecordName, codec


@dataclass(frozen=True)
class Kind:
    """A kind of record that a person may put: its schema, its topic and the field that is its key."""

    record: RecordName
    topic_key: str
    key_field: str
    defaults: Mapping[str, Any]

    def topic(self, config: Config) -> str:
        """Return the topic such records are on."""
        return config.topics.all()[self.topic_key].name


SETTINGS = Kind("AlertSettings", "alert_settings", "customer_id", {"addresses": [], "settings": []})
AUTHORIZATIONS = Kind("AccountAuthorization", "account_authorizations", "account_id", {})


class RecordFileError(InvalidRecordError):
    """A file that does not hold such records; the message names the file and the cause."""


def put(config: Config, file: Path, kind: Kind = SETTINGS) -> list[str]:
    """Write the records of a JSON file (one, or an array of them); return their keys.

    Nullable fields and those with a default may be left out. A record replaces the whole last one of its key.

    Raises:
        RecordFileError: The file is no JSON, or a record in it does not fit the schema; nothing is written.
        KafkaUnreachableError: Kafka did not take all of them.
    """
    try:
        parsed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordFileError(f"{file}: {error}") from error
    return put_records(config, parsed if isinstance(parsed, list) else [parsed], kind, str(file))


def put_records(
    config: Config, records: list[Record], kind: Kind = SETTINGS, location: str = "records"
) -> list[str]:
    """Write records as `put` does; `location` is what an error calls them."""
    encoder, topic = codec(config), kind.topic(config)
    messages = []
    for number, record in enumerate(records, start=1):
        try:
            key = record[kind.key_field]
            if not isinstance(key, str) or not key:
                raise ValueError(f"{kind.key_field} must be a text that is not empty")
            data = encoder.encode(kind.record, {**kind.defaults, **record}, topic)
        except (KeyError, TypeError, ValueError) as error:
            cause = f"{error} is missing" if isinstance(error, KeyError) else error
            raise RecordFileError(f"{location}, record {number}: {cause}") from error
        messages.append((topic, key.encode(), data))
    send_all(config, messages)
    return [key.decode() for _, key, _ in messages]


def delete(config: Config, key: str, kind: Kind = SETTINGS) -> None:
    """Write a tombstone: the customer left, or nobody may see the account any more."""
    send_all(config, [(kind.topic(config), key.encode(), None)])


def get(config: Config, key: str, kind: Kind = SETTINGS) -> Record | None:
    """Return the newest record of a customer or account, None where there is none or it was deleted.

    The whole topic is read, as Kafka has no other way to find a key.

    Raises:
        CodecError: The newest record cannot be decoded.
    """
    newest: bytes | None = None
    for message in read_to_end(config, kind.topic(config)):
        if message.key() == key.encode():
            newest = message.value()
    return None if newest is None else codec(config).decode(kind.record, newest)
