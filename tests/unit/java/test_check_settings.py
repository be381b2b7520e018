"""The operator "check settings" takes and skips the settings that records/settings.py takes and skips."""

import json
import random
from typing import Any

import pytest
from pyflink.java_gateway import get_gateway
from pyflink.table import Table

from account_alerts.config import load
from account_alerts.model.alerts import AMOUNT_TYPES, AlertType
from account_alerts.model.limits import CHANNELS_PER_SETTING
from account_alerts.records.settings import check_settings, invalid_fields
from jobs.operators import contract_lists
from tests.builders import NOON, Record, setting, settings
from tests.reference.binary import encode
from tests.unit.sql.views import Views, read_columns

VALUES: dict[str, list[Any]] = {
    "setting_id": ["s", "s", "s2", ""],
    "account_id": ["a", "a", "b", "účet", ""],
    "currency": ["EUR", "JPY", ""],
    "alert_type": [*map(str, AlertType), "NEWER", ""],
    "channels": [
        *([], ["EMAIL"], ["PUSH", "SMS", "PUSH"], ["FAX"], ["EMAIL", ""], ["email"]),
        *(["SMS"] * most for most in (CHANNELS_PER_SETTING, CHANNELS_PER_SETTING + 1)),
    ],
    "threshold_minor": [None, 0, -1, 2**63 - 1],
    "count": [None, 0, -1, 3],
    "window_minutes": [None, 0, -1, 60],
    "snoozed_until": [None, NOON],
}
OWN: dict[str, list[Any]] = {
    "time_zone": ["UTC", "Europe/Amsterdam", "America/Vancouver", "Europe", "europe/amsterdam", "CET+1", ""],
    "quiet_from": [None, "00:00", "22:00", "22.00", "9:00", " 09:00", "09:00 ", "\u0660\u0669:\u0660\u0660"],
    "quiet_to": [None, "23:59", "24:00", "07:60", "07:00:00", ""],
    "digest": [None, "HOURLY", "DAILY", "daily", "WEEKLY", ""],
}
"""Of the customer's own fields."""
FIELDS = ("setting_id", "alert_type", "threshold_minor", "count", "window_minutes", "channels")


def records() -> list[Record]:
    """A customer for every value of every field, and 1,500 with up to five settings of any."""
    chosen = random.Random(17)
    single = [[setting(**{name: value})] for name, values in VALUES.items() for value in values]
    mixed = [
        [
            setting(**{name: chosen.choice(values) for name, values in VALUES.items()})
            for _ in range(chosen.randrange(6))
        ]
        for _ in range(1_500)
    ]
    own = [{name: value} for name, values in OWN.items() for value in values]
    own += [{name: chosen.choice(values) for name, values in OWN.items()} for _ in mixed]
    wanted = [*single, *([setting()] for _ in own[: -len(mixed)]), *mixed]
    fields: list[dict[str, Any]] = [{} for _ in single] + own
    return [
        settings(f"c{number}", *asked, **each)
        for number, (asked, each) in enumerate(zip(wanted, fields, strict=True))
    ]


def expected(record: Record) -> tuple[dict[str, Any], str | None]:
    """By account what is asked for, as the operator gives it; and the reason for the dead letters."""
    checked = check_settings(record["settings"])
    addresses = record["addresses"]
    contact = {
        "language": record["language"],
        "address_channels": [each["channel"] for each in addresses],
        "addresses": [each["address"] for each in addresses],
    }
    by_account: dict[str, Any] = {}
    for each in checked.usable:
        asked = by_account.setdefault(each["account_id"], {**contact, "amounts": [], "counts": []})
        kept = {name: each[name] for name in FIELDS} | {"setting_currency": each["currency"]}
        if each["alert_type"] not in AMOUNT_TYPES:
            asked["counts"].append(kept)
            continue
        known = next((of for of in asked["amounts"] if of["currency"] == each["currency"]), None)
        if known is None:
            asked["amounts"].append(known := {"currency": each["currency"], "settings": []})
        known["settings"].append(kept)
    skipped = [*checked.invalid, *invalid_fields(record)]
    return by_account, f"invalid settings: {', '.join(skipped)}" if skipped else None


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, str]]:
    """What the operator makes of the records: by customer and account, and its dead letters."""
    views = Views(load(), tmp_path_factory.mktemp("records"))
    rows = [
        {**record, "record_key": record["customer_id"].encode(), "record": encode("AlertSettings", record)}
        for record in records()
    ]
    nothing = {**settings("", addresses=[]), "record": None, "decode_error": "the record has no value"}
    rows += [{**nothing, "record_key": key} for key in (b"left", b"")]
    place = {"written_at": NOON, "source_partition": 0}
    rows = [{**row, **place, "source_offset": number} for number, row in enumerate(rows)]
    views.add_table("setting_records", read_columns("setting_records"), rows)
    views.add_view("shared/checked_settings.sql")
    tables = views.table_env
    java = get_gateway().jvm
    operators = java.java.lang.Class.forName("alerts.temporal.Operators")
    methods = {each.getName(): each for each in operators.getDeclaredMethods()}

    def call(name: str, *arguments: Any) -> Any:
        methods[name].setAccessible(True)
        given = get_gateway().new_array(java.java.lang.Object, len(arguments))
        for place, argument in enumerate(arguments):
            given[place] = argument
        return methods[name].invoke(None, given)

    checked = tables.from_path("checked_settings")._j_table
    text = java.org.apache.flink.table.api.DataTypes.STRING()
    tag = call("tag", "invalid", call("joined", call("type", checked), "invalid", text))
    lists = java.java.util.HashMap()
    for name, values in contract_lists().items():
        lists[name] = java.java.util.ArrayList()
        for value in values:
            lists[name].add(value)
    customers = call("customers", tables._j_tenv, checked, lists, CHANNELS_PER_SETTING, tag)
    for name, stream in (("customers", customers), ("invalid_settings", customers.getSideOutput(tag))):
        tables.create_temporary_view(name, Table(tables._j_tenv.fromDataStream(stream), tables))
    # As JSON: PyFlink 2.3 cannot collect arrays of rows with arrays in them.
    query = "SELECT customer_id, JSON_STRING(account_ids), JSON_STRING(settings) FROM customers"
    by_customer = {
        customer: dict(zip(json.loads(accounts), json.loads(asked), strict=True))
        for customer, accounts, asked in views.rows(query)
    }
    return by_customer, dict(views.rows("SELECT customer_id, invalid FROM invalid_settings"))


def test_it_takes_what_python_takes(found: tuple[dict[str, Any], dict[str, str]]) -> None:
    taken, skipped = found
    for record in records():
        asked, reason = expected(record)
        customer = record["customer_id"]
        assert (taken[customer], skipped.get(customer)) == (asked, reason), record["settings"]


def test_who_left_asks_for_nothing_and_an_unusable_record_is_no_change(
    found: tuple[dict[str, Any], dict[str, str]],
) -> None:
    taken, _ = found
    assert taken["left"] == {}
    assert taken[""] == {}
    assert len(taken) == len(records()) + 2
