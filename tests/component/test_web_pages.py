"""The customer's pages in a real browser: what they do, on a phone and a desktop, in each language."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from account_alerts.config import Config
from devenv.bank.openid_provider.people import sample_customers
from devenv.services.catalog import OPENID, WEB
from tests.component import browser
from tests.component.browser import DESKTOP, PHONE, TIMEOUT_MS, log_in, visitor
from tests.component.programs import Programs
from tests.component.web_pages import Bank

pytestmark = pytest.mark.environment
expect.set_options(timeout=TIMEOUT_MS)
ANNA, *OTHERS = sample_customers()
LANGUAGES = dict(zip(("en", "de", "nl", "cs"), OTHERS, strict=False))
_SHOTS = os.environ.get("SCREENSHOTS")
"""A folder where the pages are photographed, to look at them."""


@pytest.fixture(scope="module")
def bank(programs: Programs, postgres: Config) -> Bank:
    """A bank with a customer for each language; ANNA's alerts are changed."""
    programs.start(OPENID)
    programs.start(WEB)
    bank = Bank(postgres, postgres.require("web").public_url)
    for language, customer in {**LANGUAGES, "en-GB": ANNA}.items():
        bank.add_customer(customer, language)
        for channel in ("EMAIL", "PUSH"):
            bank.deliver(customer, "e1", channel)
    return bank


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.launch() as started:
        yield started


@pytest.fixture
def anna(chromium: Browser, bank: Bank) -> Iterator[Page]:
    """A page of ANNA, on a phone."""
    with visitor(chromium, viewport=PHONE) as page:
        log_in(page, bank.url, ANNA)
        yield page


def _alert(page: Page, name: str) -> Locator:
    return page.locator("li", has=page.get_by_role("switch", name=name))


def test_an_amount_is_changed_and_the_page_says_when_it_is_live(anna: Page, bank: Bank) -> None:
    low = _alert(anna, "Low balance")
    amount = low.get_by_label("when the balance falls below")
    expect(amount).to_have_value("100.00")
    expect(low.get_by_role("status")).to_have_text("Live")
    amount.fill("€ 1,250.5")
    low.get_by_role("button", name="Save").click()
    expect(low.get_by_role("status")).to_have_text("Saved. Takes effect with your next booking")
    assert bank.setting(ANNA, "low")["threshold_minor"] == 125_050
    bank.publish(ANNA)
    expect(low.get_by_role("status")).to_have_text("Live")
    history = "SELECT application_user FROM history WHERE table_name = 'preferences' ORDER BY id DESC LIMIT 1"
    assert ANNA in bank.ask("bank", history)[0]["application_user"]


def test_an_amount_that_cannot_be_read_stays_in_the_field(anna: Page, bank: Bank) -> None:
    low, before = _alert(anna, "Low balance"), bank.setting(ANNA, "low")
    low.get_by_label("when the balance falls below").fill("1.000,5,0")
    low.get_by_role("button", name="Save").click()
    expect(low).to_contain_text("“1.000,5,0” as an amount. Write it like 1,000.50.")
    expect(low.get_by_label("when the balance falls below")).to_have_value("1.000,5,0")
    expect(low.get_by_label("when the balance falls below")).to_have_attribute("aria-invalid", "true")
    assert bank.setting(ANNA, "low") == before


def test_an_alert_is_switched_snoozed_and_removed_at_once(anna: Page, bank: Bank) -> None:
    often = _alert(anna, "Card used often")
    often.get_by_label("when there are more than").fill("7")
    often.get_by_role("switch").uncheck()
    expect(often.get_by_role("status")).to_contain_text("Saved")
    assert not bank.setting(ANNA, "often")["enabled"]
    bank.publish(ANNA)
    expect(often.get_by_role("status")).to_contain_text("Off. You get nothing from this alert")
    # What is typed beside it is not lost, and saved with what the switch says.
    often.get_by_role("switch").check()
    expect(often.locator("summary", has_text="Snooze")).to_be_visible()
    often.get_by_role("button", name="Save").click()
    expect(often.get_by_role("button", name="Save")).to_be_hidden()
    assert bank.setting(ANNA, "often")["count"] == 7
    often.locator("summary", has_text="Snooze").click()
    often.get_by_role("button", name="For a week").click()
    expect(often.get_by_role("button", name="Turn on now")).to_be_visible()
    bank.publish(ANNA)
    expect(often.get_by_role("status")).to_contain_text("Snoozed until")
    assert bank.setting(ANNA, "often")["snoozed_until"] is not None
    often.get_by_role("button", name="Remove").click()
    expect(often).to_have_count(0)
    assert (
        bank.ask("bank", "SELECT FROM preferences WHERE setting_id = 'often' AND customer_id = %s", ANNA)
        == []
    )


