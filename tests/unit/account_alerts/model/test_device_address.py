"""The address of a push alert, as the device resolver writes it and a sender reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.device_address import DeviceAddress
from account_alerts.model.errors import InvalidRecordError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(TEXT, TEXT, TEXT | st.dictionaries(TEXT, TEXT | st.integers(), max_size=3))
def test_what_is_written_is_read(device: str, kind: str, to: Any) -> None:
    address = DeviceAddress(device, kind, to)
    assert DeviceAddress.parse(address.dump()) == address


def test_a_device_always_gives_the_same_text() -> None:
    one = DeviceAddress("d1", "WEB_PUSH", {"keys": {"p256dh": "p", "auth": "a"}, "endpoint": "https://é"})
    other = DeviceAddress("d1", "WEB_PUSH", {"endpoint": "https://é", "keys": {"auth": "a", "p256dh": "p"}})
    written = (
        '{"device":"d1","kind":"WEB_PUSH","to":{"endpoint":"https://é","keys":{"auth":"a","p256dh":"p"}}}'
    )
    assert one.dump() == other.dump() == written


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", "5", "null", '{"device": "d", "kind": "FCM"}', '{"to": 1}', "[" * 100_000]
)
def test_another_text_is_an_error(text: str) -> None:
    with pytest.raises(InvalidRecordError):
        DeviceAddress.parse(text)


@pytest.mark.parametrize(
    ("kind", "to", "route"),
    [
        ("FCM", "token", "FCM"),
        ("WEB_PUSH", {"endpoint": "https://push.example.com/x"}, "WEB_PUSH:push.example.com"),
        ("WEB_PUSH", '{"endpoint": "https://push.example.com/x"}', "WEB_PUSH:push.example.com"),
    ],
)
def test_the_route_is_what_may_be_down_by_itself(kind: str, to: Any, route: str) -> None:
    assert DeviceAddress("d", kind, to).route() == route


@pytest.mark.parametrize("to", ["no JSON", "5", {}, {"endpoint": 5}, 7, None])
def test_a_browser_without_an_endpoint_has_no_route(to: Any) -> None:
    with pytest.raises(InvalidRecordError):
        DeviceAddress("d", "WEB_PUSH", to).route()
