"""Web Push to browsers: RFC 8030, encrypted by RFC 8291 (aes128gcm), signed by RFC 8292 (VAPID)."""

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import ECKey

from account_alerts.config.gateways import WebPush
from account_alerts.model.device_address import DeviceAddress
from account_alerts.model.errors import InvalidRecordError
from delivery.gateways import base64url, keys
from delivery.gateways.base import Message, Outcome, Result
from delivery.gateways.http import HttpService, refusal
from delivery.gateways.outcomes import unsendable
from delivery.gateways.push import web_push_answers
from delivery.gateways.tokens import TokenCache, signed

_TOKEN_SECONDS = 12 * 3_600
"""A push service accepts a day at most."""
LARGEST = 3_993
"""Bytes of text that every push service must take (RFC 8291)."""


class WebPushService(HttpService):
    """Sends pushes to the push service that each device names."""

    def __init__(self, config: WebPush, key: ec.EllipticCurvePrivateKey, ca_file: Path | None = None) -> None:
        """Sign with the VAPID `key`."""
        super().__init__(ca_file, config.connections, config.timeout)
        self._config = config
        self._public = base64url.encode(point(key.public_key()))
        self._key = ECKey.import_key(_pem(key))
        self._tokens = TokenCache(self._token, _TOKEN_SECONDS / 2)

    async def push(self, message: Message, device: DeviceAddress) -> Outcome:
        """Send one push to a subscription as browsers give it: `endpoint`, and `keys`."""
        try:
            endpoint, public, auth = _subscription(device)
            url = urlsplit(endpoint)
            host, port = url.hostname or "", url.port
        except (InvalidRecordError, ValueError, KeyError, TypeError, AttributeError):
            return unsendable("no Web Push subscription")
        # Where nobody answers at a port of the customer's choice, the push service would seem to be down.
        usual = port in (None, 443) or host == "localhost"
        if url.scheme != "https" or not usual or not self._allowed(host):
            return unsendable("not a push service that is spoken to")
        try:
            content = encrypt(payload(message), public, auth)
        except (ValueError, http_ece.ECEException):
            return unsendable("no Web Push subscription")
        headers = {
            "Authorization": f"vapid t={self._tokens.get(f'https://{url.netloc}')}, k={self._public}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._config.ttl // 1000),
            "Urgency": "high",
            # A repeat takes the place of what the device has not fetched yet.
            "Topic": keys.token(message.key, 32),
        }
        answer = await self.post(endpoint, headers=headers, content=content)
        if isinstance(answer, Outcome):
            return answer
        if not answer.is_success:
            return refusal(answer, web_push_answers.meaning(answer.status_code))
        return Outcome(Result.SENT, reference=answer.headers.get("Location"))

    def _allowed(self, host: str) -> bool:
        return any(host == known or host.endswith(f".{known}") for known in self._config.hosts)

    def _token(self, audience: str) -> str:
        claims = {"aud": audience, "exp": int(time.time()) + _TOKEN_SECONDS, "sub": self._config.subject}
        return signed("ES256", self._key, claims, typ="JWT")


def payload(message: Message) -> bytes:
    """Write what the browser's service worker gets, as JSON; a long text is cut to what all services take."""
    text = message.text
    while True:
        content = {
            "title": message.title,
            "body": text,
            "lang": message.language,
            "tag": keys.token(message.key),
            "data": dict(message.data),
        }
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        if len(data) <= LARGEST or not text:
            return data
        text = text[: len(text) - max(1, (len(data) - LARGEST) // 4)]


def encrypt(data: bytes, public: bytes, auth: bytes) -> bytes:
    """Encrypt data for the one device that has the private key.

    Raises:
        ValueError: The public key is no point of the curve.
    """
    once = ec.generate_private_key(ec.SECP256R1())
    result: bytes = http_ece.encrypt(
        data,
        private_key=once,
        dh=public,
        auth_secret=auth,
        version="aes128gcm",
    )
    return result


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Write a public key as 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _subscription(device: DeviceAddress) -> tuple[str, bytes, bytes]:
    to = device.subscription()
    endpoint, public, auth = (
        to["endpoint"],
        base64url.decode(to["keys"]["p256dh"]),
        base64url.decode(to["keys"]["auth"]),
    )
    if len(public) != 65 or len(auth) != 16 or not endpoint.isprintable():
        raise ValueError("keys of the wrong length")
    return endpoint, public, auth


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
