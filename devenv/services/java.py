"""Java's options for programs of the local environment."""

from account_alerts.config import Config

QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""What starts a program soonest: in its first minutes what the second compiler makes does not pay for its
making, and takes the processors from the others."""


def options(config: Config, *otherwise: str) -> tuple[str, ...]:
    """Return the quick options where `local.quick_java` says so."""
    return QUICK if config.local_environment().quick_java else otherwise
