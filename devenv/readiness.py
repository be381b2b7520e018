"""Waits until the rules have caught up: the rules watermark is up to now in each partition."""

import time
from contextlib import closing

from confluent_kafka import Message, TopicPartition

from account_alerts.config import Config
from account_alerts.kafka.clients import consumer
from account_alerts.service.clock import SYSTEM_CLOCK
from operations.waiting import print_progress, wait_for
from udfs.partitions import HEARTBEAT

_FRESH_MS = 2_000
_BATCH = 100_000
_RULES_SECONDS = 3600.0
"""A first load is as long as it is: about 2,000 records a second in the local environment."""
_REPORT_SECONDS = 15.0


def wait_for_rules(config: Config) -> None:
    """Wait until the newest heartbeat in each partition of `alert-rules` is at most two seconds old."""
    topic = config.topics.alert_rules.name
    with closing(consumer(config)) as client:
        numbers = client.list_topics(topic, timeout=10).topics[topic].partitions
        ends = []
        for number in numbers:
            start, end = client.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            ends.append(TopicPartition(topic, number, max(start, end - 1)))
        client.assign(ends)
        late = set(numbers)
        reported = time.monotonic()

        def fresh() -> bool:
            nonlocal reported
            for message in client.consume(_BATCH, 0.1):
                if message.error() is None and _is_fresh(message):
                    late.discard(message.partition())
            if late and time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                print_progress(
                    f"rules: {len(numbers) - len(late)} of {len(numbers)} partitions have caught up"
                )
            return not late

        wait_for(
            "rules caught up (a fresh heartbeat in each partition of alert-rules)",
            fresh,
            _RULES_SECONDS,
            f"Look at the job alert-rules on {config.flink.rest_url}.",
        )
    print_progress("rules have caught up")


def _is_fresh(message: Message) -> bool:
    key = message.key()
    known_until = message.timestamp()[1]
    return (
        isinstance(key, bytes)
        and key.startswith(HEARTBEAT.encode())
        and known_until > SYSTEM_CLOCK.now_ms() - _FRESH_MS
    )
