"""The login at the local OpenID provider, by the code flow with PKCE, and what a session lets in."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI

from tests.unit.web.application import Application, Browser, configure
from web.auth.dependencies import Approver, Operator, PageCustomer


@pytest.fixture
def application() -> Application:
    def add_routes(app: FastAPI) -> None:
        @app.get("/mine")
        async def mine(customer: PageCustomer) -> dict[str, str]:
            return {"id": customer.customer_id, "by": customer.changed_by}

        @app.post("/mine")
        async def change(customer: PageCustomer) -> dict[str, str]:
            return {"id": customer.customer_id}

        @app.get("/chain")
        async def chain(operator: Operator) -> dict[str, str]:
            return {"id": operator.subject}

        @app.get("/agree")
        async def agree(approver: Approver) -> dict[str, str]:
            return {"id": approver.subject}

    return Application(configure(), change=add_routes)


def test_a_customer_logs_in_and_is_who_they_are(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        asked = await browser.web.get("/mine?a=1")
        assert (asked.status_code, asked.headers["Location"]) == (303, "/login?next=%2Fmine%3Fa%3D1")
        back = await browser.log_in("customer-7", asked.headers["Location"])
        assert (back.status_code, back.headers["Location"]) == (303, "/mine?a=1")
        found = await browser.web.get("/mine")
        assert found.json() == {"id": "7", "by": "customer by page: customer-7"}
        assert (await browser.web.get("/")).headers["Location"] == "/alerts"

    application.run(steps)


def test_roles_open_their_own_routes_only(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("operator-1")
        assert (await browser.web.get("/chain")).json() == {"id": "operator-1"}
        assert (await browser.web.get("/agree")).status_code == 200
        assert (await browser.web.get("/mine")).status_code == 403
        assert (await browser.web.get("/")).headers["Location"] == "/operator"
        await browser.log_in("customer-7")
        for path in ("/chain", "/agree"):
            assert (await browser.web.get(path)).status_code == 403

    application.run(steps)


def test_who_left_the_bank_is_nobodys_customer(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("customer-7")
        application.database.customers = {"8"}
        assert (await browser.web.get("/mine")).status_code == 403

    application.run(steps)


def test_a_session_ends_when_it_is_idle_or_old_or_logged_out(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        web = application.config.require("web")
        await browser.log_in("customer-7")
        for _ in range(web.session_length // web.session_idle * 2 - 1):
            application.clock.advance(web.session_idle / 2000)
            assert (await browser.web.get("/mine")).status_code == 200
        application.clock.advance(web.session_idle / 2000)
        assert (await browser.web.get("/mine")).status_code == 303  # Used all the time, but old.
        await browser.log_in("customer-7")
        application.clock.advance(web.session_idle / 1000)
        assert (await browser.web.get("/mine")).status_code == 303
        await browser.log_in("customer-7")
        ended = await browser.post("/logout")
        assert ended.status_code == 303
        assert ended.headers["Location"].startswith(f"{web.openid.issuer}/end-session?")
        assert (await browser.provider.get(ended.headers["Location"])).headers["Location"] == (
            f"{web.public_url}/"
        )
        assert (await browser.web.get("/mine")).status_code == 303
        assert (await browser.post("/mine")).status_code == 401

    application.run(steps)


def test_a_code_holds_once_and_for_its_own_browser_only(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        asked = await browser.web.get("/login")
        form = dict(httpx2.URL(asked.headers["Location"]).params)
        chosen = await browser.provider.post("/authorize", data={**form, "subject": "customer-7"})
        back = urlsplit(chosen.headers["Location"])
        async with Browser(application) as another:
            assert (await another.web.get(f"{back.path}?{back.query}")).status_code == 400
            assert (await another.web.get("/mine")).status_code == 303
        assert (await browser.web.get(f"{back.path}?{back.query}")).status_code == 303
        assert (await browser.web.get(f"{back.path}?{back.query}")).status_code == 400

    application.run(steps)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "another"},
        {"redirect_uri": "https://evil.example/login/callback"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"subject": "nobody"},
    ],
)
def test_the_provider_refuses_what_is_not_the_applications(
    application: Application, change: dict[str, str]
) -> None:
    async def steps(browser: Browser) -> None:
        asked = await browser.web.get("/login")
        form = dict(httpx2.URL(asked.headers["Location"]).params)
        sent = {**form, "subject": "customer-7", **change}
        assert (await browser.provider.post("/authorize", data=sent)).status_code == 400

    application.run(steps)


def test_the_provider_wants_the_verifier_of_the_challenge(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        asked = await browser.web.get("/login")
        form = dict(httpx2.URL(asked.headers["Location"]).params)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(b"mine").digest()).rstrip(b"=").decode()
        own = {**form, "code_challenge": challenge, "subject": "customer-7"}

        async def exchange(verifier: str) -> httpx2.Response:
            chosen = await browser.provider.post("/authorize", data=own)
            code = parse_qs(urlsplit(chosen.headers["Location"]).query)["code"][0]
            fields = {name: form[name] for name in ("client_id", "redirect_uri")}
            body = {**fields, "grant_type": "authorization_code", "code": code, "code_verifier": verifier}
            return await browser.provider.post("/token", data=body)

        assert (await exchange("stolen")).json() == {"error": "invalid_grant"}
        assert "access_token" in (await exchange("mine")).json()

    application.run(steps)


@pytest.mark.parametrize(
    ("asked", "goal"),
    [
        ("/messages?unread", "/messages?unread"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_nobody_is_sent_to_another_site_after_the_login(
    application: Application, asked: str, goal: str
) -> None:
    async def steps(browser: Browser) -> None:
        path = str(httpx2.URL("/login", params={"next": asked}))
        assert (await browser.log_in("customer-7", path)).headers["Location"] == goal

    application.run(steps)


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c.d.e", "eyJhbGciOiJub25lIn0..x.y.z"])
def test_a_cookie_that_is_not_ours_is_nobody(application: Application, cookie: str) -> None:
    async def steps(browser: Browser) -> None:
        headers = {"Cookie": f"session={cookie}"}
        assert (await browser.web.get("/mine", headers=headers)).status_code == 303

    application.run(steps)


def test_a_cookie_of_another_secret_is_nobody(application: Application) -> None:
    other = Application(configure(session_secret="f" * 32))
    cookie: dict[str, Any] = {}

    async def elsewhere(browser: Browser) -> None:
        await browser.log_in("customer-7")
        cookie.update(browser.web.cookies)

    async def here(browser: Browser) -> None:
        headers = {"Cookie": f"session={cookie['session']}"}
        assert (await browser.web.get("/mine", headers=headers)).status_code == 303

    other.run(elsewhere)
    application.run(here)


def test_the_provider_away_is_said_and_nothing_breaks(application: Application) -> None:
    application.provider.router.routes.clear()

    async def steps(browser: Browser) -> None:
        assert (await browser.web.get("/login")).status_code == 503

    application.run(steps)
