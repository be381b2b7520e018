"""Push to Android apps: the HTTP v1 API of Firebase Cloud Messaging."""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
from joserfc.jwk import RSAKey

from account_alerts.config.gateways import Fcm
from account_alerts.model.device_address import DeviceAddress
from delivery.gateways import keys
from delivery.gateways.base import Message, Outcome, Result
from delivery.gateways.http import HttpService, retry_after
from delivery.gateways.outcomes import outcome, retry, unsendable
from delivery.gateways.push import fcm_answers
from delivery.gateways.tokens import signed

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LARGEST = 4_000
"""Bytes of keys and values; FCM takes 4096 (firebase.google.com, About FCM messages)."""
_RENEW_BEFORE = 300
_QUOTA_SECONDS = 60.0
"""What FCM's documentation asks to wait after a 429 that does not say how long."""


@dataclass(frozen=True)
class ServiceAccount:
    """The key of a service account."""

    project: str
    email: str
    token_url: str
    key: RSAKey
    key_id: str

    @classmethod
    def read(cls, text: str) -> "ServiceAccount":
        """Read the JSON of such a key.

        Raises:
            ValueError: It is no such JSON.
        """
        try:
            data = json.loads(text)
            key = RSAKey.import_key(data["private_key"])
            return cls(
                data["project_id"], data["client_email"], data["token_uri"], key, data["private_key_id"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no service account ({type(error).__name__})") from error


class FcmService(HttpService):
    """Sends pushes to FCM."""

    def __init__(self, config: Fcm, account: ServiceAccount, ca_file: Path | None = None) -> None:
        """Get access tokens for the service account when they are needed."""
        super().__init__(ca_file, config.connections, config.timeout)
        self._config = config
        self._account = account
        self._url = f"{config.url.rstrip('/')}/v1/projects/{quote(account.project, safe='')}/messages:send"
        self._token = ""
        self._expires = 0.0
        self._renewing = asyncio.Lock()

    async def push(self, message: Message, device: DeviceAddress) -> Outcome:
        """Send one push to a registration token."""
        to = device.to
        if not isinstance(to, str) or not to:
            return unsendable("no FCM token")
        token = await self._access_token()
        if isinstance(token, Outcome):
            return token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        # No part `notification`: FCM keeps only the newest of those for a device that is off.
        android = {"priority": "HIGH", "ttl": f"{self._config.ttl // 1000}s"}
        body = json.dumps({"message": {"token": to, "data": content(message), "android": android}}).encode()
        answer = await self.post(self._url, headers=headers, content=body)
        if isinstance(answer, Outcome):
            return answer
        if answer.is_success:
            return Outcome(Result.SENT, reference=_field(answer, "name"))
        code, fields = _error(answer)
        if code == "UNAUTHENTICATED" and token == self._token:
            self._token = ""  # Answers come late: a newer one stays.
        meaning = fcm_answers.meaning(answer.status_code, code, fields)
        after = retry_after(answer)
        if after is None and answer.status_code == 429:
            after = _QUOTA_SECONDS
        return outcome(meaning.about, f"HTTP {answer.status_code} {code}".strip(), after=after)

    async def _access_token(self) -> str | Outcome:
        async with self._renewing:
            if self._token and time.monotonic() < self._expires:
                return self._token
            account, now = self._account, int(time.time())
            claims = {
                "iss": account.email,
                "scope": _SCOPE,
                "aud": account.token_url,
                "iat": now,
                "exp": now + 3600,
            }
            assertion = signed("RS256", account.key, claims, typ="JWT", kid=account.key_id)
            form = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await self.post(account.token_url, headers=headers, content=form)
            if isinstance(answer, Outcome):
                return retry(f"token: {answer.reason}", down=True)
            token, seconds = _field(answer, "access_token"), _field(answer, "expires_in")
            if not answer.is_success or not token:
                return retry(f"token: HTTP {answer.status_code}", down=True)
            lasts = float(seconds) if seconds and seconds.isdigit() else 3600.0
            self._token, self._expires = token, time.monotonic() + max(lasts - _RENEW_BEFORE, lasts / 2)
            return token


def content(message: Message) -> dict[str, str]:
    """Return what the app gets, and shows; a long text is cut to what FCM takes."""
    tag = keys.token(message.key)
    about = {**message.data, "title": message.title, "lang": message.language, "idempotency_key": tag}
    text = message.text
    while True:
        data = {**about, "body": text}
        size = sum(len(part.encode(errors="replace")) for item in data.items() for part in item)
        if size <= LARGEST or not text:
            return data
        text = text[: len(text) - max(1, (size - LARGEST) // 4)]


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        data = answer.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _field(answer: httpx2.Response, name: str) -> str | None:
    value = _json(answer).get(name)
    return str(value) if isinstance(value, str | int) else None


def _error(answer: httpx2.Response) -> tuple[str, frozenset[str]]:
    """Return FCM's own code where the answer has one, else the general status; and the wrong fields."""
    error = _json(answer).get("error")
    if not isinstance(error, dict):
        return "", frozenset()
    code, fields = error.get("status"), set()
    for detail in error.get("details") or []:
        if not isinstance(detail, dict):
            continue
        if isinstance(own := detail.get("errorCode"), str):
            code = own
        for violation in detail.get("fieldViolations") or []:
            if isinstance(violation, dict):
                fields.add(str(violation.get("field")))
    return code if isinstance(code, str) else "", frozenset(fields)
