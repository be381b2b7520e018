"""The router of changes and the fold, with state in memory."""

import pickle
from typing import Any

import pytest

from account_alerts.config import load
from account_alerts.records.codec import Codec
from account_alerts.service.metrics import (
    ALERT_RULES_DEAD_LETTERS,
    ALERT_RULES_LATE_CHANGES,
    ALERT_RULES_UNKNOWN_TYPES,
)
from tests.builders import setting, settings
from tests.unit.udfs.flink import FakeFlink, row
from udfs.alert_rules import changes
from udfs.alert_rules.changes import AuthorizationChange, Change, SettingsChange, ShardRead
from udfs.alert_rules.operators import DEAD_LETTERS, RouteChanges

CONFIG = load()
AUTHORIZATIONS = CONFIG.topics.account_authorizations.name
SETTINGS = CONFIG.topics.alert_settings.name
AT = 1_750_000_000_000


class Router:
    """The router of one shard."""

    def __init__(self) -> None:
        self.flink = FakeFlink(AT)
        self.flink.key = 0
        self.operator = RouteChanges(CONFIG)
        self.operator.open(self.flink)
        self.offset = -1

    def read(self, topic: str, key: bytes, record: bytes | None) -> list[Any]:
        """Read a record; what it gives, changes in their typed form."""
        self.offset += 1
        fields = {"record_key": key, "record": record, "written_ms": AT}
        place = {"source_topic": topic, "source_partition": 0, "source_offset": self.offset}
        return [typed(each) for each in self.operator.process_element1(row(**fields, **place), self.flink)]

    def settings(self, customer: str, *wanted: dict[str, Any]) -> list[Any]:
        record = Codec().encode("AlertSettings", settings(customer, *wanted), "t")
        return self.read(SETTINGS, customer.encode(), record)

    def count(self, metric: Any) -> int:
        return self.flink.counters[metric.name].count


def typed(output: Any) -> Any:
    return output if output[0] is DEAD_LETTERS else changes.load(output)[1]


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.mark.parametrize(
    "change",
    [
        AuthorizationChange("a", AT, ["c"]),
        SettingsChange("a", AT, "c", {"language": "en"}),
        ShardRead(3, AT),
    ],
)
def test_a_change_passes_as_plain_values(change: Change) -> None:
    plain = pickle.dumps(changes.dump(7, change))
    assert b"udfs" not in plain, "pickle cannot name a class that a job carries by value"
    assert changes.load(pickle.loads(plain)) == (7, change)


def test_an_authorization_is_one_change_and_its_tombstone_another(router: Router) -> None:
    record = Codec().encode("AccountAuthorization", {"account_id": "a", "customer_ids": ["c"]}, "t")
    assert router.read(AUTHORIZATIONS, b"a", record) == [AuthorizationChange("a", AT, ["c"])]
    assert router.read(AUTHORIZATIONS, b"a", None) == [AuthorizationChange("a", AT, [])]


def test_settings_are_a_change_of_each_account_they_name_or_named_before(router: Router) -> None:
    first = router.settings("c", setting("s1", "a"), setting("s2", "b"))
    assert [(change.account_id, change.customer_id) for change in first] == [("a", "c"), ("b", "c")]
    second = router.settings("c", setting("s2", "b"))
    assert [(change.account_id, bool(change.settings)) for change in second] == [("a", False), ("b", True)]
    assert [change.account_id for change in router.read(SETTINGS, b"c", None)] == ["b"]


def test_consent_to_reminders_is_no_unknown_type(router: Router) -> None:
    consent = setting("s1", "a") | {"alert_type": "APPLICATION_REMINDER", "threshold_minor": None}
    assert router.settings("c", consent) == []
    assert router.count(ALERT_RULES_UNKNOWN_TYPES) == 0
    assert router.settings("c", consent | {"alert_type": "MOON_PHASE"}) == []
    assert router.count(ALERT_RULES_UNKNOWN_TYPES) == 1


def test_an_invalid_setting_is_dead_lettered_and_the_others_apply(router: Router) -> None:
    dead, change = router.settings("c", setting("bad", "a") | {"threshold_minor": None}, setting("good", "a"))
    assert dead[1][5] == "invalid settings: bad"
    assert [setting["setting_id"] for setting in change.settings["settings"]] == ["good"]
    assert router.count(ALERT_RULES_DEAD_LETTERS) == 1


@pytest.mark.parametrize(
    ("key", "record", "reason"),
    [(b"\xff", b"x", "the key is not UTF-8"), (b"other", None, None)],
)
def test_a_record_that_cannot_be_used_is_dead_lettered(
    router: Router, key: bytes, record: bytes | None, reason: str | None
) -> None:
    record = record or Codec().encode("AlertSettings", settings("c"), "t")
    [(tag, dead)] = router.read(SETTINGS, key, record)
    assert tag is DEAD_LETTERS
    assert dead[5] == (reason or "the key is not the customer_id")


def test_behind_its_changes_it_says_how_far_it_has_read_to_every_partition(router: Router) -> None:
    ends = {f"{SETTINGS}/0": 0, f"{AUTHORIZATIONS}/0": -1}
    assert list(router.operator.process_element2((0, (AT + 5, ends)), router.flink)) == []
    said = router.settings("c", setting("s1", "a"))
    assert said[0].account_id == "a"
    assert said[1:] == [ShardRead(0, AT + 5)] * CONFIG.topics.alert_rules.partitions
    assert router.count(ALERT_RULES_LATE_CHANGES) == 0
    router.settings("c", setting("s1", "a", threshold_minor=7))
    assert router.count(ALERT_RULES_LATE_CHANGES) == 1, "its time had been passed on as complete"
