"""A click in a mail on the bank's own tables: which settings lose mails, and what the chain then knows."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from delivery.gateways.factory import make_unsubscribe_links
from devenv.bank.device_service.store import Store as DeviceStore
from tests.component import web_bank
from web.app import create_app
from web.parts import Parts

pytestmark = pytest.mark.environment
URL = "http://localhost/unsubscribe/{token}"
HISTORY = "SELECT count(*) FROM history WHERE application_user = 'customer by a link in a mail'"


def test_a_click_ends_the_mails_of_the_settings_it_is_about(
    empty: Database, postgres: Config, tmp_path: Path
) -> None:
    web_bank.fill(empty)
    email = {"unsubscribe_url": URL, "unsubscribe_secret": web_bank.SECRET}
    config = web_bank.configure(postgres, empty, senders={"email": email})
    links = make_unsubscribe_links(config)
    assert links is not None

    def by_setting(customer: str) -> dict[str, list[str]]:
        with database.connect(empty) as connection:
            settings = web_bank.published(connection, customer)["settings"]
        return {each["setting_id"]: each["channels"] for each in settings}

    def changes() -> int:
        with database.connect(empty) as connection:
            [count] = connection.execute(HISTORY).fetchone() or [0]
        return int(count)

    async def click(parts: Parts) -> None:
        transport = httpx2.ASGITransport(app=create_app(parts))
        async with httpx2.AsyncClient(transport=transport) as program:

            async def post(customer: str, *settings: str) -> None:
                answer = await program.post(
                    links.link(customer, settings), data={"List-Unsubscribe": "One-Click"}
                )
                assert answer.status_code == 200, answer.text

            assert by_setting("anna") == {"low": ["EMAIL"], "shared/1": ["EMAIL", "SMS"]}
            assert (await program.get(links.link("anna", ["shared/1"]))).status_code == 200
            assert changes() == 0
            await post("anna", "shared/1", "bens")  # Another customer's setting stays.
            assert by_setting("anna") == {"low": ["EMAIL"], "shared/1": ["SMS"]}
            assert by_setting("ben") == {"bens": ["EMAIL"]}
            # One that mails alone were asked for is switched off, and kept.
            await post("anna")
            assert by_setting("anna") == {"shared/1": ["SMS"]}
            assert changes() == 2
            for customer in ("anna", "nobody"):
                await post(customer)
            assert changes() == 2

    asyncio.run(web_bank.run(web_bank.make(config, DeviceStore(tmp_path / "devices.sqlite")), click))
    with database.connect(empty) as connection:
        row = connection.execute("SELECT channels, enabled FROM preferences WHERE setting_id = 'low'")
        assert row.fetchone() == (["EMAIL"], False)
