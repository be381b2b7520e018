"""Keeps what senders look at before they send: customers' newest settings, and who may see accounts.

`python -m delivery.profiles.consumer` reads the two compacted topics into the delivery database. Where it
stands on Kafka is written in the same transaction as what it read, so nothing is applied twice or in the
wrong order, whoever of several processes has a partition. As many processes as partitions may run.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.kafka.clients import consumer
from account_alerts.records.codec import codec
from account_alerts.service.process import Service, run
from delivery.profiles.records import UnusableError, read

_log = logging.getLogger(__name__)
_AT_ONCE = 2_000

_LOCK = """
SELECT next_offset FROM profile_progress WHERE topic = %(topic)s AND partition = %(partition)s FOR UPDATE
"""
_ADVANCE = """
INSERT INTO profile_progress VALUES (%(topic)s, %(partition)s, %(next)s)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
"""
_PUT_PROFILES = """
INSERT INTO profiles (customer_id, time_zone, quiet_from, quiet_to, digest, addresses, settings)
SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
  customer_id text, time_zone text, quiet_from text, quiet_to text, digest text, addresses jsonb,
  settings jsonb)
ON CONFLICT (customer_id) DO UPDATE SET
  time_zone = EXCLUDED.time_zone, quiet_from = EXCLUDED.quiet_from, quiet_to = EXCLUDED.quiet_to,
  digest = EXCLUDED.digest, addresses = EXCLUDED.addresses, settings = EXCLUDED.settings
