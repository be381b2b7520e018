"""The alerts of a booking, or of a setting: pure functions."""

from collections.abc import Iterator, Sequence

from account_alerts.model.ids import stable_id

AddressedAlert = tuple[str | None, str, str | None]
"""(alert_id, channel, address), as SQL names them; without an address none is sent, but it is counted."""


def alert_id(about: Sequence[bytes], channel: str, address: str) -> str:
    """Derive the id of an alert: of the same event, channel and address always the same.

    Args:
        about: The booking and the customer; where each setting has alerts of its own, the setting too. UTF-8.
        channel: Where it goes.
        address: Likewise.
    """
    return stable_id(*about, channel.encode(), address.encode())


def make_alerts(
    entry_id: bytes,
    customer_id: bytes,
    channels: Sequence[str],
    address_channels: Sequence[str],
    addresses: Sequence[str],
) -> Iterator[AddressedAlert]:
    """Make the alerts of a booking: one per channel that a raised setting wants, and address on it.

    The same booking, customer, channel and address always give the same id: senders recognise repeats by it.
    """
    return _address_alerts((entry_id, customer_id), channels, address_channels, addresses)


def make_setting_alerts(
    entry_id: bytes,
    customer_id: bytes,
    setting_id: bytes,
    channels: Sequence[str],
    address_channels: Sequence[str],
    addresses: Sequence[str],
) -> Iterator[AddressedAlert]:
    """Make the alerts of a setting that has alerts of its own, as `make_alerts`: their ids have its id."""
    return _address_alerts((entry_id, customer_id, setting_id), channels, address_channels, addresses)


def _address_alerts(
    about: Sequence[bytes],
    channels: Sequence[str],
    address_channels: Sequence[str],
    addresses: Sequence[str],
) -> Iterator[AddressedAlert]:
    """Make one alert per channel and address.

    Ids are UTF-8: in thread mode a string loses a byte order mark at its beginning, and two ids would be one.
    ``address_channels`` names the channel of each of ``addresses``. A channel or an address named twice
    counts once. A channel on which the customer has no address gives (None, channel, None).
    """
    reachable = dict.fromkeys(zip(address_channels, addresses, strict=True))
    for channel in dict.fromkeys(channels):
        on_channel = [address for of, address in reachable if of == channel]
        for address in on_channel:
            yield alert_id(about, channel, address), channel, address
        if not on_channel:
            yield None, channel, None
