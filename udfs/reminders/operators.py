"""Who agreed to be reminded of an application, and where he is reached, as of the time it is due."""

from collections.abc import Callable, Iterator
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import RuntimeContext

from account_alerts.config import Config
from account_alerts.model.alerts import AlertType, Channel
from account_alerts.records.codec import Codec
from account_alerts.records.customers import read_settings
from udfs.alerts import make_alerts
from udfs.analyst_rules.matches import Hit
from udfs.partitions import partition_of
from udfs.temporal.end_offsets import Told, partition_name, shard_of, shards_of
from udfs.temporal.lookup import AsOf

_TEXTS = (
    *("customer_id", "application_id", "product", "alert_id", "channel", "address", "account_id", "currency"),
    *("setting_id", "language"),
)
REMINDERS_ROW = Types.ROW_NAMED([*_TEXTS, "begun_ms"], [*[Types.STRING()] * len(_TEXTS), Types.LONG()])
"""A message to one address; begun_ms is when the application was begun, milliseconds UTC."""


class FindAgreed(AsOf):
    """An application that is due to its messages, one for each address (`reminders_of`)."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        super().__init__(config)
        self._keep = config.topics.click_events.retention or 0

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        super().open(runtime_context)
        self._due = runtime_context.get_metrics_group().counter("applications_due")
        self._told = runtime_context.get_metrics_group().counter("messages")

    def _take(self, topic: str, key: str, record: bytes | None, since: int) -> None:
        self._remember(key, since, read_agreed(self._codec, key, record))

    def _met(self, hit: Hit) -> Iterator[Row]:
        self._due.inc()
        for reminder in reminders_of(hit, self._as_of(hit["customer_id"], hit)):
            self._told.inc()
            yield Row(**{name: reminder[name] for name in (*_TEXTS, "begun_ms")})


def read_agreed(decoder: Codec, customer_id: str, record: bytes | None) -> dict[str, Any] | None:
    """What a customer's record says of reminders: `language`, `addresses`, and the `settings` he agreed by.

    None for a tombstone, and where he did not agree. A setting without an id or with a channel that is none
    counts for nothing, as any invalid one.

    Raises:
        CodecError: It is no such record, or one of another customer.
    """
    value = read_settings(decoder, customer_id, record)
    agreed = [
        {name: setting[name] for name in ("setting_id", "account_id", "currency", "channels")}
        for setting in (value or {"settings": []})["settings"]
        if setting["alert_type"] == AlertType.APPLICATION_REMINDER
        and setting["setting_id"]
        and frozenset(Channel).issuperset(setting["channels"])
    ]
    if value is None or not agreed:
        return None
    return {"language": value["language"], "addresses": value["addresses"], "settings": agreed}


def reminders_of(hit: Hit, agreed: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The messages of an application that is due, one for each address on a channel he agreed to.

    Where several settings agree to the same address, the first by its id does.
    """
    if agreed is None:
        return
    told: set[tuple[str, str]] = set()
    for setting in sorted(agreed["settings"], key=lambda setting: str(setting["setting_id"])):
        made = make_alerts(
            hit["entry_id"].encode(),
            hit["customer_id"].encode(),
            setting["setting_id"].encode(),
            setting["channels"],
            [address["channel"] for address in agreed["addresses"]],
            [address["address"] for address in agreed["addresses"]],
        )
        for alert_id, channel, address in made:
            if alert_id is None or address is None or (channel, address) in told:
                continue
            told.add((channel, address))
            yield {
                **{name: hit[name] for name in ("customer_id", "product", "begun_ms")},
                **{name: setting[name] for name in ("setting_id", "account_id", "currency")},
                **{"application_id": hit["entry_id"], "language": agreed["language"]},
                **{"alert_id": alert_id, "channel": channel, "address": address},
            }


def to_shard(config: Config) -> Callable[[Row], tuple[int, Hit]]:
    """Make of a row of reminders/due_reminders.sql what `AsOf` waits with: (shard that knows, hit)."""
    partitions, shards = config.topics.alert_settings.partitions, shards_of(config)

    def hit(row: Row) -> tuple[int, Hit]:
        return shard_of(partition_of(row.customer_id, partitions), shards), {
            **{
                "rule": AlertType.APPLICATION_REMINDER.value,
                "entry_id": row.application_id,
                "customer_id": row.customer_id,
            },
            **{"product": row.product, "begun_ms": row.begun_ms, "written_at": row.due_ms},
        }

    return hit


def of_settings(config: Config) -> Callable[[Told], Told]:
    """Leaves of the prober's looks what they say of the settings: nothing else is read."""
    topic, partitions = config.topics.alert_settings.name, config.topics.alert_settings.partitions
    names = {partition_name(topic, number) for number in range(partitions)}

    def only(told: Told) -> Told:
        shard, (time, last_offsets) = told
        return shard, (time, {name: last for name, last in last_offsets.items() if name in names})

    return only
