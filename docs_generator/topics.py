"""The reference of Kafka's topics and of the rights on them."""

import textwrap

import yaml

from account_alerts.config import PROJECT, load
from account_alerts.config.kafka import Topic, Topics
from account_alerts.kafka import acls
from docs_generator.markdown import WIDTH, bullets, code, page, paragraph, table

_TOPICS = (
    "`alerts topics create` makes the topics that are missing, with these settings. The columns `local` and "
    "`production` are the partitions and the retention in `conf/local.yaml` and `conf/production.yaml`."
)
_SETTINGS = [
    "Every topic has `message.timestamp.type=LogAppendTime`.",
    "A compacted topic keeps overwritten records and tombstones at least as long as `account-entries` keeps "
    "bookings (`min.compaction.lag.ms`, `delete.retention.ms`): a replay finds the versions it needs.",
    "The retention of `account-entries` is how far back bookings can be replayed. A longer one costs "
    "state in proportion to changes, not to accounts.",
]
_RIGHTS = (
    "`alerts topics acls --config FILE` prints these commands for the names, the sections and the brokers of "
    "a configuration. Below, `$KAFKA` is the list of brokers, and each component has a Kafka user of its own."
)


def topics() -> str:
    """Write the page of all topics and rights."""
    local, production = (_topics(name) for name in ("local", "production"))
    rows: list[tuple[str, ...]] = [
        (f"`{topic.name}`", f"`topics.{key}`", topic.cleanup, _size(local[key]), _size(topic))
        for key, topic in production.items()
    ]
    return page(
        "Topics",
        paragraph(_TOPICS),
        table(("topic", "key", "cleanup", "local", "production"), rows),
        bullets(_SETTINGS),
        "## Rights",
        paragraph(_RIGHTS),
        code("\n".join(_rights()), "sh"),
    )


def _topics(environment: str) -> dict[str, Topic]:
    data = yaml.safe_load((PROJECT / f"conf/{environment}.yaml").read_text())
    return Topics(**data["topics"]).all()


def _size(topic: Topic) -> str:
    days = "" if topic.retention is None else f", {topic.retention // 86_400_000} days"
    return f"{topic.partitions}{days}"


def _rights() -> list[str]:
    config = load(PROJECT / "conf/local.yaml")
    brokers = config.kafka.bootstrap_servers
    return [
        _folded(line.replace(f"--bootstrap-server {brokers}", '--bootstrap-server "$KAFKA"'))
        for line in acls.commands(config, "User:account-alerts-{component}")
    ]


def _folded(command: str) -> str:
    """Fold a command over lines, between its options."""
    parts = command.replace(" --", "\n--").split("\n")
    joined = " ".join(part.replace(" ", "\0") for part in parts)
    lines = textwrap.wrap(
        joined, WIDTH - 2, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return " \\\n".join(lines).replace("\0", " ")
