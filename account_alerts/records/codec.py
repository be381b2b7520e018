"""The contract's records, to and from bytes.

Times are plain integers here: milliseconds since 1970-01-01T00:00:00Z, never `datetime`. Enumerations are
strings, records are dicts with every field of the schema. Decoding is strict: a value that is not used up to
its last byte is an error, because what follows a booking was not written by anyone who meant this booking.
"""

import contextlib
import io
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Literal

import fastavro
import fastavro.schema
import fastavro.types
import fastavro.validation

from account_alerts.config import PROJECT, Config
from account_alerts.model.errors import InvalidRecordError
from account_alerts.records import strict_avro

Record = dict[str, Any]
"""One decoded record."""

RecordName = Literal[
    "AccountEntry", "AccountAuthorization", "AlertSettings", "OutboundAlert", "ClickEvent", "SmsOptOut"
]

_ADDED: Mapping[RecordName, frozenset[str]] = {"OutboundAlert": frozenset({"reasons"})}
"""Fields at the end of records that outlive an upgrade, which versions before did not write.

Alerts wait in the ledger, as they stood on Kafka. Bare Avro says nothing of its schema, but every byte has to
be used: no record of one schema is one of the other.
"""
_NO_SUCH_SCHEMA = 40403
"""The registry's own code: a plain 404 may be a proxy's, of a registry that is away."""


class CodecError(InvalidRecordError):
    """Bytes that are no such record, or a record that does not fit its schema."""


@cache
def schema_text(record: RecordName) -> str:
    """Return the record's schema as it stands in the schema folder."""
    return (PROJECT / "schemas" / f"{record}.avsc").read_text(encoding="utf-8")


@cache
def _schema(record: RecordName) -> fastavro.types.Schema:
    return _parse(schema_text(record))


@cache
def _earlier_schema(record: RecordName) -> fastavro.types.Schema:
    schema = json.loads(schema_text(record))
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in _ADDED[record]]
    return _parse(json.dumps(schema))


def _parse(text: str) -> fastavro.types.Schema:
    return fastavro.parse_schema(_without_logical_types(json.loads(text)))


def _without_logical_types(node: Any) -> Any:
    """Keep times integers: a `datetime` cannot hold every long, and the contract speaks of milliseconds."""
    if isinstance(node, dict):
        return {key: _without_logical_types(value) for key, value in node.items() if key != "logicalType"}
    if isinstance(node, list):
        return [_without_logical_types(item) for item in node]
    return node


class Codec:
    """Bare Avro binary: no header, the schemas of this project."""

    def encode(
        self, record: RecordName, value: Mapping[str, Any], topic: str, *, check: bool = True
    ) -> bytes:
        """Encode a record for a topic; without `check`, a value that is known to fit costs a third.

        Raises:
            CodecError: A field is missing without default, unknown, of a wrong type or out of range.
        """
        return self._header(record, topic) + _write(record, value, check)

    def decode(self, record: RecordName, data: bytes) -> Record:
        """Decode the record in the bytes, of this version or an earlier one (`_ADDED`).

        Raises:
            CodecError: The bytes are no such record, or more than one.
        """
        try:
            return _read(_schema(record), None, data)
        except CodecError:
            if record in _ADDED:
                with contextlib.suppress(CodecError):
                    return _read(_earlier_schema(record), _schema(record), data)
            raise

    def _header(self, record: RecordName, topic: str) -> bytes:
        return b""


class ConfluentCodec(Codec):
    """Confluent wire format: a zero byte, the schema's id in four bytes, the Avro binary.

    The schema is registered under `<topic>-value`; a schema that is there already keeps its id.
    """

    def __init__(self, registry_url: str) -> None:
        """Prepare to ask the registry at `registry_url`; it is asked when a schema is needed first."""
        # Here because its HTTP client takes a quarter of a second to load and bare Avro needs none of it.
        from confluent_kafka.schema_registry import SchemaRegistryClient

        self._registry = SchemaRegistryClient({"url": registry_url})
        self._writer = lru_cache(maxsize=256)(self._load_writer)

    def decode(self, record: RecordName, data: bytes) -> Record:
        """Decode the record in the bytes, written with any schema of the registry that ours can read.

        Raises:
            CodecError: The bytes are no such record, or the registry knows no such schema.
            Exception: The registry cannot be asked, in the words of its client; the record may be a good one.
        """
        if len(data) < 5 or data[0] != 0:
            raise CodecError("no Confluent header: a zero byte and four bytes of schema id")
        return _read(self._writer(int.from_bytes(data[1:5], "big")), _schema(record), data[5:])

    def _load_writer(self, schema_id: int) -> fastavro.types.Schema:
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            text = self._registry.get_schema(schema_id).schema_str or ""
        except SchemaRegistryError as error:
            if error.error_code != _NO_SUCH_SCHEMA:
                raise
            raise CodecError(f"the registry knows no schema {schema_id}") from error
        try:
            return _parse(text)
        except (ValueError, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
            raise CodecError(f"schema {schema_id} cannot be used: {error}") from error

    def _header(self, record: RecordName, topic: str) -> bytes:
        from confluent_kafka.schema_registry import Schema

        schema_id = self._registry.register_schema(f"{topic}-value", Schema(schema_text(record), "AVRO"))
        return b"\0" + schema_id.to_bytes(4, "big")


def codec(config: Config) -> Codec:
    """Make the codec that the configuration's `kafka.encoding` asks for."""
    if config.kafka.encoding == "avro-confluent":
        assert config.kafka.schema_registry_url is not None  # The configuration has checked it.
        return ConfluentCodec(config.kafka.schema_registry_url)
    return Codec()


def _write(record: RecordName, value: Mapping[str, Any], check: bool) -> bytes:
    out = io.BytesIO()
    try:
        # The writer alone would cut a float down to a long: money must not be rounded in passing.
        if check:
            fastavro.validation.validate(dict(value), _schema(record))
        fastavro.schemaless_writer(out, _schema(record), dict(value), strict_allow_default=True)
    except Exception as error:  # The writer promises no error type of its own.
        raise CodecError(f"not a valid {record}: {error}") from error
    return out.getvalue()


def _read(writer: fastavro.types.Schema, reader: fastavro.types.Schema | None, data: bytes) -> Record:
    stream = io.BytesIO(data)
    try:
        strict_avro.check(writer, data)
        value = fastavro.schemaless_reader(stream, writer, reader)
    except Exception as error:  # The reader promises no error type of its own.
        raise CodecError(f"{type(error).__name__}: {error}") from error
    if stream.tell() != len(data):
        raise CodecError(f"{len(data) - stream.tell()} bytes are left over after the record")
    if not isinstance(value, dict):
        raise CodecError(f"not a record but {type(value).__name__}")
    return value
