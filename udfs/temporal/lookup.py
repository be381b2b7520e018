"""TODO."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.config import Config
from account_alerts.records.codec import Codec, CodecError, codec
from account_alerts.records.customers import as_bytes
from udfs.analyst_rules.matches import Hit
from udfs.temporal import versions
from udfs.temporal.end_offsets import partition_name, shard_of, shards_of
from udfs.temporal.rules_watermark import Look, ShardProgress

_log = logging.getLogger(__name__)


class AsOf(KeyedCoProcessFunction):  # type: ignore[misc]
    """Lets each hit meet what held at its time; keyed by shard, as the alert-rules job is.

    What comes first is a record of one of the two topics; what comes second a look of the prober, or a hit.
    A hit goes on when all that was written up to its time has been read. Once a shard was complete, a hit
    waits no longer than `rules.max_wait` (after a start `rules.start_wait`) and then goes on with the newest
    that is known; before that there is nothing to go by.
    """

    SWEEP_MS = 60_000

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._config = config
        self._shards = shards_of(config)
        self._keep = config.topics.account_entries.retention or 0

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        text = Types.STRING()
        self._codec: Codec = codec(self._config)
        self._values = runtime_context.get_map_state(MapStateDescriptor("versions", text, text))
        self._ended = runtime_context.get_map_state(MapStateDescriptor("ended", text, Types.LONG()))
        self._read = runtime_context.get_map_state(MapStateDescriptor("read", text, Types.LONG()))
        self._waiting = runtime_context.get_map_state(MapStateDescriptor("waiting", text, text))
        self._once = runtime_context.get_state(ValueStateDescriptor("complete-once", Types.BOOLEAN()))
        self._progress: dict[int, ShardProgress] = {}
        self._complete: dict[int, int] = {}
        self._first_waiting: dict[int, int] = {}
        self._swept: dict[int, int] = {}
        self._opened = _now()
        self._overdue = runtime_context.get_metrics_group().counter("rules_overdue")

    def process_element1(self, record: Row, ctx: KeyedCoProcessFunction.Context) -> Iterator[Any]:
        """A record of one of the two topics."""
        key = as_bytes(record.record_key) or b""
        # The last good one stays in force; the alert-rules job has put a broken one to the dead letters.
        with suppress(CodecError, UnicodeDecodeError):
            self._take(record.source_topic, key.decode(), as_bytes(record.record), record.written_ms)
        shard = shard_of(record.source_partition, self._shards)
        partition = partition_name(record.source_topic, record.source_partition)
        complete = self._progress_of(shard).saw(partition, record.source_offset)
        self._read.put(partition, record.source_offset)
        yield from self._let_go(shard, complete)

    def process_element2(
        self, element: tuple[int, Any], ctx: KeyedCoProcessFunction.Context
    ) -> Iterator[Any]:
        """A look of the prober at this shard's partitions, or a hit."""
        shard, content = element
        if not isinstance(content, dict):
            time_ms, last_offsets = content
            yield from self._let_go(shard, self._progress_of(shard).look(Look(time_ms, last_offsets)))
        elif self._rules_time(content) <= self._complete.get(shard, 0):
            yield from self._met(content)
        else:
            name = "\0".join(content[part] for part in ("rule", "entry_id", "customer_id"))
            self._waiting.put(f"={name}", json.dumps([_now(), content]))
            first = self._first_waiting.get(shard)
            self._first_waiting[shard] = min(first or sys.maxsize, self._rules_time(content))
            self._wake(ctx, self._config.rules.max_wait)

    def on_timer(self, timestamp: int, ctx: KeyedCoProcessFunction.OnTimerContext) -> Iterator[Any]:
        """Hits may have waited for too long."""
        rules, now, shard = self._config.rules, _now(), ctx.get_current_key()
        ready = self._once.value() and (shard in self._complete or now - self._opened > rules.start_wait)
        released, left = 0, False
        for key, waiting in list(self._waiting.items()):
            since, hit = json.loads(waiting)
            if not ready or now - since <= rules.max_wait:
                left = True
                continue
            self._waiting.remove(key)
            released += 1
            yield from self._met(hit)
        if released:
            self._overdue.inc(released)
            _log.error(
                "%d hits of rules go on with the newest settings known: Kafka, or this job, lags", released
            )
        if left:
            self._wake(ctx, 1_000)

    @staticmethod
    def _wake(ctx: Any, wait: int) -> None:
        """Have `on_timer` called after so many milliseconds; once for all of a second."""
        at = (ctx.timer_service().current_processing_time() + wait) // 1_000 * 1_000 + 1_000
        ctx.timer_service().register_processing_time_timer(at)

    def _let_go(self, shard: int, complete: int | None) -> Iterator[Any]:
        if complete is None:
            return
        if shard not in self._complete:
            self._once.update(True)
            self._first_waiting[shard] = 0  # Of another life: look at them all.
        self._complete[shard] = complete
        if complete - self._swept.get(shard, 0) > self.SWEEP_MS:
            self._swept[shard] = complete
            self._sweep(complete - self._keep)
        if self._first_waiting.get(shard, sys.maxsize) > complete:
            return
        first = sys.maxsize
        for key, waiting in list(self._waiting.items()):
            hit = json.loads(waiting)[1]
            if self._rules_time(hit) <= complete:
                self._waiting.remove(key)
                yield from self._met(hit)
            else:
                first = min(first, self._rules_time(hit))
        self._first_waiting[shard] = first

    def _sweep(self, before: int) -> None:
        """Forget whom nothing is known of any more, since a time of which no booking can come."""
        for key in [key for key, ended in self._ended.items() if ended <= before]:
            self._ended.remove(key)
            self._values.remove(key)

    def _rules_time(self, hit: Hit) -> int:
        """The time whose settings count for a hit, as for any booking (sql/tables/account_entries.sql)."""
        return int(hit["written_at"]) - self._config.rules.effect_delay

    def _progress_of(self, shard: int) -> ShardProgress:
        progress = self._progress.get(shard)
        if progress is None:
            progress = self._progress[shard] = ShardProgress(dict(self._read.items()))
        return progress

    def _remember(self, key: str, since: int, value: Any) -> None:
        stored = self._values.get(f"={key}")
        known = [(at, held) for at, held in json.loads(stored)] if stored else []
        if versions.append(known, since, value, None):
            self._values.put(f"={key}", json.dumps(versions.after(known, since - self._keep, None)))
            if value is None:
                self._ended.put(f"={key}", since)
            elif self._ended.contains(f"={key}"):
                self._ended.remove(f"={key}")

    def _as_of(self, key: str, hit: Hit) -> Any:
        return versions.as_of(json.loads(self._values.get(f"={key}") or "[]"), self._rules_time(hit))

    def _take(self, topic: str, key: str, record: bytes | None, since: int) -> None:
        """Remember a record, if it is one of those looked for."""
        raise NotImplementedError

    def _met(self, hit: Hit) -> Iterator[Any]:
        """What becomes of a hit whose time is known."""
        raise NotImplementedError


def _now() -> int:
    return int(time.time() * 1000)
