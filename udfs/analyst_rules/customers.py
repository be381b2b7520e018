"""Find whom a match of an analyst's rule is for, and their addresses, as of the time of its booking."""

from collections.abc import Iterator
from typing import Any

from pyflink.datastream import RuntimeContext

from account_alerts.config import Config
from account_alerts.records.customers import read_contact, read_customers
from account_alerts.service.metrics import ANALYST_ALERTS_WITHOUT_ADDRESS
from udfs.analyst_rules.matches import RuleAlert, RuleMatch, build_alerts, recipients
from udfs.partitions import find_partition
from udfs.temporal.end_offsets import assign_shard
from udfs.temporal.lookup import Pending, TemporalLookup


class FindCustomers(TemporalLookup[RuleMatch, list[str]]):
    """Make of a match one for each customer who might see its account: (shard that knows them, match)."""

    def __init__(self, config: Config) -> None:
        """Look up authorizations."""
        topics = config.topics
        super().__init__(config, topics.account_authorizations, topics.account_entries.retention or 0)

    def _decode(self, key: str, record: bytes | None) -> list[str] | None:
        return read_customers(self._codec, key, record)

    def _pending(self, payload: RuleMatch) -> Pending:
        return Pending(payload["account_id"], payload["written_at"], _identity(payload))

    def _on_ready(self, payload: RuleMatch, value: list[str] | None) -> Iterator[tuple[int, RuleMatch]]:
        partitions = self._config.topics.alert_settings.partitions
        for customer in recipients(payload, value):
            shard = assign_shard(find_partition(customer, partitions), self._shards)
            yield shard, {**payload, "customer_id": customer}


class FindAddresses(TemporalLookup[RuleMatch, dict[str, Any]]):
    """Make of a customer's match its alerts, one for each address (`build_alerts`)."""

    def __init__(self, config: Config) -> None:
        """Look up settings."""
        topics = config.topics
        super().__init__(config, topics.alert_settings, topics.account_entries.retention or 0)

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        super().open(runtime_context)
        metrics = runtime_context.get_metrics_group()
        self._without_address = metrics.counter(ANALYST_ALERTS_WITHOUT_ADDRESS.name)

    def _decode(self, key: str, record: bytes | None) -> dict[str, Any] | None:
        return read_contact(self._codec, key, record)

    def _pending(self, payload: RuleMatch) -> Pending:
        return Pending(payload["customer_id"], payload["written_at"], _identity(payload))

    def _on_ready(self, payload: RuleMatch, value: dict[str, Any] | None) -> Iterator[RuleAlert]:
        alerts = list(build_alerts(payload, value))
        if not alerts:
            self._without_address.inc()
        yield from alerts


def _identity(match: RuleMatch) -> tuple[str, ...]:
    return match["rule"], match["entry_id"], match["customer_id"]
