"""Flink's configuration, made from the project's."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from account_alerts import paths
from account_alerts.config import Config
from account_alerts.local.layout import Layout

Options = dict[str, str | int | float | bool]

_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
logger.kafka.name = org.apache.kafka
logger.kafka.level = WARN
logger.pekko.name = org.apache.pekko
logger.pekko.level = WARN
# A partition of bookings is idle and busy again many times a second: that is no news, and costs more than the
# bookings.
logger.idle.name = org.apache.flink.streaming.api.operators.AbstractStreamOperator
logger.idle.level = WARN
logger.metrics.name = org.apache.flink.metrics.MetricGroup
logger.metrics.level = ERROR
logger.python.name = PythonWorker
logger.python.level = INFO
logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline
logger.netty.level = OFF
appender.file.name = file
appender.file.type = RollingFile
appender.file.append = true
appender.file.fileName = ${sys:log.file}
appender.file.filePattern = ${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 5
"""


_CONSOLE = """\
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
"""


def client_options(config: Config) -> Options:
    """What `flink run` needs to reach the cluster."""
    url = urlsplit(config.flink.rest_url)
    return {
        "rest.address": url.hostname or "localhost",
        "rest.port": url.port or (443 if url.scheme == "https" else 80),
        "security.ssl.rest.enabled": url.scheme == "https",
        "python.client.executable": sys.executable,
        "python.executable": sys.executable,
        "env.java.opts.all": _java_options(),
        **config.flink.options,
    }


def cluster_options(config: Config, layout: Layout) -> Options:
    """The options of the local cluster; `flink.options` of the configuration win."""
    local = config.local_environment()
    return {
        "env.java.home": str(paths.java_home()),
        "env.java.opts.all": f"{_java_options()} -Djava.io.tmpdir={layout.tmp}",
        # State is spread over the whole heap (docs/performance.md): large pages to find it, large regions to
        # change it.
        "env.java.opts.taskmanager": "-XX:+UseTransparentHugePages -XX:G1HeapRegionSize=32m",
        "env.java.opts.jobmanager": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "jobmanager.rpc.address": "localhost",
        "jobmanager.rpc.port": local.flink_rpc_port,
        "jobmanager.bind-host": "localhost",
        "jobmanager.memory.process.size": local.jobmanager_memory,
        "rest.address": "localhost",
        "rest.bind-address": "localhost",
        "rest.port": local.flink_rest_port,
        "rest.bind-port": local.flink_rest_port,
        "taskmanager.host": "localhost",
        "taskmanager.bind-host": "localhost",
        # Always the same name: a restarted TaskManager makes the JobManager give up the dead one at once.
        "taskmanager.resource-id": "taskmanager",
        "taskmanager.memory.process.size": local.taskmanager_memory,
        "taskmanager.numberOfTaskSlots": local.task_slots,
        # Only RocksDB uses managed memory here; Python runs in threads.
        "taskmanager.memory.managed.fraction": 0.4 if config.alerting.state_backend == "rocksdb" else 0.1,
        # Bookings pass through the join's state as through a queue: what RocksDB reads next lies behind all
        # those that were deleted and are still in memory (docs/performance.md).
        "state.backend.rocksdb.writebuffer.size": "2 mb",
        "heartbeat.interval": "1 s",
        "heartbeat.timeout": "10 s",
        "heartbeat.rpc-failure-threshold": 2,
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "500 ms",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "execution.checkpointing.dir": layout.checkpoints.as_uri(),
        "execution.checkpointing.savepoint-dir": layout.savepoints.as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.num-retained": 3,
        "execution.checkpointing.storage": "filesystem",
        "io.tmp.dirs": str(layout.tmp),
        "web.submit.enable": False,
        # A client may be ready before the cluster is.
        "rest.retry.delay": "250 ms",
        "rest.retry.max-attempts": 480,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "rest.flamegraph.enabled": True,
        **config.flink.options,
    }


def write(folder: Path, options: Options, *, console: bool = False) -> None:
    """Write Flink's configuration folder; with `console`, what runs in the foreground logs to it, too."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(options, sort_keys=True, width=10_000))
    for name in ("log4j.properties", "log4j-console.properties", "log4j-cli.properties"):
        on_console = console and name == "log4j-console.properties"
        (folder / name).write_text(_LOG4J + (_CONSOLE if on_console else ""))


def _java_options() -> str:
    """The module openings that Flink's own configuration carries, and cannot run without."""
    default = yaml.safe_load((paths.flink_home() / "conf/config.yaml").read_text())
    openings = str(default["env"]["java"]["opts"]["all"]).split()
    # The runtime has no compiler; naming its modules only makes every Java process complain.
    return " ".join(opening for opening in openings if "jdk.compiler" not in opening)
