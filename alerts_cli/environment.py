"""`alerts up`, `alerts down` and `alerts status`: the local environment."""

import time
from typing import Annotated, Any, Literal

import typer

from alerts_cli.options import App, JsonFlag, load_config, print_json

app = App()


@app.command(epilog="Example: alerts up --fresh")
def up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all state first.")] = False,
    no_jobs: Annotated[bool, typer.Option("--no-jobs", help="Broker, topics and cluster only.")] = False,
    profile: Annotated[
        Literal["core", "full"],
        typer.Option(
            help="core: Kafka, Flink and the jobs. full: ingestion and delivery, too (the bank's database "
            "and queue, senders, gateways)."
        ),
    ] = "core",
) -> None:
    """Start the local environment, or go on where it was stopped; returns when it is ready."""
    from devenv import environment

    config = load_config()
    environment.up(config, fresh=fresh, jobs=not no_jobs, full=profile == "full")
    typer.echo(f"Ready. Kafka: {config.kafka.bootstrap_servers}, Flink's page: {config.flink.rest_url}")


@app.command(epilog="Example: alerts down")
def down() -> None:
    """Stop everything that `alerts up` started, and only that; the state stays."""
    from devenv import environment

    count = environment.down(load_config())
    typer.echo(f"Stopped {count} processes." if count else "Nothing was running.")


@app.command(epilog="Example: alerts status --json")
def status(as_json: JsonFlag = False) -> None:
    """Say what runs, where its page is, lag, checkpoints and restarts; exit status 1 unless all runs."""
    from jobs.catalog import JOBS
    from operations import status as operations

    config = load_config()
    if config.local is None:
        processes, names = [], [*JOBS, *operations.rule_jobs(config)]
    else:
        from devenv import status as local

        processes, names = local.processes(config), local.job_names(config)
    found = operations.collect(config, processes, names)
    if as_json:
        print_json(found, indent=2)
    else:
        _print_status(found, time.time_ns() // 1_000_000)
    if not found["healthy"]:
        raise typer.Exit(1)


def _print_status(found: dict[str, Any], now: int) -> None:
    """Print the report for a reader; `now` in milliseconds UTC."""
    from operations.tables import print_table

    kafka, flink = found["kafka"], found["flink"]
    typer.echo(f"{found['environment']}: {'all runs' if found['healthy'] else 'NOT all runs'}")
    if found["processes"]:
        typer.echo()
        columns: tuple[str, ...] = ("PROCESS", "STATE", ">PID", ">UP", ">MEMORY", ">RESTARTS")
        print_table(columns, (_process(process, now) for process in found["processes"]))
    typer.echo(f"\nKafka {kafka['address']}: {'answers' if kafka['reachable'] else 'does not answer'}")
    if kafka["records"]:
        print_table(("TOPIC", ">RECORDS WRITTEN"), sorted(kafka["records"].items()))
    typer.echo(f"\nFlink {flink['page']}: {'answers' if flink['reachable'] else 'does not answer'}")
    if flink["jobs"]:
        columns = ("JOB", "STATE", ">LAG", ">RESTARTS", ">CHECKPOINTS", ">FAILED", ">LATEST")
        print_table(columns, (_job(job, now) for job in flink["jobs"]))
    for job in flink["jobs"]:
        if rules := job.get("rules"):
            lag, fallbacks = (
                "?" if rules[key] is None else f"{rules[key]:,}" for key in ("lag", "fallbacks")
            )
            typer.echo(
                f"Rules of {job['name']}: {lag} ms behind; bookings went on without them {fallbacks} times"
            )


def _process(process: dict[str, Any], now: int) -> tuple[object, ...]:
    if not process["running"]:
        return process["name"], "not running", None, None, None, process["restarts"]
    state = "ready" if process["ready"] else "NOT ready"
    memory, age = f"{process['memory'] >> 20} MiB", _age(now - process["started"])
    return process["name"], state, process["pid"], age, memory, process["restarts"]


def _job(job: dict[str, Any], now: int) -> tuple[object, ...]:
    if not job["id"]:
        return job["name"], job["state"]
    made = job["checkpoints"]
    latest = f"{_age(now - made['latest'])} ago" if made["latest"] else None
    lag, restarts = ("?" if job[key] is None else job[key] for key in ("lag", "restarts"))
    return job["name"], job["state"], lag, restarts, made["completed"], made["failed"], latest


def _age(milliseconds: float) -> str:
    seconds = round(milliseconds / 1000)
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
