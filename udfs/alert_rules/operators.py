"""The Flink functions of the job alert-rules: the router of changes and the fold of rules."""

import json
import logging
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, KeyedProcessFunction, OutputTag, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.config import Config
from account_alerts.model.alerts import AlertType
from account_alerts.records.codec import Codec, CodecError, codec
from account_alerts.records.customers import as_bytes, read_authorization, read_key, read_settings
from account_alerts.records.settings import check_settings
from account_alerts.service.metrics import (
    ALERT_RULES_DEAD_LETTERS,
    ALERT_RULES_LATE_CHANGES,
    ALERT_RULES_TRUNCATED_ROWS,
    ALERT_RULES_UNKNOWN_TYPES,
)
from udfs.alert_rules import changes
from udfs.alert_rules.account_rules import AccountRules, from_json, to_json, without_oldest
from udfs.alert_rules.changes import AuthorizationChange, PlainChange, SettingsChange, ShardRead
from udfs.alert_rules.written_rows import accounts_with_rows
from udfs.partitions import find_partition, heartbeat_keys
from udfs.temporal.end_offsets import ShardOffsets, assign_shard, partition_name, shard_count
from udfs.temporal.lookup import restored_progress
from udfs.temporal.rules_watermark import EndOffsets, ShardProgress, rules_watermark

_log = logging.getLogger(__name__)

LARGEST_ROW = 8_000_000
"""Bytes; of a longer row the rules that ended first are left out. The topic takes more than twice as much."""
_LONGEST_REASON = 2_000
BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
DEAD_LETTERS = OutputTag(
    "dead-letters",
    Types.ROW_NAMED(
        ["record_key", "record", "source_topic", "source_partition", "source_offset", "reason"],
        [BYTES, BYTES, Types.STRING(), Types.INT(), Types.LONG(), Types.STRING()],
    ),
)


class RouteChanges(KeyedCoProcessFunction):  # type: ignore[misc]
    """Turn records into changes of single accounts, keyed by shard; behind them, how far it has read."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._config = config
        self._authorizations = config.topics.account_authorizations.name
        self._partitions = config.topics.alert_rules.partitions
        self._shards = shard_count(config)

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        self._codec: Codec = codec(self._config)
        self._accounts = runtime_context.get_map_state(
            MapStateDescriptor("accounts-of-customer", Types.STRING(), Types.STRING())
        )
        self._read = runtime_context.get_map_state(MapStateDescriptor("read", Types.STRING(), Types.LONG()))
        self._progress: dict[int, ShardProgress] = {}
        metrics = runtime_context.get_metrics_group()
        self._complete_until: dict[int, int] = {}
        self._late = metrics.counter(ALERT_RULES_LATE_CHANGES.name)
        self._unknown = metrics.counter(ALERT_RULES_UNKNOWN_TYPES.name)
        self._dead_letters = metrics.counter(ALERT_RULES_DEAD_LETTERS.name)

    def process_element1(self, record: Row, ctx: KeyedCoProcessFunction.Context) -> Iterator[Any]:
        """Route a record of one of the two topics."""
        try:
            if record.source_topic == self._authorizations:
                yield from self._authorization(record)
            else:
                yield from self._settings(record)
        except CodecError as error:
            yield self._dead_letter(record, str(error))
        shard = assign_shard(record.source_partition, self._shards)
        partition = partition_name(record.source_topic, record.source_partition)
        if record.written_ms <= self._complete_until.get(shard, 0):
            # Kafka's clocks are further apart than rules.clock_skew, or a replica was slow to take it.
            self._late.inc()
            _log.warning("a change in %s came after its time had been called complete", partition)
        complete = restored_progress(self._progress, shard, self._read).advance(
            partition, record.source_offset
        )
        self._read.put(partition, record.source_offset)
        yield from self._emit_progress(shard, complete)

    def process_element2(self, offsets: ShardOffsets, ctx: KeyedCoProcessFunction.Context) -> Iterator[Any]:
        """Take in the end offsets of this shard's partitions."""
        shard, (time_ms, last_offsets) = offsets
        complete = restored_progress(self._progress, shard, self._read).expect(
            EndOffsets(time_ms, last_offsets)
        )
        yield from self._emit_progress(shard, complete)

    def _authorization(self, record: Row) -> Iterator[PlainChange]:
        account = read_key(record.record_key)
        value = read_authorization(self._codec, account, as_bytes(record.record))
        customers = [] if value is None else value["customer_ids"]
        yield self._dump(AuthorizationChange(account, record.written_ms, customers))

    def _settings(self, record: Row) -> Iterator[Any]:
        customer = read_key(record.record_key)
        by_account: dict[str, dict[str, Any]] = {}
        value = read_settings(self._codec, customer, as_bytes(record.record))
        if value is not None:
            checked = check_settings(value["settings"])
            for setting in checked.usable:
                of_account = by_account.setdefault(
                    setting["account_id"],
                    {"language": value["language"], "addresses": value["addresses"], "settings": []},
                )
                of_account["settings"].append({key: setting[key] for key in setting if key != "account_id"})
            if checked.unknown:
                self._unknown.inc(len(checked.unknown))
            if checked.invalid:
                yield self._dead_letter(record, f"invalid settings: {', '.join(checked.invalid)}")
        for account in sorted({*json.loads(self._accounts.get(customer) or "[]"), *by_account}):
            settings = by_account.get(account, {})
            yield self._dump(SettingsChange(account, record.written_ms, customer, settings))
        if by_account:
            self._accounts.put(customer, json.dumps(sorted(by_account)))
        else:
            self._accounts.remove(customer)

    def _dump(self, change: AuthorizationChange | SettingsChange) -> PlainChange:
        return changes.dump(find_partition(change.account_id, self._partitions), change)

    def _emit_progress(self, shard: int, complete: int | None) -> Iterator[PlainChange]:
        if complete is not None:
            self._complete_until[shard] = complete
            for partition in range(self._partitions):
                yield changes.dump(partition, ShardRead(shard, complete))

    def _dead_letter(self, record: Row, reason: str) -> tuple[OutputTag, Row]:
        self._dead_letters.inc()
        reason = reason if len(reason) <= _LONGEST_REASON else reason[:_LONGEST_REASON] + "..."
        return DEAD_LETTERS, Row(
            record.record_key,
            record.record,
            record.source_topic,
            record.source_partition,
            record.source_offset,
            reason,
        )


