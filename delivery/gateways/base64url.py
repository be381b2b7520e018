"""Base64url (RFC 4648, section 5) without padding, as Web Push and links carry bytes."""

import base64
import binascii


def encode(data: bytes) -> str:
    """Write bytes URL-safe, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Read bytes, with or without padding, in the URL-safe or the usual alphabet.

    Raises:
        ValueError: It is no such text.
    """
    plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
