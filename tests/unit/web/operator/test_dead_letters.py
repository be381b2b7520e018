"""Dead letters' pages: what is shown, what is put back, and that it is noted before."""

from dataclasses import replace
from typing import Any

import pytest

from account_alerts.config import Config
from account_alerts.model.errors import NotFoundError
from operations import dead_letters
from operations.dead_letters import DeadLetter, Replayed
from tests.builders import entry
from tests.reference.binary import encode
from tests.unit.web.application import Application, Browser
from web.auth.identity import Identity
from web.store import actions
from web.store.actions import Action

LETTER = DeadLetter(
    id="0:12",
    written_at=1_750_000_000_000,
    topic="account-entries",
    partition=2,
    offset=88_140,
    reason="currency is not in ISO 4217",
    key=b"NL01EXAM4300",
    value=encode("AccountEntry", entry(account_id="NL01EXAM4300", currency="EUX", description="<rent>")),
    size=74,
    sha256=None,
    is_cut=False,
)


class Kafka:
    """Holds one letter, and what was put back."""

    def __init__(self) -> None:
        self.letter = LETTER
        self.done: list[Any] = []
        self.kept: dict[str, str] = {}

    def read_newest(self, _: Config, most: int) -> list[DeadLetter]:
        return [self.letter]

    def find(self, _: Config, letter_id: str) -> DeadLetter:
        if letter_id != self.letter.id:
            raise NotFoundError(f"no dead letter {letter_id}")
        return self.letter

    def put_back(self, _: Config, letter: DeadLetter, record: Any) -> None:
        self.done.append(record)

    def replay(self, _: Config, ids: list[str]) -> Replayed:
        self.done.append(ids)
        return Replayed(1 - len(self.kept), self.kept)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    found = Kafka()

    async def record(_: Any, by: Identity, action: Action, subject: str, reason: str = "") -> None:
        found.done.append((by.subject, action.value, subject))

    async def newest(*_: Any) -> dict[str, Any]:
        return {"0:12": {"action": "REPLAY", "done_by": "operator-2", "done_ms": 1_750_000_060_000}}

    for name in ("read_newest", "find", "put_back", "replay"):
        monkeypatch.setattr(dead_letters, name, getattr(found, name))
    monkeypatch.setattr(actions, "record", record)
    monkeypatch.setattr(actions, "newest", newest)
    return found


def test_look_check_repair_and_put_back(application: Application, kafka: Kafka) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("operator-1")
        page = (await browser.web.get("/operator/dead-letters")).text
        assert "currency is not in ISO 4217" in page
        assert "Put back by operator-2, 2025-06-15 15:07:40" in page
        page = (await browser.web.get("/operator/dead-letters/0-12")).text
        assert "NL01EXAM" not in page
        assert "rent&gt;" not in page
        assert kafka.done == [("operator-1", "LOOK_AT_DEAD_LETTER", "0:12")]
        kafka.done.clear()
        form = {"currency": "EUY", "entry_id": "<e>", "do": "repair"}
        answer = await browser.post("/operator/dead-letters/0-12", data=form)
        assert answer.status_code == 422
        assert 'value="EUY"' in answer.text
        assert "&lt;e&gt;" in answer.text
        answer = await browser.post(
            "/operator/dead-letters/0-12", data=form | {"currency": "EUR", "do": "check"}
        )
        assert answer.status_code == 200
        assert "It would be taken now." in answer.text
        assert kafka.done == []
        answer = await browser.post("/operator/dead-letters/0-12", data={"currency": "EUR", "do": "repair"})
        assert answer.status_code == 303
        assert kafka.done == [
            ("operator-1", "REPAIR", "0:12"),
            entry(account_id="NL01EXAM4300", currency="EUR", description="<rent>"),
        ]
        assert "0:12 was put back" in (await browser.web.get(answer.headers["Location"])).text

    application.run(steps)


def test_put_back_as_it_is(application: Application, kafka: Kafka) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("operator-1")
        answer = await browser.post("/operator/dead-letters/0-12", data={"do": "replay"})
        assert answer.status_code == 303
        assert kafka.done == [("operator-1", "REPLAY", "0:12"), ["0:12"]]
        kafka.kept = {"0:12": "only its first part is there"}
        answer = await browser.post("/operator/dead-letters/0-12", data={"do": "replay"})
        assert answer.status_code == 422
        assert "only its first part is there" in answer.text

    application.run(steps)


@pytest.mark.parametrize(
    ("letter", "words"),
    [
        (replace(LETTER, is_cut=True), "only its first part is there"),
        (replace(LETTER, value=b"\xff"), "Nothing could be decoded"),
        (replace(LETTER, topic="bookings"), "Nothing could be decoded"),
        (replace(LETTER, topic="outbound-sms"), "alerts deliveries retry"),
    ],
)
def test_what_cannot_be_repaired_says_why(
    application: Application, kafka: Kafka, letter: DeadLetter, words: str
) -> None:
    kafka.letter = letter

    async def steps(browser: Browser) -> None:
        await browser.log_in("operator-1")
        assert words in (await browser.web.get("/operator/dead-letters/0-12")).text
        answer = await browser.post("/operator/dead-letters/0-12", data={"do": "repair"})
        assert answer.status_code == 422

    application.run(steps)


@pytest.mark.parametrize("path", ["0-13", "0", "a-b", "0-12345678901234567890123"])
def test_a_letter_that_is_not_there(application: Application, kafka: Kafka, path: str) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("operator-1")
        assert (await browser.web.get(f"/operator/dead-letters/{path}")).status_code == 404

    application.run(steps)


def test_customers_may_not(application: Application, kafka: Kafka) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("customer-1")
        assert (await browser.web.get("/operator/dead-letters")).status_code == 403
        assert (await browser.web.get("/operator/dead-letters/0-12")).status_code == 403
        answer = await browser.post("/operator/dead-letters/0-12", data={"do": "replay"})
        assert answer.status_code == 403
        assert kafka.done == []

    application.run(steps)
