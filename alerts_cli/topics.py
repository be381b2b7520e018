"""`alerts topics`: the topics of the data contract, and the rights on them."""

from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import App, load_config

app = App(help="The topics of the data contract.")


@app.command(epilog="Example: alerts topics create --config conf/production.yaml")
def create() -> None:
    """Create the topics that are missing, as the configuration describes them."""
    from account_alerts.kafka import topics

    created = topics.create(load_config())
    typer.echo("\n".join(created) if created else "All topics are there.")


@app.command(epilog="Example: alerts topics acls --config conf/production.yaml > acls.sh")
def acls(
    principal: Annotated[
        str,
        typer.Option(help="The components' Kafka user; {component} stands for the component's name."),
    ] = "User:account-alerts-{component}",
    command_config: Annotated[
        Path | None, typer.Option(help="The file kafka-acls takes its own connection's properties from.")
    ] = None,
) -> None:
    """Print the rights that each component needs in Kafka, as `kafka-acls` command lines."""
    from account_alerts.kafka import acls as table

    for line in table.commands(load_config(), principal, command_config):
        typer.echo(line)
