"""The alerts of one raised rule."""

from collections.abc import Iterator, Sequence

from account_alerts.model.ids import stable_id

AddressedAlert = tuple[str | None, str, str | None]
"""(alert_id, channel, address), as SQL names them; without an address none is sent, but it is counted."""


def alert_id(entry_id: bytes, customer_id: bytes, setting_id: bytes, channel: str, address: str) -> str:
    """Derive the id of an alert: the same booking, customer, setting and address always give the same one.

    Senders recognise duplicates by it.
    """
    return stable_id(entry_id, customer_id, setting_id, channel.encode(), address.encode())


def make_alerts(
    entry_id: bytes,
    customer_id: bytes,
    setting_id: bytes,
    channels: Sequence[str],
    address_channels: Sequence[str],
    addresses: Sequence[str],
) -> Iterator[AddressedAlert]:
    """Make one alert per channel of the setting and address the customer has on it.

    Ids are UTF-8: in thread mode a string loses a byte order mark at its beginning, and two ids would be one.
    ``address_channels`` names the channel of each of ``addresses``. A channel or an address named twice
    counts once. A channel on which the customer has no address gives (None, channel, None).
    """
    reachable = dict.fromkeys(zip(address_channels, addresses, strict=True))
    for channel in dict.fromkeys(channels):
        on_channel = [address for of, address in reachable if of == channel]
        for address in on_channel:
            yield alert_id(entry_id, customer_id, setting_id, channel, address), channel, address
        if not on_channel:
            yield None, channel, None
