"""The device service by itself, as a process."""

import base64
import socket
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.component.resolver import Service

KEY = base64.urlsafe_b64encode(b"\4" + bytes(64)).decode().rstrip("=")
SECRET = base64.urlsafe_b64encode(bytes(16)).decode().rstrip("=")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(free_port(), tmp_path_factory.mktemp("service") / "devices.sqlite")
    yield running
    running.kill()


def subscription(endpoint: str = "https://push.example.com/1", **keys: str) -> dict[str, Any]:
    return {"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": KEY, "auth": SECRET} | keys}


def register(service: Service, customer: str, kind: str, to: Any, **more: str) -> tuple[int, Any]:
    return service.ask("POST", "/v1/devices", {"customer": customer, "kind": kind, "to": to, **more})


def listed(service: Service, customer: str) -> list[tuple[str, Any]]:
    _, found = service.ask("GET", f"/v1/devices?{urllib.parse.urlencode({'customer': customer})}")
    return [(device["device"], device["to"]) for device in found["devices"]]


def test_registers_lists_looks_up_and_removes(service: Service) -> None:
    status, browser = register(service, "a/b ü", "WEB_PUSH", subscription())
    assert status == 201
    _, phone = register(service, "a/b ü", "APNS", "token-1")
    wanted = {"endpoint": "https://push.example.com/1", "keys": {"p256dh": KEY, "auth": SECRET}}
    assert listed(service, "a/b ü") == [(browser["device"], wanted), (phone["device"], "token-1")]
    status, answer = service.ask("POST", "/v1/devices/lookup", {"customers": ["a/b ü", "nobody"]})
    assert status == 200
    assert answer["devices"] == {
        "a/b ü": [
            {"device": browser["device"], "kind": "WEB_PUSH", "to": wanted},
            {"device": phone["device"], "kind": "APNS", "to": "token-1"},
        ],
        "nobody": [],
    }
    service.remove("a/b ü", browser["device"])
    query = urllib.parse.urlencode({"customer": "a/b ü", "device": browser["device"]})
    assert service.ask("DELETE", f"/v1/devices?{query}")[0] == 404
    query = urllib.parse.urlencode({"customer": "a/b ü"})
    assert service.ask("DELETE", f"/v1/devices?{query}") == (200, {"removed": 1})
    assert listed(service, "a/b ü") == []


def test_the_same_token_is_the_same_device(service: Service) -> None:
    _, first = register(service, "same", "FCM", "t")
    status, second = register(service, "same", "FCM", "t")
    assert (status, second["device"]) == (200, first["device"])
    assert register(service, "same", "APNS", "t")[1]["device"] != first["device"]
    status, moved = register(service, "same", "FCM", "u", device=first["device"])
    assert (status, moved["device"], moved["to"]) == (200, first["device"], "u")


def test_who_signs_in_on_a_device_takes_it_over(service: Service) -> None:
    _, before = register(service, "before", "FCM", "shared")
    _, after = register(service, "after", "FCM", "shared")
    assert after["device"] != before["device"]
    assert listed(service, "before") == []
    assert listed(service, "after") == [(after["device"], "shared")]
    assert register(service, "after", "FCM", "x", device=before["device"])[0] == 404, "it is not theirs"


def test_a_customer_has_no_more_than_so_many(service: Service) -> None:
    for number in range(20):
        assert register(service, "many", "FCM", f"many-{number}")[0] == 201
    status, answer = register(service, "many", "FCM", "many-20")
    assert answer == {
        "title": "Conflict",
        "status": status,
        "detail": "the customer has 20 devices; remove one first",
    }
    assert status == 409
    assert register(service, "many", "FCM", "many-3")[0] == 200


@pytest.mark.parametrize(
    ("kind", "to", "reason"),
    [
        ("WEB_PUSH", subscription("http://push.example.com/1"), "to.endpoint: must be https"),
        ("WEB_PUSH", subscription("ftp://push.example.com/1"), "to.endpoint: is no https address"),
        ("WEB_PUSH", subscription("https://push.example.com:1/1"), "to.endpoint: must have no port"),
        ("WEB_PUSH", subscription("https://push.example.com:99999/1"), "to.endpoint: Port out of range"),
        ("WEB_PUSH", subscription(p256dh="AAAA"), "to.keys.p256dh: is no P-256 public key"),
        ("WEB_PUSH", subscription(p256dh="!"), "to.keys.p256dh: is not base64url"),
        ("WEB_PUSH", subscription(auth="AAAA"), "to.keys.auth: is not 16 bytes"),
        ("WEB_PUSH", "token", "to: "),
        ("FCM", subscription(), "to: "),
        ("FCM", "two words", "to: "),
        ("FCM", "", "to: "),
        ("SMS", "+31", "kind"),
    ],
)
def test_what_is_no_device_is_refused(service: Service, kind: str, to: Any, reason: str) -> None:
    status, answer = register(service, "bad", kind, to)
    assert status == 422
    assert reason in answer["detail"]
    assert listed(service, "bad") == []


def test_localhost_may_be_reached_in_the_clear(service: Service) -> None:
    assert register(service, "local", "WEB_PUSH", subscription("http://localhost:8092/1"))[0] == 201


def test_no_more_than_a_hundred_customers_at_once(service: Service) -> None:
    assert service.ask("POST", "/v1/devices/lookup", {"customers": ["c"] * 100})[0] == 200
    assert service.ask("POST", "/v1/devices/lookup", {"customers": ["c"] * 101})[0] == 422


def test_what_was_registered_survives_a_kill(tmp_path: Path) -> None:
    service = Service(free_port(), tmp_path / "devices.sqlite")
    try:
        device = service.register("c", "t")
        service.kill()
        service.start()
        assert listed(service, "c") == [(device, "t")]
    finally:
        service.kill()


def test_with_a_token_only_who_has_it_is_served(tmp_path: Path) -> None:
    service = Service(free_port(), tmp_path / "devices.sqlite", ALERTS_DEVICES__TOKEN="s3cret")
    try:
        question = {"customers": ["c"]}
        assert service.ask("POST", "/v1/devices/lookup", question)[0] == 401
        assert service.ask("POST", "/v1/devices/lookup", question, Authorization="Bearer no")[0] == 401
        assert service.ask("POST", "/v1/devices/lookup", question, Authorization="Bearer s3cret")[0] == 200
    finally:
        service.kill()
