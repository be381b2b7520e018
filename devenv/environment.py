"""`alerts up` and `alerts down`."""

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from account_alerts import installation
from account_alerts.config import Config
from account_alerts.kafka import topics
from account_alerts.model.errors import OperationError
from devenv import ports, readiness, supervise
from devenv.job_control.runner import LocalJobRunner
from devenv.layout import Layout, layout
from devenv.services import catalog as services
from devenv.services import flink as flink_conf
from devenv.services import kafka
from jobs import catalog
from operations.analyst_rules.lifecycle import bring_up
from operations.flink import client_config, health
from operations.flink.rest import FlinkRest
from operations.interruption import interruptible
from operations.job_store import JobStore, UpgradeMode
from operations.waiting import print_progress, wait_for

_SECONDS = 600.0


def up(
    config: Config,
    *,
    fresh: bool = False,
    jobs: bool = True,
    full: bool = False,
    on_topics: Callable[[], None] | None = None,
    on_services: Callable[[], None] | None = None,
) -> None:
    """Start the environment, or what is missing of it, and return when it is ready.

    Args:
        config: The environment.
        fresh: Stop it and forget all its state first.
        jobs: Submit the jobs as well, each from its newest checkpoint; ready means that they run,
            have made a checkpoint, and the rules have caught up.
        full: Start ingestion and delivery as well: the bank's database and queue, the senders, the gateways.
        on_topics: Called when Kafka has all topics, while the jobs are still being planned.
        on_services: Called when ingestion and delivery are ready, while the jobs may start; only with `full`.

    Raises:
        OperationError: It cannot start, or is not ready in time. What this call started is stopped again.
    """
    state = layout(config)
    with state.locked(), interruptible():
        if fresh:
            supervise.stop(state)
            state.wipe()
        running = supervise.supervisor(state) is not None
        try:
            if not running:
                _start(config, state, full=full)
            with _submitting_first(config, state, jobs=jobs and not running, full=full):
                _make_topics(config, state)
                if on_topics:
                    on_topics()
                if full:
                    services.wait_until_ready(config, state, services.FIRST)
                state.foundation.touch()
                if full:
                    services.wait_until_ready(config, state, services.LATER)
                    if on_services:
                        on_services()
                rest = FlinkRest(config.flink.rest_url)
                wait_for("Flink", lambda: rest.slots() > 0, _SECONDS, f"See flink-*.log in {state.logs}.")
                print_progress(f"Flink: {config.flink.rest_url}")
            if jobs:
                _bring_up_jobs(config, catalog.FULL if full else catalog.JOBS)
        except BaseException:
            if not running:
                print_progress(f"stopping again; logs are in {state.logs}")
                supervise.stop(state)
            raise


def down(config: Config) -> int:
    """Stop all processes of the environment; returns how many there were. Its state stays."""
    state = layout(config)
    with state.locked():
        count = supervise.stop(state)
        JobStore(state.run_folder).suspend_all()
    return count


def _start(config: Config, state: Layout, *, full: bool) -> None:
    """Write the configuration of all programs and start the supervisor."""
    if not installation.PROJECT_JAR.parent.exists():
        raise OperationError(f"{installation.SHARE}: is missing. Run: make install")
    # Left over where the supervisor itself was killed: nobody would restart them.
    supervise.stop(state)
    ports.check_free(config, full=full)
    state.make()
    config.write(state.config)
    JobStore(state.run_folder).suspend_all()
    options = flink_conf.cluster_options(config, state)
    client_config.write(state.flink_conf, options)
    reconciler = shlex.join([sys.executable, "-m", "devenv.job_control.reconciler", str(state.config)])
    first = {"kafka": kafka.write(config, state), **flink_conf.commands(options, state)}
    later = {"reconciler": f"exec {reconciler}"}
    if full:
        first |= services.commands(config, state, services.FIRST)
        later |= services.commands(config, state, services.LATER)
    # Those that others wait for have the processors to themselves until they are there.
    state.foundation.unlink(missing_ok=True)
    waiting = f"until [ -e {shlex.quote(str(state.foundation))} ]; do sleep 0.2; done; "
    supervise.write(
        state,
        {**first, **{name: waiting + command for name, command in later.items()}},
        services.STOP_SIGNALS,
    )
    print_progress(f"starting Kafka and Flink (state and logs: {state.state})")
    supervise.start(state)


@contextmanager
def _submitting_first(config: Config, state: Layout, *, jobs: bool, full: bool) -> Iterator[None]:
    """Plan jobs meanwhile, where there is nothing to go on from: it takes as long as starting the cluster."""
    with ThreadPoolExecutor(1) as pool:
        runner = LocalJobRunner(config)
        new = jobs and not runner.had_jobs()
        first = pool.submit(runner.submit_first, full=full) if new else None
        try:
            yield
            if first:
                first.result()
        except BaseException:
            if first:
                supervise.stop(state)  # Also the client, which would wait for the cluster.
            raise


def _make_topics(config: Config, state: Layout) -> None:
    wait_for(
        "Kafka", lambda: topics.reachable(config), _SECONDS, f"See {state.logs}/kafka.out and kafka.log."
    )
    print_progress(f"Kafka: {config.kafka.bootstrap_servers}")
    created = topics.create(config)
    print_progress(f"topics: {len(created)} created" if created else "topics: all there")


def _bring_up_jobs(config: Config, names: Iterable[str]) -> None:
    runner = LocalJobRunner(config)
    live = {job.name: job.id for job in runner.flink.jobs() if job.live}
    missing = [name for name in names if name not in live]
    if missing:
        runner.submit(missing, UpgradeMode.LAST_STATE)
    runner.wait_for_all({name: job_id for name, job_id in live.items() if name in catalog.FULL})
    health.wait_for_checkpoints(runner.flink, list(names))
    readiness.wait_for_rules(config)
    bring_up(runner)
