"""The Java format against the Python codec: what it reads, what it calls broken. No cluster, only a JVM."""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py4j.java_gateway import JavaGateway
from pyflink.java_gateway import get_gateway

from account_alerts.installation import flink_environment
from account_alerts.records.codec import Codec, CodecError, RecordName
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


NULLABLE = ("merchant_id", "merchant_name", "merchant_category", "country", "counterparty", "description")
ENTRIES = st.builds(
    builders.entry,
    TEXT,
    TEXT,
    currency=TEXT,
    amount_minor=LONG,
    balance_minor=LONG,
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

    def __init__(self, name: RecordName, broken_records: str = "as-rows") -> None:
        self.schema = ddl.value_columns(TABLES[name])
        self.fields = list(self.schema)
        java = get_gateway().jvm
        table = java.org.apache.flink.table
        columns = ", ".join(f"`{column}` {kind}" for column, kind in self.schema.items())
        loader = java.Thread.currentThread().getContextClassLoader()
        row = table.types.logical.utils.LogicalTypeParser.parse(f"ROW<{columns}> NOT NULL", loader)
        options = java.org.apache.flink.configuration.Configuration()
        options.setString("broken-records", broken_records)
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
    out = bytearray()
    number = length << 1 ^ length >> 63
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    _, error = make_format("AccountEntry").decode(bytes(out))
    assert error == "not decodable: a string is longer than the record"


def test_skip_gives_no_row() -> None:
    decoder = make_format("AccountAuthorization", "skip").decoder
    assert decoder.deserialize(b"\0garbage") is None
    good = Codec().encode("AccountAuthorization", builders.authorization("a", "c"), "topic")
    assert decoder.deserialize(good) is not None
