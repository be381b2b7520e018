"""`alerts submit`, `upgrade`, `rollback` and `flink-config`: the jobs on the cluster."""

from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import App, job_runner, load_config

JOBS = ("alert-rules", "alerting")
"""The jobs that `all` means."""
OTHERS = ("device-resolver", "reminders", "adhoc-alerts")
_NAMED = ", ".join((*JOBS, *OTHERS))

app = App()
Job = Annotated[str, typer.Argument(help=f"{_NAMED}.")]


@app.command(epilog="Example: alerts submit all")
def submit(
    job: Annotated[str, typer.Argument(help=f"{_NAMED}, or all ({', '.join(JOBS)}).")],
    stateless: Annotated[
        bool, typer.Option("--stateless", help="Do not restore the newest checkpoint.")
    ] = False,
    savepoint: Annotated[
        str | None,
        typer.Option("--from-savepoint", help="Address of the savepoint or checkpoint to restore."),
    ] = None,
) -> None:
    """Submit jobs to the cluster; returns when they run.

    In the local environment each goes on from its newest retained checkpoint. Elsewhere that is not known:
    begin with --stateless, later name a savepoint.
    """
    from jobs import catalog
    from operations.job_store import UpgradeMode

    if stateless and savepoint:
        raise typer.BadParameter("a job begins without state, or from a savepoint", param_hint="--stateless")
    if savepoint:
        job_runner().submit([catalog.one(job)], UpgradeMode.SAVEPOINT, savepoint)
    else:
        mode = UpgradeMode.STATELESS if stateless else UpgradeMode.LAST_STATE
        job_runner().submit(catalog.names(job), mode)


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
    upgrading.upgrade(runner, catalog.one(job), (code or PROJECT).resolve(), drop or [])


@app.command(epilog="Example: alerts rollback alerting")
def rollback(job: Job) -> None:
    """Replace a running job by the version that ran before its last upgrade."""
    from jobs import catalog
    from operations import upgrade as upgrading

    upgrading.rollback(job_runner(), catalog.one(job))


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
