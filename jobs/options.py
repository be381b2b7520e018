"""Flink's options for the jobs."""

import os
import sys

from pyflink.table import StreamTableEnvironment

from account_alerts.config import Config

SHARED_OPTIONS = {
    "table.exec.uid.generation": "ALWAYS",
    "table.local-time-zone": "UTC",
}
"""Flink's options for every job; its own win."""
_PROCESS_BUNDLE_MS = 5
"""How long rows wait for a bundle to fill, where Python runs in a process of its own."""
_THREAD_BUNDLE_MS = 1000
"""In a thread no row waits, but operators wake so often."""


def configure(
    table_env: StreamTableEnvironment, options: dict[str, str], process_bundle_ms: int = _PROCESS_BUNDLE_MS
) -> None:
    """Set a job's options, and those that all share; and make the function that dead letters are made by.

    Outside of ``flink run`` the job runs in this process, with this interpreter; on a cluster its
    configuration says which one it has.
    """
    if not is_on_cluster():
        options = {"python.executable": sys.executable, "python.client.executable": sys.executable, **options}
    in_thread = options.get("python.execution-mode") == "thread"
    bundle_ms = _THREAD_BUNDLE_MS if in_thread else process_bundle_ms
    shared = {**SHARED_OPTIONS, "python.fn-execution.bundle.time": str(bundle_ms)}
    for key, value in {**shared, **options}.items():
        table_env.get_config().set(key, value)
    table_env.create_java_temporary_function("dead_letter", "alerts.format.DeadLetter")


def analysts_options(config: Config, name: str, parallelism: int) -> dict[str, str]:
    """Return Flink's options for a job of analysts' rules."""
    job = config.analyst_rules
    return {
        "pipeline.name": name,
        "parallelism.default": str(parallelism),
        # Few records go between tasks: each at once, and no thread looks every millisecond for one.
        "execution.buffer-timeout.interval": "0 ms",
        "execution.checkpointing.interval": f"{job.checkpoint_interval} ms",
        "execution.checkpointing.incremental": "true",
        "state.backend.type": job.state_backend,
        "python.execution-mode": job.python_mode,
    }


def is_on_cluster() -> bool:
    """Return whether this process was started by ``flink run``."""
    return "PYFLINK_GATEWAY_PORT" in os.environ
