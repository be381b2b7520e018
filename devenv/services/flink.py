"""Flink's configuration, made from the project's."""

import sys

from account_alerts import installation
from account_alerts.config import Config
from devenv.layout import Layout
from operations.flink.client_config import Options, java_options


def cluster_options(config: Config, layout: Layout) -> Options:
    """Return the options of the local cluster; `flink.options` of the configuration win."""
    local = config.local_environment()
    return {
        "env.java.home": str(installation.java_home()),
        "env.java.opts.all": f"{java_options()} -Djava.io.tmpdir={layout.tmp}",
        # State is spread over the whole heap (docs/operations/performance.md): large pages to find it,
        # large regions to change it.
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
        # On a busy machine the cluster starts slowly; it would give up after 10 s.
        "pekko.startup-timeout": "2 min",
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
        "rest.retry.max-attempts": 480,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "rest.flamegraph.enabled": True,
        **config.flink.options,
    }
