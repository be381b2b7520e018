"""Web Push to browsers: RFC 8030, encrypted by RFC 8291 (aes128gcm), signed by RFC 8292 (VAPID)."""

import base64
import binascii
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import ECKey

from account_alerts.config.gateways import WebPush
from delivery.gateways import keys
from delivery.gateways.base import Message, Outcome, Result
from delivery.gateways.http_answers import GONE, http_client, may_pass, post, refused
from delivery.gateways.tokens import Kept, signed

_TOKEN_SECONDS = 12 * 3_600
"""A push service accepts a day at most."""
LARGEST = 3_993
"""Bytes of text that every push service must take (RFC 8291)."""


class WebPushService:
    """Hands pushes to the push service that each device names."""

    def __init__(self, config: WebPush, key: ec.EllipticCurvePrivateKey, ca_file: Path | None = None) -> None:
        """`key` is the VAPID key; connections are made when they are needed."""
        self._config = config
        self._client = http_client(ca_file, config.connections, config.timeout)
        self._public = to_base64(point(key.public_key()))
        self._key = ECKey.import_key(_pem(key))
        self._tokens = Kept(self._token, _TOKEN_SECONDS / 2)

    async def push(self, message: Message, to: Any) -> Outcome:
        """Hand one push over to a subscription as browsers give it: `endpoint`, and `keys`."""
        try:
            endpoint, public, auth = _subscription(to)
            url = urlsplit(endpoint)
            host, port = url.hostname or "", url.port
        except (ValueError, KeyError, TypeError, AttributeError):
            return refused("no Web Push subscription")
        # Where nobody answers at a port of the customer's choice, the push service would seem to be down.
        usual = port in (None, 443) or host == "localhost"
        if url.scheme != "https" or not usual or not self._allowed(host):
            return refused("not a push service that is spoken to")
        try:
            content = encrypt(payload(message), public, auth)
        except (ValueError, http_ece.ECEException):
            return refused("no Web Push subscription")
        headers = {
            "Authorization": f"vapid t={self._tokens.get(f'https://{url.netloc}')}, k={self._public}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._config.ttl // 1000),
            "Urgency": "high",
            # A repeat takes the place of what the device has not fetched yet.
            "Topic": keys.token(message.key, 32),
        }
        answer = await post(self._client, endpoint, headers=headers, content=content)
        if isinstance(answer, Outcome):
            return answer
        if answer.status_code in (404, 410):
            return refused(GONE)
        if (later := may_pass(answer)) is not None:
            return later
        if not answer.is_success:
            return refused(f"HTTP {answer.status_code}")
        return Outcome(Result.HANDED_OVER, reference=answer.headers.get("Location"))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.aclose()

    def _allowed(self, host: str) -> bool:
        return any(host == known or host.endswith(f".{known}") for known in self._config.hosts)

    def _token(self, audience: str) -> str:
        claims = {"aud": audience, "exp": int(time.time()) + _TOKEN_SECONDS, "sub": self._config.subject}
        return signed("ES256", self._key, claims, typ="JWT")


def payload(message: Message) -> bytes:
    """What the browser's service worker gets, as JSON; a long text is cut to what every service takes."""
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
    """The data for the one device that has the private key.

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
    """A public key as 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_base64(data: bytes) -> str:
    """As keys are written in Web Push: URL-safe, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """The bytes of such a text, with or without padding.

    Raises:
        ValueError: It is no such text.
    """
    plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _subscription(to: Any) -> tuple[str, bytes, bytes]:
    to = json.loads(to) if isinstance(to, str) else to
    endpoint, public, auth = (
        to["endpoint"],
        from_base64(to["keys"]["p256dh"]),
        from_base64(to["keys"]["auth"]),
    )
    if len(public) != 65 or len(auth) != 16 or not endpoint.isprintable():
        raise ValueError("keys of the wrong length")
    return endpoint, public, auth


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
