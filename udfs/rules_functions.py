"""The Flink functions of the alert-rules job; what they decide stands in the pure modules beside this one."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, KeyedProcessFunction, OutputTag, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.codec import Codec, CodecError, Record, RecordName, codec
from account_alerts.config import Config
from udfs.account_rules import AccountRules, from_json, to_json
from udfs.partitions import heartbeat_keys, partition_of
from udfs.prober import partition_name, shards_of
from udfs.progress import Look, ShardProgress, complete_until
from udfs.settings import check_settings

_log = logging.getLogger(__name__)

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
DEAD_LETTERS = OutputTag(
    "dead-letters",
    Types.ROW_NAMED(
        ["record_key", "record", "source_topic", "source_partition", "source_offset", "reason"],
        [BYTES, BYTES, Types.STRING(), Types.INT(), Types.LONG(), Types.STRING()],
    ),
)
Change = tuple[int, str, tuple[Any, ...]]
"""(partition of alert-rules, what kind of change, its values), from a router to a fold."""


class RouteChanges(KeyedCoProcessFunction):  # type: ignore[misc]
    """Turns records into changes of single accounts, keyed by shard; behind them, how far it has read."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._config = config
        self._authorizations = config.topics.account_authorizations.name
        self._partitions = config.topics.alert_rules.partitions

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        self._codec: Codec = codec(self._config)
        self._accounts = runtime_context.get_map_state(
            MapStateDescriptor("accounts-of-customer", Types.STRING(), Types.STRING())
        )
        self._progress = runtime_context.get_state(ValueStateDescriptor("progress", Types.STRING()))
        metrics = runtime_context.get_metrics_group()
        self._unknown = metrics.counter("unknown_alert_types")
        self._broken = metrics.counter("dead_letters")

    def process_element1(self, record: Row, ctx: KeyedCoProcessFunction.Context) -> Iterator[Any]:
        """A record of one of the two topics."""
        try:
            if record.source_topic == self._authorizations:
                yield from self._authorization(record)
            else:
                yield from self._settings(record)
        except CodecError as error:
            yield self._dead_letter(record, str(error))
        progress = self._load()
        complete = progress.saw(
            partition_name(record.source_topic, record.source_partition), record.source_offset
        )
        yield from self._say(ctx.get_current_key(), progress, complete)

    def process_element2(self, look: tuple[int, Look], ctx: KeyedCoProcessFunction.Context) -> Iterator[Any]:
        """A look of the prober at this shard's partitions."""
        progress = self._load()
        complete = progress.look(look[1])
        yield from self._say(ctx.get_current_key(), progress, complete)

    def _authorization(self, record: Row) -> Iterator[Change]:
        account = _text(record.record_key)
        customers: list[str] = []
        if record.record is not None:
            value = self._decode("AccountAuthorization", record, account, "account_id")
            customers = value["customer_ids"]
        yield self._change(account, "authorized", record.written_ms, customers)

    def _settings(self, record: Row) -> Iterator[Any]:
        customer = _text(record.record_key)
        wishes: dict[str, dict[str, Any]] = {}
        if record.record is not None:
            value = self._decode("AlertSettings", record, customer, "customer_id")
            checked = check_settings(value["settings"])
            for setting in checked.usable:
                of_account = wishes.setdefault(
                    setting["account_id"],
                    {"language": value["language"], "addresses": value["addresses"], "settings": []},
                )
                of_account["settings"].append({key: setting[key] for key in setting if key != "account_id"})
            if checked.unknown:
                self._unknown.inc(len(checked.unknown))
            if checked.invalid:
                yield self._dead_letter(record, f"invalid settings: {', '.join(checked.invalid)}")
        for account in sorted({*json.loads(self._accounts.get(customer) or "[]"), *wishes}):
            yield self._change(account, "wishes", record.written_ms, customer, wishes.get(account, {}))
        if wishes:
            self._accounts.put(customer, json.dumps(sorted(wishes)))
        else:
            self._accounts.remove(customer)

    def _decode(self, name: RecordName, record: Row, key: str, key_field: str) -> Record:
        value = self._codec.decode(name, bytes(record.record))
        if not key or value[key_field] != key:
            raise CodecError(f"the key is not the {key_field}")
        return value

    def _change(self, account: str, kind: str, *values: Any) -> Change:
        return partition_of(account, self._partitions), kind, (account, *values)

    def _say(self, shard: int, progress: ShardProgress, complete: int | None) -> Iterator[Change]:
        pending = progress.pending and [progress.pending.time, progress.pending.last_offsets]
        self._progress.update(json.dumps([progress.read, pending]))
        if complete is not None:
            for partition in range(self._partitions):
                yield partition, "complete", (shard, complete)

    def _load(self) -> ShardProgress:
        stored = self._progress.value()
        if stored is None:
            return ShardProgress()
        read, pending = json.loads(stored)
        return ShardProgress(read, pending and Look(*pending))

    def _dead_letter(self, record: Row, reason: str) -> tuple[OutputTag, Row]:
        self._broken.inc()
        return DEAD_LETTERS, Row(
            record.record_key,
            record.record,
            record.source_topic,
            record.source_partition,
            record.source_offset,
            reason,
        )


