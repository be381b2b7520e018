"""Sessions in an encrypted cookie: no process keeps any, so any of them answers the next request.

The cookie is a JWE (RFC 7516: `dir`, A256GCM) of the session's values, with when it began and when it was
used last. `request.session` has the values; what is changed there goes into the answer's cookie. A cookie
that is old, or that another secret made, is no session.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from account_alerts.config.web import Web
from account_alerts.model.errors import ConfigError
from account_alerts.service.clock import SYSTEM_CLOCK, Clock

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_SHORTEST_SECRET = 32
"""Bytes: the length of the key that cookies are encrypted with."""
_RENEW_MS = 60_000
"""A session that goes on gets a new cookie after so long."""
_BEGAN, _SEEN = "_began", "_seen"


class Cookies:
    """Makes and reads the cookies of sessions."""

    def __init__(self, web: Web, clock: Clock = SYSTEM_CLOCK) -> None:
        """Take the secret and the times of the configuration.

        Raises:
            ConfigError: There is no secret, or a short one.
        """
        secret = web.session_secret.get_secret_value().encode() if web.session_secret else b""
        if len(secret) < _SHORTEST_SECRET:
            raise ConfigError(
                "web.session_secret: missing, or too short. Set ALERTS_WEB__SESSION_SECRET in the "
                "environment, the same for all processes: 32 random bytes, as of `openssl rand -hex 32`."
            )
        self._key = OctKey.import_key(hashlib.sha256(b"session cookie" + secret).digest())
        self._web, self._clock = web, clock
        secure = web.public_url.startswith("https:")
        # With the prefix no other host of the bank's domain can set it.
        self.name = "__Host-session" if secure else "session"
        self._attributes = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def read(self, cookie: str) -> dict[str, Any]:
        """Return a session's values; empty where the cookie is none of ours, or too old."""
        try:
            decrypted = jwe.decrypt_compact(cookie, self._key, algorithms=list(_HEADER.values()))
            values = json.loads(decrypted.plaintext or b"")
            now, began, seen = self._clock.now_ms(), values[_BEGAN], values[_SEEN]
        except (JoseError, ValueError, TypeError, KeyError):
            return {}
        if now - began >= self._web.session_length or now - seen >= self._web.session_idle:
            return {}
        return dict(values)

    def write(self, values: Mapping[str, Any]) -> str:
        """Return the header `Set-Cookie` of a session; of an empty one it removes the cookie."""
        kept = {name: value for name, value in values.items() if name not in (_BEGAN, _SEEN)}
        if not kept:
            return f"{self.name}=; Max-Age=0; {self._attributes}"
        now = self._clock.now_ms()
        text = json.dumps({**kept, _BEGAN: values.get(_BEGAN, now), _SEEN: now})
        cookie = jwe.encrypt_compact(_HEADER, text, self._key, algorithms=list(_HEADER.values()))
        return f"{self.name}={cookie}; {self._attributes}"

    def is_due(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a session that goes on needs a new cookie."""
        return _SEEN in values and self._clock.now_ms() - values[_SEEN] >= _RENEW_MS


class Sessions:
    """The middleware that gives every request of a page its session."""

    def __init__(self, app: ASGIApp, cookies: Cookies) -> None:
        """Wrap an application."""
        self._app, self._cookies = app, cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cookie = HTTPConnection(scope).cookies.get(self._cookies.name)
        values = self._cookies.read(cookie) if cookie else {}
        before = json.dumps(values)
        scope["session"] = values

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                session = scope["session"]
                if json.dumps(session) != before or (session and self._cookies.is_due(session)):
                    MutableHeaders(scope=message).append("Set-Cookie", self._cookies.write(session))
            await send(message)

        await self._app(scope, receive, with_cookie)


def renew(session: dict[str, Any]) -> None:
    """Empty a session, so that what follows is a new one: who logs in takes over nothing of before."""
    session.clear()
