"""Lists that SQL, Java, schemas and databases repeat are those of the enumerations."""

import json
import re
from enum import StrEnum

import pytest

from account_alerts.config import PROJECT, load
from account_alerts.model.alerts import AlertType, Channel, CreditDebit, EntryType
from jobs.operators import contract_lists
from jobs.sql import statement

REMINDER = {AlertType.APPLICATION_REMINDER}
COUNT = {AlertType.TRANSACTION_COUNT}


def quoted(text: str) -> set[str]:
    """The words in capitals that stand in quotes."""
    return set(re.findall(r"['\"]([A-Z_]+)['\"]", text))


def read_check(file: str, column: str) -> set[str]:
    """The values that the first CHECK of a column in a migration allows."""
    text = (PROJECT / "database" / file).read_text(encoding="utf-8")
    check = re.search(rf"\b{column}\b[^,]*?CHECK \((.*?)\)\s*(,|AND|\)\))", text, re.DOTALL)
    assert check is not None
    return quoted(check[1])


@pytest.mark.parametrize(
    ("file", "column", "kind"),
    [
        ("bank/0002_customers.sql", "channel", Channel),
        ("bank/0002_customers.sql", "channels", Channel),
        ("bank/0002_customers.sql", "alert_type", AlertType),
        ("bank/0003_bookings.sql", "entry_type", EntryType),
        ("bank/0003_bookings.sql", "credit_debit", CreditDebit),
        ("delivery/0001_ledger.sql", "channel", Channel),
    ],
)
def test_a_databases_check_allows_what_the_enumeration_has(
    file: str, column: str, kind: type[StrEnum]
) -> None:
    assert read_check(file, column) == set(kind)


@pytest.mark.parametrize(
    ("file", "types"),
    [
        ("alerting/raised_settings.sql", set(AlertType) - REMINDER),
        ("reminders/send_reminders.sql", REMINDER),
    ],
)
def test_a_statement_raises_the_types_it_is_for(file: str, types: set[AlertType]) -> None:
    assert quoted(statement(file, load())) & set(AlertType) == types


def test_every_type_is_in_one_list_of_the_operators() -> None:
    lists = contract_lists()
    assert sorted(lists["amount_types"] + lists["count_types"] + lists["other_types"]) == sorted(AlertType)


@pytest.mark.parametrize("file", ["alerting/send_alerts.sql", "reminders/send_reminders.sql"])
def test_every_channel_has_its_topic(file: str) -> None:
    config = load()
    topics = re.findall(r"(?:WHEN '(\w+)' THEN|ELSE) '([\w-]+)'", statement(file, config))
    assert [topic for _, topic in topics] == [topic.name for topic in config.topics.map_channels().values()]
    assert [channel for channel, _ in topics[:-1]] == list(config.topics.map_channels())[:-1]
    assert set(config.topics.map_channels()) == set(Channel)


def documented(schema: str, field: str) -> set[str]:
    """The values that a schema's documentation of a field lists."""

    def fields(node: object) -> list[dict[str, object]]:
        if isinstance(node, list):
            return [found for each in node for found in fields(each)]
        if not isinstance(node, dict):
            return []
        own = [node] if node.get("name") == field and "doc" in node else []
        return own + [found for each in node.values() for found in fields(each)]

    found = fields(json.loads((PROJECT / "schemas" / schema).read_text(encoding="utf-8")))
    assert found
    return set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b", str(found[0]["doc"])))


@pytest.mark.parametrize(
    ("schema", "field", "kind"),
    [
        ("AccountEntry.avsc", "entry_type", EntryType),
        ("AlertSettings.avsc", "channel", Channel),
        ("AlertSettings.avsc", "channels", Channel),
        ("AlertSettings.avsc", "alert_type", AlertType),
        ("OutboundAlert.avsc", "channel", Channel),
    ],
)
def test_a_schemas_documentation_lists_what_the_enumeration_has(
    schema: str, field: str, kind: type[StrEnum]
) -> None:
    assert documented(schema, field) >= set(kind)


def test_the_queues_schema_allows_what_the_enumerations_have() -> None:
    text = (PROJECT / "schemas/BridgeMessage.schema.json").read_text(encoding="utf-8")
    allowed = [set(values) for values in map(json.loads, re.findall(r'"enum": (\[[^\]]*\])', text))]
    assert set(EntryType) in allowed
    assert set(CreditDebit) in allowed
