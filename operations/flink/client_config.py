"""The configuration of Flink's cluster and client."""

import shlex
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from account_alerts import installation
from account_alerts.config import Config

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
LOG4J_CONSOLE = _LOG4J + _CONSOLE
"""The logging of what runs in the foreground: to its file and to the console."""


JAVA_DEFAULTS = ("-XX:+IgnoreUnrecognizedVMOptions", "-Djava.security.manager=allow")
"""What Flink's own scripts give to all its programs on this Java."""
_OF_CLUSTER = ("high-availability.", "kubernetes.")
"""With these a client looks for the JobManager in Kubernetes, and not at `rest.address`."""


def client_options(config: Config) -> Options:
    """Return the options that Flink's client needs to reach the cluster by its REST interface."""
    options = cluster_options(config)
    return {key: value for key, value in options.items() if not key.startswith(_OF_CLUSTER)}


def cluster_options(config: Config) -> Options:
    """Return the options of a cluster that runs the jobs."""
    url = urlsplit(config.flink.rest_url)
    return {
        "rest.address": url.hostname or "localhost",
        "rest.port": url.port or (443 if url.scheme == "https" else 80),
        "security.ssl.rest.enabled": url.scheme == "https",
        "python.client.executable": sys.executable,
        "python.executable": sys.executable,
        "env.java.opts.all": java_options(),
        **config.flink.options,
    }


def write(folder: Path, options: Options, *, console: bool = False) -> None:
    """Write Flink's configuration folder; with `console`, what runs in the foreground logs to it, too.

    The options may hold secrets: only the owner may read them. A client that reads them finds them whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:  # Its mode is 0600.
        file.write(yaml.safe_dump(options, sort_keys=True, width=10_000))
    Path(file.name).replace(folder / "config.yaml")
    for name in ("log4j.properties", "log4j-console.properties", "log4j-cli.properties"):
        on_console = console and name == "log4j-console.properties"
        (folder / name).write_text(LOG4J_CONSOLE if on_console else _LOG4J)


def java_options() -> str:
    """Return the module openings that Flink's own configuration carries, and cannot run without."""
    default = yaml.safe_load((installation.flink_home() / "conf/config.yaml").read_text())
    openings = str(default["env"]["java"]["opts"]["all"]).split()
    # The runtime has no compiler; naming its modules only makes every Java process complain.
    return " ".join(opening for opening in openings if "jdk.compiler" not in opening)


def read_java_options(folder: Path) -> list[str]:
    """Return the Java options that a configuration folder has for Flink's client."""
    options = yaml.safe_load((folder / "config.yaml").read_text())
    return shlex.split(
        " ".join(str(options.get(f"env.java.opts.{which}", "")) for which in ("all", "client"))
    )
