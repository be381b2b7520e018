"""`alerts submit`, `upgrade`, `rollback` and `flink-config`: the jobs on the cluster."""

from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import App, job_runner, load_config, parse_time

JOBS = ("alerting", "device-resolver", "reminders", "adhoc-alerts")

app = App()
Job = Annotated[str, typer.Argument(help=f"{', '.join(JOBS)}.")]


@app.command(epilog="Example: alerts submit alerting")
def submit(
    job: Job,
    stateless: Annotated[
        bool, typer.Option("--stateless", help="Do not restore the newest checkpoint.")
    ] = False,
    savepoint: Annotated[
        str | None,
        typer.Option("--from-savepoint", help="Address of the savepoint or checkpoint to restore."),
    ] = None,
    raise_from: Annotated[
        str | None,
        typer.Option(
            "--raise-from",
            metavar="TIME",
            help="With --stateless, of alerting: raise alerts for bookings written to Kafka from then on, "
            "such as 2026-11-30T20:00; without it for all that Kafka has.",
        ),
    ] = None,
) -> None:
    """Submit a job to the cluster; returns when it runs.

    In the local environment it goes on from its newest retained checkpoint. Elsewhere that is not known:
    begin with --stateless, later name a savepoint.
    """
    from jobs import catalog
    from operations.job_store import UpgradeMode

    if stateless and savepoint:
        raise typer.BadParameter("a job begins without state, or from a savepoint", param_hint="--stateless")
    if raise_from and not (stateless and job == catalog.ALERTING):
        raise typer.BadParameter(f"goes with {catalog.ALERTING} --stateless only", param_hint="--raise-from")
    runner, name, since = job_runner(), catalog.known(job), parse_time(raise_from, "--raise-from")
    if stateless:
        with runner.store.edit(name) as record:
            record.options = [] if since is None else ["--raise-from", str(since)]
        runner.submit([name], UpgradeMode.STATELESS)
    elif savepoint:
        runner.submit([name], UpgradeMode.SAVEPOINT, savepoint)
    else:
        runner.submit([name], UpgradeMode.LAST_STATE)


@app.command(epilog="Example: alerts upgrade alerting --code ../new-version")
def upgrade(
    job: Job,
    code: Annotated[
        Path | None,
        typer.Option("--code", help="A clone of the project with the other version (default: this one)."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", help="An operator whose state may be lost; repeatable.")
    ] = None,
) -> None:
    """Replace a running job by another version, from a savepoint; goes back if that is not healthy."""
    from account_alerts.installation import PROJECT
    from jobs import catalog
    from operations import upgrade as upgrading

    runner = job_runner()
    upgrading.upgrade(runner, catalog.known(job), (code or PROJECT).resolve(), drop or [])


@app.command(epilog="Example: alerts rollback alerting")
def rollback(job: Job) -> None:
    """Replace a running job by the version that ran before its last upgrade."""
    from jobs import catalog
    from operations import upgrade as upgrading

    upgrading.rollback(job_runner(), catalog.known(job))


@app.command(
    "flink-config", epilog="Example: alerts flink-config --config conf/production.yaml > config.yaml"
)
def flink_config(
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Write it there, with the logging's, instead of printing.")
    ] = None,
) -> None:
    """Print Flink's config.yaml for a cluster that runs the jobs elsewhere."""
    import yaml

    from operations.flink import client_config

    options = client_config.cluster_options(load_config())
    if folder is not None:
        client_config.write(folder, options, console=True)
    else:
        typer.echo(yaml.safe_dump(options, width=10_000), nl=False)