"""
_DELETE_PROFILES = "DELETE FROM profiles WHERE customer_id = ANY (%(ids)s)"
_PUT_ACCESS = """
INSERT INTO account_access (account_id, customer_ids)
SELECT account_id, ARRAY(SELECT jsonb_array_elements_text(customer_ids))
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (account_id text, customer_ids jsonb)
ON CONFLICT (account_id) DO UPDATE SET customer_ids = EXCLUDED.customer_ids
"""
_DELETE_ACCESS = "DELETE FROM account_access WHERE account_id = ANY (%(ids)s)"


@dataclass
class Batch:
    """What was read of one partition: the newest row of each key, and up to where."""

    rows: dict[str, tuple[int, Any]] = field(default_factory=dict)
    next_offset: int = -1


class Profiles:
    """The process."""

    def __init__(self, config: Config) -> None:
        """Connect to nothing yet."""
        self._config = config
        self._decoder = codec(config)
        self._settings_topic = config.topics.alert_settings.name
        self._topics = [self._settings_topic, config.topics.account_authorizations.name]
        self._connection: psycopg.Connection | None = None
        self._seek: dict[tuple[str, int], int] = {}
        self.registry = CollectorRegistry()
        self._applied = Counter("profiles_records", "Records applied", ["topic"], registry=self.registry)
        self._broken = Counter("profiles_broken", "Records passed over", ["topic"], registry=self.registry)
        self._behind = Gauge(
            "profiles_behind", "Records that are not yet applied", ["topic"], registry=self.registry
        )

    def run(self, stop: threading.Event) -> None:
        """Read until `stop`.

        Raises:
            KafkaException: The group has thrown this member out for good.
        """
        client = consumer(
            self._config,
            **{"group.id": "profiles", "enable.partition.eof": True, "session.timeout.ms": 10_000},
        )
        client.subscribe(self._topics, on_assign=self._assigned)
        batches: dict[tuple[str, int], Batch] = {}
        try:
            while not stop.is_set():
                first = client.poll(0.2)
                messages = [] if first is None else [first, *client.consume(_AT_ONCE, timeout=0)]
                for message in messages:
                    self._take(batches, message)
                for (topic, partition), batch in batches.items():
                    self._apply(topic, partition, batch, stop)
                if batches:
                    self._count(client)
                batches.clear()
        finally:
            client.close()

    def _assigned(self, client: Consumer, parts: list[TopicPartition]) -> None:
        """Go on from where the database stands."""
        known = {(topic, number): offset for topic, number, offset in self._progress()}
        for part in parts:
            low, end = client.get_watermark_offsets(part, timeout=10) or (0, 0)
            offset = known.get((part.topic, part.partition), 0)
            if offset > end:
                # The topic was made anew; what it held is not in force any more, but what comes replaces it.
                _log.warning("%s %d: shorter than what was read: read again", part.topic, part.partition)
                self._run(_ADVANCE, {"topic": part.topic, "partition": part.partition, "next": 0})
                offset = 0
            part.offset = max(low, offset)
        client.assign(parts)

    def _take(self, batches: dict[tuple[str, int], Batch], message: Message) -> None:
        topic, partition = message.topic() or "", message.partition() or 0
        error, offset = message.error(), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                batch = batches.setdefault((topic, partition), Batch())
                batch.next_offset = max(batch.next_offset, offset)
            elif error.fatal():
                raise KafkaException(error)
            return
        batch = batches.setdefault((topic, partition), Batch())
        key, value = message.key(), message.value()
        assert not isinstance(key, str)
        assert not isinstance(value, str)
        try:
            name, row = self._read(topic, key, value)
        except UnusableError as problem:
            self._broken.labels(topic).inc()
            _log.warning(
                "%s, %d:%d: passed over: %s", topic, partition, offset, type(problem.__cause__).__name__
            )
        else:
            batch.rows[name] = (offset, row)
        batch.next_offset = offset + 1

    def _read(self, topic: str, key: bytes | None, value: bytes | None) -> tuple[str, Any]:
        while True:
            try:
                return read(key, value, settings=topic == self._settings_topic, decoder=self._decoder)
            except UnusableError:
                raise
            except Exception as error:  # The registry is away; the record may be a good one.
                _log.warning("a record cannot be decoded yet: %s", type(error).__name__)
                time.sleep(1)

    def _apply(self, topic: str, partition: int, batch: Batch, stop: threading.Event) -> None:
        """Write a batch, and up to where the partition is read, at once; waits for the database."""
        place = {"topic": topic, "partition": partition}
        while not stop.is_set():
            try:
                connection = self._connected()
                with connection.transaction():
                    found = connection.execute(_LOCK, place).fetchone()
                    known = found[0] if found else 0
                    if found is None or batch.next_offset > known:
                        self._write(connection, topic == self._settings_topic, batch, known)
                        connection.execute(_ADVANCE, {**place, "next": max(batch.next_offset, 0)})
            except psycopg.OperationalError as error:
                self._lost(error)
                stop.wait(1)
            else:
                self._applied.labels(topic).inc(len(batch.rows))
                return

    def _write(self, connection: psycopg.Connection, settings: bool, batch: Batch, known: int) -> None:
        news = {key: row for key, (offset, row) in batch.rows.items() if offset >= known}
        rows = [row for row in news.values() if row is not None]
        gone = [key for key, row in news.items() if row is None]
        if rows:
            connection.execute(_PUT_PROFILES if settings else _PUT_ACCESS, {"rows": json.dumps(rows)})
        if gone:
            connection.execute(_DELETE_PROFILES if settings else _DELETE_ACCESS, {"ids": gone})

    def _progress(self) -> list[tuple[Any, ...]]:
        return self._run("SELECT topic, partition, next_offset FROM profile_progress", {})

    def _run(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        while True:
            try:
                cursor = self._connected().execute(sql, values)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError as error:
                self._lost(error)
                time.sleep(1)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            own = postgres.parameters(postgres.delivery(self._config))
            self._connection = psycopg.connect(**own, application_name="profiles", autocommit=True)
        return self._connection

    def _lost(self, error: psycopg.OperationalError) -> None:
        _log.warning("the database is away: %s", str(error).partition("\n")[0])
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _count(self, client: Consumer) -> None:
        behind = dict.fromkeys(self._topics, 0)
        for part in client.position(client.assignment()):
            _, end = client.get_watermark_offsets(part, cached=True) or (0, 0)
            behind[part.topic] += max(0, end - max(part.offset, 0))
        for topic, count in behind.items():
            self._behind.labels(topic).set(count)


def main(service: Service) -> None:
    """Run until SIGTERM."""
    settings = service.config.require("senders")
    profiles = Profiles(service.config)
    port = service.options.metrics_port or settings.profiles_metrics_port
    try:
        start_http_server(port, registry=profiles.registry)
    except OSError as error:
        _log.warning("metrics: %s; give this process another port by --metrics-port", error)
    profiles.run(service.stop)


if __name__ == "__main__":
    sys.exit(run(main, "python -m delivery.profiles.consumer", "Keeps what senders look at."))
