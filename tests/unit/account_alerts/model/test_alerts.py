"""The enumerations of the contract, and the lists elsewhere that have to repeat them."""

import json
import re
from enum import StrEnum

import cloudpickle
import pytest
import yaml

from account_alerts.config import PROJECT
from account_alerts.model import alerts
from account_alerts.model.alerts import (
    AMOUNT_TYPES,
    AlertType,
    Channel,
    CreditDebit,
    DeliveryState,
    EntryType,
)


def test_a_member_is_its_text() -> None:
    for kind in (AlertType, Channel, EntryType):
        for member in kind:
            assert str(member) == member.value == member
            assert hash(member) == hash(member.value)
    assert frozenset(Channel).issuperset(["EMAIL", "SMS", "PUSH"])


def test_types_compare_an_amount_count_or_remind() -> None:
    assert {*AMOUNT_TYPES, "TRANSACTION_COUNT", "APPLICATION_REMINDER"} == set(AlertType)


def test_a_job_can_carry_them_by_value() -> None:
    cloudpickle.register_pickle_by_value(alerts)
    try:
        carried = cloudpickle.loads(cloudpickle.dumps((AlertType, AlertType.BALANCE_ABOVE, AMOUNT_TYPES)))
    finally:
        cloudpickle.unregister_pickle_by_value(alerts)
    assert list(carried[0]) == list(AlertType)
    assert carried[1] == "BALANCE_ABOVE"
    assert carried[2] == AMOUNT_TYPES


SQL_LISTS = [
    ("database/bank/0002_customers.sql", r"alert_type IN \(([^)]*,[^)]*,[^)]*)\)", AlertType),
    ("database/bank/0002_customers.sql", r"channel IN \((.*?)\)", Channel),
    ("database/bank/0002_customers.sql", r"channels <@ ARRAY\[(.*?)\]", Channel),
    ("database/bank/0003_bookings.sql", r"credit_debit IN \((.*?)\)", CreditDebit),
    ("database/bank/0003_bookings.sql", r"entry_type IN \((.*?)\)", EntryType),
    ("database/delivery/0001_ledger.sql", r"channel IN \((.*?)\)", Channel),
    ("database/delivery/0002_states.sql", r"CHECK \(state IN \((.*?)\)", DeliveryState),
    ("sql/shared/checked_entries.sql", r"credit_debit NOT IN \((.*?)\)", CreditDebit),
]


@pytest.mark.parametrize(("file", "pattern", "kind"), SQL_LISTS)
def test_sql_lists_the_same(file: str, pattern: str, kind: type[StrEnum]) -> None:
    found = re.findall(pattern, (PROJECT / file).read_text(), re.DOTALL)
    assert found, f"{file} has no such list"
    for values in found:
        assert sorted(re.findall(r"'([^']*)'", values)) == sorted(kind)


AVRO_DOCS = [
    ("AccountEntry", "credit_debit", CreditDebit),
    ("AccountEntry", "entry_type", EntryType),
    ("AlertSettings", "alert_type", AlertType),
    ("AlertSettings", "channel", Channel),
    ("AlertSettings", "channels", Channel),
    ("OutboundAlert", "channel", Channel),
]


@pytest.mark.parametrize(("record", "field", "kind"), AVRO_DOCS)
def test_a_schema_documents_the_same(record: str, field: str, kind: type[StrEnum]) -> None:
    [doc] = docs(json.loads((PROJECT / f"schemas/{record}.avsc").read_text()), field)
    assert [word for word in re.findall(r"[A-Z_]{3,}", doc) if word != "ISO"] == list(kind)


def docs(node: object, name: str) -> list[str]:
    """The documentation of the fields of a name, at any depth of a schema."""
    if isinstance(node, list):
        return [doc for each in node for doc in docs(each, name)]
    if not isinstance(node, dict):
        return []
    own = [node["doc"]] if node.get("name") == name and "doc" in node else []
    return own + [doc for each in node.values() for doc in docs(each, name)]


def test_the_schema_of_the_queue_lists_the_same() -> None:
    text = (PROJECT / "schemas/BridgeMessage.schema.json").read_text()
    lists = [json.loads(found) for found in re.findall(r'"enum": (\[.*?\])', text, re.DOTALL)]
    assert [*EntryType] in lists
    assert [*CreditDebit] in lists


@pytest.mark.parametrize("language", ["cs", "de", "en", "nl"])
def test_there_is_a_text_for_each_type(language: str) -> None:
    texts = yaml.safe_load((PROJECT / f"delivery/rendering/templates/{language}.yaml").read_text())
    assert list(texts["types"]) == [*AlertType, "OTHER"]
