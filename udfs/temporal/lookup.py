"""A look-up of what held at a record's Kafka time, in the compacted topics that the job alert-rules reads.

What is remembered of a key is every version with the Kafka time from which it holds (`versions`). A look-up
waits in the state until its shard has been read up to its time (`rules_watermark`), so live, in a backlog and
after a cold start it finds the same version.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeVar, cast

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.config import Config
from account_alerts.config.kafka import Topic
from account_alerts.records.codec import Codec, CodecError, codec
from account_alerts.records.customers import as_bytes, read_key
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from account_alerts.service.metrics import LOOKUP_OVERDUE_RELEASES
from udfs.temporal import versions
from udfs.temporal.end_offsets import ShardOffsets, assign_shard, partition_name, shard_count
from udfs.temporal.rules_watermark import EndOffsets, ShardProgress

_log = logging.getLogger(__name__)

Payload = TypeVar("Payload", bound=Mapping[str, Any])
Value = TypeVar("Value")


class Pending(NamedTuple):
    """What a look-up asks for."""

    key: str
    """Whose value is looked up: the key of the topic's records."""
    written_at: int
    """Kafka time of what asks, milliseconds UTC."""
    identity: tuple[str, ...]
    """Tells it from others that wait; what comes again takes the place of the one before."""


class TemporalLookup(KeyedCoProcessFunction, Generic[Payload, Value]):  # type: ignore[misc]
    """Join each payload with the version of its key that held at its time; keyed by shard.

    The first input has the records of the compacted topics. The second has, by shard, either the log end
    offsets of the shard's partitions or a payload, a plain dictionary.

    A payload goes on when all that was written up to its time has been read. Once its shard was complete, it
    waits no longer than `rules.max_wait` (after a start `rules.max_lag`) and then goes on with the newest
    version known; before that there is nothing to go by.
    """

    SWEEP_MS = 60_000

    def __init__(self, config: Config, topic: Topic, retention_ms: int, clock: Clock = SYSTEM_CLOCK) -> None:
        """Take what is needed from the configuration.

        Args:
            config: The environment.
            topic: The records of this one are remembered.
            retention_ms: For how long payloads may come late, by their Kafka time.
            clock: Tells for how long a payload has waited.
        """
        self._config = config
        self._topic = topic.name
        self._retention = retention_ms
        self._shards = shard_count(config)
        self._clock = clock

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        text = Types.STRING()
        self._codec: Codec = codec(self._config)
        self._versions = runtime_context.get_map_state(MapStateDescriptor("versions", text, text))
        self._ended = runtime_context.get_map_state(MapStateDescriptor("ended", text, Types.LONG()))
        self._read = runtime_context.get_map_state(MapStateDescriptor("read", text, Types.LONG()))
        self._waiting = runtime_context.get_map_state(MapStateDescriptor("waiting", text, text))
        self._was_complete = runtime_context.get_state(ValueStateDescriptor("complete-once", Types.BOOLEAN()))
        self._progress: dict[int, ShardProgress] = {}
        self._complete_until: dict[int, int] = {}
        self._first_waiting: dict[int, int] = {}
        self._swept: dict[int, int] = {}
        self._opened = self._clock.now_ms()
        metrics = runtime_context.get_metrics_group()
        self._overdue_releases = metrics.counter(LOOKUP_OVERDUE_RELEASES.name)

    def process_element1(self, record: Row, ctx: KeyedCoProcessFunction.Context) -> Iterator[Any]:
        """Remember a record of the compacted topics, and release what waited for it."""
        # The last valid record stays in force: the job alert-rules has dead-lettered an invalid one.
        with suppress(CodecError):
            if record.source_topic == self._topic:
                key = read_key(record.record_key)
                self._remember(key, record.written_ms, self._decode(key, as_bytes(record.record)))
        shard = assign_shard(record.source_partition, self._shards)
        partition = partition_name(record.source_topic, record.source_partition)
        complete_until = restored_progress(self._progress, shard, self._read).advance(
            partition, record.source_offset
        )
        self._read.put(partition, record.source_offset)
        yield from self._release_ready(shard, complete_until)

    def process_element2(
        self, element: ShardOffsets | tuple[int, Payload], ctx: KeyedCoProcessFunction.Context
    ) -> Iterator[Any]:
        """Take in the end offsets of this shard's partitions, or a payload."""
        match element:
            case (int(shard), (int(time_ms), dict(last_offsets))):
                complete_until = restored_progress(self._progress, shard, self._read).expect(
                    EndOffsets(time_ms, last_offsets)
                )
                yield from self._release_ready(shard, complete_until)
            case (int(shard), dict(fields)):
                yield from self._look_up(shard, cast(Payload, fields), ctx)
            case _:
                raise TypeError(f"neither end offsets nor a payload: {element!r}")

    def on_timer(self, timestamp: int, ctx: KeyedCoProcessFunction.OnTimerContext) -> Iterator[Any]:
        """Release what has waited for too long."""
        rules, now, shard = self._config.rules, self._clock.now_ms(), ctx.get_current_key()
        ready = self._was_complete.value() and (
            shard in self._complete_until or now - self._opened > rules.max_lag
        )
        released, left = 0, False
        for name, waiting in list(self._waiting.items()):
            since, stored = json.loads(waiting)
            if not ready or now - since <= rules.max_wait:
                left = True
                continue
            self._waiting.remove(name)
            released += 1
            yield from self._join(self._load(stored))
        if released:
            self._overdue_releases.inc(released)
            _log.error(
                "%d look-ups go on with the newest %s known: Kafka, or this job, lags", released, self._topic
            )
        if left:
            self._schedule_timer(ctx, 1_000)

    @staticmethod
    def _schedule_timer(ctx: Any, wait: int) -> None:
        """Have `on_timer` called after so many milliseconds; once for all of a second."""
        at = (ctx.timer_service().current_processing_time() + wait) // 1_000 * 1_000 + 1_000
        ctx.timer_service().register_processing_time_timer(at)

    def _look_up(self, shard: int, payload: Payload, ctx: Any) -> Iterator[Any]:
        pending = self._pending(payload)
        as_of = self._as_of(pending)
        if as_of <= self._complete_until.get(shard, 0):
            yield from self._join(payload)
            return
        waiting = json.dumps([self._clock.now_ms(), self._dump(payload)])
        self._waiting.put(f"={chr(0).join(pending.identity)}", waiting)
        self._first_waiting[shard] = min(self._first_waiting.get(shard) or sys.maxsize, as_of)
        self._schedule_timer(ctx, self._config.rules.max_wait)

    def _release_ready(self, shard: int, complete_until: int | None) -> Iterator[Any]:
        """Let go what waits for nothing any more, if the shard is complete up to a new time."""
        if complete_until is None:
            return
        if shard not in self._complete_until:
            self._was_complete.update(True)
            self._first_waiting[shard] = 0  # Restored ones may wait: look at them all.
        self._complete_until[shard] = complete_until
        if complete_until - self._swept.get(shard, 0) > self.SWEEP_MS:
            self._swept[shard] = complete_until
            self._sweep(complete_until - self._retention)
        if self._first_waiting.get(shard, sys.maxsize) > complete_until:
            return
        first = sys.maxsize
        for name, waiting in list(self._waiting.items()):
            payload = self._load(json.loads(waiting)[1])
            as_of = self._as_of(self._pending(payload))
            if as_of <= complete_until:
                self._waiting.remove(name)
                yield from self._join(payload)
            else:
                first = min(first, as_of)
        self._first_waiting[shard] = first

    def _sweep(self, before: int) -> None:
        """Forget keys that ended before a time of which no payload can come any more."""
        for key in [key for key, ended in self._ended.items() if ended <= before]:
            self._ended.remove(key)
            self._versions.remove(key)

    def _as_of(self, pending: Pending) -> int:
        """Return the time whose version counts, as for any booking (sql/tables/account_entries.sql)."""
        return pending.written_at - self._config.rules.effect_delay

    def _remember(self, key: str, since: int, value: Value | None) -> None:
        known = self._known(key)
        if versions.append(known, since, value, None):
            kept = versions.after(known, since - self._retention, None)
            self._versions.put(f"={key}", json.dumps(kept))
            if value is None:
                self._ended.put(f"={key}", since)
            elif self._ended.contains(f"={key}"):
                self._ended.remove(f"={key}")

    def _known(self, key: str) -> versions.Versions:
        stored = self._versions.get(f"={key}")
        return [(since, value) for since, value in json.loads(stored)] if stored else []

    def _join(self, payload: Payload) -> Iterator[Any]:
        pending = self._pending(payload)
        yield from self._on_ready(payload, versions.as_of(self._known(pending.key), self._as_of(pending)))

    def _decode(self, key: str, record: bytes | None) -> Value | None:
        """Read a record of the topic as a value that JSON can hold; None where it ends the key.

        Raises:
            CodecError: The record is invalid: the version before stays in force.
        """
        raise NotImplementedError

    def _pending(self, payload: Payload) -> Pending:
        """Say what is looked up for a payload, and as of when."""
        raise NotImplementedError

    def _on_ready(self, payload: Payload, value: Value | None) -> Iterator[Any]:
        """Make the results of a payload and the value that held at its time; None where there was none."""
        raise NotImplementedError

    def _dump(self, payload: Payload) -> Mapping[str, Any]:
        """Convert a payload to what is stored while it waits, as savepoints have it."""
        return payload

    def _load(self, stored: Mapping[str, Any]) -> Payload:
        """Convert back what `_dump` made."""
        return cast(Payload, stored)


def restored_progress(known: dict[int, ShardProgress], shard: int, read: Any) -> ShardProgress:
    """Return the progress of the shard that is the current key, from the state after a restart.

    Args:
        known: Progress by shard, since the start; end offsets that were waited for before are not remembered.
        shard: The current key.
        read: The map state of that key: the offset of the last record read, by partition.
    """
    if shard not in known:
        known[shard] = ShardProgress(dict(read.items()))
    return known[shard]
