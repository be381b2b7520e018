"""Which analysts' rules are started, in the compacted topic `adhoc-rules`: JSON, keyed by the rule's name.

What an operator decided on the quarantined alerts stands there under the rule's name and `:held`. The
adhoc-alerts job reads both: each closes the rule's circuit breaker (udfs/analyst_rules/circuit_breaker.py).
Under the name and `:halted` stands that its job was ended because of its limit, and where its state is.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from account_alerts.config import Config
from account_alerts.kafka.clients import read_to_end, send_all
from account_alerts.model.analyst_rule import Rule
from account_alerts.model.analyst_rule_keys import About, RegistryKey


@dataclass(frozen=True)
class Started:
    """A rule that was started and not stopped; times are milliseconds UTC."""

    name: str
    sql: str
    about: str
    per_minute: int
    since: int
    """Bookings written to Kafka from then on raise its alerts."""

    @classmethod
    def begin(cls, rule: Rule, since: int) -> "Started":
        """Start a rule at a time, milliseconds UTC."""
        return cls(rule.name, rule.sql, rule.about, rule.per_minute, since)


@dataclass(frozen=True)
class Registry:
    """What the topic says."""

    started: dict[str, Started] = field(default_factory=dict)
    decided: dict[str, dict[int, int]] = field(default_factory=dict)
    """By rule: the offsets in `held-alerts` below which it was decided, by partition."""
    paused: dict[str, str | None] = field(default_factory=dict)
    """Rules whose job was ended because of their limit, and the address of the savepoint or checkpoint to go
    on from; None: there is none."""


def read(config: Config) -> Registry:
    """Read what the topic says now.

    Raises:
        KafkaUnreachableError: Nobody answered, or there is no such topic.
    """
    values: dict[RegistryKey, Any] = {}
    for message in read_to_end(config, config.topics.analyst_rules.name):
        key, value = message.key(), message.value()
        if isinstance(key, bytes):
            values[RegistryKey.parse(key)] = json.loads(value) if value is not None else None
    registry = Registry()
    known = {field.name for field in fields(Started)}
    for (name, about), record in values.items():
        if record is None:
            continue
        match about:
            case About.DECIDED:
                offsets = {int(partition): offset for partition, offset in record["decided"].items()}
                registry.decided[name] = offsets
            case About.HALTED:
                registry.paused[name] = record["state"]
            case About.STARTED:
                registry.started[name] = Started(**{key: record[key] for key in record if key in known})
    return registry


def start(config: Config, started: Started) -> None:
    """Note that a rule is started."""
    _write(config, RegistryKey(started.name), asdict(started))


def stop(config: Config, name: str) -> None:
    """Note that a rule is stopped."""
    _write(config, RegistryKey(name), None)
    resume(config, name)


def pause(config: Config, name: str, state: str | None) -> None:
    """Note that a rule's job was ended because of its limit, and the address of its state."""
    _write(config, RegistryKey(name, About.HALTED), {"state": state})


def resume(config: Config, name: str) -> None:
    """Note that a rule is not paused any more."""
    _write(config, RegistryKey(name, About.HALTED), None)


def decide(config: Config, name: str, offsets: dict[int, int]) -> None:
    """Close a rule's circuit breaker; its alerts below these offsets are decided, by partition."""
    _write(config, RegistryKey(name, About.DECIDED), {"decided": offsets})


def _write(config: Config, key: RegistryKey, value: dict[str, Any] | None) -> None:
    record = None if value is None else json.dumps(value).encode()
    send_all(config, [(config.topics.analyst_rules.name, key.dump(), record)])
