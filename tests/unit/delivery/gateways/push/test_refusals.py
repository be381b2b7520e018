"""What the push services' answers mean for an alert, and for the tokens that we sign with."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey, RSAKey

from account_alerts.config.gateways import Apns, Fcm, WebPush
from account_alerts.model.device_address import DeviceAddress
from delivery.gateways import base64url, tokens
from delivery.gateways.base import Outcome, Result
from delivery.gateways.push.apns import ApnsService
from delivery.gateways.push.fcm import FcmService, ServiceAccount
from delivery.gateways.push.gateway import PushService
from delivery.gateways.push.web_push import WebPushService, point
from tests.unit.delivery.fakes import run
from tests.unit.delivery.gateways.http_service import connect, respond
from tests.unit.delivery.gateways.messages import new_message

KEY = ec.generate_private_key(ec.SECP256R1())
ACCOUNT = ServiceAccount(
    "p", "a@p.example", "https://localhost/token", RSAKey.generate_key(2048, auto_kid=False), "k"
)
SUBSCRIPTION = {
    "endpoint": "https://push.example/1",
    "keys": {"p256dh": base64url.encode(point(KEY.public_key())), "auth": base64url.encode(bytes(16))},
}
TO: dict[str, Any] = {"WEB_PUSH": SUBSCRIPTION, "FCM": "token", "APNS": "a0" * 32}
REJECTED, GONE, LATER, DOWN, DOUBT = "rejected", "gone", "later", "down", "doubt"


def new_service(kind: str) -> Any:
    if kind == "WEB_PUSH":
        return WebPushService(WebPush(subject="mailto:a@bank.example", hosts=["push.example"]), KEY)
    if kind == "FCM":
        return FcmService(Fcm(), ACCOUNT)
    return ApnsService(Apns(topic="t", team_id="T", key_id="K"), ECKey.generate_key("P-256"))


def push(kind: str, *answers: httpx2.Response) -> tuple[list[Outcome], list[str]]:
    """Push once for each answer; returns the outcomes, and what the requests were authorized by."""
    service, left = new_service(kind), list(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/token":
            made = sum(each.url.path == "/token" for each in requests)
            return respond(200, {"access_token": f"access{made}", "expires_in": 3600})
        return left.pop(0)

    requests = connect(service, answer)
    outcomes: list[Outcome] = []

    async def send() -> None:
        device = DeviceAddress("d1", kind, TO[kind])
        own: PushService = service
        outcomes.extend([await own.push(new_message(), device) for _ in answers])

    run(send)
    used = [each.headers["authorization"] for each in requests if each.url.path != "/token"]
    return outcomes, used


def fcm_error(status: int, name: str, code: str | None = None, field: str | None = None) -> httpx2.Response:
    details: list[dict[str, Any]] = [{"errorCode": code}] if code else []
    if field:
        details.append({"fieldViolations": [{"field": field, "description": "Invalid"}]})
    return respond(status, {"error": {"code": status, "status": name, "details": details}})


def meant(outcome: Outcome) -> str:
    if outcome.result is Result.REJECTED:
        return GONE if outcome.gone else REJECTED
    assert outcome.result is Result.RETRY
    return DOWN if outcome.gateway_down else DOUBT if outcome.doubtful else LATER


def apns(reason: str) -> Callable[[int], httpx2.Response]:
    return lambda status: respond(status, {"reason": reason})


@pytest.mark.parametrize(
    ("kind", "answer", "meaning"),
    [
        *(("WEB_PUSH", respond(status), DOWN) for status in (401, 402, 403, 407, 502, 503)),
        *(("WEB_PUSH", respond(status), GONE) for status in (404, 410)),
        *(("WEB_PUSH", respond(status), DOUBT) for status in (301, 307, 400, 422)),
        *(("WEB_PUSH", respond(status), LATER) for status in (408, 429, 500)),
        ("WEB_PUSH", respond(413), REJECTED),
        ("FCM", fcm_error(404, "NOT_FOUND", "UNREGISTERED"), GONE),
        ("FCM", fcm_error(404, "NOT_FOUND"), GONE),
        ("FCM", fcm_error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token"), GONE),
        ("FCM", fcm_error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), DOUBT),
        ("FCM", fcm_error(400, "INVALID_ARGUMENT", None, "message.android.ttl"), DOUBT),
        ("FCM", fcm_error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), DOUBT),
        ("FCM", fcm_error(403, "PERMISSION_DENIED"), DOWN),
        ("FCM", fcm_error(401, "UNAUTHENTICATED"), DOWN),
        ("FCM", fcm_error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), DOWN),
        ("FCM", fcm_error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), DOWN),
        ("FCM", fcm_error(500, "INTERNAL", "INTERNAL"), LATER),
        ("FCM", fcm_error(503, "UNAVAILABLE", "UNAVAILABLE"), DOWN),
        ("FCM", fcm_error(400, "SOMETHING_NEW"), DOUBT),
        ("FCM", httpx2.Response(404, text="<html>no such page"), DOWN),
        ("FCM", respond(400, {"error": "odd"}), DOUBT),
        ("FCM", respond(400, {"error": {"status": 7, "details": ["odd", {"fieldViolations": [1]}]}}), DOUBT),
        ("APNS", respond(410, {"reason": "Unregistered", "timestamp": 1}), GONE),
        ("APNS", respond(410), GONE),
        ("APNS", apns("ExpiredToken")(410), GONE),
        ("APNS", apns("BadDeviceToken")(400), DOUBT),
        *(("APNS", apns(reason)(400), DOWN) for reason in ("BadTopic", "DeviceTokenNotForTopic")),
        *(("APNS", apns(reason)(403), DOWN) for reason in ("InvalidProviderToken", "ExpiredProviderToken")),
        ("APNS", apns("BadPath")(404), DOWN),
        ("APNS", apns("TooManyProviderTokenUpdates")(429), DOWN),
        ("APNS", apns("TooManyRequests")(429), LATER),
        ("APNS", apns("PayloadTooLarge")(413), REJECTED),
        ("APNS", apns("Shutdown")(503), DOWN),
        ("APNS", apns("SomethingNew")(400), DOUBT),
    ],
)
def test_what_an_answer_means(kind: str, answer: httpx2.Response, meaning: str) -> None:
    [outcome], _ = push(kind, answer)
    assert meant(outcome) == meaning
    assert outcome.reason


def test_an_endpoint_that_is_no_address_stops_nobody() -> None:
    service = new_service("WEB_PUSH")
    subscription = SUBSCRIPTION | {"endpoint": f"https://{'x' * 70}ä.push.example/"}

    async def send() -> None:
        outcome = await service.push(new_message(), DeviceAddress("d1", "WEB_PUSH", subscription))
        assert meant(outcome) == DOUBT

    run(send)


def test_each_push_by_fcm_is_kept_for_a_phone_that_is_off() -> None:
    """FCM's notifications and messages with a key replace those before them; data without a key does not."""
    service = new_service("FCM")

    def answer(request: httpx2.Request) -> httpx2.Response:
        return respond(200, {"access_token": "access", "expires_in": 3600, "name": "n"})

    requests = connect(service, answer)

    async def send() -> None:
        message = new_message(title="Žluť", text="100,00\u00a0€", data={"alert_id": "a1"})
        await service.push(message, DeviceAddress("d1", "FCM", "token"))

    run(send)
    message = json.loads(requests[-1].content)["message"]
    assert message.keys() == {"token", "data", "android"}
    assert message["android"] == {"priority": "HIGH", "ttl": "86400s"}
    data = message["data"]
    assert (data["title"], data["body"], data["alert_id"]) == ("Žluť", "100,00\u00a0€", "a1")
    reserved = ("from", "message_type", "google.", "gcm.")
    assert not [key for key in data if key.startswith(reserved)]


