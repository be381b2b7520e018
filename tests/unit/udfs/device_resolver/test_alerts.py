"""The alerts of one push alert: one for each device."""

import json

from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.device_address import DeviceAddress
from udfs.device_resolver.alerts import device_alert_id, device_alerts

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
TOKENS = IDS | st.fixed_dictionaries({"endpoint": IDS, "keys": st.dictionaries(IDS, IDS, max_size=3)})
DEVICES = st.lists(
    st.fixed_dictionaries({"device": IDS, "kind": IDS, "to": TOKENS}, optional={"name": IDS}),
    max_size=5,
    unique_by=lambda device: str(device["device"]),
)


@given(IDS, DEVICES)
def test_one_per_device_with_its_address(alert_id: str, devices: list[dict[str, object]]) -> None:
    made = list(device_alerts(alert_id, json.dumps(devices)))
    assert len({each for each, _ in made}) == len(devices)
    assert [json.loads(address) for _, address in made] == [
        {name: device[name] for name in ("device", "kind", "to")} for device in devices
    ]


@given(DEVICES)
def test_in_whatever_way_the_service_writes_it(devices: list[dict[str, object]]) -> None:
    turned = [dict(reversed(device.items())) for device in devices]
    one = device_alerts("a", json.dumps(devices))
    other = device_alerts("a", json.dumps(turned, indent=1, ensure_ascii=False))
    assert list(one) == list(other)


@given(st.tuples(IDS, IDS), st.tuples(IDS, IDS))
def test_ids_tell_devices_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (device_alert_id(*one) == device_alert_id(*other)) == (one == other)


def test_a_device_named_twice_counts_once() -> None:
    twice = json.dumps([{"device": "d", "kind": "FCM", "to": to} for to in ("old", "new")])
    assert list(device_alerts("a", twice)) == [
        (device_alert_id("a", "d"), DeviceAddress("d", "FCM", "new").dump())
    ]


def test_an_id_and_an_address_stay_what_they_are() -> None:
    """Senders remove repeats by the one and read the other."""
    assert device_alert_id("e6e5819871751c98cab35be10eba41d2", "d1") == "8b7c76c67fef2cf20976518a398d3f53"
    keys = {"p256dh": "k", "auth": "s"}
    assert (
        DeviceAddress("d1", "WEB_PUSH", {"keys": keys, "endpoint": "https://é"}).dump()
        == '{"device":"d1","kind":"WEB_PUSH","to":{"endpoint":"https://é","keys":{"auth":"s","p256dh":"k"}}}'
    )
