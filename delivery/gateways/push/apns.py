"""Push to iOS apps: Apple's push service over HTTP/2, with provider tokens."""

import json
import re
import time
from pathlib import Path

import httpx2
from joserfc.jwk import ECKey

from account_alerts.config.gateways import Apns
from account_alerts.model.device_address import DeviceAddress
from delivery.gateways import keys
from delivery.gateways.base import Message, Outcome, Result
from delivery.gateways.http import HttpService, refusal
from delivery.gateways.outcomes import unsendable
from delivery.gateways.push import apns_answers
from delivery.gateways.tokens import TokenCache, signed

_TOKEN_SECONDS, _RENEW_SECONDS = 40 * 60, 20 * 60
"""Apple takes a token for an hour, and a new one not more often than every 20 minutes."""
_DEVICE = re.compile(r"[0-9a-fA-F]{8,200}")
_LARGEST = 4_096


class ApnsService(HttpService):
    """Sends pushes to Apple; all on few connections, many at a time on each."""

    def __init__(self, config: Apns, key: ECKey, ca_file: Path | None = None) -> None:
        """Sign with the provider's `key`."""
        super().__init__(ca_file, config.connections, config.timeout, http2=True)
        self._config = config
        self._key = key
        self._tokens = TokenCache(self._token, _TOKEN_SECONDS)

    async def push(self, message: Message, device: DeviceAddress) -> Outcome:
        """Send one push to a device token."""
        to = device.to
        if not isinstance(to, str) or not _DEVICE.fullmatch(to):
            return unsendable("no APNs token")
        config, token = self._config, self._tokens.get()
        headers = {
            "authorization": f"bearer {token}",
            "apns-id": keys.as_uuid(message.key),
            "apns-topic": config.topic,
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-expiration": str(int(time.time()) + config.ttl // 1000),
            # A repeat takes the place of what is shown already.
            "apns-collapse-id": keys.token(message.key),
        }
        url = f"{config.url.rstrip('/')}/3/device/{to}"
        answer = await self.post(url, headers=headers, content=payload(message))
        if isinstance(answer, Outcome):
            return answer
        if answer.is_success:
            return Outcome(Result.SENT, reference=answer.headers.get("apns-id"))
        reason = _reason(answer)
        if reason == "ExpiredProviderToken":
            # Answers come late: the token may be replaced already. One that is new means a wrong clock.
            self._tokens.forget(token, min_age=_RENEW_SECONDS)
        meaning = apns_answers.meaning(answer.status_code, reason)
        return refusal(answer, meaning, f"APNs {reason or answer.status_code}")

    def _token(self, _: str) -> str:
        claims = {"iss": self._config.team_id, "iat": int(time.time())}
        return signed("ES256", self._key, claims, kid=self._config.key_id)


def payload(message: Message) -> bytes:
    """Write what the app gets, as JSON; a long text is cut to what Apple takes."""
    text = message.text
    while True:
        aps = {"alert": {"title": message.title, "body": text}, "sound": "default"}
        data = json.dumps({**message.data, "aps": aps}, ensure_ascii=False).encode(errors="replace")
        if len(data) <= _LARGEST or not text:
            return data
        text = text[: len(text) - max(1, (len(data) - _LARGEST) // 4)]


def _reason(answer: httpx2.Response) -> str:
    try:
        reason = answer.json()["reason"]
    except (ValueError, KeyError, TypeError):
        return ""
    return reason if isinstance(reason, str) and reason.isalnum() else ""
