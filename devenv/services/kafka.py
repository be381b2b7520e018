"""The configuration of the local broker."""

import shlex
from pathlib import Path

from account_alerts import installation
from account_alerts.config import Config
from devenv.layout import Layout
from devenv.services import java

# One node with one id: a broker that is its own controller (KRaft), without replicas.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://localhost:{local.kafka_port},CONTROLLER://localhost:{local.kafka_controller_port}
advertised.listeners=PLAINTEXT://localhost:{local.kafka_port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.bootstrap.servers=localhost:{local.kafka_controller_port}
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
min.insync.replicas=1
"""

_LOG4J = """\
status = warn
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
logger.news.name = {news}
logger.news.level = info
appender.file.name = file
appender.file.type = RollingFile
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %-5p %c - %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
"""

_CLUSTER_ID = "YWNjb3VudC1hbGVydHMtMQ"  # 16 bytes, base64 without padding; never leaves this machine.


def rolling_log(log: Path, news: str) -> str:
    """Properties of log4j 2: warnings of all, news of the classes below `news`; files that roll over."""
    return _LOG4J.format(log=log, news=news)


def write(config: Config, layout: Layout) -> str:
    """Write the broker's files; return the shell command that formats its storage once and runs it."""
    local = config.local_environment()
    data = layout.kafka / "data"
    properties, log4j = layout.kafka / "server.properties", layout.kafka / "log4j2.properties"
    properties.write_text(_PROPERTIES.format(local=local, data=data))
    log4j.write_text(rolling_log(layout.logs / "kafka.log", "kafka.server"))
    given = [
        f"-Dlog4j2.configurationFile=file:{log4j}",
        f"-Djava.io.tmpdir={layout.tmp}",
        "-cp",
        f"{installation.JARS}/kafka/*",
    ]
    storage = [
        *installation.java("kafka-storage"),
        *(*java.QUICK, *given, "kafka.tools.StorageTool", "format", "--standalone"),
        *("--ignore-formatted", "--cluster-id", _CLUSTER_ID, "--config", str(properties)),
    ]
    heap = [f"-Xms{local.kafka_heap}", f"-Xmx{local.kafka_heap}"]
    heap += java.options(config, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20")
    broker = [*installation.java("kafka"), *heap, *given, "kafka.Kafka", str(properties)]
    formatted = shlex.quote(str(data / "meta.properties"))
    return f"[ -f {formatted} ] || {shlex.join(storage)} || exit 1; exec {shlex.join(broker)}"
