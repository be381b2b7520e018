"""The rights that each component needs in Kafka: the one table of them, and its `kafka-acls` command lines.

Read and Write imply Describe; Write on a topic lets an idempotent producer in.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from account_alerts.config import Config
from account_alerts.kafka import groups

Operation = Literal["Create", "Describe", "Read", "Write"]
Resource = Literal["topic", "group", "transactional-id"]


@dataclass(frozen=True)
class Right:
    """What a component may do with a topic, a consumer group or a transactional id."""

    component: str
    operations: tuple[Operation, ...]
    resource: Resource
    name: str
    prefixed: bool = False
    """Whether the name is a prefix."""


def rights(config: Config) -> list[Right]:
    """List the rights of every component that the configuration has a section for, component by component."""
    topics = config.topics
    outbound = [topics.outbound_email.name, topics.outbound_sms.name, topics.outbound_push.name]
    customers = [topics.account_authorizations.name, topics.alert_settings.name]
    about_customers = [*customers, topics.sms_opt_outs.name]
    dead = topics.dead_letters.name
    found = [
        *_component(
            "alerting",
            read=[topics.account_entries.name, *customers],
            write=[*outbound, dead],
            groups=["alerting"],
        ),
        *_component(
            "analyst-rules",
            read=[topics.account_entries.name, *customers],
            write=[topics.rule_hits.name],
            groups=["adhoc"],
        ),
        Right("analyst-rules", ("Read",), "group", "rule-", prefixed=True),
        *_component(
            "analyst-alerts",
            read=[topics.rule_hits.name, topics.analyst_rules.name, *customers],
            write=[*outbound, topics.quarantined_alerts.name],
            groups=["adhoc-alerts"],
        ),
    ]
    if config.clicks is not None:
        clicks = topics.click_events.name
        found += _component(
            "reminders",
            read=[clicks, topics.alert_settings.name],
            write=[*outbound, dead],
            groups=["reminders", "reminders-settings"],
        )
        found += _component("clicks", write=[clicks])
    if config.devices is not None:
        found += _component(
            "device-resolver",
            read=[topics.outbound_push.name],
            write=[topics.outbound_device_push.name, dead],
            groups=["device-resolver"],
        )
    if config.bridge is not None:
        found += _component("bridge", write=[topics.account_entries.name, dead])
    if config.capture is not None:
        changes = f"{config.capture.name}."
        found += _component(
            "publisher",
            read=about_customers,
            write=[*about_customers, topics.account_entries.name, dead],
            groups=[groups.PUBLISHER],
        )
        found.append(Right("publisher", ("Create", "Read"), "topic", changes, prefixed=True))
        for prefix in (changes, "connect-", "__debezium-heartbeat."):
            found.append(Right("connect", ("Create", "Read", "Write"), "topic", prefix, prefixed=True))
        found.append(Right("connect", ("Read",), "group", "connect"))
        # It writes by transactions.
        found.append(Right("connect", ("Describe", "Write"), "transactional-id", "connect-", prefixed=True))
    found += _component(
        "senders",
        read=[topics.outbound_email.name, topics.outbound_sms.name, topics.outbound_device_push.name],
        write=[dead],
    )
    found.append(Right("senders", ("Read",), "group", groups.SENDER_PREFIX, prefixed=True))
    found += _component("profiles", read=about_customers, write=[dead], groups=[groups.PROFILES])
    if config.web is not None:
        inputs = [topics.account_entries.name, topics.click_events.name, topics.outbound_push.name]
        rules = topics.analyst_rules.name
        found += _component(
            "web",
            read=[dead, rules, topics.quarantined_alerts.name],
            write=[*inputs, *about_customers, *outbound, rules],
        )
        found.append(Right("web", ("Describe",), "group", groups.PROFILES))
        found.append(Right("web", ("Describe",), "group", groups.SENDER_PREFIX, prefixed=True))
    everything = [topic.name for topic in topics.all().values()]
    found += [Right("tool", ("Create", "Read", "Write"), "topic", name) for name in everything]
    components = list(dict.fromkeys(right.component for right in found if right.component != "connect"))
    found += [Right(name, ("Describe",), "topic", topic) for name in components for topic in everything]
    found += [Right(name, ("Read",), "group", groups.TOOL) for name in components]
    return sorted(_without_implied(found), key=lambda right: _order(found, right))


def commands(config: Config, principal: str, command_config: Path | None = None) -> Iterator[str]:
    """Yield `kafka-acls` command lines that grant all rights, for a shell; a comment begins each component.

    Args:
        config: Names the topics, and Kafka.
        principal: The Kafka user of a component, such as `User:alerts-{component}`.
        command_config: The file with the properties of the tool's own connection.
    """
    tool = ["kafka-acls", "--bootstrap-server", config.kafka.bootstrap_servers]
    if command_config is not None:
        tool += ["--command-config", str(command_config)]
    component = ""
    for (owner, operations, resource, prefixed), found in groupby(rights(config), _without_name):
        if owner != component:
            component = owner
            yield f"# {component}"
        line = [*tool, "--add", "--allow-principal", principal.replace("{component}", component)]
        for operation in operations:
            line += ["--operation", operation]
        for right in found:
            line += [f"--{resource}", right.name]
        if prefixed:
            line += ["--resource-pattern-type", "prefixed"]
        yield shlex.join(line)


def _without_name(right: Right) -> tuple[str, tuple[Operation, ...], Resource, bool]:
    return right.component, right.operations, right.resource, right.prefixed


def _component(
    component: str,
    *,
    read: list[str] | None = None,
    write: list[str] | None = None,
    groups: list[str] | None = None,
) -> list[Right]:
    """Rights on topics by name, one for each topic; and to read with consumer groups."""
    read, write = read or [], write or []
    found = []
    for topic in dict.fromkeys((*read, *write)):
        operations: list[Operation] = []
        if topic in read:
            operations.append("Read")
        if topic in write:
            operations.append("Write")
        found.append(Right(component, tuple(operations), "topic", topic))
    return found + [Right(component, ("Read",), "group", group) for group in groups or []]


def _without_implied(found: list[Right]) -> list[Right]:
    """Leave out Describe where the component may read or write the same."""
    more = {(each.component, each.resource, each.name) for each in found if each.operations != ("Describe",)}
    return [
        each
        for each in found
        if each.operations != ("Describe",) or (each.component, each.resource, each.name) not in more
    ]


def _order(found: list[Right], right: Right) -> int:
    return next(number for number, each in enumerate(found) if each.component == right.component)
