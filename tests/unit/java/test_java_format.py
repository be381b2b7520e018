"""The Java format against the Python codec: what it reads, what it calls broken. No cluster, only a JVM."""

import io
import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JError
from pyflink.java_gateway import get_gateway

from account_alerts.installation import flink_environment
from account_alerts.records import strict_avro
from account_alerts.records.codec import Codec, CodecError, RecordName, schema_text
from tests import builders, ddl

TABLES: dict[RecordName, str] = {
    "AccountEntry": "account_entries",
    "AccountAuthorization": "account_authorizations",
    "AlertSettings": "alert_settings",
}
EXAMPLES = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LONG = st.integers(-(2**63), 2**63 - 1)
INT = st.integers(-(2**31), 2**31 - 1)
TEXTS = st.lists(TEXT, max_size=3)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


NULLABLE = (
    *("merchant_id", "merchant_name", "merchant_category", "country", "counterparty", "description"),
    *("counterparty_name", "card_last_four", "original_currency"),
)
ADDED_LATER = (
    *("counterparty_name", "card_last_four", "original_currency", "original_amount_minor", "reversal"),
)
ENTRIES = st.builds(
    builders.entry,
    TEXT,
    TEXT,
    currency=TEXT,
    amount_minor=LONG,
    balance_minor=maybe(LONG),
    original_amount_minor=maybe(LONG),
    reversal=st.booleans(),
    booked_at=LONG,
    entry_type=TEXT,
    **{name: maybe(TEXT) for name in NULLABLE},
)
AUTHORIZATIONS = st.builds(
    lambda account, customers: builders.authorization(account, *customers), TEXT, TEXTS
)
ADDRESSES = st.lists(st.fixed_dictionaries({"channel": TEXT, "address": TEXT}), max_size=3)
SETTING = st.builds(
    builders.setting,
    TEXT,
    TEXT,
    channels=TEXTS,
    threshold_minor=maybe(LONG),
    count=maybe(INT),
    window_minutes=maybe(INT),
    snoozed_until=maybe(LONG),
)
SETTINGS = st.builds(
    lambda customer, wanted, addresses, digest: builders.settings(
        customer, *wanted, addresses=addresses, digest=digest
    ),
    TEXT,
    st.lists(SETTING, max_size=3),
    ADDRESSES,
    maybe(TEXT),
)
RECORDS: st.SearchStrategy[tuple[RecordName, dict[str, Any]]] = st.one_of(
    [
        st.tuples(st.just(name), records)
        for name, records in zip(TABLES, (ENTRIES, AUTHORIZATIONS, SETTINGS), strict=True)
    ]
)


@pytest.fixture(scope="module", autouse=True)
def jvm() -> Iterator[JavaGateway]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in flink_environment().items():
            patch.setitem(os.environ, name, value)
        yield get_gateway()


class Format:
    """The format of a table, as the table's DDL declares its columns."""

    def __init__(self, name: RecordName, broken_records: str = "as-rows", **limits: int) -> None:
        self.schema = ddl.value_columns(TABLES[name])
        self.fields = list(self.schema)
        java = get_gateway().jvm
        table = java.org.apache.flink.table
        columns = ", ".join(f"`{column}` {kind}" for column, kind in self.schema.items())
        loader = java.Thread.currentThread().getContextClassLoader()
        self.row = row = table.types.logical.utils.LogicalTypeParser.parse(f"ROW<{columns}> NOT NULL", loader)
        options = java.org.apache.flink.configuration.Configuration()
        options.setString("broken-records", broken_records)
        for limit, value in limits.items():
            options.setString(limit.replace("_", "-"), str(value))
        decoding = java.alerts.format.AlertsAvroFormatFactory().createDecodingFormat(None, options)
        decoding.applyReadableMetadata(["decode-error"])
        context = table.runtime.connector.source.ScanRuntimeProviderContext.INSTANCE
        self.decoder = decoding.createRuntimeDecoder(
            context, table.types.utils.TypeConversions.fromLogicalToDataType(row)
        )
        self.decoder.open(None)

    def decode(self, data: bytes | None) -> tuple[list[Any], str | None]:
        """The columns in their order, rows and arrays in them as lists, and why they could not be read."""
        values = _python(self.decoder.deserialize(data))
        return values[:-1], values[-1]


@cache
def make_format(name: RecordName, broken_records: str = "as-rows") -> Format:
    return Format(name, broken_records)


def _python(value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    match value.getClass().getSimpleName():
        case "BinaryStringData":
            return bytes(value.toBytes()).decode()
        case "TimestampData":
            return value.getMillisecond()
        case "GenericArrayData":
            return [_python(each) for each in value.toObjectArray()]
        case "GenericRowData":
            return [_python(value.getField(index)) for index in range(value.getArity())]
    raise TypeError(value)


def plain(value: Any) -> Any:
    """A decoded record as the format gives it: without the fields' names."""
    if isinstance(value, dict):
        return [plain(each) for each in value.values()]
    return [plain(each) for each in value] if isinstance(value, list) else value


def _zigzag(number: int) -> bytes:
    """Avro's long."""
    value, out = number << 1 ^ number >> 63, bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def decodable(name: RecordName, data: bytes) -> dict[str, Any] | None:
    try:
        return Codec().decode(name, data)
    except CodecError:
        return None


def check_agreement(name: RecordName, data: bytes) -> None:
    values, error = make_format(name).decode(data)
    record = decodable(name, data)
    if record is None:
        assert error
        assert not any(value for value in values), "a broken record must have empty columns"
    else:
        assert error is None, f"Python reads {record}"
        assert values == plain(record)


@EXAMPLES
@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: tuple[RecordName, dict[str, Any]]) -> None:
    name, fields = record
    data = Codec().encode(name, fields, "topic")
    assert Codec().decode(name, data) == fields
    check_agreement(name, data)


