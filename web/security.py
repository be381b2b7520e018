"""What protects browsers: headers of every answer, and no changes that other sites ask for."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from account_alerts.config.web import Web
from account_alerts.service.problems import ProblemError, respond

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
API = "/api/"
"""What stands below takes bearer tokens only, which no browser sends by itself."""
STATIC = "/static/"
UNSUBSCRIBE = "/unsubscribe/"
"""What stands below is posted by mail programs, from no page (RFC 8058): a signed token says what may
change."""


def content_security_policy(web: Web) -> str:
    """Return the policy of all pages: scripts and styles of this origin's files only, no frames."""
    provider = urlsplit(web.openid.issuer)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            # The button that logs out is answered by a redirect to the provider.
            f"form-action 'self' {provider.scheme}://{provider.netloc}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """The middleware that adds the headers."""

    def __init__(self, app: ASGIApp, web: Web) -> None:
        """Wrap an application."""
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(web),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        }
        if web.public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if not scope["path"].startswith(STATIC):
                    # Customers' data: neither caches nor the "back" of a browser that others use keep it.
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, with_headers)


class SameOriginOnly:
    """The middleware that refuses changes which another site's page makes a browser ask for.

    Browsers say where a request comes from: `Sec-Fetch-Site`, and `Origin` with every POST. What says
    neither is no browser of these days, and has no business with pages. The session's cookie is SameSite,
    too.
    """

    def __init__(self, app: ASGIApp, web: Web) -> None:
        """Wrap an application."""
        self._app, self._origin = app, web.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and not self._is_allowed(scope):
            refusal = ProblemError(403, "This change was asked for by another site. Nothing was changed.")
            await respond(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        if scope["method"] in _SAFE_METHODS or scope["path"].startswith((API, UNSUBSCRIBE)):
            return True
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        return headers.get("origin") == self._origin


class BodyLimit:
    """The middleware that refuses bodies longer than anything that this application is sent."""

    def __init__(self, app: ASGIApp, limit: int = 262_144) -> None:
        """Wrap an application; `limit` in bytes."""
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._limit:
            await _TOO_LONG(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._limit:
                raise ProblemError(413, "The body is too long.")
            return message

        await self._app(scope, counted, send)


_TOO_LONG = PlainTextResponse("The body is too long.\n", 413)
