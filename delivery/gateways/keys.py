"""A message's idempotency key in the forms that gateways take: the same key always gives the same form."""

import hashlib
import re
import uuid

_NAMESPACE = uuid.UUID("6d1f0f5e-6c5c-4d0c-9d1c-0a2b7f3f6a41")
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def token(key: str, length: int = 64) -> str:
    """Return at most `length` (at least 16) letters, digits, `-`, `_`: the key itself where it is such."""
    if len(key) <= length and _SAFE.fullmatch(key):
        return key
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:length]


def as_uuid(key: str) -> str:
    """Derive a UUID, in its usual form."""
    return str(uuid.uuid5(_NAMESPACE, token(key)))


def number(key: str) -> int:
    """Derive a number of 8 bits."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()[0]