def test_an_alert_is_added_once(anna: Page, bank: Bank) -> None:
    anna.locator("summary", has_text="Add an alert").first.click()
    anna.get_by_role("button", name="Money comes in").first.click()
    new = anna.locator("#new")
    new.get_by_role("button", name="Save alert").click()
    expect(anna.locator("#new")).to_contain_text("Write an amount, like 1,000.50.")
    anna.locator("#new").get_by_label("when more than").fill("1,000")
    anna.locator("#new").get_by_role("button", name="Save alert").click()
    expect(_alert(anna, "Money in")).to_have_count(1)
    sql = "SELECT threshold_minor FROM preferences WHERE alert_type = 'CREDITED_ABOVE' AND customer_id = %s"
    assert bank.ask("bank", sql, ANNA) == [{"threshold_minor": 100_000}]


def test_everything_works_without_script(chromium: Browser, bank: Bank) -> None:
    with visitor(chromium, viewport=PHONE, java_script_enabled=False) as page:
        log_in(page, bank.url, ANNA)
        low = _alert(page, "Low balance")
        low.get_by_label("when the balance falls below").fill("80")
        low.get_by_role("button", name="Save").click()
        expect(_alert(page, "Low balance").get_by_label("when the balance falls below")).to_have_value(
            "80.00"
        )
        assert bank.setting(ANNA, "low")["threshold_minor"] == 8_000
        page.get_by_role("link", name="Messages").click()
        page.get_by_role("link", name="went out").first.click()
        expect(page.get_by_role("heading", name="Why did I get this?")).to_be_visible()


def test_an_open_inbox_shows_a_message_as_it_comes(anna: Page, bank: Bank) -> None:
    anna.goto(f"{bank.url}/messages")
    expect(anna.locator(".msg")).to_have_count(1)
    before = anna.locator("#unread").inner_text()
    bank.deliver(ANNA, "e2", "EMAIL")
    expect(anna.locator("#news .msg")).to_have_count(1)
    expect(anna.locator("#news .via")).to_contain_text("E-mail")
    bank.deliver(ANNA, "e2", "PUSH")
    expect(anna.locator("#news .via")).to_contain_text("Push")
    expect(anna.locator(".msg")).to_have_count(2)
    assert anna.locator("#unread").inner_text() != before


def test_a_message_says_why_and_where_it_went(anna: Page, bank: Bank) -> None:
    bank.deliver(ANNA, "e3", "EMAIL")
    anna.goto(f"{bank.url}/messages/{ANNA}-e3-EMAIL")
    why = anna.get_by_role("region", name="Why did I get this?")
    expect(why).to_contain_text("when more than €250.00 goes out at once")
    expect(why).to_contain_text("when the balance falls below €100.00")
    expect(anna.locator(".facts")).to_contain_text("Cycle Shop Noord")
    quote = anna.locator(".quote")
    expect(quote).to_contain_text("It is not from your bank")
    expect(quote).not_to_contain_text("1234567")
    anna.get_by_role("button", name="Delete").click()
    expect(anna.get_by_role("heading", name="Messages")).to_be_visible()
    assert anna.goto(f"{bank.url}/messages/{ANNA}-e3-EMAIL").status == 404  # type: ignore[union-attr]
    other = f"{bank.url}/messages/{OTHERS[0]}-e1-EMAIL"
    assert anna.goto(other).status == 404  # type: ignore[union-attr]


