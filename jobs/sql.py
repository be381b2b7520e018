"""The statements of sql/, filled in from the configuration."""

import re
from string import Template

from iso4217 import Currency
from pyflink.table import TableEnvironment

from account_alerts.config import LARGEST_RECORD, PROJECT, Config
from account_alerts.config.kafka import Topic
from account_alerts.config.types import Duration
from account_alerts.model import limits
from account_alerts.model.alerts import EntryType
from account_alerts.records.codec import schema_text

SQL = PROJECT / "sql"


def statement(path: str, config: Config, **more: str) -> str:
    """Return the SQL of a file under sql/, its ``${names}`` filled from the configuration, or `more`.

    Raises:
        KeyError: The file uses a name that is not known.
    """
    return Template((SQL / path).read_text()).substitute(values(config) | more)


def keep_dead_letters(config: Config, source: str, key: str, topic: Topic | None = None) -> str:
    """Return the statement that writes records that cannot be used to the dead letters.

    Args:
        config: The environment.
        source: The view that has them; with a topic, those of its rows that have a `reason`.
        key: The column of their key.
        topic: Where they came from; None: each row says it in `source_topic`, and each has a reason.
    """
    return statement(
        "shared/keep_dead_letters.sql",
        config,
        source=f"{source} WHERE reason IS NOT NULL" if topic else source,
        key=key,
        topic=f"'{topic.name}'" if topic else "source_topic",
    )


def create_view(table_env: TableEnvironment, path: str, config: Config, **more: str) -> None:
    """Make the view that a file under sql/ has a CREATE TEMPORARY VIEW for.

    As a table and not by the statement: Flink reads the text of a view again wherever it is used, with all
    views below it, which took half of a job's start; and it cannot read one again that calls a process table
    function (2.3).

    Raises:
        KeyError: The file uses a name that is not known.
        ValueError: The file has no such statement.
    """
    sql = statement(path, config, **more)
    view = re.search(r"^CREATE TEMPORARY VIEW (\w+) AS\n", sql, re.MULTILINE)
    if view is None:
        raise ValueError(f"sql/{path}: has no line CREATE TEMPORARY VIEW name AS")
    table_env.create_temporary_view(view[1], table_env.sql_query(sql[view.end() :]))


def values(config: Config) -> dict[str, str]:
    """Return what SQL files may name: topics by key, options of Kafka and of the encoding, times, lists."""
    kafka = config.kafka
    client = {f"properties.{key}": value for key, value in kafka.java().items()}
    # Alerts wait for no batch; `acks=all` and idempotence are the client's own defaults, said here to be
    # seen.
    producer = {
        "properties.linger.ms": "0",
        "properties.acks": "all",
        "properties.max.request.size": str(LARGEST_RECORD),
        "properties.compression.type": "lz4",
        "sink.delivery-guarantee": "at-least-once",
    }
    if kafka.encoding == "avro-confluent":
        url = str(kafka.schema_registry_url)
        decoding = {"value.alerts-avro.encoding": "avro-confluent", "value.alerts-avro.url": url}
        # One subject, named after the record: the sink has several topics. Our schema: Flink's own would have
        # another name.
        encoding = {
            "value.avro-confluent.url": url,
            "value.avro-confluent.subject": "alerts.OutboundAlert",
            "value.avro-confluent.schema": schema_text("OutboundAlert"),
        }
    else:
        decoding = {"value.alerts-avro.encoding": "avro"}
        encoding = {}
    return {
        **{key: topic.name for key, topic in config.topics.all().items()},
        "kafka_client": _options(client),
        "kafka_producer": _options(producer),
        "decoding": _options(decoding),
        "encoding": _options({"value.format": kafka.encoding, **encoding}),
        "effect_delay": _seconds(config.rules.effect_delay),
        "count_reach": str(config.rules.count_reach),
        # Longer than Kafka keeps a booking: a backlog finds what was counted before it.
        "count_kept": str((config.topics.account_entries.retention or 0) + config.rules.count_reach),
        **({"reminder_after": _days(config.clicks.reminder_after)} if config.clicks else {}),
        "entry_types": ", ".join(f"'{entry_type}'" for entry_type in EntryType),
        "entry_types_text": ", ".join(EntryType),
        "channel_topics": _channel_topics(config),
        **{name.lower(): str(limit) for name, limit in vars(limits).items() if name.isupper()},
        "iso_4217": ", ".join(f"'{currency.code}'" for currency in Currency),
    }


def _channel_topics(config: Config) -> str:
    """Return the branches of a CASE from a channel to its topic."""
    *first, (_, last) = [(channel, topic.name) for channel, topic in config.topics.map_channels().items()]
    return " ".join([*(f"WHEN '{channel}' THEN '{name}'" for channel, name in first), f"ELSE '{last}'"])


def _options(options: dict[str, str]) -> str:
    """Options of a table's WITH clause, a line each; the clause's other options stand around them."""
    return "\n  ".join(f"'{key}' = '{_quoted(value)}'," for key, value in options.items())


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def _seconds(milliseconds: Duration) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def _days(milliseconds: Duration) -> str:
    """As an interval DAY TO SECOND: what is longer than 99 seconds is no interval of seconds to Flink."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 1440} {minutes // 60 % 24:02}:{minutes % 60:02}:{_seconds(rest)}"
