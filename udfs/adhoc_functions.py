"""The Flink functions of the adhoc-alerts job; what they decide stands in the pure modules beside it."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, ProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.codec import Codec, CodecError, codec
from account_alerts.config import Config
from udfs import versions
from udfs.adhoc_alerts import Hit, alerts_of, customers_of, read_hit, read_reset
from udfs.breaker import Breaker
from udfs.partitions import partition_of
from udfs.prober import partition_name, shard_of, shards_of
from udfs.progress import Look, ShardProgress

_log = logging.getLogger(__name__)
_TEXTS = (
    *("customer_id", "alert_id", "channel", "address", "alert_type", "account_id", "currency", "entry_id"),
    *("setting_id", "language", "threshold_minor", "amount_minor", "balance_minor", "topic"),
)
ALERTS_ROW = Types.ROW_NAMED([*_TEXTS, "booked_at"], [*[Types.STRING()] * len(_TEXTS), Types.LONG()])
"""An alert with the topic it goes to; amounts are decimal integers, booked_at milliseconds UTC."""


class ReadHits(ProcessFunction):  # type: ignore[misc]
    """Records to hits, each with the shard that knows who may see its account: (shard, hit)."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._hits = config.topics.rule_hits.name
        self._partitions = config.topics.account_authorizations.partitions
        self._shards = shards_of(config)

    def process_element(self, record: Row, ctx: ProcessFunction.Context) -> Iterator[tuple[int, Hit]]:
        """One record of the hits; what a rule took back stays raised."""
        hit = read_hit(_bytes(record.record)) if record.source_topic == self._hits else None
        if hit is not None:
            yield shard_of(partition_of(hit["account_id"], self._partitions), self._shards), hit


class ReadResets(ProcessFunction):  # type: ignore[misc]
    """Records to (rule, when an operator closed its breaker)."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._rules = config.topics.adhoc_rules.name

    def process_element(self, record: Row, ctx: ProcessFunction.Context) -> Iterator[tuple[str, int]]:
        """One record about a rule."""
        if record.source_topic == self._rules:
            reset = read_reset(_bytes(record.record_key), _bytes(record.record))
            if reset is not None:
                yield reset


class _AsOf(KeyedCoProcessFunction):  # type: ignore[misc]
    """Lets each hit meet what held at its time; keyed by shard, as the alert-rules job is.

    What comes first is a record of one of the two topics; what comes second a look of the prober, or a hit. A
    hit goes on when all that was written up to its time has been read; after `rules.max_wait` (after a start
    `rules.start_wait`) it goes on with the newest that is known.
    """

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
        self._read = runtime_context.get_map_state(MapStateDescriptor("read", text, Types.LONG()))
        self._waiting = runtime_context.get_map_state(MapStateDescriptor("waiting", text, text))
        self._progress: dict[int, ShardProgress] = {}
        self._complete: dict[int, int] = {}
        self._opened = _now()
        self._overdue = runtime_context.get_metrics_group().counter("rules_overdue")

    def process_element1(self, record: Row, ctx: KeyedCoProcessFunction.Context) -> Iterator[Any]:
        """A record of one of the two topics."""
        key = _bytes(record.record_key) or b""
        # The last good one stays in force; the alert-rules job has put a broken one to the dead letters.
        with suppress(CodecError, UnicodeDecodeError):
            self._take(record.source_topic, key.decode(), _bytes(record.record), record.written_ms)
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
        if isinstance(content, dict):
            if self._rules_time(content) <= self._complete.get(shard, 0):
                yield from self._met(content)
            else:
                name = "\0".join(content[part] for part in ("rule", "entry_id", "customer_id"))
                self._waiting.put(f"={name}", json.dumps([_now(), content]))
            return
        time_ms, last_offsets = content
        yield from self._let_go(shard, self._progress_of(shard).look(Look(time_ms, last_offsets)))
        yield from self._let_overdue_go(shard)

    def _let_go(self, shard: int, complete: int | None) -> Iterator[Any]:
        if complete is None:
            return
        self._complete[shard] = complete
        for key, waiting in list(self._waiting.items()):
            hit = json.loads(waiting)[1]
            if self._rules_time(hit) <= complete:
                self._waiting.remove(key)
                yield from self._met(hit)

    def _let_overdue_go(self, shard: int) -> Iterator[Any]:
        rules, now = self._config.rules, _now()
        if shard not in self._complete and now - self._opened <= rules.start_wait:
            return
        for key, waiting in list(self._waiting.items()):
            since, hit = json.loads(waiting)
            if now - since > rules.max_wait:
                self._waiting.remove(key)
                self._overdue.inc()
                _log.error("a hit of rule %s goes on with the newest settings known", hit["rule"])
                yield from self._met(hit)

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

    def _as_of(self, key: str, hit: Hit) -> Any:
        return versions.as_of(json.loads(self._values.get(f"={key}") or "[]"), self._rules_time(hit))

    def _take(self, topic: str, key: str, record: bytes | None, since: int) -> None:
        """Remember a record, if it is one of those looked for."""
        raise NotImplementedError

    def _met(self, hit: Hit) -> Iterator[Any]:
        """What becomes of a hit whose time is known."""
        raise NotImplementedError


class FindCustomers(_AsOf):
    """A hit to one for each customer who might see its account: (shard that knows him, hit)."""

    def _take(self, topic: str, key: str, record: bytes | None, since: int) -> None:
        if topic != self._config.topics.account_authorizations.name:
            return
        customers = None
        if record is not None:
            value = self._codec.decode("AccountAuthorization", record)
            if value["account_id"] != key:
                raise CodecError("the key is not the account_id")
            customers = sorted(set(value["customer_ids"]))
        self._remember(key, since, customers)

    def _met(self, hit: Hit) -> Iterator[tuple[int, Hit]]:
        partitions = self._config.topics.alert_settings.partitions
        for customer in customers_of(hit, self._as_of(hit["account_id"], hit)):
            shard = shard_of(partition_of(customer, partitions), self._shards)
            yield shard, {**hit, "customer_id": customer}


class FindAddresses(_AsOf):
    """A hit of a customer to his alerts, one for each address (`adhoc_alerts.alerts_of`)."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        super().open(runtime_context)
        self._unreachable = runtime_context.get_metrics_group().counter("without_address")

    def _take(self, topic: str, key: str, record: bytes | None, since: int) -> None:
        if topic != self._config.topics.alert_settings.name:
            return
        contact = None
        if record is not None:
            value = self._codec.decode("AlertSettings", record)
            if value["customer_id"] != key:
                raise CodecError("the key is not the customer_id")
            contact = {"language": value["language"], "addresses": value["addresses"]}
        self._remember(key, since, contact)

    def _met(self, hit: Hit) -> Iterator[dict[str, Any]]:
        alerts = list(alerts_of(hit, self._as_of(hit["customer_id"], hit)))
        if not alerts:
            self._unreachable.inc()
        yield from alerts


