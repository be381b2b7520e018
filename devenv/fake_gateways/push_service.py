"""The local push services: Web Push, which decrypts as the browser would, and FCM and APNs as documented.

All check who speaks, as the real ones do. A push that comes again (by Topic, idempotency key, collapse id)
is not kept twice.
"""

import asyncio
import json
import secrets
import time
import uuid
from typing import Any
from urllib.parse import parse_qs

import http_ece
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from account_alerts.config import Config
from account_alerts.config.gateways import Push
from delivery.gateways import base64url
from delivery.gateways.factory import parse_vapid_key
from delivery.gateways.push.web_push import point
from devenv.fake_gateways import device
from devenv.fake_gateways.files import Files, files
from devenv.fake_gateways.journal import Journal
from devenv.fake_gateways.serving import serve_http

_DAY = 24 * 3_600
_APNS_LARGEST, _WEB_LARGEST = 4_096, 4_096


class PushServices:
    """What was taken, and the keys that callers sign with."""

    def __init__(self, own_files: Files, push: Push) -> None:
        """Keep pushes in the journal; the public keys follow from the senders' secrets."""
        self.files = own_files
        self.push = push
        self.journal = Journal(own_files.pushes)
        self._busy: set[str] = set()
        self._verified: dict[tuple[str, str], int] = {}
        self.access_tokens: dict[str, float] = {}

    def overloaded(self, is_busy: bool, key: str) -> bool:
        """Tell whether this attempt is one too many."""
        if not is_busy or key in self._busy:
            return False
        self._busy.add(key)
        return True

    def keep(self, kind: str, own: str, key: str, **record: Any) -> str:
        """Keep a push; return its id."""
        kept = {"kind": kind, "to": own, "message_key": key, **record}
        return self.journal.add(f"{kind} {own} {key}", str(uuid.uuid4()), kept)

    def vapid(self, authorization: str, host: str) -> bool:
        """Tell whether the signature is by the key that our browsers have."""
        scheme, _, rest = authorization.partition(" ")
        fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        token, key = fields.get("t", ""), fields.get("k", "")
        web = self.push.web
        if scheme.lower() != "vapid" or web is None or web.vapid_private_key is None:
            return False
        public = parse_vapid_key(web.vapid_private_key.get_secret_value()).public_key()
        if key.rstrip("=") != base64url.encode(point(public)):
            return False
        known = self._verified.get((token, host))
        if known is not None:
            return known > time.time()
        numbers = point(public)
        jwk: dict[str, str | list[str]] = {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url.encode(numbers[1:33]),
            "y": base64url.encode(numbers[33:]),
        }
        claims = _claims(token, ECKey.import_key(jwk), "ES256")
        expires = claims.get("exp", 0)
        right = (
            claims.get("aud") == f"https://{host}"
            and time.time() < expires <= time.time() + _DAY
            and str(claims.get("sub", "")).startswith(("mailto:", "https:"))
        )
        if right:
            self._verified[token, host] = expires
        return right


def _claims(token: str, key: ECKey | RSAKey, algorithm: str) -> dict[str, Any]:
    """Return the claims of a token, empty where its signature is not by the key."""
    try:
        return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError):
        return {}


def web_push_side(app: FastAPI, services: PushServices) -> None:
    """Web Push (RFC 8030, 8291, 8292)."""

    @app.post("/push/{own}")
    async def take(own: str, request: Request) -> Response:
        headers, body = request.headers, await request.body()
        if own.startswith("gone"):
            return Response(status_code=410)
        keys = device.browser(services.files.devices, own)
        if keys is None:
            return Response(status_code=404)
        if not services.vapid(headers.get("Authorization", ""), headers.get("Host", "")):
            return JSONResponse({"error": "VAPID"}, 403)
        if headers.get("Content-Encoding") != "aes128gcm" or not headers.get("TTL", "").isdigit():
            return JSONResponse({"error": "aes128gcm and a TTL are wanted"}, 400)
        topic = headers.get("Topic", "")
        if len(topic) > 32 or len(body) > _WEB_LARGEST + 103:
            return Response(status_code=413)
        if services.overloaded(own.startswith("busy"), topic):
            return Response(status_code=429, headers={"Retry-After": "1"})
        try:
            text = http_ece.decrypt(body, private_key=keys.private_key, auth_secret=keys.auth)
            content = json.loads(text)
        except (http_ece.ECEException, ValueError):
            return JSONResponse({"error": "the browser cannot read it"}, 400)
        kept = services.keep(
            "WEB_PUSH",
            own,
            topic or uuid.uuid4().hex,
            urgency=headers.get("Urgency"),
            ttl=int(headers["TTL"]),
            title=content.get("title"),
            text=content.get("body"),
            data=content.get("data"),
        )
        return Response(status_code=201, headers={"Location": f"https://{headers['Host']}/pushes/{kept}"})


