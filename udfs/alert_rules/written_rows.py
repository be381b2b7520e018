"""The rows that stand in `alert-rules` already."""

from account_alerts.config import Config
from account_alerts.kafka.clients import read_to_end
from udfs.partitions import FALLBACK_HEARTBEAT, heartbeat_keys


def accounts_with_rows(config: Config, partition: int) -> set[str]:
    """Find the accounts that have a row in a partition of `alert-rules`; one that has been ended has none.

    Raises:
        KafkaUnreachableError: Nobody answered.
    """
    accounts: set[str] = set()
    topic = config.topics.alert_rules
    internal = {*heartbeat_keys(topic.partitions), *heartbeat_keys(topic.partitions, FALLBACK_HEARTBEAT)}
    for message in read_to_end(config, topic.name, partition):
        account = (message.key() or b"").decode()
        if message.value() is None:
            accounts.discard(account)
        elif account not in internal:
            accounts.add(account)
    return accounts
