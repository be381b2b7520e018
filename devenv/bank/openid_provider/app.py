"""OpenID Connect for one client: discovery, Authorization Code with PKCE, keys, and the end of a session.

What the specifications leave to the provider is as small as it can be: no password, no consent, no refresh.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader

from account_alerts.config import Config
from account_alerts.config.web import is_local
from account_alerts.model.errors import ConfigError
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from devenv.bank.openid_provider import people
from devenv.bank.openid_provider.tokens import ALGORITHM, Asked, Tokens
from web.auth.openid import CALLBACK, LOCAL_MARK

_SHOWN = 8
"""Customers with a button of their own; others by their id."""
_PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


def make_app(config: Config, customers: Sequence[str], clock: Clock = SYSTEM_CLOCK) -> FastAPI:
    """Make the provider.

    Args:
        config: A local environment's.
        customers: The ids of those who get a button, as far as there is room.
        clock: Tells how old codes are.

    Raises:
        ConfigError: It is no local environment's, or its issuer is not on this machine.
    """
    config.local_environment()
    web = config.require("web")
    issuer = web.openid.issuer
    if not is_local(issuer):
        raise ConfigError(
            f"web.openid.issuer: {issuer} is not this machine: the local provider is for it only."
        )
    tokens = Tokens(web.openid, clock)
    app = FastAPI(title="Local OpenID provider", docs_url=None, redoc_url=None, openapi_url=None)

    def page(title: str, action: str, hidden: dict[str, str]) -> Response:
        shown = [people.customer(each) for each in customers[:_SHOWN]]
        found = {
            "title": title,
            "action": action,
            "hidden": hidden,
            "customers": shown,
            "staff": people.STAFF,
        }
        return HTMLResponse(_PAGES.get_template("page.html").render(found))

    def chosen(subject: str, customer: str) -> people.Person:
        person = people.find(subject or f"customer-{customer.strip()}")
        if person is None:
            raise HTTPException(400, "nobody is chosen")
        return person

    @app.get("/")
    async def front() -> Response:
        """Offer tokens for the API, to try it out."""
        return page("Get a bearer token for the API as", "/api-token", {})

    @app.post("/api-token")
    async def api_token(
        subject: Annotated[str, Form()] = "", customer: Annotated[str, Form()] = ""
    ) -> PlainTextResponse:
        """Return a bearer token for the API."""
        return PlainTextResponse(tokens.access_token(chosen(subject, customer)) + "\n")

    @app.get("/healthz")
    async def alive() -> Response:
        """Say that the process lives."""
        return JSONResponse({"status": "ok"})

    @app.get("/.well-known/openid-configuration")
    async def metadata() -> dict[str, Any]:
        """Return the provider's metadata (OpenID Connect Discovery 1.0, section 3)."""
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "end_session_endpoint": f"{issuer}/end-session",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid"],
            LOCAL_MARK: True,
        }

    @app.get("/keys")
    async def keys() -> Any:
        """Return the public keys."""
        return tokens.keys()

    def check(parameters: dict[str, str]) -> Asked:
        """Check what a browser is sent with; it goes back to the application only if that is who sent it."""
        if parameters.get("client_id") != web.openid.client_id:
            raise HTTPException(400, "unknown client_id")
        if parameters.get("redirect_uri") != f"{web.public_url}{CALLBACK}":
            raise HTTPException(400, "redirect_uri is not the application's")
        if parameters.get("response_type") != "code":
            raise HTTPException(400, "response_type must be code")
        if parameters.get("code_challenge_method") != "S256" or not parameters.get("code_challenge"):
            raise HTTPException(400, "PKCE with S256 is required")
        return Asked(
            parameters["redirect_uri"],
            parameters["code_challenge"],
            parameters.get("nonce"),
            parameters.get("scope", "openid"),
        )

    @app.get("/authorize")
    async def authorize(request: Request) -> Response:
        """Ask who it is."""
        parameters = dict(request.query_params)
        check(parameters)
        return page("Log in as", "/authorize", parameters)

    @app.post("/authorize")
    async def authorized(request: Request) -> Response:
        """Send a browser back with a code."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked = check(form)
        code = tokens.issue_code(chosen(form.get("subject", ""), form.get("customer", "")), asked)
        state = {"state": form["state"]} if "state" in form else {}
        return RedirectResponse(f"{asked.redirect_uri}?{urlencode({'code': code, **state})}", 303)

    @app.post("/token")
    async def token(request: Request) -> Response:
        """Exchange a code."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        if form.get("grant_type") != "authorization_code":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        found = tokens.exchange(
            form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", "")
        )
        if found is None or form.get("client_id") != web.openid.client_id:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    @app.get("/end-session")
    async def end_session(
        post_logout_redirect_uri: Annotated[str, Query()] = "", state: Annotated[str, Query()] = ""
    ) -> Response:
        """Send a browser back; there is no session here to end."""
        if not post_logout_redirect_uri.startswith(f"{web.public_url}/"):
            raise HTTPException(400, "post_logout_redirect_uri is not the application's")
        return RedirectResponse(post_logout_redirect_uri, 303)

    return app
