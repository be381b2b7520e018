"""Signed tokens (JWT) by which push services know us: made when needed, used until they are old."""

import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey


def signed(algorithm: str, key: ECKey | RSAKey, claims: dict[str, Any], **header: str) -> str:
    """A token with these claims."""
    return jwt.encode({"alg": algorithm, **header}, claims, key, algorithms=[algorithm])


class Kept:
    """Tokens by what they are for, each used for a while."""

    def __init__(self, make: Callable[[str], str], seconds: float) -> None:
        """`make` gives the token for a name; it is used for `seconds`."""
        self._make = make
        self._seconds = seconds
        self._made: dict[str, tuple[float, str]] = {}

    def get(self, name: str = "") -> str:
        """The token for a name."""
        made_at, token = self._made.get(name, (0.0, ""))
        now = time.monotonic()
        if not token or now - made_at > self._seconds:
            token = self._make(name)
            self._made[name] = now, token
        return token

    def forget(self, name: str = "") -> None:
        """Make a new one next time."""
        self._made.pop(name, None)
