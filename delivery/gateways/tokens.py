"""Signed tokens (JWT) by which push services know us: made when needed, used until they are old."""

import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey


def signed(algorithm: str, key: ECKey | RSAKey, claims: dict[str, Any], **header: str) -> str:
    """Sign a token with these claims."""
    return jwt.encode({"alg": algorithm, **header}, claims, key, algorithms=[algorithm])


class TokenCache:
    """Tokens by what they are for, each used for a while."""

    def __init__(self, make: Callable[[str], str], seconds: float) -> None:
        """Call `make` for the token of a name, and use it for `seconds`."""
        self._make = make
        self._seconds = seconds
        self._made: dict[str, tuple[float, str]] = {}

    def get(self, name: str = "") -> str:
        """Return the token for a name."""
        made_at, token = self._made.get(name, (0.0, ""))
        now = time.monotonic()
        if not token or now - made_at > self._seconds:
            token = self._make(name)
            self._made[name] = now, token
        return token

    def forget(self, token: str, name: str = "", *, min_age: float) -> None:
        """Drop the token for a name if it is still this one, and older than `min_age` seconds."""
        made_at, used = self._made.get(name, (0.0, ""))
        if used == token and time.monotonic() - made_at > min_age:
            del self._made[name]
