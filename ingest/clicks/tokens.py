"""Tokens that say whose events somebody may send: issued by the bank's login, checked here. Pure functions.

A token is `CUSTOMER.EXPIRES.SIGNATURE`: the customer's id in URL-safe base64 without padding, the second
since 1970 until which it holds, and HMAC-SHA256 over the two with the shared secret, in the same base64. The
customer `*` stands for all: for the bank's own servers, never for a browser.
"""

import base64
import binascii
import hashlib
import hmac

EVERYBODY = "*"


def issue(secret: bytes, customer_id: str, expires: int) -> str:
    """A token for one customer's events, or `EVERYBODY`'s, until `expires` (seconds since 1970)."""
    said = f"{_text(customer_id.encode())}.{expires}"
    return f"{said}.{_sign(secret, said)}"


def holder(secret: bytes, token: str, now: float) -> str | None:
    """The customer whose events the token lets in; None where it does not hold `now` (seconds since 1970)."""
    said, _, signature = token.rpartition(".")
    if not token.isascii() or not hmac.compare_digest(signature, _sign(secret, said)):
        return None
    customer, _, expires = said.partition(".")
    try:
        if now >= int(expires):
            return None
        return base64.urlsafe_b64decode(customer + "=" * (-len(customer) % 4)).decode()
    except (ValueError, binascii.Error):
        return None


def _sign(secret: bytes, said: str) -> str:
    return _text(hmac.new(secret, said.encode(), hashlib.sha256).digest())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
