"""The signed link by which one click ends the mails of settings (RFC 8058): a JWS (RFC 7515) with HS256."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

from account_alerts.config.gateways import Email
from delivery.gateways import base64url

_ALL_SETTINGS = ""
"""Instead of a setting's id: all mails, as a digest has it."""
_LONGEST_IDS = 300
"""Bytes of the ids in a link: it is a line of a mail's header (at most 998 letters), and base64 takes a third
more. The first setting's id is always there."""
_HEADER = {"alg": "HS256", "typ": "unsubscribe+jws"}
"""`typ` says what the token is for: the secret may sign other things too."""


@dataclass(frozen=True)
class Unsubscription:
    """What a link ends."""

    customer_id: str
    setting_ids: Sequence[str]
    """Empty: all mails."""


class UnsubscribeLinks:
    """Makes links, and reads the tokens in them; both sides need the same secret."""

    def __init__(self, url: str, secret: SecretStr) -> None:
        """Sign with the secret; `url` is the https address with `{token}` in it."""
        self._url, self._secret = url, secret.get_secret_value().encode()
        self._key = OctKey.import_key(self._secret)

    @classmethod
    def of(cls, email: Email) -> "UnsubscribeLinks | None":
        """Make the links that the configuration describes; None without an address or a secret."""
        if email.unsubscribe_url is None or email.unsubscribe_secret is None:
            return None
        return cls(email.unsubscribe_url, email.unsubscribe_secret)

    def link(self, customer_id: str, setting_ids: Sequence[str] = ()) -> str:
        """Return the address that ends the mails of a customer's settings, or all their mails."""
        kept, size = [setting_ids[0] if setting_ids else _ALL_SETTINGS], 0
        for each in setting_ids[1:]:
            size += len(json.dumps(each)) + 1
            if size > _LONGEST_IDS:
                break
            kept.append(each)
        payload = json.dumps([customer_id, *kept], separators=(",", ":"))
        token = jws.serialize_compact(_HEADER, payload, self._key, algorithms=["HS256"])
        return self._url.replace("{token}", token)

    def read(self, token: str) -> Unsubscription | None:
        """Return what a token ends; None where it was not made with this secret."""
        if token.count(".") == 1:
            return self._read_two_part(token)
        try:
            found = jws.deserialize_compact(token, self._key, algorithms=["HS256"])
        except (JoseError, ValueError):
            return None
        if found.headers().get("typ") != _HEADER["typ"]:
            return None
        return _payload(found.payload)

    def _read_two_part(self, token: str) -> Unsubscription | None:
        """Read the format of links in mails that were sent before December 2026: payload and HMAC.

        Such links are honoured until the end of 2027; remove this method then.
        """
        first, _, second = token.partition(".")
        try:
            payload, signature = base64url.decode(first), base64url.decode(second)
        except ValueError:
            return None
        expected = hmac.digest(self._secret, b"unsubscribe:" + payload, hashlib.sha256)
        if not hmac.compare_digest(signature, expected):
            return None
        return _payload(payload)


def _payload(data: bytes) -> Unsubscription:
    customer_id, *setting_ids = json.loads(data)
    return Unsubscription(customer_id, [each for each in setting_ids if each != _ALL_SETTINGS])
