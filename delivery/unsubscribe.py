"""The signed link by which one click ends the mails of a setting (RFC 8058)."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

from pydantic import SecretStr

ALL = ""
"""Instead of a setting's id: all mails, as a digest has it."""


@dataclass(frozen=True)
class Unsubscribe:
    """Makes links, and reads the tokens in them; both sides need the same secret."""

    url: str
    """The https address with `{token}` in it."""
    secret: SecretStr

    def link(self, customer_id: str, setting_id: str = ALL) -> str:
        """The address that ends the mails of a customer's setting."""
        text = json.dumps([customer_id, setting_id], separators=(",", ":")).encode()
        return self.url.replace("{token}", f"{_base64(text)}.{_base64(self._signature(text))}")

    def read(self, token: str) -> tuple[str, str] | None:
        """Customer and setting of a token; None where it is not one that was made with this secret."""
        first, _, second = token.partition(".")
        try:
            text, signature = _bytes(first), _bytes(second)
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(signature, self._signature(text)):
            return None
        customer_id, setting_id = json.loads(text)
        return customer_id, setting_id

    def _signature(self, text: bytes) -> bytes:
        # Led by what it is for: the secret may sign other things too.
        return hmac.digest(self.secret.get_secret_value().encode(), b"unsubscribe:" + text, hashlib.sha256)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