class FoldRules(KeyedProcessFunction):  # type: ignore[misc]
    """Fold changes into one row of rules per account, keyed by partition of `alert-rules`.

    The key is the partition and not the account, so that a heartbeat stands behind every row it speaks of.

    After a start it folds again what an earlier run may have written rows of. Until it has caught up it only
    notes which accounts changed (and whether they may have a row), and then writes each of them once: a row
    half-way through its own past would take the place of a complete one.
    """

    SWEEP_MS = 60_000
    BATCH = 2_000
    """Noted accounts written at a time, so that checkpoints come through in between."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._config = config
        self._shards = shard_count(config)
        topics = config.topics
        # A booking's rules also say which of those before it were counted.
        retention = topics.alert_rules.retention or topics.account_entries.retention or 0
        self._keep = retention + config.rules.count_reach
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
        self._noted = runtime_context.get_map_state(MapStateDescriptor("noted", text, Types.BOOLEAN()))
        self._read_rows = runtime_context.get_state(ValueStateDescriptor("read-rows", Types.BOOLEAN()))
        self._truncated = runtime_context.get_metrics_group().counter(ALERT_RULES_TRUNCATED_ROWS.name)
        self._opened = int(time.time() * 1000)
        self._caught_up: set[int] = set()

    def process_element(self, plain: PlainChange, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Fold one change of one account, or take in how far a shard has been read."""
        partition, change = changes.load(plain)
        if isinstance(change, ShardRead):
            yield from self._complete(partition, change)
        else:
            yield from self._change(partition, change)

    def _change(self, partition: int, change: AuthorizationChange | SettingsChange) -> Iterator[Row]:
        account_id, since = change.account_id, change.since
        account = self._account(account_id)
        before = account.rules()
        match change:
            case AuthorizationChange():
                changed = account.authorize(since, change.customers)
            case SettingsChange():
                changed = account.set_settings(since, change.customer_id, change.settings)
        if not changed:
            return
        account.forget(since - self._keep)
        self._store(account_id, account)
        if partition not in self._caught_up:
            # With a state, rows may have been written since it was kept; without one, the topic is asked.
            has_row = self._known_until.value() is not None
            if has_row or not self._noted.contains(_in_state(account_id)):
                self._noted.put(_in_state(account_id), has_row)
        elif account.rules() != before:
            # The row written at catching up may have a later version: it goes by this machine's clock.
            version = max(account.changed_at(), self._known_until.value() or 0)
            yield self._write(account_id, account.rules(), version)

    def _complete(self, partition: int, read: ShardRead) -> Iterator[Row]:
        self._shard_times.put(read.shard, read.until)
        known_until = rules_watermark(dict(self._shard_times.items()), self._shards)
        if known_until is None or known_until <= (self._known_until.value() or 0):
            return
        if partition not in self._caught_up:
            if known_until < self._opened:
                return
            yield from self._catch_up(partition, known_until)
            if partition not in self._caught_up:
                return
        self._known_until.update(known_until)
        if known_until - (self._swept.value() or 0) >= self.SWEEP_MS:
            self._swept.update(known_until)
            yield from self._sweep(known_until - self._keep)
        yield self._row(self._heartbeats[partition], known_until, [])

    def _catch_up(self, partition: int, known_until: int) -> Iterator[Row]:
        """Write some of the noted accounts; with the last of them the partition has caught up."""
        if self._known_until.value() is None and not self._read_rows.value():
            # Nothing is remembered: rows that are there may be of rules that are no more.
            for account_id in accounts_with_rows(self._config, partition):
                self._noted.put(_in_state(account_id), True)
            self._read_rows.update(True)
        noted = list(islice(self._noted.items(), self.BATCH))
        for key, has_row in noted:
            self._noted.remove(key)
            account_id = _from_state(key)
            rules = self._account(account_id).rules()
            if rules or has_row:
                yield self._write(account_id, rules, known_until)
        if len(noted) < self.BATCH:
            self._caught_up.add(partition)

    def _write(self, account_id: str, rules: list[dict[str, Any]], version: int) -> Row:
        if all(rule["valid_to"] is not None for rule in rules):
            self._ended.put(_in_state(account_id), version)
        elif self._ended.contains(_in_state(account_id)):
            self._ended.remove(_in_state(account_id))
        row = self._row(account_id, version, rules)
        while len(row.record) > LARGEST_ROW and (fewer := without_oldest(rules)) != rules:
            self._truncated.inc()
            rules = fewer
            row = self._row(account_id, version, rules)
        return row

    def _sweep(self, before: int) -> Iterator[Row]:
        """End the accounts whose last rule ended so long ago that no booking can ask for it."""
        for key in [key for key, ended in self._ended.items() if ended <= before]:
            account_id = _from_state(key)
            account = self._account(account_id)
            account.forget(before)
            self._store(account_id, account)
            if not account.rules():
                self._ended.remove(key)
                # The empty row takes the place of the last one in the join, which keeps the newest.
                yield self._row(account_id, before + self._keep, [])
                yield self._record(account_id, None, before + self._keep)

    def _row(self, key: str, time: int, rules: list[dict[str, Any]]) -> Row:
        value = {
            "known_until": self._known_until.value() or 0,
            "version": time,
            "rules": rules,
            "counted": sorted(
                {rule["currency"] for rule in rules if rule["alert_type"] == AlertType.TRANSACTION_COUNT}
            ),
        }
        return self._record(key, self._codec.encode("AlertRules", value, self._topic, check=False), time)

    @staticmethod
    def _record(key: str, record: bytes | None, time: int) -> Row:
        return Row(record_key=key, record=record, record_time=time)

    def _account(self, account_id: str) -> AccountRules:
        stored = self._accounts.get(account_id)
        return from_json(json.loads(stored)) if stored else AccountRules()

    def _store(self, account_id: str, account: AccountRules) -> None:
        if account.is_empty():
            self._accounts.remove(account_id)
        else:
            self._accounts.put(account_id, json.dumps(to_json(account)))


def _in_state(account_id: str) -> str:
    """Convert an id to a key that is read back: pemja drops a byte order mark at a string's beginning."""
    return f"={account_id}"


def _from_state(key: str) -> str:
    return key[1:]
