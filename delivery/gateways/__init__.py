"""The gateways: SMTP, SMPP, SMS by HTTP, and push (Web Push, FCM, APNs)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from account_alerts.config import Config
    from delivery.gateways.base import Gateway


def build(config: "Config", channel: str) -> "tuple[Gateway, Callable[[str, str], str] | None]":
    """The gateway of a channel (`EMAIL`, `SMS`, `PUSH`), and what makes the links by which a customer ends
    mails: of a customer's id and a setting's (empty: all); None where there are none.

    Raises:
        ConfigError: The channel is not described, or a secret is missing or wrong; the message names the key.
    """
    from delivery.gateways import factory  # Here because it loads the libraries of all gateways.

    links = factory.unsubscribe(config) if channel == "EMAIL" else None
    return factory.gateway(config, channel), None if links is None else links.link
