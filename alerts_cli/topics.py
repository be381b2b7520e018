"""TODO."""

import typer

from alerts_cli.options import ConfigOption

topics_app = typer.Typer(help="The topics of the data contract.", no_args_is_help=True)


@topics_app.command("create", epilog="Example: alerts topics create --config conf/production.yaml")
def topics_create(config: ConfigOption = None) -> None:
    """Create the topics that are missing, as the configuration describes them."""
    from account_alerts.config import load
    from account_alerts.kafka import topics

    created = topics.create(load(config))
    typer.echo("\n".join(created) if created else "All topics are there.")
