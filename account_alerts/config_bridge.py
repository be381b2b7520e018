"""The configuration of the account entry bridge."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, model_validator

from account_alerts.config_model import PREFIX, Duration, Port, Positive, Section, Text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise ValueError("no time zone of IANA's database, such as Europe/Amsterdam or UTC") from error
    return name


TimeZone = Annotated[Text, AfterValidator(_time_zone)]
"""A name of IANA's time zone database."""


class Bridge(Section):
    """The account entry bridge: messages of a queue (AMQP 1.0) to bookings."""

    url: Text
    """`amqp://host:port`, or `amqps://host:port` for TLS."""
    address: Text = "bookings"
    """The queue's name at the broker."""
    username: SecretStr | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """PEM file of the authorities that TLS trusts; without it the system's."""
    window: Positive = 1_000
    """Messages that one process has taken and Kafka has not acknowledged yet, at most."""
    max_message: Annotated[int, Field(ge=1_000, le=10_000_000)] = 1_048_576
    """Bytes of a message that is still read; a longer one is a dead letter."""
    heartbeat: Duration = 10_000
    """A broker that is silent for so long is taken for gone."""
    time_zone: TimeZone = "UTC"
    """What times in messages mean that say no offset from UTC."""
    management: Text | None = None
    """The address at which Artemis answers how many messages wait; None for other brokers."""
    metrics_port: Port | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in ("amqp", "amqps") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("url is not like amqps://mq.example.com:5671 (the queue's name is 'address')")
        if parts.username or parts.password:
            raise ValueError(
                f"url holds a user: leave it out; set {PREFIX}BRIDGE__USERNAME and {PREFIX}BRIDGE__PASSWORD"
            )
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        if self.username is not None and parts.scheme != "amqps":
            raise ValueError("a password goes over TLS only: make it an amqps:// url")
        return self
