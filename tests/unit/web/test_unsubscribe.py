"""One-click unsubscribe: a POST without login or origin ends mails, a GET asks, other links do nothing."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from account_alerts.config import load
from delivery.gateways.email.unsubscribe import UnsubscribeLinks
from tests.unit.web.application import ORIGIN, SECRET, Application, Browser
from web import texts

URL = f"{ORIGIN}/unsubscribe/{{token}}"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Ended:
    """What was ended, in place of the bank's table."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str]]] = []

    async def __call__(self, _: object, customer_id: str, setting_ids: Sequence[str]) -> int:
        self.calls.append((customer_id, list(setting_ids)))
        return 1


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Ended:
    own = Ended()
    monkeypatch.setattr("web.unsubscribe.end_mails", own)
    return own


def make(secret: str | None = SECRET) -> Application:
    email = {"unsubscribe_secret": secret, "unsubscribe_url": URL}
    return Application(load(overrides={"web": {"session_secret": SECRET}, "senders": {"email": email}}))


def path(*settings: str, secret: str = SECRET) -> str:
    return UnsubscribeLinks(URL, SecretStr(secret)).link("1", settings).removeprefix(ORIGIN)


@pytest.mark.parametrize("form", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}])
def test_a_mail_program_ends_the_mails_with_one_post(ended: Ended, form: dict[str, Any]) -> None:
    async def steps(browser: Browser) -> None:
        # RFC 8058: no cookies, no Origin; a form, urlencoded or of parts; no redirect.
        answer = await browser.web.post(path("s1", "s2"), **form)
        assert answer.status_code == 200, answer.text
        assert "Set-Cookie" not in answer.headers
        assert ended.calls == [("1", ["s1", "s2"])]

    make().run(steps)


def test_a_get_asks_and_the_page_posts_the_same(ended: Ended) -> None:
    async def steps(browser: Browser) -> None:
        for address in (path("s1"), path()):
            page = await browser.web.get(address)
            assert page.status_code == 200, page.text
            assert f'<form method="post" action="{address}">' in page.text
            assert '<input type="hidden" name="List-Unsubscribe" value="One-Click">' in page.text
        assert str(texts.choose("en")("stop_ask_all")) in page.text
        assert ended.calls == []
        done = await browser.post(path(), data=ONE_CLICK)
        assert str(texts.choose("en")("stop_done")) in done.text
        assert ended.calls == [("1", [])]

    make().run(steps)


@pytest.mark.parametrize(
    ("address", "data", "status"),
    [
        (path("s1", secret="x" * 32), ONE_CLICK, 404),
        ("/unsubscribe/abc", ONE_CLICK, 404),
        (path("s1"), {}, 422),
        (path("s1"), {"List-Unsubscribe": "Two-Clicks"}, 422),
    ],
)
def test_what_ends_nothing(ended: Ended, address: str, data: dict[str, str], status: int) -> None:
    async def steps(browser: Browser) -> None:
        assert (await browser.web.post(address, data=data)).status_code == status
        assert ended.calls == []

    make().run(steps)


def test_without_the_senders_secret_no_link_holds(ended: Ended) -> None:
    async def steps(browser: Browser) -> None:
        assert (await browser.web.post(path("s1"), data=ONE_CLICK)).status_code == 404
        assert ended.calls == []

    make(None).run(steps)


def test_while_the_database_is_away_the_mail_program_may_try_again() -> None:
    application = make()
    application.database.is_away = True

    async def steps(browser: Browser) -> None:
        answer = await browser.web.get(path("s1"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")

    application.run(steps)
