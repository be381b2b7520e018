"""The tables and rules of sql/, filled in from the configuration; used by every job."""

import os
import sys
from string import Template

from iso4217 import Currency
from pyflink.table import EnvironmentSettings, TableEnvironment

from account_alerts.config import PROJECT, Config
from account_alerts.config_model import Duration

SQL = PROJECT / "sql"


def statement(path: str, config: Config) -> str:
    """The SQL of a file under sql/, its ``${names}`` replaced by what the configuration says.

    Raises:
        KeyError: The file uses a name that is not known.
    """
    return Template((SQL / path).read_text()).substitute(values(config))


def values(config: Config) -> dict[str, str]:
    """What the SQL files may name: topics by their key, options of Kafka and of the encoding, times, currencies."""
    kafka = config.kafka
    client = {f"properties.{key}": value for key, value in kafka.java().items()}
    # Alerts wait for no batch; `acks=all` and idempotence are the client's own defaults, said here to be seen.
    producer = {
        "properties.linger.ms": "0",
        "properties.acks": "all",
        "properties.compression.type": "lz4",
        "sink.delivery-guarantee": "at-least-once",
    }
    if kafka.encoding == "avro-confluent":
        url = str(kafka.schema_registry_url)
        decoding = {"value.alerts-avro.encoding": "avro-confluent", "value.alerts-avro.url": url}
        encoding = {"value.avro-confluent.url": url}
    else:
        decoding = {"value.alerts-avro.encoding": "avro"}
        encoding = {"value.avro.timestamp_mapping.legacy": "false"}
    return {
        **{key: topic.name for key, topic in config.topics.all().items()},
        "kafka_client": _options(client),
        "kafka_producer": _options(producer),
        "decoding": _options(decoding),
        "encoding": _options({"value.format": kafka.encoding, **encoding}),
        "effect_delay": _seconds(config.rules.effect_delay),
        "idle_timeout": f"{config.alerting.idle_timeout} ms",
        "iso_4217": ", ".join(f"'{currency.code}'" for currency in Currency),
    }


def environment(config: Config, options: dict[str, str]) -> TableEnvironment:
    """A streaming table environment with a job's options.

    Outside of ``flink run`` the job runs in this process, with this interpreter; the cluster's own configuration
    says which one it has.
    """
    table_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    if "PYFLINK_GATEWAY_PORT" not in os.environ:
        options = {"python.executable": sys.executable, "python.client.executable": sys.executable, **options}
    for key, value in options.items():
        table_env.get_config().set(key, value)
    return table_env


def _options(options: dict[str, str]) -> str:
    """Options of a table's WITH clause, a line each; the clause's other options stand around them."""
    return "\n  ".join(f"'{key}' = '{_quoted(value)}'," for key, value in options.items())


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def _seconds(milliseconds: Duration) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"

