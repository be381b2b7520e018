"""What the operator's page asks of Kafka and the ledger, of real ones."""

import psycopg
import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.kafka.clients import (
    KafkaUnreachableError,
    consumer,
    producer,
    read_to_end,
    send,
    send_all,
)
from account_alerts.kafka.dead_letters import dead_letter
from account_alerts.model.errors import NotFoundError
from account_alerts.records.codec import codec
from operations import dead_letters
from tests.builders import entry
from tests.reference.binary import encode
from web.operator.readings import GroupFigures
from web.operator.sources.kafka import KafkaSource
from web.operator.sources.ledger import LedgerSource

pytestmark = pytest.mark.environment
_INSERT = """
INSERT INTO deliveries (alert_id, channel, route, state, alert_type, source_partition, source_offset,
  raised_at, written_at, received_at, claimed_at, sent_at, due_at, lease_owner, attempts)
SELECT %(kind)s || number, %(channel)s, %(channel)s, %(state)s, %(kind)s, 0, number,
  at - interval '50 ms', at - interval '40 ms', at, at,
  CASE WHEN %(state)s = 'SENT' THEN at - interval '40 ms' + number * interval '1 ms' END,
  CASE WHEN %(state)s <> 'SENT' THEN at + interval '1 second' END, 'p', 1
FROM generate_series(1, %(count)s) AS number, (SELECT now() - %(age)s * interval '1 second' AS at) AS time
"""


def test_topics_minutes_and_groups(kafka: Config) -> None:
    entries, sms = kafka.topics.account_entries.name, kafka.topics.outbound_sms.name
    source = KafkaSource(kafka)
    before = source.look()
    assert before.topics[entries].rate is None
    # Also of a topic without a record.
    assert all(
        0 <= sum(before.minutes[name].values()) <= before.topics[name].records for name in before.minutes
    )
    assert "sender-sms" not in before.groups or before.groups["sender-sms"].members == 0
    send_all(kafka, [(entries, b"a", b"x")] * 5 + [(sms, b"c", b"x")] * 4)
    client = consumer(kafka, **{"group.id": "sender-sms"})
    client.subscribe([sms])
    try:
        message = None
        while message is None or message.error():
            message = client.poll(1)
        client.commit(message=message, asynchronous=False)
        after = source.look()
    finally:
        client.close()
    assert after.topics[entries].records == before.topics[entries].records + 5
    rate = after.topics[entries].rate
    assert rate is not None
    assert rate > 0
    assert len(after.minutes[entries]) == 60
    assert sum(after.minutes[entries].values()) - sum(before.minutes[entries].values()) == 5
    records = after.topics[sms].records
    assert after.groups["sender-sms"] == GroupFigures(1, {sms: records - (message.offset() or 0) - 1})


def test_kafka_that_is_away_is_an_error_of_this_source(kafka: Config) -> None:
    away = kafka.override({"kafka": {"bootstrap_servers": "localhost:1"}})
    with pytest.raises(KafkaUnreachableError):
        KafkaSource(away).look()


def test_a_dead_letter_is_found_by_its_id_and_put_back_repaired(kafka: Config) -> None:
    topic, entries = kafka.topics.dead_letters.name, kafka.topics.account_entries.name
    broken = entry(entry_id="repair-me", currency="EUX")
    letter = dead_letter(b"a1", encode("AccountEntry", broken), entries, 1, 7, "currency is not in ISO 4217")
    client = producer(kafka)
    send(client, topic, letter.key, letter.value, headers=letter.headers)
    assert client.flush(30) == 0
    newest = dead_letters.read_newest(kafka, 5)[0]
    found = dead_letters.find(kafka, newest.id)
    assert found == newest
    assert (found.topic, found.offset, found.reason) == (entries, 7, "currency is not in ISO 4217")
    for missing in ("0:1000000", "9:0", "0", "0:-1", "a:b"):
        with pytest.raises(NotFoundError):
            dead_letters.find(kafka, missing)
    dead_letters.put_back(kafka, found, broken | {"account_id": "a2", "currency": "EUR"})
    records = [
        (message.key(), codec(kafka).decode("AccountEntry", message.value() or b"")["currency"])
        for message in read_to_end(kafka, entries, last=1)
        if b"repair-me" in (message.value() or b"")
    ]
    assert records == [(b"a2", "EUR")]


def test_the_last_minute_what_waits_and_the_last_hour(postgres: Config) -> None:
    ledger = postgres.require("delivery")
    source = LedgerSource(postgres)
    before = source.look()
    with database.connect(ledger) as connection:
        for kind, channel, state, count, age in (
            ("CHAIN_NEW", "SMS", "SENT", 100, 1),
            ("CHAIN_OLD", "SMS", "SENT", 7, 1_800),
            ("CHAIN_GONE", "SMS", "SENT", 7, 7_200),
            ("CHAIN_WAITS", "SMS", "RETRYING", 3, 20),
            ("CHAIN_LATER", "PUSH", "DEFERRED", 2, 0),
        ):
            values = {"kind": kind, "channel": channel, "state": state, "count": count, "age": age}
            connection.execute(_INSERT, values)
    try:
        again = source.look()
        anew = LedgerSource(postgres).look()
        for found in (again, anew):
            sms = found.channels["SMS"]
            assert sms.sent >= 100
            assert sms.written.p50 == pytest.approx(10, abs=1)
            assert (sms.sending.p50, sms.sending.p99) == pytest.approx((50, 99), abs=1)
            assert (found.whole.p50, found.whole.p99) == pytest.approx((60, 109), abs=1)
            assert sms.retrying - before.channels["SMS"].retrying == 3
            assert sms.overdue - before.channels["SMS"].overdue == 3
            assert sms.oldest_overdue == pytest.approx(20_000, abs=10_000)
            assert found.channels["PUSH"].deferred - before.channels["PUSH"].deferred == 2
        kinds = [kind for counts in anew.minutes.values() for _, kind in counts]
        assert "CHAIN_OLD" in kinds
        assert "CHAIN_GONE" not in kinds
        # What was counted before is not asked for again.
        assert "CHAIN_NEW" in [kind for counts in again.minutes.values() for _, kind in counts]
        assert "CHAIN_OLD" not in [kind for counts in again.minutes.values() for _, kind in counts]
    finally:
        with database.connect(ledger) as connection:
            connection.execute("DELETE FROM deliveries WHERE starts_with(alert_type, 'CHAIN_')")


def test_the_ledger_is_asked_again_after_its_connection_was_lost(postgres: Config) -> None:
    source = LedgerSource(postgres)
    source.look()
    with database.connect(postgres.require("delivery")) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'alerts-web-chain' AND datname = current_database()"
        )
    with pytest.raises(psycopg.Error):
        source.look()
    source.look()
