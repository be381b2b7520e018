"""The guide to a deployment names what the code does."""

import re

import pytest

from account_alerts.config import PROJECT, load
from jobs import sql

GUIDE = (PROJECT / "docs/operations/deploy.md").read_text()


def test_subjects_of_the_schema_registry_are_the_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"ALERTS_KAFKA__{key}", "anything")
    config = load(PROJECT / "conf/production.yaml")
    listed = dict(re.findall(r"^\| `([\w.-]+)` \| `(schemas/\w+\.avsc)` \|", GUIDE, re.MULTILINE))
    assert set(listed.values()) == {
        str(file.relative_to(PROJECT)) for file in (PROJECT / "schemas").glob("*.avsc")
    }
    topics = {f"{topic.name}-value" for topic in config.topics.all().values()}
    [of_alerts] = listed.keys() - topics
    assert f"'value.avro-confluent.subject' = '{of_alerts}'" in sql.values(config)["encoding"]
