"""What every answer has, and which changes are refused."""

import pytest
from fastapi import FastAPI

from tests.unit.web.application import ORIGIN, Application, Browser, configure
from web.security import content_security_policy


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/v1/nothing", "/login?next=/"])
def test_every_answer_has_the_headers(application: Application, path: str) -> None:
    async def steps(browser: Browser) -> None:
        headers = (await browser.web.get(path)).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Server" not in headers

    application.run(steps)


def test_the_policy_lets_no_inline_script_or_style_in() -> None:
    policy = content_security_policy(configure().require("web"))
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ORIGIN}, 303),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_changes_come_from_our_own_pages_only(
    application: Application, headers: dict[str, str], status: int
) -> None:
    async def steps(browser: Browser) -> None:
        assert (await browser.web.post("/logout", headers=headers)).status_code == status

    application.run(steps)


def test_behind_https_cookies_are_secure_and_pinned_to_the_host() -> None:
    web = {"public_url": "https://alerts.bank.example"}
    application = Application(configure(**web))

    async def steps(browser: Browser) -> None:
        answer = await browser.web.get("/login")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-session=")
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
        assert answer.headers["Strict-Transport-Security"]

    application.run(steps)


def test_a_body_that_is_too_long_is_refused(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        assert (await browser.post("/logout", content=b"x" * 300_000)).status_code == 413

    application.run(steps)


def test_a_defect_shows_nothing_of_itself() -> None:
    def add_route(app: FastAPI) -> None:
        @app.get("/broken")
        @app.get("/api/v1/broken")
        async def broken() -> None:
            raise RuntimeError("secret")

    async def steps(browser: Browser) -> None:
        for path in ("/broken", "/api/v1/broken"):
            answer = await browser.web.get(path)
            assert (answer.status_code, "secret" in answer.text) == (500, False)
        assert answer.headers["Content-Type"] == "application/problem+json"

    Application(configure(), change=add_route).run(steps)


def test_requests_are_counted_by_route(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        await browser.web.get("/")
        await browser.web.get("/nothing")

    application.run(steps)
    for route, status in (("/", "303"), ("none", "404")):
        labels = {"route": route, "status": status}
        name = "account_alerts_web_requests_total"
        assert application.parts.registry.get_sample_value(name, labels) == 1
