"""The operators' pages in a real browser: the chain live and with parts away, and what operators do there."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.kafka.clients import producer, read_to_end, send, send_all
from account_alerts.kafka.dead_letters import dead_letter
from account_alerts.records.codec import codec
from devenv.services.catalog import OPENID, POSTGRES, WEB
from tests.builders import entry
from tests.component import browser
from tests.component.browser import DESKTOP, PHONE, TIMEOUT_MS, visitor
from tests.component.programs import Programs
from tests.reference.binary import encode

pytestmark = pytest.mark.environment
expect.set_options(timeout=TIMEOUT_MS)
_DELIVERY = """
INSERT INTO deliveries (alert_id, channel, route, state, alert_type, customer_id, address, account_id,
  entry_id, setting_id, record, source_partition, source_offset, raised_at, written_at, received_at,
  claimed_at, sent_at, lease_owner, attempts)
SELECT 'op-alert', 'EMAIL', 'EMAIL', 'SENT', 'DEBITED_ABOVE', 'op-c', 'anna@example.com', 'op-a',
  'op-e', 's', %s, 2, 91377, at, at, at, at, at + interval '81 ms', 'p', 1
FROM (SELECT now() - interval '2 minutes' AS at) AS time
ON CONFLICT DO NOTHING
"""
BROKEN = entry("op-broken", "NL91ABNA0417164300", currency="EUX")


@pytest.fixture(scope="module")
def url(programs: Programs, kafka: Config, postgres: Config) -> str:
    """The address of the application, beside Kafka and PostgreSQL and nothing else."""
    programs.start(OPENID)
    programs.start(WEB)
    alert = {
        "alert_id": "op-alert",
        "customer_id": "op-c",
        "channel": "EMAIL",
        "address": "anna@example.com",
        "alert_type": "DEBITED_ABOVE",
        "account_id": "op-a",
        "currency": "EUR",
        "entry_id": "op-e",
        "setting_id": "s",
        "booked_at": round(datetime.now(UTC).timestamp() * 1000),
        "raised_at": round(datetime.now(UTC).timestamp() * 1000),
        "language": "en",
        "params": {"amount_minor": "31240", "threshold_minor": "25000", "credit_debit": "DBIT"},
        "reasons": [],
    }
    record = codec(postgres).encode("OutboundAlert", alert, "outbound-email")
    with database.connect(postgres.require("delivery")) as connection:
        connection.execute(_DELIVERY, [record])
    letter = dead_letter(
        BROKEN["account_id"].encode(),
        encode("AccountEntry", BROKEN),
        kafka.topics.account_entries.name,
        1,
        7,
        "currency is not in ISO 4217",
    )
    client = producer(kafka)
    send(client, kafka.topics.dead_letters.name, letter.key, letter.value, headers=letter.headers)
    assert client.flush(30) == 0
    return postgres.require("web").public_url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.launch() as started:
        yield started


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return browser.axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture
def operator(chromium: Browser, url: str) -> Iterator[Page]:
    """A page of the first operator."""
    with visitor(chromium, viewport=DESKTOP) as page:
        log_in(page, url, "Operator 1")
        yield page


def log_in(page: Page, url: str, who: str) -> None:
    """Log in at the local provider by one click."""
    page.goto(f"{url}/operator")
    page.get_by_role("button", name=who, exact=True).click()
    page.wait_for_url(f"{url}/operator")


def node(page: Page, name: str) -> str:
    return f".node:has(h4:text-is('{name}'))"


def test_the_chain_is_live_and_a_part_that_is_away_has_no_figures(
    operator: Page, url: str, kafka: Config, programs: Programs
) -> None:
    entries, mail = node(operator, "account-entries"), node(operator, "E-mail")
    expect(operator.locator(entries)).to_contain_text("Healthy")
    expect(operator.locator(node(operator, "Alerting"))).to_contain_text("No news")
    # No sender runs here: that is known, as Kafka says so.
    expect(operator.locator(mail)).to_contain_text("Down")
    expect(operator.get_by_role("status").filter(has_text="Down")).not_to_have_count(0)
    expect(operator.locator("[data-plot] canvas")).to_have_count(4)
    rate = operator.locator(f"{entries} dd").first
    expect(rate).to_have_text("0/s")
    send_all(kafka, [(kafka.topics.account_entries.name, b"a1", b"none")] * 500)
    expect(rate).not_to_have_text("0/s")
    programs.stop("postgres")
    try:
        expect(operator.locator(mail)).to_contain_text("No news")
        expect(operator.locator(f"{mail} dd").first).to_have_text("\N{EN DASH}")
        expect(operator.locator(entries)).to_contain_text("Healthy")
        operator.reload()
        expect(operator.locator(mail)).to_contain_text("No news")
    finally:
        programs.start(POSTGRES)
    expect(operator.locator(mail)).to_contain_text("Down")


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/operator", "The chain"),
        ("/operator/lookup?who=op-c&ticket=T-88123", "Did we tell them, and why?"),
        ("/operator/dead-letters", "Dead letters"),
        ("/operator/dead-letters/0-0", "Dead letter 0:0"),
        ("/operator/erase", "Erase a customer"),
        ("/operator/rules", "Analysts\N{RIGHT SINGLE QUOTATION MARK} rules"),
    ],
)
def test_everybody_can_use_the_pages(chromium: Browser, url: str, axe: str, path: str, heading: str) -> None:
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
        with visitor(chromium, viewport=size, color_scheme=scheme) as page:
            log_in(page, url, "Operator 1")
            page.goto(f"{url}{path}")
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
            assert browser.violations(page, axe) == []
            assert browser.overflow(page) == 0
            if shots := os.environ.get("SCREENSHOTS"):
                name = f"{heading.split()[0]}-{path.count('/')}-{size['width']}"
                page.screenshot(path=f"{shots}/operator-{name}.png", full_page=True)


def test_a_look_up_answers_and_is_recorded(operator: Page, url: str, postgres: Config) -> None:
    operator.goto(f"{url}/operator/lookup")
    operator.get_by_label("Customer, account, booking or alert").fill("op-c")
    operator.get_by_label("Ticket or reason").fill("T-88123")
    operator.get_by_role("button", name="Find").click()
    expect(operator.locator("#answer")).to_have_text("Yes: by e-mail 81 ms after the alert was raised.")
    expect(operator.get_by_text("a…@example.com")).to_be_visible()
    expect(operator.get_by_text("More than €250.00 goes out at once (setting s)")).to_be_visible()
    sql = (
        "SELECT done_by, subject, reason FROM operator_actions WHERE action = 'LOOK_UP' AND subject = 'op-c'"
    )
    with database.connect(postgres.require("bank")) as connection:
        assert ("operator-1", "op-c", "T-88123") in connection.execute(sql).fetchall()


def test_a_dead_letter_is_repaired_and_put_back(operator: Page, url: str, kafka: Config) -> None:
    operator.goto(f"{url}/operator/dead-letters")
    operator.get_by_role("link", name=re.compile("^Look")).first.click()
    expect(operator.get_by_label("currency", exact=True)).to_have_value("EUX")
    expect(operator.get_by_text("••••4300")).to_be_visible()
    operator.get_by_role("button", name="Save and put back").click()
    expect(operator.get_by_text("currency is not in ISO 4217").last).to_be_visible()
    operator.get_by_label("currency", exact=True).fill("EUR")
    operator.get_by_role("button", name="Save and put back").click()
    expect(operator.get_by_text("was put back where it came from")).to_be_visible()
    expect(operator.get_by_text(re.compile("Put back repaired by operator-1")).first).to_be_visible()
    topic = kafka.topics.account_entries.name
    back = [m.value() for m in read_to_end(kafka, topic, last=20) if m.key() == BROKEN["account_id"].encode()]
    assert encode("AccountEntry", BROKEN | {"currency": "EUR"}) in back


def test_one_operator_asks_for_a_rule_and_another_agrees(operator: Page, chromium: Browser, url: str) -> None:
    def rule(page: Page) -> str:
        page.goto(f"{url}/operator/rules")
        return "section:has(h2:text-is('salary_arrived'))"

    own = rule(operator)
    operator.locator(own).get_by_label("Why it is to start").fill("T-90001")
    operator.locator(own).get_by_role("button", name="Ask to go live").click()
    expect(operator.locator(own)).to_contain_text("Waits for a second person")
    expect(operator.locator(own)).to_contain_text("You asked, so someone else agrees.")
    with visitor(chromium) as page:
        log_in(page, url, "Operator 2")
        section = rule(page)
        expect(page.locator(section)).to_contain_text("T-90001")
        page.locator(section).get_by_role("button", name="Agree to its start").click()
        # Nobody carries it out here: that needs Flink.
        expect(page.locator(section)).to_contain_text("Start waits for its turn")
        expect(page.locator(section)).to_contain_text("operator-1 asked, operator-2 agreed")
