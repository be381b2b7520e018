"""Records to bytes and back, in both encodings."""

import contextlib
from collections.abc import Iterator
from typing import Any

import confluent_kafka.schema_registry
import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.records.codec import Codec, CodecError, ConfluentCodec, RecordName
from tests.builders import authorization, entry, setting, settings
from tests.reference import binary

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LONGS = st.integers(-(2**63), 2**63 - 1)
RECORDS: list[tuple[RecordName, dict[str, Any]]] = [
    ("AccountEntry", entry(booked_at=-(2**63), description="účet 🏦\0")),
    ("AccountAuthorization", authorization("a1", "c1", "c2")),
    ("AlertSettings", settings("c1", setting(snoozed_until=2**63 - 1), quiet_from="22:00")),
]


ALERT: dict[str, Any] = {
    **dict.fromkeys(
        ("alert_id", "customer_id", "channel", "address", "alert_type", "account_id", "currency"), "x"
    ),
    **dict.fromkeys(("entry_id", "setting_id", "language"), "x"),
    "booked_at": 1,
    "raised_at": 2,
    "params": {"amount_minor": "5"},
}
REASON = {"setting_id": "x", "alert_type": "x", "threshold_minor": 5, "count": None, "window_minutes": None}


def test_an_alert_that_waits_since_before_there_were_reasons_is_read() -> None:
    codec = Codec()
    now = codec.encode("OutboundAlert", ALERT | {"reasons": []}, "t")
    before = now[:-1]  # An empty array is one byte, the last.
    assert codec.decode("OutboundAlert", before) == ALERT | {"reasons": []}
    several = ALERT | {"reasons": [REASON, REASON]}
    whole = codec.encode("OutboundAlert", several, "t")
    assert codec.decode("OutboundAlert", whole) == several
    cut_where_reasons_begin = len(before)
    for length in range(len(whole)):
        if length != cut_where_reasons_begin:
            with pytest.raises(CodecError):
                codec.decode("OutboundAlert", whole[:length])
    for more in (now + b"\0", whole + b"\0"):
        with pytest.raises(CodecError):
            codec.decode("OutboundAlert", more)


class FakeRegistry:
    """A Schema Registry in memory: ids by schema, as the real one gives them."""

    def __init__(self, conf: dict[str, str]) -> None:
        """Start with other people's schemas."""
        self.schemas: dict[int, confluent_kafka.schema_registry.Schema] = {}
        self.subjects: set[str] = set()
        self.away = False

    def register_schema(self, subject: str, schema: confluent_kafka.schema_registry.Schema) -> int:
        """The schema's id."""
        self.subjects.add(subject)
        for number, known in self.schemas.items():
            if known.schema_str == schema.schema_str:
                return number
        number = 700 + len(self.schemas)
        self.schemas[number] = schema
        return number

    def get_schema(self, number: int) -> confluent_kafka.schema_registry.Schema:
        """The schema of an id."""
        if self.away:
            raise SchemaRegistryError(404, 404, "a proxy's answer")
        if number not in self.schemas:
            raise SchemaRegistryError(404, 40403, "no such schema")
        return self.schemas[number]


@pytest.fixture
def confluent(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ConfluentCodec, FakeRegistry]]:
    """The codec of production, with its registry."""
    registry = FakeRegistry({})
    monkeypatch.setattr(confluent_kafka.schema_registry, "SchemaRegistryClient", lambda conf: registry)
    return ConfluentCodec("http://registry"), registry  # type: ignore[return-value]


@pytest.mark.parametrize(("name", "record"), RECORDS)
def test_what_is_written_is_read(name: RecordName, record: dict[str, Any]) -> None:
    data = Codec().encode(name, record, "topic")
    assert Codec().decode(name, data) == record
    assert binary.decode(name, data) == record
    assert binary.encode(name, record) == data


@given(text=TEXT, amount=LONGS, balance=LONGS, booked_at=LONGS)
def test_any_booking_is_read_as_it_was_written(text: str, amount: int, balance: int, booked_at: int) -> None:
    record = entry(text, text, amount_minor=amount, balance_minor=balance, booked_at=booked_at)
    assert Codec().decode("AccountEntry", Codec().encode("AccountEntry", record, "topic")) == record


