"""The page of alerts, for a customer with very many: a few accounts at once, each of them reached."""

import time

from account_alerts.config.brand import Brand
from web import texts
from web.assets import Assets
from web.customer import alerts_page
from web.customer.formats import Formats
from web.customer.model import Overview
from web.store.accounts import Account
from web.store.live import Live
from web.store.settings import Setting
from web.templating import Templates

FORMATS = Formats(texts.choose("en"), "Europe/Amsterdam", 1_796_047_392_000)
ACCOUNTS = [Account(f"NL{n:03}", None, "EUR", 100) for n in range(500)]
SETTINGS = [
    Setting(f"s{n}", f"NL{n % 500:03}", "EUR", "BALANCE_BELOW", ["EMAIL"], n, None, None, None, True, "v")
    for n in range(5000)
]
OVERVIEW = Overview(ACCOUNTS, SETTINGS, [], Live(None, None))


def test_pages_reach_every_account_once() -> None:
    page = alerts_page.build(OVERVIEW, FORMATS)
    found = [card.account_id for card in page["cards"]]
    while page["later"]:
        page = alerts_page.build(OVERVIEW, FORMATS, account_id=page["later"])
        found += [card.account_id for card in page["cards"]]
    assert found == [account.account_id for account in ACCOUNTS]
    assert page["earlier"] == f"NL{500 - 2 * alerts_page.ACCOUNTS_AT_ONCE:03}"


def test_an_account_that_is_named_is_on_the_page() -> None:
    page = alerts_page.build(OVERVIEW, FORMATS, account_id="NL333")
    assert "NL333" in [card.account_id for card in page["cards"]]
    assert len(page["cards"]) == alerts_page.ACCOUNTS_AT_ONCE
    assert alerts_page.build(OVERVIEW, FORMATS, account_id="nobody's")["earlier"] is None


def test_five_thousand_alerts_are_written_at_once() -> None:
    brand = Brand()
    templates = Templates(brand, Assets(brand))
    frame = {"t": FORMATS.texts, "f": FORMATS, "here": "alerts", "unread": None}
    templates.render("customer/alerts.html", **frame, **alerts_page.build(OVERVIEW, FORMATS))
    begin = time.process_time()
    templates.render("customer/alerts.html", **frame, **alerts_page.build(OVERVIEW, FORMATS))
    # 300 ms are asked for, on a machine of its own.
    assert time.process_time() - begin < 0.9
