"""What the provider hands out: codes that hold once, and signed tokens."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from account_alerts.config.web import OpenId
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from devenv.bank.openid_provider.people import Person

ALGORITHM = "ES256"
_CODE_MS = 60_000
TOKEN_SECONDS = 3_600


@dataclass(frozen=True)
class Asked:
    """What a browser was sent to the login with."""

    redirect_uri: str
    challenge: str
    """Of PKCE, S256 (RFC 7636)."""
    nonce: str | None
    scope: str


class Tokens:
    """Makes codes and tokens; a restart makes new keys."""

    def __init__(self, openid: OpenId, clock: Clock = SYSTEM_CLOCK) -> None:
        """Take whom tokens are for."""
        self._openid, self._clock = openid, clock
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        self._codes: dict[str, tuple[Person, Asked, int]] = {}

    def keys(self) -> Any:
        """Return the public keys (RFC 7517)."""
        return KeySet([self._key]).as_dict(private=False)

    def issue_code(self, person: Person, asked: Asked) -> str:
        """Return a code for one exchange within a minute."""
        now = self._clock.now_ms()
        self._codes = {code: kept for code, kept in self._codes.items() if now - kept[2] < _CODE_MS}
        code = secrets.token_urlsafe(32)
        self._codes[code] = (person, asked, now)
        return code

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> dict[str, Any] | None:
        """Return the tokens for a code; None where it is unknown, used, old, or another's.

        Args:
            code: What `issue_code` gave.
            redirect_uri: Where it was sent to.
            verifier: What the challenge was made of.
        """
        person, asked, at = self._codes.pop(code, (None, None, 0))
        if person is None or asked is None or self._clock.now_ms() - at >= _CODE_MS:
            return None
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not secrets.compare_digest(challenge.encode(), asked.challenge.encode()):
            return None
        if redirect_uri != asked.redirect_uri:
            return None
        nonce = {} if asked.nonce is None else {"nonce": asked.nonce}
        return {
            "access_token": self.access_token(person),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": asked.scope,
            "id_token": self._sign(person, self._openid.client_id, **nonce),
        }

    def access_token(self, person: Person) -> str:
        """Return a bearer token for the API."""
        return self._sign(person, self._openid.audience, client_id=self._openid.client_id)

    def _sign(self, person: Person, audience: str, **more: Any) -> str:
        now = self._clock.now_ms() // 1000
        claims = {
            **person.claims,
            **more,
            "iss": self._openid.issuer,
            "sub": person.subject,
            "aud": audience,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key)
