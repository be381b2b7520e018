"""How customers change where they are reached: codes, notices, and what must stay."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from account_alerts.model.alerts import Channel
from account_alerts.model.errors import NotFoundError
from delivery.gateways.base import Gateway, Message, Outcome, Result
from delivery.ledger.session import Session
from delivery.notices.sender import NoticeSender
from delivery.notices.store import PostgresNotices
from devenv.bank.device_service.store import Store as DeviceStore
from tests.component import web_bank
from tests.component.bank_tables.tables import Connection
from web import reach
from web.parts import Parts
from web.store import addresses
from web.store.addresses import Check, LastAddressError

pytestmark = pytest.mark.environment
Steps = Callable[[Parts], Awaitable[None]]


class Outbox(Gateway):
    """Keeps what is sent; answers as it is told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answer = Outcome(Result.SENT)

    async def send(self, message: Message) -> Outcome:
        self.messages.append(message)
        return self.answer


class Bank:
    """The application's parts on a database of the test's own, and senders of its notices."""

    def __init__(self, config: Config, devices: DeviceStore) -> None:
        self.config = config
        self.devices = devices
        self.outbox = Outbox()

    def run(self, steps: Steps) -> None:
        asyncio.run(web_bank.run(web_bank.make(self.config, self.devices), steps))

    async def send(self, channel: Channel = Channel.EMAIL) -> list[Message]:
        """Send the notices that are due; returns what was sent."""
        session = Session(self.config.require("bank"), "test")
        store = PostgresNotices(session, channel, 60_000)
        before = len(self.outbox.messages)
        try:
            await NoticeSender(store, self.outbox, channel, 5.0, CollectorRegistry()).send_due()
        finally:
            await session.close()
        return self.outbox.messages[before:]


@pytest.fixture
def bank(empty: Database, postgres: Config, tmp_path: Path) -> Bank:
    web_bank.fill(empty)
    config = web_bank.configure(postgres, empty, senders={"mandatory": ["BALANCE_BELOW"]})
    return Bank(config, DeviceStore(tmp_path / "devices.sqlite"))


@pytest.fixture
def connection(empty: Database, bank: Bank) -> Iterator[Connection]:
    with database.connect(empty, autocommit=True) as connection:
        yield connection


def code_in(message: Message) -> str:
    found = re.search(r"\b\d{6}\b", message.text)
    assert found is not None
    return found[0]


def test_an_address_counts_once_its_code_is_typed(bank: Bank, connection: Connection) -> None:
    async def steps(parts: Parts) -> None:
        anna = await web_bank.customer(parts, "anna")
        added = await reach.add_address(parts, anna, Channel.EMAIL, " new@example.com ")
        assert added.is_new
        [mail] = await bank.send()
        assert mail.address == "new@example.com"
        assert "new@example.com" not in str(web_bank.published(connection, "anna"))
        id_ = added.address.address_id
        assert (await reach.confirm_address(parts, anna, id_, "x")).result is Check.WRONG
        code = code_in(mail)
        with pytest.raises(NotFoundError):
            await reach.confirm_address(parts, await web_bank.customer(parts, "ben"), id_, code)
        check = await reach.confirm_address(parts, anna, id_, f" {code[:3]} {code[3:]} ")
        assert check.result is Check.CONFIRMED
        assert "new@example.com" in str(web_bank.published(connection, "anna"))
        # Who had the address before hears of it, at each place.
        [told] = await bank.send()
        assert (told.address, "n…@example.com" in told.text) == ("anna@example.com", True)
        assert [sms.address for sms in await bank.send(Channel.SMS)] == ["+31612345678"]

    bank.run(steps)
    by = connection.execute(
        "SELECT DISTINCT application_user FROM history WHERE table_name = 'addresses' AND action = 'UPDATE'"
    )
    assert by.fetchall() == [("test anna",)]


def test_a_code_is_over_after_wrong_ones_or_with_the_next(bank: Bank) -> None:
    async def steps(parts: Parts) -> None:
        anna = await web_bank.customer(parts, "anna")
        added = await reach.add_address(parts, anna, Channel.SMS, "0031 6 8765 4321")
        id_ = added.address.address_id
        [sms] = await bank.send(Channel.SMS)
        assert sms.address == "+31687654321"
        for left in range(addresses.CODE_ATTEMPTS - 1, -1, -1):
            check = await reach.confirm_address(parts, anna, id_, "000000x")
            assert check.attempts_left == left
        assert check.result is Check.OVER
        assert (await reach.confirm_address(parts, anna, id_, code_in(sms))).result is Check.OVER
        await reach.send_new_code(parts, anna, id_)
        [again] = await bank.send(Channel.SMS)
        assert (await reach.confirm_address(parts, anna, id_, code_in(again))).result is Check.CONFIRMED

    bank.run(steps)


