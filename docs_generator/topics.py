"""The reference of Kafka's topics, from the configuration files of the environments."""

import yaml

from account_alerts.config import PROJECT
from account_alerts.config.kafka import Topic, Topics
from docs_generator.markdown import page, paragraph, table


def topics() -> str:
    """Write the page of all topics."""
    local, production = (_topics(name) for name in ("local", "production"))
    rows: list[tuple[str, ...]] = [
        (f"`{topic.name}`", f"`topics.{key}`", topic.cleanup, _size(local[key]), _size(topic))
        for key, topic in production.items()
    ]
    introduction = (
        "`alerts topics create` makes the topics that are missing. A topic has as many partitions, and keeps "
        "records as long, as the configuration says; `conf/local.yaml` and `conf/production.yaml` say this."
    )
    return page(
        "Topics",
        paragraph(introduction),
        table(("topic", "key", "cleanup", "local", "production"), rows),
    )


def _topics(environment: str) -> dict[str, Topic]:
    data = yaml.safe_load((PROJECT / f"conf/{environment}.yaml").read_text())
    return Topics(**data["topics"]).all()


def _size(topic: Topic) -> str:
    days = "" if topic.retention is None else f", {topic.retention // 86_400_000} days"
    return f"{topic.partitions}{days}"
