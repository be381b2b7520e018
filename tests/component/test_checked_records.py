"""What the jobs' SQL reads of a broker: committed records only; and what it puts aside, however large."""

import hashlib
import itertools
from typing import cast

import pytest
from confluent_kafka import Message, Producer
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from account_alerts.config import Config
from account_alerts.kafka import clients
from account_alerts.model.limits import DEAD_LETTER_KEY, DEAD_LETTER_RECORD, RECORD_BYTES
from jobs.options import configure
from jobs.runner import prepare_process
from jobs.sql import create_view, keep_dead_letters, statement
from tests.builders import authorization, entry, setting, settings
from tests.reference.binary import encode

READ = {
    "account_entries": ("account_entries", "checked_entries", "entry_key"),
    "account_authorizations": ("authorization_records", "checked_authorizations", "record_key"),
    "alert_settings": ("setting_records", "checked_settings", "record_key"),
}
"""Of each topic the table, the view and the column of the key."""
RECORDS = {
    "account_entries": encode("AccountEntry", entry("e", "k")),
    "account_authorizations": encode("AccountAuthorization", authorization("k", "c")),
    "alert_settings": encode("AlertSettings", settings("k", setting())),
}
LARGE = [
    (b"zeros", b"\0" * 20_000_000, f"the record is longer than {RECORD_BYTES} bytes"),
    (b"k" * 5_000_000, b"", "the record is empty"),
]
OWN_KEYS = {b"k", *(key for key, _, _ in LARGE), *(key[:DEAD_LETTER_KEY] for key, _, _ in LARGE)}
"""Others write to the same topics."""
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def tables(kafka: Config) -> StreamTableEnvironment:
    """The tables and views of the three topics, read up to their end."""
    prepare_process()
    own = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
    configure(own, {"parallelism.default": "1"})
    own.execute_sql(statement("tables/dead_letters.sql", kafka))
    for table, view, _ in READ.values():
        own.execute_sql(statement(f"tables/{table}.sql", kafka))
        own.execute_sql(f"ALTER TABLE {table} SET ('scan.bounded.mode' = 'latest-offset')")
        create_view(own, f"shared/{view}.sql", kafka)
    return own


def producer(config: Config, **options: object) -> Producer:
    return clients.producer(
        config, **{"compression.type": "gzip", "message.max.bytes": 30_000_000, **options}
    )


@pytest.fixture(scope="module")
def written(kafka: Config) -> set[tuple[str, int, int]]:
    """Write good and large records, committed and aborted ones; return where the large ones are."""
    places: set[tuple[str, int, int]] = set()

    def delivered(error: object, message: Message) -> None:
        assert error is None, error
        places.add((message.topic() or "", message.partition() or 0, message.offset() or 0))

    plain, names = producer(kafka), {key: topic.name for key, topic in kafka.topics.all().items()}
    for key, record in RECORDS.items():
        for large_key, large, _ in LARGE:
            plain.produce(names[key], large, large_key, on_delivery=delivered)
        plain.produce(names[key], record, b"k")
    assert plain.flush(120) == 0
    for end in ("commit", "abort"):
        transaction = producer(kafka, **{"transactional.id": f"transaction-{next(_numbers)}"})
        transaction.init_transactions(60)
        transaction.begin_transaction()
        for key, record in RECORDS.items():
            transaction.produce(names[key], record, b"k")
            if end == "abort":
                transaction.produce(names[key], None, b"k")
                transaction.produce(names[key], b"broken", b"k")
        assert transaction.flush(60) == 0
        getattr(transaction, f"{end}_transaction")(60)
    return places


@pytest.mark.parametrize("key", READ)
def test_what_was_aborted_is_not_read(
    kafka: Config, tables: StreamTableEnvironment, written: set[tuple[str, int, int]], key: str
) -> None:
    _, view, key_column = READ[key]
    # A whole key of 5 MB is more than a row of results takes.
    begins = f"SUBSTRING(DECODE({key_column}, 'UTF-8'), 1, 5)"
    query = f"SELECT {begins}, CASE WHEN reason IS NULL THEN record END FROM {view}"
    own = {each[:5].decode() for each in OWN_KEYS}
    with tables.sql_query(query).execute().collect() as rows:
        found = [record for key_begins, record in rows if key_begins in own]
    assert len(found) == 2 + len(LARGE)
    good = [bytes(record) for record in found if record is not None]
    assert good == [RECORDS[key]] * 2, "the one that was written plainly, and the one that was committed"
    topic = kafka.topics.all()[key].name
    messages = clients.read_to_end(kafka, topic)
    by_python = [message.value() for message in messages if message.key() in OWN_KEYS]
    assert [value for value in by_python if value == RECORDS[key]] == good
    assert len(by_python) == len(good) + len(LARGE)


def test_a_record_that_is_small_only_while_it_is_packed_is_put_aside_cut(
    kafka: Config, tables: StreamTableEnvironment, written: set[tuple[str, int, int]]
) -> None:
    topics = kafka.topics
    statements = tables.create_statement_set()
    for key, (_, view, key_column) in READ.items():
        statements.add_insert_sql(keep_dead_letters(kafka, view, key_column, topics.all()[key]))
    statements.execute().wait()
    found = {}
    for message in clients.read_to_end(kafka, topics.dead_letters.name):
        given = cast("list[tuple[str, bytes]]", message.headers() or [])
        headers = {name: value.decode() for name, value in given}
        place = headers["source.topic"], int(headers["source.partition"]), int(headers["source.offset"])
        if message.key() in OWN_KEYS:
            found[place] = (clients.to_bytes(message.key()), clients.to_bytes(message.value()), headers)
    assert found.keys() == written
    by_reason = {reason: (large_key, large) for large_key, large, reason in LARGE}
    for kept_key, kept, headers in found.values():
        whole_key, record = by_reason[headers["reason"]]
        assert kept_key == whole_key[:DEAD_LETTER_KEY]
        assert kept == record[:DEAD_LETTER_RECORD]
        sizes = {name: value for name, value in headers.items() if name.endswith((".size", ".sha256"))}
        cut = {"record": record} if len(record) > DEAD_LETTER_RECORD else {"key": whole_key}
        assert sizes == {
            name: value
            for what, whole in cut.items()
            for name, value in (
                (f"{what}.size", str(len(whole))),
                (f"{what}.sha256", hashlib.sha256(whole).hexdigest()),
            )
        }