class BreakRules(KeyedCoProcessFunction):  # type: ignore[misc]
    """Alerts to rows with the topic they go to: their channel's, or the held ones; keyed by rule."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        topics = config.topics
        self._held = topics.held_alerts.name
        self._channels = {
            "EMAIL": topics.outbound_email.name,
            "SMS": topics.outbound_sms.name,
            "PUSH": topics.outbound_push.name,
        }

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state and metrics."""
        self._state = runtime_context.get_state(ValueStateDescriptor("breaker", Types.STRING()))
        metrics = runtime_context.get_metrics_group()
        self._stopped = metrics.counter("rules_stopped")
        self._held_count = metrics.counter("alerts_held")

    def process_element1(self, alert: dict[str, Any], ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """One alert."""
        breaker = self._breaker()
        was_open = breaker.is_open
        passes = breaker.lets_through(alert["written_at"], alert["per_minute"])
        if breaker.is_open and not was_open:
            self._stopped.inc()
            _log.error(
                "rule %s raised more than its %d alerts a minute: it is stopped, the others are held. See "
                "`alerts rules list`",
                alert["alert_type"],
                alert["per_minute"],
            )
        if not passes:
            self._held_count.inc()
        if passes or not was_open:
            self._state.update(json.dumps(breaker.to_json()))
        row = {**alert, "topic": self._channels[alert["channel"]] if passes else self._held}
        yield Row(**{name: row[name] for name in (*_TEXTS, "booked_at")})

    def process_element2(self, reset: tuple[str, int], ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """An operator closed the rule's breaker."""
        breaker = self._breaker()
        breaker.reset(reset[1])
        self._state.update(json.dumps(breaker.to_json()))
        yield from ()

    def _breaker(self) -> Breaker:
        stored = self._state.value()
        return Breaker.from_json(json.loads(stored)) if stored else Breaker()


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _now() -> int:
    return int(time.time() * 1000)