@EXAMPLES
@given(RECORDS, st.data())
def test_changed_bytes_are_read_or_refused_as_in_python(
    record: tuple[RecordName, dict[str, Any]], data: st.DataObject
) -> None:
    name, fields = record
    good = Codec().encode(name, fields, "topic")
    place = data.draw(st.integers(0, len(good) - 1), "place")
    bit = data.draw(st.integers(0, 7), "bit")
    tail = data.draw(st.binary(min_size=1, max_size=5), "tail")
    flipped = good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]
    for changed in (good[:place], flipped, good + tail):
        check_agreement(name, changed)
    # Nothing of it is left when the next record comes.
    check_agreement(name, good)


@EXAMPLES
@given(st.sampled_from(list(TABLES)), st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused_as_in_python(name: RecordName, data: bytes) -> None:
    check_agreement(name, data)


@pytest.mark.parametrize("data", [None, b""])
def test_a_record_of_nothing_is_broken(data: bytes | None) -> None:
    _, error = make_format("AccountEntry").decode(data)
    assert error == ("the record has no value" if data is None else "the record is empty")


@pytest.mark.parametrize("length", [2**31 - 1, 2**31, 2**62, -1])
def test_a_length_beyond_the_record_takes_no_memory(length: int) -> None:
    _, error = make_format("AccountEntry").decode(_zigzag(length))
    assert error == "not decodable: a string is longer than the record"


def test_a_record_beyond_a_limit_is_broken() -> None:
    data = Codec().encode("AccountAuthorization", builders.authorization("účet", "c1"), "topic")
    for limits, reason in (
        ({"largest_record": len(data), "longest_text": 6}, None),
        ({"largest_record": len(data) - 1}, f"the record is longer than {len(data) - 1} bytes"),
        ({"longest_text": 5}, "a text is longer than 5 bytes"),
    ):
        assert Format("AccountAuthorization", "as-rows", **limits).decode(data)[1] == reason


NULLS = {"type": "array", "items": "null"}
"""Items of no bytes at all: only a writer's schema of the registry can have them."""


@pytest.mark.parametrize("nested", [False, True])
def test_items_of_no_size_take_no_memory_and_no_time(nested: bool) -> None:
    schema = {"type": "array", "items": NULLS} if nested else NULLS
    blocks = 20_000
    # Lists of as many items as there are bytes left, and again and again.
    data = bytearray()
    for left in range(3 * blocks, 0, -3):
        data += _zigzag(1) * nested + _zigzag(max(1, left - 4)) + b"\0" * nested
    data += b"\0"
    java = get_gateway().jvm
    avro = java.org.apache.flink.avro.shaded.org.apache.avro.Schema.Parser().parse(json.dumps(schema))
    reader = java.java.lang.Class.forName("alerts.format.AvroReader")
    make = next(each for each in reader.getDeclaredConstructors())
    make.setAccessible(True)
    of = next(each for each in reader.getDeclaredMethods() if each.getName() == "of")
    of.setAccessible(True)
    arguments = get_gateway().new_array(java.java.lang.Object, 2)
    arguments[0] = avro
    column = of.invoke(None, arguments)
    given = get_gateway().new_array(java.java.lang.Object, 3)
    given[0], given[1], given[2] = bytes(data), 0, 1_000
    value = make.newInstance(given)
    with pytest.raises(Py4JError, match="a list is longer than the record"):
        column.read(value)
    with pytest.raises(ValueError, match="items in"):
        strict_avro.check(schema, bytes(data))


def test_an_old_writer_is_understood() -> None:
    """A field that the writer did not know is null; where it is true or false, it is false."""
    schema = json.loads(schema_text("AccountEntry"))
    fields = [field for field in schema["fields"] if field["name"] not in ADDED_LATER]
    place = next(index for index, field in enumerate(fields) if field["name"] == "balance_minor")
    fields[place] = {"name": "balance_minor", "type": "long"}
    old = {**schema, "fields": fields}
    written = io.BytesIO()
    given = builders.entry(description="x")
    kept = {field["name"]: given[field["name"]] for field in fields}
    fastavro.schemaless_writer(written, fastavro.parse_schema(_plain_times(old)), kept)
    java = get_gateway().jvm
    avro = java.org.apache.flink.avro.shaded.org.apache.avro.Schema.Parser().parse(json.dumps(old))
    reader = java.java.lang.Class.forName("alerts.format.AvroReader")
    record = next(each for each in reader.getDeclaredMethods() if each.getName() == "record")
    record.setAccessible(True)
    arguments = get_gateway().new_array(java.java.lang.Object, 3)
    arguments[0], arguments[1], arguments[2] = avro, make_format("AccountEntry").row, 0
    make = next(each for each in reader.getDeclaredConstructors())
    make.setAccessible(True)
    source = get_gateway().new_array(java.java.lang.Object, 3)
    source[0], source[1], source[2] = written.getvalue(), 0, 1_000
    row = record.invoke(None, arguments).read(make.newInstance(source))
    assert _python(row) == plain(given)


def _plain_times(schema: dict[str, Any]) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(json.dumps(schema).replace('"timestamp-millis"', '"plain"')))


def test_skip_gives_no_row() -> None:
    decoder = make_format("AccountAuthorization", "skip").decoder
    assert decoder.deserialize(b"\0garbage") is None
    good = Codec().encode("AccountAuthorization", builders.authorization("a", "c"), "topic")
    assert decoder.deserialize(good) is not None
