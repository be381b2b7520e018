"""Jobs that follow topics by the project's operators, in a JVM of their own (java/Follow.java)."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from account_alerts import installation
from account_alerts.config import Config
from install import java_build

SOURCE = Path(__file__).parent / "java/Follow.java"
TIMEOUT = 120.0
"""Seconds after which a condition is taken for one that never holds."""
Place = tuple[int, int]
"""Partition and offset of a record."""


@dataclass
class Following:
    """A job that follows a topic; times are milliseconds since 1970."""

    name: str
    passed: list[Place] = field(default_factory=list)
    known: int = -(2**63)
    """The newest watermark: up to then, the topic is complete."""
    marks: list[tuple[int, float]] = field(default_factory=list)
    """Each watermark, and by how much it was behind the clock, in milliseconds."""
    too_late: list[Place] = field(default_factory=list)
    """Records that came after a watermark of their time or a later one."""
    savepoint: str = ""
    failures: list[str] = field(default_factory=list)

    def take(self, kind: str, words: list[str]) -> None:
        """Take in one line that the job wrote."""
        if kind == "R":
            partition, offset, timestamp = map(int, words)
            self.passed.append((partition, offset))
            if timestamp <= self.known:
                self.too_late.append((partition, offset))
        elif kind == "W":
            assert int(words[0]) > self.known, "watermarks rise"
            self.marks.append((int(words[0]), time.time() * 1000 - int(words[0])))
            self.known = int(words[0])
        elif kind == "S":
            self.savepoint = words[0]
        else:
            self.failures.append(" ".join(words))


class Follower:
    """The JVM; it runs any number of jobs."""

    def __init__(self, folder: Path, config: Config) -> None:
        """Compile the program and start it."""
        java_build.compile_java([SOURCE], folder, installation.PROJECT_JAR)
        classpath = [folder, installation.PROJECT_JAR, *java_build.flink_classpath()]
        self._bootstrap = config.kafka.bootstrap_servers
        self._folder = folder
        self.log: list[str] = []
        self._process = subprocess.Popen(
            [
                str(installation.java_home() / "bin/java"),
                *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"),
                *(
                    "--add-opens=java.base/java.util=ALL-UNNAMED",
                    "-cp",
                    ":".join(map(str, classpath)),
                    "Follow",
                ),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._jobs: dict[str, Following] = {}
        assert self._process.stdout
        threading.Thread(target=self._listen, args=[self._process.stdout], daemon=True).start()

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            name, _, rest = line.partition(" ")
            if job := self._jobs.get(name):
                kind, *words = rest.split()
                job.take(kind, words)
            else:
                self.log.append(line)

    def _command(self, *words: object) -> None:
        assert self._process.stdin
        print(*words, file=self._process.stdin, flush=True)

    def start(
        self,
        topic: str,
        parallelism: int = 2,
        *,
        max_wait: int = 600_000,
        max_lag: int = 600_000,
        microseconds: int = 0,
        savepoint: str = "",
    ) -> Following:
        """Start a job that reads a topic and works on each record for so many microseconds."""
        job = Following(f"job{len(self._jobs)}")
        self._jobs[job.name] = job
        times = max_wait, max_lag, microseconds
        self._command("start", job.name, self._bootstrap, topic, parallelism, *times, savepoint)
        return job

    def stop(self, job: Following) -> str:
        """Stop a job with a savepoint, and return its address."""
        self._command("stop", job.name, self._folder.as_uri())
        self.wait(lambda: bool(job.savepoint))
        return job.savepoint

    def cancel(self, job: Following) -> None:
        """Stop a job that runs."""
        self._command("cancel", job.name)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert self._process.poll() is None, self.log[-50:]
            assert time.monotonic() < deadline, [vars(job) for job in self._jobs.values()][-1:]
            time.sleep(0.01)

    def wait_until_known(self, job: Following, until: float) -> None:
        """Wait until a job says that the topic is complete up to a time."""
        self.wait(lambda: job.known >= until or bool(job.failures))
        assert not job.failures, job.failures

    def close(self) -> None:
        """Stop the JVM and all its jobs."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()


def places(found: Iterable[Place], partition: int) -> list[int]:
    """Return the offsets of one partition, in their order."""
    return [offset for number, offset in found if number == partition]
