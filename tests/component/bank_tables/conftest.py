"""A bank's database of each test's own."""

from collections.abc import Iterator

import pytest

from account_alerts import postgres as database
from account_alerts.config.postgres import Database
from operations.migrations import FOLDER, migrate
from tests.component.bank_tables.tables import Connection


@pytest.fixture
def bank(empty: Database) -> Database:
    """Make a bank's database of the test's own."""
    migrate(empty, FOLDER / "bank")
    return empty


@pytest.fixture
def connection(bank: Database) -> Iterator[Connection]:
    with database.connect(bank, autocommit=True) as connection:
        yield connection
