"""The peer: a Kafka Streams application (`bench/peers/java`), built and run with the project's own Java."""

import subprocess
from pathlib import Path

from account_alerts import installation
from account_alerts.config import Config
from account_alerts.kafka.clients import admin
from bench import feed
from devenv.layout import layout
from install import jars, java_build
from operations.waiting import print_progress, wait_for

TOPOLOGIES = ("two-joins", "prejoined")
PROGRAM = "peer"
_SOURCES = Path(__file__).parent
_JVM = "-Xms2g -Xmx2g -XX:+UseG1GC -XX:+UseTransparentHugePages"
_LOG4J = """\
status = warn
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.name = out
appender.out.type = Console
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c - %m%n
"""
_SECONDS = 300.0
_STOP_SECONDS = 60.0
_SETTLED_LOOKS = 20


def build(folder: Path) -> str:
    """Fetch Kafka Streams and compile the peer into a folder; return its class path."""
    lock = jars.read_lock(jars.LOCK.read_text())
    jars.fetch((jar for jar in lock if jar.section == "peers"), installation.JARS)
    libraries = [*(installation.JARS / "peers").glob("*.jar"), *(installation.JARS / "kafka").glob("*.jar")]
    java_build.compile_java(sorted((_SOURCES / "java").rglob("*.java")), folder, *libraries)
    return ":".join(map(str, [folder, _SOURCES / "resources", *libraries]))


class Peer:
    """One topology of the peer, as an application with a group of its own."""

    def __init__(self, config: Config, folder: Path, classpath: str, topology: str) -> None:
        """Start nothing; its state and log are in `folder`."""
        self.name = topology
        self._config, self._classpath = config, classpath
        self._folder = folder / topology
        self._folder.mkdir()
        self._log = self._folder / "peer.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it where it stopped; return when it has its partitions and its tables."""
        log4j = self._folder / "log4j2.properties"
        log4j.write_text(_LOG4J)
        java = [str(installation.java_home() / "bin/java"), *_JVM.split()]
        options = {
            "--bootstrap": self._config.kafka.bootstrap_servers,
            "--mode": self.name,
            "--application-id": self._application_id,
            "--threads": str(self._config.alerting.parallelism),
            "--commit-interval": str(self._config.alerting.checkpoint_interval),
            "--state-dir": str(self._folder / "state"),
        }
        self._log.write_text("")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *java,
                    f"-Dlog4j2.configurationFile=file:{log4j}",
                    *("-cp", self._classpath, "peer.Main"),
                    *(part for option in options.items() for part in option),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                # Marked as a program of the environment: so it is measured, and stopped with it.
                env=layout(self._config).environment(PROGRAM),
            )
        wait_for(self.name, self._is_running, _SECONDS, f"See {self._log}.")

    def stop(self) -> None:
        """End it cleanly: what it has read is committed."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            finally:
                self._process.kill()
                self._process.wait()
                self._process = None

    def prepare(self) -> None:
        """Let it make its tables of what is on the topics, and end it."""
        self.start()
        client = admin(self._config)
        topics = client.list_topics(timeout=10).topics
        own = feed.Ender(self._config, [name for name in topics if name.startswith(self._application_id)])
        seen: list[int] = []

        def settled() -> bool:
            seen.append(own.total())
            return len(seen) > _SETTLED_LOOKS and len(set(seen[-_SETTLED_LOOKS:])) == 1

        wait_for(f"the tables of {self.name}", settled, _SECONDS, f"See {self._log}.")
        print_progress(f"{self.name}: tables made of {seen[-1]} records of its own topics")
        self.stop()

    @property
    def _application_id(self) -> str:
        return f"peer-{self.name}"

    def _is_running(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the peer ended: {self._log.read_text(errors='replace')[-2000:]}")
        states = [
            line.split()[0]
            for line in self._log.read_text(errors="replace").splitlines()
            if len(line.split()) == 2 and line.split()[1].isdecimal()
        ]
        return states[-1:] == ["RUNNING"]
