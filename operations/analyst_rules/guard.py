"""Pauses each rule that is over its limit, so that what it finds burdens nobody.

The adhoc-alerts job quarantines what is over a rule's limit. Whoever sees it in the topic `held-alerts` ends
the rule's own job: in the local environment the reconciler, elsewhere `alerts rules guard`. Several may
watch; one is enough.
"""

import logging
import time
from contextlib import closing, suppress
from functools import partial

from confluent_kafka import Message

from account_alerts.kafka.clients import KafkaUnreachableError, consumer, partitions
from account_alerts.model.errors import OperationError
from account_alerts.records.codec import CodecError, codec
from operations.analyst_rules import lifecycle
from operations.analyst_rules.registry import Registry
from operations.flink.rest import FlinkUnreachableError
from operations.job_runner import JobRunner

_INTERVAL = 1.0
_BATCH = 10_000
_log = logging.getLogger("guard")

Newest = dict[str, dict[int, tuple[int, int]]]
"""By rule: offset and Kafka time (milliseconds UTC) of its newest quarantined alert, by partition."""


def is_over(name: str, newest: Newest, known: Registry) -> bool:
    """Return whether a rule has undecided quarantined alerts that are not of an earlier start of it."""
    decided, started = known.decided.get(name, {}), known.started.get(name)
    since = started.since if started else 0
    return any(
        offset >= decided.get(partition, 0) and written_at >= since
        for partition, (offset, written_at) in newest.get(name, {}).items()
    )


def watch(runner: JobRunner) -> None:
    """Watch until stopped; Kafka or Flink away is waited out."""
    reported = ""
    while True:
        try:
            _watch(runner)
        except (KafkaUnreachableError, FlinkUnreachableError, OperationError) as error:
            if str(error) != reported:  # It may be so for hours.
                reported = str(error)
                _log.warning("%s", reported)
        except Exception:  # The rules' limits must not hang on one surprise.
            _log.exception("cannot look after the rules' limits")
        time.sleep(_INTERVAL)


def _watch(runner: JobRunner) -> None:
    config = runner.config
    decoder = codec(config)
    newest: Newest = {}
    with closing(consumer(config)) as client:
        client.assign(partitions(client, config.topics.quarantined_alerts.name))
        while True:
            seen: set[str] = set()
            for message in client.consume(_BATCH, _INTERVAL):
                if message.error() is not None:
                    continue
                with suppress(CodecError):  # Nothing that this project writes.
                    alert = decoder.decode("OutboundAlert", message.value() or b"")
                    _observe(newest, alert["alert_type"], message)
                    seen.add(alert["alert_type"])
            for name in sorted(seen):
                if lifecycle.pause(runner, name, partial(is_over, name, newest)):
                    _log.error("rule %s is over its limit: its job was ended. See `alerts rules list`", name)


def _observe(newest: Newest, name: str, message: Message) -> None:
    position = int(message.offset() or 0), message.timestamp()[1]
    newest.setdefault(name, {})[int(message.partition() or 0)] = position