def test_nobodys_phone_is_flooded_with_codes(bank: Bank) -> None:
    async def steps(parts: Parts) -> None:
        anna, ben = [await web_bank.customer(parts, who) for who in ("anna", "ben")]
        first = await reach.add_address(parts, anna, Channel.SMS, "+31687654321")
        for _ in range(4):
            await reach.send_new_code(parts, anna, first.address.address_id)
        with pytest.raises(reach.TooOftenError):
            await reach.send_new_code(parts, anna, first.address.address_id)
        with pytest.raises(reach.TooOftenError):
            await reach.add_address(parts, anna, Channel.EMAIL, "another@example.com")
        with pytest.raises(reach.TooOftenError):
            await reach.add_address(parts, ben, Channel.SMS, "+31687654321")

    bank.run(steps)


def test_a_number_that_sent_stop_gets_no_code(bank: Bank, connection: Connection) -> None:
    async def steps(parts: Parts) -> None:
        anna = await web_bank.customer(parts, "anna")
        connection.execute("INSERT INTO sms_opt_outs (number, stopped) VALUES ('31687654321', true)")
        with pytest.raises(reach.StoppedNumberError):
            await reach.add_address(parts, anna, Channel.SMS, "+31687654321")
        # One that stops after it was asked for gets none either.
        added = await reach.add_address(parts, anna, Channel.SMS, "+31687654322")
        connection.execute("INSERT INTO sms_opt_outs (number, stopped) VALUES ('31687654322', true)")
        assert await bank.send(Channel.SMS) == []
        assert added.is_new

    bank.run(steps)
    assert connection.execute("SELECT reason, body FROM notices").fetchall() == [
        ("the number has opted out", None)
    ]


@pytest.mark.parametrize(
    ("channel", "typed"),
    [
        (Channel.EMAIL, "anna"),
        (Channel.EMAIL, "a@b, c@d"),
        (Channel.EMAIL, "a@b.example\r\nBcc: x@y"),
        (Channel.SMS, "612345678"[:4]),
        (Channel.SMS, "anna@example.com"),
    ],
)
def test_what_is_no_address_is_refused(channel: Channel, typed: str) -> None:
    with pytest.raises(reach.InvalidAddressError):
        reach.parse_address(channel, typed, "anna")


def test_the_last_address_of_a_mandatory_alert_stays(bank: Bank, connection: Connection) -> None:
    async def steps(parts: Parts) -> None:
        anna = await web_bank.customer(parts, "anna")
        async with parts.bank.read() as reading:
            known = {each.channel: each for each in await addresses.list_addresses(reading, "anna")}
        with pytest.raises(LastAddressError):
            await reach.remove_address(parts, anna, known[Channel.EMAIL].address_id)
        await reach.remove_address(parts, anna, known[Channel.SMS].address_id)
        [told] = await bank.send(Channel.SMS)
        assert told.address == "+31612345678"

    bank.run(steps)
    assert [each["channel"] for each in web_bank.published(connection, "anna")["addresses"]] == ["EMAIL"]


def test_a_test_goes_where_the_alerts_would_go(bank: Bank) -> None:
    async def steps(parts: Parts) -> None:
        anna = await web_bank.customer(parts, "anna")
        assert len(await reach.send_test(parts, anna, "shared/1")) == 2
        [mail] = await bank.send()
        [sms] = await bank.send(Channel.SMS)
        assert (mail.address, sms.address) == ("anna@example.com", "+31612345678")
        with pytest.raises(NotFoundError):
            await reach.send_test(parts, anna, "bens")

    bank.run(steps)


def test_what_the_gateway_cannot_take_now_is_sent_again(bank: Bank, connection: Connection) -> None:
    async def steps(parts: Parts) -> None:
        anna = await web_bank.customer(parts, "anna")
        await reach.add_address(parts, anna, Channel.EMAIL, "new@example.com")
        bank.outbox.answer = Outcome(Result.RETRY, reason="busy")
        assert len(await bank.send()) == 1
        assert await bank.send() == []
        connection.execute("UPDATE notices SET due_at = now()")
        bank.outbox.answer = Outcome(Result.SENT)
        [mail] = await bank.send()
        assert code_in(mail) == code_in(bank.outbox.messages[0])

    bank.run(steps)
    [(sent, body)] = connection.execute("SELECT sent_at IS NOT NULL, body FROM notices").fetchall()
    assert (sent, body) == (True, None)