def test_an_address_is_confirmed_by_its_code(anna: Page, bank: Bank) -> None:
    anna.goto(f"{bank.url}/reach")
    anna.get_by_label("Add an e-mail address or a mobile number").fill("nobody")
    anna.get_by_role("button", name="Send code", exact=True).click()
    expect(anna.locator("#add-address")).to_contain_text("“nobody” is neither an e-mail address")
    anna.get_by_label("Add an e-mail address or a mobile number").fill("anna.work@example.com")
    anna.get_by_role("button", name="Send code", exact=True).click()
    work = anna.locator(".address", has_text="anna.work@example.com")
    expect(work).to_contain_text("We sent a code to anna.work@example.com")
    work.get_by_label("Code that we sent you").fill("000")
    work.get_by_role("button", name="Confirm").click()
    expect(work).to_contain_text("That is not the code. You have 4 tries left.")
    sql = "SELECT body FROM notices WHERE customer_id = %s AND kind = 'CODE' ORDER BY notice_id DESC LIMIT 1"
    body = bank.ask("bank", sql, ANNA)[0]["body"]
    code = next(word.strip(".:") for word in body.split() if word.strip(".:").isdigit() and len(word) >= 6)
    work.get_by_label("Code that we sent you").fill(code)
    work.get_by_role("button", name="Confirm").click()
    expect(work).to_contain_text("Confirmed. Messages go here")


def test_quiet_hours_pause_and_language(anna: Page, bank: Bank) -> None:
    anna.goto(f"{bank.url}/reach")
    anna.get_by_role("switch", name="Quiet hours").check()
    anna.locator("form", has=anna.locator("#quiet-on")).get_by_role("button", name="Save").click()
    anna.wait_for_url("**/reach#quiet")
    anna.get_by_role("button", name="For a week").click()
    expect(anna.get_by_text("Everything is paused until")).to_be_visible()
    anna.get_by_role("button", name="Turn on now").click()
    expect(anna.get_by_role("heading", name="Pause everything")).to_be_visible()
    found = bank.ask("bank", "SELECT quiet_from, quiet_to FROM customers WHERE customer_id = %s", ANNA)
    assert found == [{"quiet_from": "22:00", "quiet_to": "07:00"}]
    anna.get_by_label("Language of my messages").select_option("cs")
    anna.locator("form", has=anna.locator("#lang")).get_by_role("button", name="Save").click()
    expect(anna.get_by_role("heading", level=1)).to_have_text("Jak se se mnou spojit")
    anna.get_by_label("Jazyk mých zpráv").select_option("en")
    anna.locator("form", has=anna.locator("#lang")).get_by_role("button", name="Uložit").click()
    expect(anna.get_by_role("heading", level=1)).to_have_text("How to reach me")


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [
        ("en", DESKTOP, "light"),
        ("de", PHONE, "light"),
        ("nl", PHONE, "dark"),
        ("cs", DESKTOP, "dark"),
    ],
)
def test_everyone_can_use_the_pages(
    chromium: Browser,
    bank: Bank,
    tmp_path_factory: pytest.TempPathFactory,
    language: str,
    size: dict[str, int],
    scheme: str,
) -> None:
    source = browser.axe(tmp_path_factory.getbasetemp())
    customer, found = LANGUAGES[language], []
    with visitor(chromium, viewport=size, color_scheme=scheme) as page:
        log_in(page, bank.url, customer)
        expect(page.locator("html")).to_have_attribute("lang", language)
        for path in ("alerts", "reach", "messages", f"messages/{customer}-e1-EMAIL", "messages/none"):
            page.goto(f"{bank.url}/{path}")
            if path == "alerts":
                page.locator("summary").first.click()
            if _SHOTS:
                name = f"{path.replace('/', '-')}-{language}-{size['width']}-{scheme}.png"
                page.screenshot(path=Path(_SHOTS, name), full_page=True)
            found += [f"{path}: {each}" for each in browser.violations(page, source)]
            assert browser.overflow(page) <= 0, path
            # At 200 % a window of 1280 pixels has 640; WCAG (1.4.10) asks for no less than 320.
            page.set_viewport_size({"width": max(size["width"] // 2, 320), "height": 450})
            assert browser.overflow(page) <= 0, f"{path} at 200 %"
            page.set_viewport_size(size)  # type: ignore[arg-type]
    assert found == []


def test_messages_about_an_account_are_gone_with_the_right_to_see_it(anna: Page, bank: Bank) -> None:
    anna.goto(f"{bank.url}/messages")
    bank.change("bank", "DELETE FROM access_rights WHERE customer_id = %s", ANNA)
    bank.deliver(ANNA, "e9")
    anna.goto(f"{bank.url}/messages")
    expect(anna.locator(".msg")).to_have_count(0)
    answer = anna.goto(f"{bank.url}/messages/{ANNA}-e9-EMAIL")
    assert answer is not None
    assert answer.status == 404
    anna.goto(f"{bank.url}/alerts")
    expect(anna.get_by_text("You have no accounts here yet.")).to_be_visible()