def fcm_side(app: FastAPI, services: PushServices) -> None:
    """OAuth for service accounts, and FCM HTTP v1."""

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        account = _account(services)
        key = RSAKey.import_key(account["private_key"])
        claims = _claims(form.get("assertion", [""])[0], key, "RS256")
        if claims.get("iss") != account["client_email"] or claims.get("exp", 0) < time.time():
            return JSONResponse({"error": "invalid_grant"}, 400)
        made = secrets.token_urlsafe(24)
        services.access_tokens[made] = time.time() + 3600
        return JSONResponse({"access_token": made, "expires_in": 3600, "token_type": "Bearer"})

    @app.post("/v1/projects/{project}/messages:send")
    async def take(project: str, request: Request) -> Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if services.access_tokens.get(given, 0) < time.time():
            return _fcm_error(401, "UNAUTHENTICATED")
        if project != _account(services)["project_id"]:
            return _fcm_error(404, "NOT_FOUND")
        try:
            message = json.loads(await request.body())["message"]
            own, data = message["token"], message["data"]
            title, text = data["title"], data["body"]
        except (ValueError, KeyError, TypeError):
            return _fcm_error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        if not all(isinstance(value, str) for value in data.values()):
            return _fcm_error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        if own.startswith("gone"):
            return _fcm_error(404, "NOT_FOUND", "UNREGISTERED")
        key = data.get("idempotency_key") or uuid.uuid4().hex
        if services.overloaded(own.startswith("busy"), key):
            return _fcm_error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", {"Retry-After": "1"})
        kept = services.keep("FCM", own, key, title=title, text=text, data=data)
        return JSONResponse({"name": f"projects/{project}/messages/{kept}"})


def _account(services: PushServices) -> dict[str, Any]:
    fcm = services.push.fcm
    assert fcm is not None
    assert fcm.service_account is not None
    account: dict[str, Any] = json.loads(fcm.service_account.get_secret_value())
    return account


def _fcm_error(
    status: int, name: str, code: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}] if code else []
    return JSONResponse({"error": {"code": status, "status": name, "details": details}}, status, headers)


def apns_side(app: FastAPI, services: PushServices) -> None:
    """Apple's provider API."""

    @app.post("/3/device/{own}")
    async def take(own: str, request: Request) -> Response:
        apns, headers, body = services.push.apns, request.headers, await request.body()
        apns_id = headers.get("apns-id") or str(uuid.uuid4())

        def answer(status: int, reason: str | None = None) -> Response:
            content = "" if reason is None else json.dumps({"reason": reason})
            return Response(content, status, {"apns-id": apns_id})

        assert apns is not None
        assert apns.private_key is not None
        if request.scope["http_version"] != "2":
            return answer(505, "HTTP/2 is wanted")
        key = ECKey.import_key(apns.private_key.get_secret_value())
        claims = _claims(headers.get("authorization", "").removeprefix("bearer "), key, "ES256")
        if claims.get("iss") != apns.team_id:
            return answer(403, "InvalidProviderToken")
        if not time.time() - 3_600 < claims.get("iat", 0) < time.time() + 60:
            return answer(403, "ExpiredProviderToken")
        if headers.get("apns-topic") != apns.topic:
            return answer(400, "DeviceTokenNotForTopic")
        if len(headers.get("apns-collapse-id", "")) > 64:
            return answer(400, "BadCollapseId")
        if len(body) > _APNS_LARGEST:
            return answer(413, "PayloadTooLarge")
        if own.startswith("dead"):
            return answer(410, "Unregistered")
        if len(own) != 64:
            return answer(400, "BadDeviceToken")
        if services.overloaded(own.startswith("b0"), apns_id):
            return answer(429, "TooManyRequests")
        content = json.loads(body)
        alert = content["aps"]["alert"]
        data = {name: value for name, value in content.items() if name != "aps"}
        key_of = headers.get("apns-collapse-id") or apns_id
        services.keep("APNS", own, key_of, title=alert["title"], text=alert["body"], data=data)
        return answer(200)


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Take pushes until stopped."""
    own_files = files(config)
    assert config.senders is not None
    assert config.senders.push is not None
    services = PushServices(own_files, config.senders.push)
    app = FastAPI(openapi_url=None)
    for side in (web_push_side, fcm_side, apns_side):
        side(app, services)
    await serve_http(app, own_files, config.local_environment().push_port, stop)
