"""The operators of the temporal join in memory, with watermarks by command (JoinHarness.java)."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from account_alerts import installation
from account_alerts.model.limits import CHANNELS_PER_SETTING
from install import jars, java_build
from jobs.operators import contract_lists

SOURCE = Path(__file__).parent / "src/alerts/temporal/JoinHarness.java"
HOUR = 3_600_000
Step = dict[str, Any]


class Joining:
    """The JVM; it takes any number of runs, one after the other."""

    def __init__(self, folder: Path) -> None:
        """Compile the program and start it."""
        listed = (jar for jar in jars.read_lock(jars.LOCK.read_text()) if jar.section == "tests")
        jars.fetch(listed, installation.JARS)
        harness = (installation.JARS / "tests").glob("*.jar")
        further = [installation.PROJECT_JAR, *harness]
        java_build.compile_java([SOURCE], folder, *further)
        classpath = [folder, *further, *java_build.flink_classpath()]
        self._log = (folder / "log").open("w+")
        self._process = subprocess.Popen(
            [
                str(installation.java_home() / "bin/java"),
                *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"),
                *("--add-opens=java.base/java.util=ALL-UNNAMED", "-cp", ":".join(map(str, classpath))),
                "alerts.temporal.JoinHarness",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def run(
        self,
        steps: Iterable[Step],
        *,
        retention: int,
        reach: int,
        backend: str = "hashmap",
        parallelism: int = 1,
        real_counts: bool = False,
    ) -> list[Step]:
        """Do the steps on new operators, and return what came of each.

        With real counts the settings that count are raised, else what was to be counted is told.
        """
        run = {
            "steps": list(steps),
            "retention": retention,
            "reach": reach,
            "real_counts": real_counts,
            "backend": backend,
            "parallelism": parallelism,
            "lists": contract_lists(),
            "most_channels": CHANNELS_PER_SETTING,
        }
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(run), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self._failure()
        found: list[Step] = json.loads(line)
        return found

    def _failure(self) -> str:
        self._process.wait()
        self._log.seek(0)
        return self._log.read()[-5000:]

    def close(self) -> None:
        """Stop the JVM."""
        self._process.kill()
        self._process.communicate()
        self._log.close()


def authorization(at: int, account_id: str, *customer_ids: str) -> Step:
    """From then on these customers, and no others, may see the account."""
    return {
        "do": "authorization",
        "at": at,
        "account_id": account_id,
        "customer_ids": list(customer_ids) or None,
    }


def settings(at: int, customer_id: str, record: dict[str, Any] | None, reason: str | None = None) -> Step:
    """A record of settings, None for a tombstone, with the reason if it is unusable."""
    return {"do": "settings", "at": at, "customer_id": customer_id, "record": record, "reason": reason}


def booking(
    at: int, entry_id: str, account_id: str, currency: str = "EUR", *, countable: bool = True
) -> Step:
    """A booking with its rules_time."""
    return {
        "do": "booking",
        "at": at,
        "entry_id": entry_id,
        "account_id": account_id,
        "currency": currency,
        "countable": countable,
    }


def watermark(at: int) -> Step:
    """All changes up to then have been read."""
    return {"do": "watermark", "at": at}


def restore(parallelism: int) -> Step:
    """Take a snapshot, and go on from it in so many subtasks."""
    return {"do": "restore", "parallelism": parallelism}


ENTRIES: Step = {"do": "entries"}
"""How many entries the states have, and how many timers there are."""
