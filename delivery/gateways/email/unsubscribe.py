"""The signed link by which one click ends the mails of a setting (RFC 8058): a JWS (RFC 7515) with HS256."""

import hashlib
import hmac
import json

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

from delivery.gateways import base64url

ALL_SETTINGS = ""
"""Instead of a setting's id: all mails, as a digest has it."""
_HEADER = {"alg": "HS256", "typ": "unsubscribe+jws"}
"""`typ` says what the token is for: the secret may sign other things too."""


class UnsubscribeLinks:
    """Makes links, and reads the tokens in them; both sides need the same secret."""

    def __init__(self, url: str, secret: SecretStr) -> None:
        """Sign with the secret; `url` is the https address with `{token}` in it."""
        self._url, self._secret = url, secret.get_secret_value().encode()
        self._key = OctKey.import_key(self._secret)

    def link(self, customer_id: str, setting_id: str = ALL_SETTINGS) -> str:
        """Return the address that ends the mails of a customer's setting."""
        payload = json.dumps([customer_id, setting_id], separators=(",", ":"))
        token = jws.serialize_compact(_HEADER, payload, self._key, algorithms=["HS256"])
        return self._url.replace("{token}", token)

    def read(self, token: str) -> tuple[str, str] | None:
        """Return customer and setting of a token; None where it was not made with this secret."""
        if token.count(".") == 1:
            return self._read_two_part(token)
        try:
            found = jws.deserialize_compact(token, self._key, algorithms=["HS256"])
        except (JoseError, ValueError):
            return None
        if found.headers().get("typ") != _HEADER["typ"]:
            return None
        return _payload(found.payload)

    def _read_two_part(self, token: str) -> tuple[str, str] | None:
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


def _payload(data: bytes) -> tuple[str, str]:
    customer_id, setting_id = json.loads(data)
    return customer_id, setting_id
