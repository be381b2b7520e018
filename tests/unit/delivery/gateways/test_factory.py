"""Gateways as the configuration describes them."""

from collections.abc import Callable

import pytest

from account_alerts.config import PROJECT, Config, ConfigError, load
from account_alerts.model.alerts import Channel
from delivery.gateways.factory import make_gateway, make_unsubscribe_links


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (make_unsubscribe_links, "senders.email.unsubscribe_secret"),
        (lambda config: make_gateway(config, Channel.PUSH), "senders.push.web.vapid_private_key"),
    ],
)
def test_a_missing_secret_is_named(make: Callable[[Config], object], key: str) -> None:
    config = load(PROJECT / "conf/local.yaml")
    with pytest.raises(ConfigError, match=key) as error:
        make(config)
    assert f"ALERTS_{key.upper().replace('.', '__')}" in str(error.value)


def test_a_wrong_secret_is_named_and_not_shown() -> None:
    config = load(
        PROJECT / "conf/local.yaml", {"senders": {"push": {"web": {"vapid_private_key": "not-a-key"}}}}
    )
    with pytest.raises(ConfigError, match=r"senders\.push\.web\.vapid_private_key") as error:
        make_gateway(config, Channel.PUSH)
    assert "not-a-key" not in str(error.value)
