"""Flink's configuration, made from the project's, and its two programs.

Flink's own scripts start four Java programs before these two, to work out the sizes of memory and Java's
options.
"""

import re
import shlex
import struct
import sys
from typing import NamedTuple

from account_alerts import installation
from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from devenv.layout import Layout
from devenv.services import java
from operations.flink.client_config import JAVA_DEFAULTS, Options, java_options

_MIB = 1 << 20
_UNITS = {"b": 1, "k": 1 << 10, "m": _MIB, "g": 1 << 30, "t": 1 << 40}


def cluster_options(config: Config, layout: Layout) -> Options:
    """Return the options of the local cluster; `flink.options` of the configuration win."""
    local = config.local_environment()
    return {
        "env.java.home": str(installation.java_home()),
        "env.java.opts.all": f"{java_options()} -Djava.io.tmpdir={layout.tmp}",
        # State is spread over the whole heap (docs/operations/performance.md): large pages to find it,
        # large regions to change it.
        "env.java.opts.taskmanager": " ".join(
            java.options(config, "-XX:+UseTransparentHugePages", "-XX:G1HeapRegionSize=32m")
        ),
        "env.java.opts.jobmanager": " ".join(java.QUICK),
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
        # On a busy machine the cluster starts slowly; it would give up after 10 s.
        "pekko.startup-timeout": "2 min",
        # A machine that starts everything at once may be slow to answer.
        "pekko.ask.timeout": "60 s",
        "heartbeat.interval": "1 s",
        # Only as often as somebody asks: `alerts up` waits for a watermark by this.
        "metrics.fetcher.update-interval": "500 ms",
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
        "rest.retry.max-attempts": 2400,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "rest.flamegraph.enabled": True,
        **config.flink.options,
    }


def commands(options: Options, layout: Layout) -> dict[str, str]:
    """Return the shell commands of JobManager and TaskManager, for the options of `cluster_options`."""
    return {
        name: f"exec {shlex.join(_command(name, main, log, options, layout))}"
        for name, main, log in (
            (
                "jobmanager",
                "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
                "standalonesession",
            ),
            ("taskmanager", "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "taskexecutor"),
        )
    }


def _command(program: str, main: str, log: str, options: Options, layout: Layout) -> list[str]:
    sizes = (taskmanager_sizes if program == "taskmanager" else jobmanager_sizes)(options)
    given = [str(options.get(f"env.java.opts.{which}", "")) for which in ("all", program)]
    log4j = f"file:{layout.flink_conf}/log4j-console.properties"
    own = {"log.file": layout.logs / f"flink-alerts-{log}-0-local.log", "log4j.configurationFile": log4j}
    return [
        *(*installation.java(program), *sizes.java, *JAVA_DEFAULTS),
        *shlex.split(" ".join(given)),
        *(f"-D{key}={value}" for key, value in own.items()),
        *("-classpath", installation.flink_classpath(), main, "--configDir", str(layout.flink_conf)),
        *(part for key, value in sizes.flink.items() for part in ("-D", f"{key}={value}")),
    ]


class Sizes(NamedTuple):
    """How much memory a program takes of what."""

    java: list[str]
    """Java's options."""
    flink: dict[str, str]
    """Flink's options, which it is told rather than works out."""


def jobmanager_sizes(options: Options) -> Sizes:
    """Divide the JobManager's memory as Flink's scripts do."""
    size = _Reader(options, "jobmanager.memory.")
    process = size("process.size")
    metaspace, off_heap = size("jvm-metaspace.size", 256 * _MIB), size("off-heap.size", 128 * _MIB)
    overhead = size.share("jvm-overhead", process, 192 * _MIB, 1024 * _MIB)
    heap = process - metaspace - overhead - off_heap
    return Sizes(
        [f"-Xmx{heap}", f"-Xms{heap}", f"-XX:MaxMetaspaceSize={metaspace}"],
        size.options(
            {
                "heap.size": heap,
                "off-heap.size": off_heap,
                "jvm-metaspace.size": metaspace,
                "jvm-overhead.min": overhead,
                "jvm-overhead.max": overhead,
            }
        ),
    )


def taskmanager_sizes(options: Options) -> Sizes:
    """Divide the TaskManager's memory as Flink's scripts do."""
    size = _Reader(options, "taskmanager.memory.")
    process, metaspace = size("process.size"), size("jvm-metaspace.size", 256 * _MIB)
    overhead = size.share("jvm-overhead", process, 192 * _MIB, 1024 * _MIB)
    flink = process - metaspace - overhead
    framework, direct = size("framework.heap.size", 128 * _MIB), size("framework.off-heap.size", 128 * _MIB)
    task_direct = size("task.off-heap.size", 0)
    managed = size("managed.size", size.part("managed.fraction", flink, 0.4))
    network = size.share("network", flink, 64 * _MIB, flink)
    task = flink - framework - direct - task_direct - managed - network
    heap = framework + task
    return Sizes(
        [
            *(f"-Xmx{heap}", f"-Xms{heap}", f"-XX:MaxDirectMemorySize={direct + task_direct + network}"),
            f"-XX:MaxMetaspaceSize={metaspace}",
        ],
        {
            "taskmanager.cpu.cores": f"{float(options['taskmanager.numberOfTaskSlots'])}",
            **size.options(
                {
                    "framework.heap.size": framework,
                    "framework.off-heap.size": direct,
                    "task.heap.size": task,
                    "task.off-heap.size": task_direct,
                    "managed.size": managed,
                    "network.min": network,
                    "network.max": network,
                    "jvm-metaspace.size": metaspace,
                    "jvm-overhead.min": overhead,
                    "jvm-overhead.max": overhead,
                }
            ),
        },
    )


class _Reader:
    """Reads sizes in bytes among Flink's options."""

    def __init__(self, options: Options, prefix: str) -> None:
        self._options, self._prefix = options, prefix

    def __call__(self, key: str, default: int | None = None) -> int:
        text = str(self._options.get(self._prefix + key, "")).lower().replace(" ", "")
        if not text and default is not None:
            return default
        found = re.fullmatch(r"(\d+)([bkmgt]?).*", text)
        if found is None:
            raise OperationError(f"flink.options: {self._prefix}{key}: {text or 'missing'}; give a size: 1g")
        return int(found[1]) * _UNITS[found[2] or "b"]

    def part(self, key: str, whole: int, default: float) -> int:
        """Return a fraction of the whole, which Flink has in single precision."""
        given = float(self._options.get(self._prefix + key, default))
        [fraction] = struct.unpack("f", struct.pack("f", given))
        return int(whole * fraction)

    def share(self, key: str, whole: int, least: int, most: int) -> int:
        """Return a fraction of the whole, a tenth without an option, between two limits."""
        part = self.part(f"{key}.fraction", whole, 0.1)
        return max(self(f"{key}.min", least), min(self(f"{key}.max", most), part))

    def options(self, sizes: dict[str, int]) -> dict[str, str]:
        return {self._prefix + key: f"{size}b" for key, size in sizes.items()}
