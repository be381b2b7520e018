"""Whom a hit of an analyst's rule is for, and where he is reached, as of the time of its booking."""

from collections.abc import Iterator
from typing import Any

from pyflink.datastream import RuntimeContext

from account_alerts.records.customers import read_contact, read_customers
from udfs.analyst_rules.matches import Hit, alerts_of, customers_of
from udfs.partitions import partition_of
from udfs.temporal.end_offsets import shard_of
from udfs.temporal.lookup import AsOf


class FindCustomers(AsOf):
    """A hit to one for each customer who might see its account: (shard that knows him, hit)."""

    def _take(self, topic: str, key: str, record: bytes | None, since: int) -> None:
        if topic == self._config.topics.account_authorizations.name:
            self._remember(key, since, read_customers(self._codec, key, record))

    def _met(self, hit: Hit) -> Iterator[tuple[int, Hit]]:
        partitions = self._config.topics.alert_settings.partitions
        for customer in customers_of(hit, self._as_of(hit["account_id"], hit)):
            shard = shard_of(partition_of(customer, partitions), self._shards)
            yield shard, {**hit, "customer_id": customer}


class FindAddresses(AsOf):
    """A hit of a customer to his alerts, one for each address (`adhoc_alerts.alerts_of`)."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        super().open(runtime_context)
        self._unreachable = runtime_context.get_metrics_group().counter("without_address")

    def _take(self, topic: str, key: str, record: bytes | None, since: int) -> None:
        if topic == self._config.topics.alert_settings.name:
            self._remember(key, since, read_contact(self._codec, key, record))

    def _met(self, hit: Hit) -> Iterator[dict[str, Any]]:
        alerts = list(alerts_of(hit, self._as_of(hit["customer_id"], hit)))
        if not alerts:
            self._unreachable.inc()
        yield from alerts