@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_record_or_an_error(data: bytes) -> None:
    # The other way round it need not be: the reference knows no limits of numbers.
    with contextlib.suppress(CodecError):
        assert Codec().decode("AccountEntry", data) == binary.decode("AccountEntry", data)


@given(cut=st.integers(0, 60), tail=st.binary(min_size=1, max_size=20))
def test_every_byte_is_used(cut: int, tail: bytes) -> None:
    data = Codec().encode("AccountEntry", entry(), "topic")
    for wrong in (data[: cut % len(data)], data + tail):
        with pytest.raises(CodecError):
            Codec().decode("AccountEntry", wrong)


@pytest.mark.parametrize(
    "data",
    [
        b"\x02a" + b"\x80" * 10 + b"\x00",
        b"\x02a" + b"\xff" * 9 + b"\x01\x0a\x00",
        b"\x02a" + b"\x80" * 9 + b"\x7e",
        b"\x02a\x02\x01",
        b"\x02a\xfe\xff\xff\xff\x0f",
    ],
    ids=[
        "a number of 11 bytes",
        "a count of -2^63",
        "a number of 66 bits",
        "a length of -1",
        "a count too high",
    ],
)
def test_numbers_out_of_their_range_are_no_record(data: bytes) -> None:
    """fastavro wraps them: an authorization of nobody would come of it."""
    with pytest.raises(CodecError):
        Codec().decode("AccountAuthorization", data)


def test_an_int_has_32_bits() -> None:
    data = Codec().encode("AlertSettings", settings("c1", setting(count=2**31 - 1)), "topic")
    assert Codec().decode("AlertSettings", data) == settings("c1", setting(count=2**31 - 1))
    wide = data.replace(b"\xfe\xff\xff\xff\x0f", b"\xfe\xff\xff\xff\x1f")
    assert wide != data
    with pytest.raises(CodecError):
        Codec().decode("AlertSettings", wide)


@pytest.mark.parametrize(
    "fields",
    [{"amount_minor": "1"}, {"amount_minor": 2**63}, {"amount_minor": 1.5}, {"entry_id": None}, {"new": 1}],
    ids=str,
)
def test_a_record_that_does_not_fit_is_not_written(fields: dict[str, Any]) -> None:
    with pytest.raises(CodecError):
        Codec().encode("AccountEntry", entry(**fields), "topic")


def test_what_has_a_default_may_be_left_out() -> None:
    record = settings("c1")
    short = {name: record[name] for name in ("customer_id", "addresses", "settings")}
    assert Codec().decode("AlertSettings", Codec().encode("AlertSettings", short, "topic")) == record


@pytest.mark.parametrize(("name", "record"), RECORDS)
def test_the_registry_s_format(
    confluent: tuple[ConfluentCodec, FakeRegistry], name: RecordName, record: dict[str, Any]
) -> None:
    codec, registry = confluent
    data = codec.encode(name, record, "some-topic")
    assert data == b"\0" + (700).to_bytes(4, "big") + binary.encode(name, record)
    assert registry.subjects == {"some-topic-value"}
    assert codec.decode(name, data) == record
    for wrong in (data[5:], data[:4], b"", data + b"\0", b"\0\0\0\0\1" + data[5:]):
        with pytest.raises(CodecError):
            codec.decode(name, wrong)


def test_a_newer_writer_is_understood(confluent: tuple[ConfluentCodec, FakeRegistry]) -> None:
    codec, registry = confluent
    newer = (
        '{"type": "record", "name": "AccountAuthorization", "namespace": "alerts", "fields": ['
        '{"name": "bank", "type": "string"}, {"name": "account_id", "type": "string"},'
        '{"name": "customer_ids", "type": {"type": "array", "items": "string"}}]}'
    )
    registry.schemas[9] = confluent_kafka.schema_registry.Schema(newer, "AVRO")
    data = b"\0\0\0\0\x09" + b"\x04CZ\x02a\x02\x02c\x00"
    assert codec.decode("AccountAuthorization", data) == authorization("a", "c")


def test_a_registry_out_of_reach_makes_no_record_a_bad_one(
    confluent: tuple[ConfluentCodec, FakeRegistry],
) -> None:
    codec, registry = confluent
    name, record = RECORDS[1]
    data = codec.encode(name, record, "some-topic")
    registry.away = True
    with pytest.raises(SchemaRegistryError):
        codec.decode(name, data)
    registry.away = False
    assert codec.decode(name, data) == record
