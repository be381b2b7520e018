"""Quarantined alerts, held back as their rule raised more than its limit: sent later, or discarded."""

from collections import Counter
from collections.abc import Iterator

from confluent_kafka import Message

from account_alerts.config import Config
from account_alerts.kafka.clients import read_to_end, send_all, to_bytes
from account_alerts.model.analyst_rule import RuleError
from account_alerts.records.codec import CodecError, Record, codec
from operations.analyst_rules import registry
from operations.analyst_rules.registry import Registry


def counts(config: Config, known: Registry) -> Counter[str]:
    """Count the quarantined alerts that wait for a decision, by rule."""
    return Counter(alert["alert_type"] for _, alert in _undecided(config, known))


def send(config: Config, name: str) -> int:
    """Send a rule's quarantined alerts to their channels and close its breaker; return how many there were.

    Killed half-way it may be done again: the alerts keep their ids.

    Raises:
        RuleError: Nothing is quarantined, and the rule is not started.
    """
    channels = config.topics.map_channels()
    held = _decide_on(config, name)
    send_all(
        config,
        [
            (channels[alert["channel"]].name, to_bytes(message.key()), message.value())
            for message, alert in held
        ],
    )
    return _decided(config, name, held)


def discard(config: Config, name: str) -> int:
    """Give up a rule's quarantined alerts and close its breaker; return how many there were.

    They stay in the topic for its retention, for whoever asks what was discarded.

    Raises:
        RuleError: Nothing is quarantined, and the rule is not started.
    """
    return _decided(config, name, _decide_on(config, name))


def _decide_on(config: Config, name: str) -> list[tuple[Message, Record]]:
    known = registry.read(config)
    held = [(message, alert) for message, alert in _undecided(config, known) if alert["alert_type"] == name]
    if not held and name not in known.started:
        raise RuleError(f"{name}: has no quarantined alerts, and is not started. See `alerts rules list`")
    return held


def _decided(config: Config, name: str, held: list[tuple[Message, Record]]) -> int:
    known = registry.read(config)
    offsets = dict(known.decided.get(name, {}))
    for message, _ in held:
        partition = int(message.partition() or 0)
        offsets[partition] = max(offsets.get(partition, 0), int(message.offset() or 0) + 1)
    registry.decide(config, name, offsets)
    return len(held)


def _undecided(config: Config, known: Registry) -> Iterator[tuple[Message, Record]]:
    decoder = codec(config)
    for message in read_to_end(config, config.topics.quarantined_alerts.name):
        try:
            alert = decoder.decode("OutboundAlert", message.value() or b"")
        except CodecError:
            continue  # Nothing that this project writes.
        decided = known.decided.get(alert["alert_type"], {})
        if int(message.offset() or 0) >= decided.get(int(message.partition() or 0), 0):
            yield message, alert
