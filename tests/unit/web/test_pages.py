"""The customer's pages without their databases, in any language, and in another bank's colours."""

from pathlib import Path

import pytest

from account_alerts.config.brand import LIGHT, Brand
from tests.unit.web.application import ORIGIN, Application, Browser, configure
from web import texts
from web.assets import Assets
from web.forms import Form
from web.templating import Templates

KEPT = [("threshold", "1.000,5,0"), ("channels", "PUSH"), ("note", '"><script>')]


def test_what_was_typed_is_kept_while_the_database_is_away(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("customer-1")
        application.database.is_away = True
        answer = await browser.web.post(
            "/alerts/save/s1",
            data=dict(KEPT),
            headers={"Origin": ORIGIN, "Accept-Language": "xx, nl-BE;q=0.5"},
        )
        assert answer.status_code == 503
        assert "We kunnen nu niet bij uw gegevens" in answer.text
        assert '<form class="btns" method="post" action="/alerts/save/s1">' in answer.text
        assert 'name="threshold" value="1.000,5,0"' in answer.text
        assert "<script>" not in answer.text.replace("&lt;script&gt;", "")
        assert "DatabaseError" not in answer.text
        assert "HX-Retarget" not in answer.headers

    application.run(steps)


def test_htmx_gets_the_whole_page_of_a_problem(application: Application) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("customer-1")
        application.database.is_away = True
        answer = await browser.web.get("/alerts/state/s1", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["HX-Retarget"]) == (503, "#main")

    application.run(steps)


@pytest.mark.parametrize("language", texts.names())
def test_another_bank_has_its_name_and_logo_on_every_page(tmp_path: Path, language: str) -> None:
    logo = tmp_path / "mark.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    brand = Brand(name="Bank & Söhne", logo=logo, light=LIGHT.model_copy(update={"brand": "#5b2a86"}))
    assets = Assets(brand)
    page = Templates(brand, assets).render(
        "customer/problem.html",
        t=texts.choose(language),
        title="Title",
        words="Words",
        kept=Form([]).pairs,
        path="/",
        again=False,
    )
    assert "Bank &amp; Söhne" in page
    assert assets.url("logo.svg") in page
    assert "Example Bank" not in page
    assert "style=" not in page


def test_a_form_that_is_none_is_refused() -> None:
    application = Application(configure())

    async def steps(browser: Browser) -> None:
        await browser.log_in("customer-1")
        for body in (b"\xff=1", b"a=%00", b"&".join(b"a=1" for _ in range(300))):
            answer = await browser.web.post("/reach/digest", content=body, headers={"Origin": ORIGIN})
            assert answer.status_code == 400

    application.run(steps)