def test_fcm_says_how_long_a_quota_lasts_or_it_is_a_minute() -> None:
    error = {"error": {"status": "RESOURCE_EXHAUSTED"}}
    outcomes, _ = push("FCM", respond(429, error, Retry_After="7"), respond(429, error))
    assert [outcome.retry_after for outcome in outcomes] == [7, 60]


def test_an_access_token_is_dropped_only_where_it_was_refused() -> None:
    _, used = push(
        "FCM",
        fcm_error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        fcm_error(401, "UNAUTHENTICATED"),
        respond(200, {"name": "n"}),
    )
    assert used == ["Bearer access1", "Bearer access1", "Bearer access2"]


def test_apple_gets_a_new_token_every_twenty_minutes_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("delivery.gateways.tokens.time.monotonic", lambda: now)
    made = iter(range(10))
    cache = tokens.TokenCache(lambda _: f"token{next(made)}", 40 * 60)
    first = cache.get()
    cache.forget(first, min_age=1_200)  # A fresh one is refused: the clock is wrong, and a new one of no use.
    assert cache.get() == first
    now += 1_201
    cache.forget(first, min_age=1_200)
    second = cache.get()
    assert second != first
    now += 1_201
    cache.forget(first, min_age=1_200)  # A late answer.
    assert cache.get() == second


def test_the_reason_has_nothing_of_the_device() -> None:
    [outcome], _ = push("FCM", respond(400, {"error": {"status": "INVALID_ARGUMENT", "message": "token"}}))
    assert json.dumps(outcome.reason) == '"HTTP 400 INVALID_ARGUMENT"'
