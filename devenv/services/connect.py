"""The local Kafka Connect: one worker with Debezium's connector for PostgreSQL."""

import shlex
import shutil

from account_alerts import installation
from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from devenv.layout import Layout
from devenv.services import java
from devenv.services.kafka import rolling_log
from ingest.capture.connect_client import ConnectClient

_NAMES = ("config", "offset", "status")


def write(config: Config, layout: Layout) -> str:
    """Write the worker's files; return the shell command that runs it."""
    local = config.local_environment()
    plugins = layout.connect / "plugins"
    shutil.rmtree(plugins, ignore_errors=True)
    plugins.mkdir(parents=True)
    # A folder of its own: its libraries are not those of Kafka Connect.
    (plugins / "debezium").symlink_to(installation.JARS / "debezium")
    options = {
        **config.kafka.java(),
        "group.id": "connect",
        "listeners": f"http://localhost:{local.connect_port}",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        **{f"{name}.storage.topic": f"connect-{name}" for name in _NAMES},
        **{f"{name}.storage.replication.factor": "1" for name in _NAMES},
        "offset.storage.partitions": "1",
        "status.storage.partitions": "1",
        "exactly.once.source.support": "enabled",
        "connector.client.config.override.policy": "All",
        "config.providers": "env",
        "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        # No connector reads another variable of the worker's environment.
        "config.providers.env.param.allowlist.pattern": "^ALERTS_BANK__PASSWORD$",
        "plugin.path": str(plugins),
        "plugin.discovery": "service_load",
        # There is one worker: one that was killed is not waited for longer than Kafka asks.
        "scheduled.rebalance.max.delay.ms": "0",
        "session.timeout.ms": "6000",
        "heartbeat.interval.ms": "2000",
    }
    properties, log4j = layout.connect / "connect.properties", layout.connect / "log4j2.properties"
    properties.write_text("".join(f"{key}={value}\n" for key, value in options.items()))
    log4j.write_text(rolling_log(layout.logs / "connect.log", "io.debezium.connector.postgresql"))
    return "exec " + shlex.join(
        [
            *installation.java("connect"),
            f"-Xmx{local.connect_heap}",
            *java.options(config, "-XX:+UseSerialGC"),
            f"-Dlog4j2.configurationFile=file:{log4j}",
            f"-Djava.io.tmpdir={layout.tmp}",
            "-cp",
            f"{installation.JARS}/connect/*",
            "org.apache.kafka.connect.cli.ConnectDistributed",
            str(properties),
        ]
    )


def ready(config: Config) -> bool:
    """Tell whether the worker takes connectors."""
    return ConnectClient(config).is_ready()


def where(config: Config) -> str:
    """Return the address of its REST interface."""
    return config.require("capture").connect_url


def prepare(config: Config) -> None:
    """Register the connector, and wait until it runs.

    Raises:
        OperationError: It does not.
    """
    client = ConnectClient(config)
    client.register()
    if not client.wait_until_running():
        reason = client.status().reason or "see connect.log"
        raise OperationError(f"connect: the connector does not run: {reason}")
