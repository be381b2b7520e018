"""TODO."""

from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import ConfigOption

_NAMED = "alert-rules, alerting, adhoc-alerts, device-resolver, reminders"

app = typer.Typer()


@app.command(epilog="Example: alerts submit all")
def submit(
    job: Annotated[
        str,
        typer.Argument(help=f"{_NAMED}, or all (the first two)."),
    ],
    config: ConfigOption = None,
    from_nothing: Annotated[
        bool, typer.Option("--from-nothing", help="Do not go on from the newest checkpoint.")
    ] = False,
) -> None:
    """Submit jobs to the cluster; returns when they run.

    In the local environment each goes on from its newest retained checkpoint. Elsewhere that is not known:
    begin with --from-nothing, later name a savepoint to Flink's own client (docs/operations.md).
    """
    from account_alerts.config import load
    from jobs import catalog
    from operations import job_runner

    job_runner.submit(load(config), catalog.names(job), resume=not from_nothing)


@app.command(epilog="Example: alerts upgrade alerting --code ../new-version")
def upgrade(
    job: Annotated[str, typer.Argument(help=f"{_NAMED}.")],
    config: ConfigOption = None,
    code: Annotated[
        Path | None,
        typer.Option("--code", help="A clone of the project with the other version (default: this one)."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", help="An operator whose state may be lost; repeatable.")
    ] = None,
) -> None:
    """Replace a running job by another version, from a savepoint; goes back if that is not healthy."""
    from account_alerts.config import PROJECT, load
    from devenv.job_control import upgrade as upgrading
    from jobs import catalog

    upgrading.upgrade(load(config), catalog.one(job), (code or PROJECT).resolve(), drop or [])


@app.command(epilog="Example: alerts rollback alerting")
def rollback(
    job: Annotated[str, typer.Argument(help=f"{_NAMED}.")],
    config: ConfigOption = None,
) -> None:
    """Replace a running job by the version that ran before its last upgrade."""
    from account_alerts.config import load
    from devenv.job_control import upgrade as upgrading
    from jobs import catalog

    upgrading.rollback(load(config), catalog.one(job))


@app.command(
    "flink-config", epilog="Example: alerts flink-config --config conf/production.yaml > config.yaml"
)
def flink_config(
    config: ConfigOption = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Write it there, with the logging's, instead of printing.")
    ] = None,
) -> None:
    """Print Flink's config.yaml for a cluster that runs the jobs elsewhere."""
    import yaml

    from account_alerts.config import load
    from operations.flink import client_config

    options = client_config.client_options(load(config))
    if folder is not None:
        client_config.write(folder, options, console=True)
    else:
        typer.echo(yaml.safe_dump(options, width=10_000), nl=False)