class FoldRules(KeyedProcessFunction):  # type: ignore[misc]
    """Folds changes into one row of rules per account, keyed by partition of `alert-rules`.

    The key is the partition and not the account, so that a heartbeat stands behind every row it speaks of.
    """

    SWEEP_MS = 60_000

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._config = config
        self._shards = shards_of(config)
        topics = config.topics
        self._keep = topics.alert_rules.retention or topics.account_entries.retention or 0
        self._heartbeats = heartbeat_keys(topics.alert_rules.partitions)
        self._topic = topics.alert_rules.name

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state and codec."""
        self._codec: Codec = codec(self._config)
        text = Types.STRING()
        self._accounts = runtime_context.get_map_state(MapStateDescriptor("accounts", text, text))
        self._ended = runtime_context.get_map_state(MapStateDescriptor("ended", text, Types.LONG()))
        self._shard_times = runtime_context.get_map_state(
            MapStateDescriptor("shard-times", Types.INT(), Types.LONG())
        )
        self._known_until = runtime_context.get_state(ValueStateDescriptor("known-until", Types.LONG()))
        self._swept = runtime_context.get_state(ValueStateDescriptor("swept", Types.LONG()))

    def process_element(self, change: Change, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """One change of one account, or how far a router has read."""
        partition, kind, values = change
        if kind == "complete":
            yield from self._complete(partition, *values)
        else:
            yield from self._changed(kind, *values)

    def _changed(self, kind: str, account_id: str, since: int, *values: Any) -> Iterator[Row]:
        account = self._account(account_id)
        before = account.rules()
        changed = account.authorize(since, *values) if kind == "authorized" else account.wish(since, *values)
        if not changed:
            return
        account.forget(since - self._keep)
        self._store(account_id, account)
        rules = account.rules()
        if rules == before:
            return
        if all(rule["valid_to"] is not None for rule in rules):
            self._ended.put(account_id, since)
        elif self._ended.contains(account_id):
            self._ended.remove(account_id)
        yield self._row(account_id, account.changed_at(), rules)

    def _complete(self, partition: int, shard: int, time: int) -> Iterator[Row]:
        self._shard_times.put(shard, time)
        known_until = complete_until(dict(self._shard_times.items()), self._shards)
        if known_until is None or known_until <= (self._known_until.value() or 0):
            return
        self._known_until.update(known_until)
        if known_until - (self._swept.value() or 0) >= self.SWEEP_MS:
            self._swept.update(known_until)
            yield from self._sweep(known_until - self._keep)
        yield self._row(self._heartbeats[partition], known_until, [])

    def _sweep(self, before: int) -> Iterator[Row]:
        """End the accounts whose last rule ended so long ago that no booking can ask for it."""
        for account_id in [account_id for account_id, ended in self._ended.items() if ended <= before]:
            account = self._account(account_id)
            account.forget(before)
            self._store(account_id, account)
            if not account.rules():
                self._ended.remove(account_id)
                yield Row(account_id, None, before + self._keep)

    def _row(self, key: str, time: int, rules: list[dict[str, Any]]) -> Row:
        value = {"known_until": self._known_until.value() or 0, "version": time, "rules": rules}
        return Row(key, self._codec.encode("AlertRules", value, self._topic, check=False), time)

    def _account(self, account_id: str) -> AccountRules:
        stored = self._accounts.get(account_id)
        return from_json(json.loads(stored)) if stored else AccountRules()

    def _store(self, account_id: str, account: AccountRules) -> None:
        if account.is_empty():
            self._accounts.remove(account_id)
        else:
            self._accounts.put(account_id, json.dumps(to_json(account)))


def _text(key: bytes | None) -> str:
    try:
        return bytes(key or b"").decode()
    except UnicodeDecodeError:
        raise CodecError("the key is not UTF-8") from None
