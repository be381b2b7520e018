"""A look-up finds what held at its time, in whatever order things come, and after a restart."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from account_alerts.config import Config, load
from account_alerts.records.codec import CodecError
from account_alerts.service.metrics import LOOKUP_OVERDUE_RELEASES
from tests.unit.udfs.flink import FakeFlink, row
from udfs.temporal.lookup import Pending, TemporalLookup

CONFIG = load()
RULES = CONFIG.rules
SETTINGS = CONFIG.topics.alert_settings.name
START = 1_750_000_000_000
RETENTION = 3_600_000


class FindValue(TemporalLookup[Mapping[str, Any], str]):
    """Gives (name of what asked, value that held)."""

    def __init__(self, config: Config, flink: FakeFlink) -> None:
        super().__init__(config, config.topics.alert_settings, RETENTION, flink)

    def _decode(self, key: str, record: bytes | None) -> str | None:
        if record == b"invalid":
            raise CodecError("invalid")
        return None if record is None else record.decode()

    def _pending(self, payload: Mapping[str, Any]) -> Pending:
        return Pending(payload["key"], payload["at"], (payload["name"], payload["key"]))

    def _on_ready(self, payload: Mapping[str, Any], value: str | None) -> Iterator[tuple[str, str | None]]:
        yield payload["name"], value


class Operator:
    """One shard's operator; restart it with `restart`."""

    def __init__(self) -> None:
        self.flink = FakeFlink(START)
        self.offset = -1
        self.restart()

    def restart(self) -> None:
        self.lookup = FindValue(CONFIG, self.flink)
        self.lookup.open(self.flink)
        self.flink.key = 0

    def record(self, key: str, value: bytes | None, at: int, topic: str = SETTINGS) -> list[Any]:
        """Read a record that was written at a time."""
        self.offset += 1
        fields = {"record_key": key.encode(), "record": value, "written_ms": at}
        place = {"source_topic": topic, "source_partition": 0, "source_offset": self.offset}
        return list(self.lookup.process_element1(row(**fields, **place), self.flink))

    def ends(self, at: int, last_offset: int | None = None) -> list[Any]:
        """Take in that the partition ended there at a time."""
        last = self.offset if last_offset is None else last_offset
        return list(self.lookup.process_element2((0, (at, {f"{SETTINGS}/0": last})), self.flink))

    def ask(self, name: str, key: str, as_of: int) -> list[Any]:
        """Ask for the value of a key at a time."""
        payload = {"name": name, "key": key, "at": as_of + RULES.effect_delay}
        return list(self.lookup.process_element2((0, payload), self.flink))

    def overdue(self) -> int:
        return self.flink.counters[LOOKUP_OVERDUE_RELEASES.name].count


@pytest.fixture
def operator() -> Operator:
    return Operator()


def test_a_look_up_of_a_complete_time_is_answered_at_once(operator: Operator) -> None:
    operator.record("c", b"old", START - 20)
    operator.record("c", b"new", START - 10)
    assert operator.ends(START) == []
    assert operator.ask("a", "c", START - 11) == [("a", "old")]
    assert operator.ask("b", "c", START - 10) == [("b", "new")]
    assert operator.ask("d", "c", START - 21) == [("d", None)]
    assert operator.ask("e", "nobody", START) == [("e", None)]


def test_a_look_up_waits_until_its_time_is_complete(operator: Operator) -> None:
    operator.record("c", b"old", START - 20)
    operator.ends(START)
    assert operator.ask("a", "c", START + 5) == []
    assert operator.ends(START + 4) == []
    # The end offsets say that one more record is there: only that makes their time complete.
    assert operator.ends(START + 6, operator.offset + 1) == []
    assert operator.record("c", b"new", START + 5) == [("a", "new")]
    assert operator.ends(START + 9) == [], "answered once"


def test_one_that_comes_again_while_it_waits_is_answered_once(operator: Operator) -> None:
    operator.ends(START)
    assert operator.ask("a", "c", START + 5) == operator.ask("a", "c", START + 5) == []
    assert operator.ends(START + 5) == [("a", None)]


def test_an_invalid_record_and_another_topics_leave_the_version_in_force(operator: Operator) -> None:
    operator.record("c", b"good", START - 20)
    operator.record("c", b"invalid", START - 19)
    operator.record("c", b"other", START - 18, topic="another")
    operator.ends(START, 1)
    assert operator.ask("a", "c", START) == [("a", "good")]


def test_a_tombstone_ends_a_value_and_what_ended_long_ago_is_forgotten(operator: Operator) -> None:
    operator.record("c", b"good", START - 20)
    operator.record("c", None, START - 10)
    operator.ends(START)
    assert operator.ask("a", "c", START - 11) == [("a", "good")]
    assert operator.ask("b", "c", START) == [("b", None)]
    operator.ends(START + RETENTION + operator.lookup.SWEEP_MS)
    assert dict(operator.flink.states["versions"].items()) == {}
    assert dict(operator.flink.states["ended"].items()) == {}


def test_nothing_goes_on_before_the_shard_was_complete_once(operator: Operator) -> None:
    operator.record("c", b"v", START)
    assert operator.ask("a", "c", START) == []
    assert operator.flink.wait(operator.lookup, RULES.max_lag + RULES.max_wait + 60_000) == []
    assert operator.ends(START) == [("a", "v")]
    assert operator.overdue() == 0


def test_after_max_wait_the_newest_version_known_is_taken_and_counted(operator: Operator) -> None:
    operator.record("c", b"v", START)
    operator.ends(START)
    assert operator.ask("a", "c", START + 50) == []
    assert operator.flink.wait(operator.lookup, RULES.max_wait) == []
    assert operator.flink.wait(operator.lookup, 2_000) == [("a", "v")]
    assert operator.overdue() == 1
    assert operator.ends(START + 99) == [], "it has gone on"


def test_what_waits_is_restored_with_its_versions(operator: Operator) -> None:
    operator.record("c", b"v", START)
    operator.ends(START)
    operator.ask("a", "c", START + 50)
    operator.restart()
    assert operator.ends(START + 50) == [("a", "v")]


def test_after_a_restart_what_waits_gets_max_lag_to_catch_up(operator: Operator) -> None:
    operator.ends(START)
    operator.ask("a", "c", START + 50)
    operator.restart()
    assert operator.flink.wait(operator.lookup, RULES.max_lag - 1_000) == []
    assert operator.flink.wait(operator.lookup, 3_000) == [("a", None)]
    assert operator.overdue() == 1


def test_the_state_is_as_savepoints_have_it(operator: Operator) -> None:
    operator.record("c", b"v", START)
    operator.ends(START)
    operator.ask("a", "c", START + 50)
    states = operator.flink.states
    assert sorted(states) == ["complete-once", "ended", "read", "versions", "waiting"]
    assert dict(states["versions"].items()) == {"=c": json.dumps([[START, "v"]])}
    assert dict(states["read"].items()) == {f"{SETTINGS}/0": 0}
    payload = {"name": "a", "key": "c", "at": START + 50 + RULES.effect_delay}
    assert dict(states["waiting"].items()) == {"=a\0c": json.dumps([START, payload])}
    assert states["complete-once"].value() is True


def test_what_is_neither_offsets_nor_a_payload_is_an_error(operator: Operator) -> None:
    with pytest.raises(TypeError, match="neither"):
        list(operator.lookup.process_element2((0, "x"), operator.flink))  # type: ignore[arg-type]
