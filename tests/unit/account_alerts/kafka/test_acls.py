"""The rights in Kafka: all that the code and the SQL use is granted, and the command lines can be run."""

import re
import shlex
from pathlib import Path

import pytest

from account_alerts.config import load
from account_alerts.installation import PROJECT
from account_alerts.kafka import acls
from account_alerts.kafka.acls import Right
from jobs import catalog

CONFIG = load(PROJECT / "conf/local.yaml")
TOPICS = CONFIG.topics


def _granted(component: str) -> dict[tuple[str, str], set[str]]:
    return {
        (right.resource, right.name): set(right.operations)
        for right in acls.rights(CONFIG)
        if right.component == component
    }


@pytest.mark.parametrize(
    ("component", "topic", "operations"),
    [
        ("alerting", TOPICS.account_entries, {"Read"}),
        ("alerting", TOPICS.alert_settings, {"Read"}),
        ("alerting", TOPICS.outbound_sms, {"Write"}),
        ("alerting", TOPICS.click_events, {"Describe"}),
        ("reminders", TOPICS.click_events, {"Read"}),
        ("device-resolver", TOPICS.outbound_push, {"Read"}),
        ("bridge", TOPICS.account_entries, {"Write"}),
        ("senders", TOPICS.outbound_device_push, {"Read"}),
        ("senders", TOPICS.outbound_push, {"Describe"}),
        ("tool", TOPICS.dead_letters, {"Create", "Read", "Write"}),
    ],
)
def test_a_component_may_do_what_it_does_and_no_more(
    component: str, topic: object, operations: set[str]
) -> None:
    assert _granted(component)["topic", topic.name] == operations  # type: ignore[attr-defined]


def test_every_consumer_group_of_the_sql_and_the_jobs_is_granted() -> None:
    files = [*(PROJECT / "sql").rglob("*.sql"), *(PROJECT / "jobs").glob("*.py")]
    used = {
        group.replace("{catalog.RULE}", catalog.RULE).split("{")[0]
        for file in files
        for group in re.findall(r"'properties.group.id' = '([^']+)'", file.read_text())
    }
    granted = [right for right in acls.rights(CONFIG) if right.resource == "group"]
    assert len(used) > 6
    for group in used:
        assert any(_covers(right, group) for right in granted), group


def _covers(right: Right, group: str) -> bool:
    return group.startswith(right.name) if right.prefixed else group == right.name


def test_every_component_may_describe_every_topic() -> None:
    names = {topic.name for topic in TOPICS.all().values()}
    for component in {right.component for right in acls.rights(CONFIG)} - {"connect"}:
        assert {name for resource, name in _granted(component) if resource == "topic"} >= names


def test_a_right_is_listed_once() -> None:
    keys = [(right.component, right.resource, right.name) for right in acls.rights(CONFIG)]
    assert len(set(keys)) == len(keys)


def test_components_without_a_section_are_left_out() -> None:
    config = CONFIG.model_copy(update={"bridge": None, "capture": None, "clicks": None, "devices": None})
    components = {right.component for right in acls.rights(config)}
    assert not components & {"bridge", "capture", "clicks", "connect", "device-resolver", "publisher"}
    assert components >= {"alerting", "senders", "profiles", "tool"}


def test_a_command_line_names_principal_operations_and_resource() -> None:
    lines = list(acls.commands(CONFIG, "User:bank {component}", Path("admin.properties")))
    server = CONFIG.kafka.bootstrap_servers
    assert lines[0] == "# alerting"
    head = f"kafka-acls --bootstrap-server {server} --command-config admin.properties --add --allow-principal"
    assert (
        f"{head} 'User:bank alerting' --operation Read --topic account-entries "
        "--topic account-authorizations --topic alert-settings" in lines
    )
    assert (
        f"{head} 'User:bank senders' --operation Read --group sender- --resource-pattern-type prefixed"
        in lines
    )


def test_each_component_stands_together() -> None:
    components = [line[2:] for line in acls.commands(CONFIG, "User:x") if line.startswith("#")]
    assert len(set(components)) == len(components)
    assert all(
        shlex.split(line)[0] == "kafka-acls"
        for line in acls.commands(CONFIG, "User:x")
        if not line.startswith("#")
    )
