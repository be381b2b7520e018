"""The sample's customers are loaded into the bank's tables."""

from typing import Any

import pytest

from account_alerts.config import Config
from account_alerts.config.postgres import Database
from devenv.bank import customers
from devenv.bank import database as bank_tool
from operations import booking_files
from tests.component.bank_tables.tables import Connection, published

pytestmark = pytest.mark.environment


def test_the_sample_is_loaded_as_it_is_and_twice_changes_nothing(
    postgres: Config, bank: Database, connection: Connection
) -> None:
    config = postgres.override({"bank": {"name": bank.name}})
    may_see = customers.authorizations()
    wanted = customers.settings(booking_files.read(), may_see)
    assert bank_tool.load(config, [*may_see, *wanted]) == (len(wanted), len(may_see))
    by_customer, by_account = published(connection)
    assert by_account == {
        each["account_id"]: {**each, "customer_ids": sorted(each["customer_ids"])} for each in may_see
    }
    assert {who: _ordered(record) for who, record in by_customer.items()} == {
        record["customer_id"]: _ordered(record) for record in wanted
    }
    noted = connection.execute("SELECT count(*) FROM history").fetchone()
    bank_tool.load(config, [*may_see, *wanted])
    assert connection.execute("SELECT count(*) FROM history").fetchone() == noted


def _ordered(record: dict[str, Any]) -> dict[str, Any]:
    return {
        **record,
        "addresses": sorted(record["addresses"], key=lambda each: (each["channel"], each["address"])),
        "settings": sorted(record["settings"], key=lambda setting: str(setting["setting_id"])),
    }
