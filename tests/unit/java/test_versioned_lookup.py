"""The look-up of versions, on a real Flink in this process, against a plain reading of what held when."""

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from account_alerts.config import load
from jobs.operators import look_up
from tests.builders import NOON
from tests.unit.sql.views import Views

DAY = 86_400_000
Values = tuple[str, list[str]] | None


@dataclass(frozen=True)
class Change:
    """What a key has from a time on, milliseconds after NOON; None: nothing any more."""

    key: str
    since: int
    values: Values


@dataclass(frozen=True)
class Asked:
    """Whose values are asked for, as of when."""

    key: str
    as_of: int


def plainly(changes: list[Change], asked: list[Asked]) -> list[Values]:
    """What each look-up finds: of the changes up to its time, in Kafka's order, the last one."""
    held: list[Values] = []
    for one in asked:
        of_key = [change for change in changes if change.key == one.key and change.since <= one.as_of]
        held.append(of_key[-1].values if of_key else None)
    return held


def answers(folder: Path, changes: list[Change], asked: list[Asked]) -> list[Values]:
    """What each look-up finds, twice: rows come to the second one when the first has let them go."""
    views = Views(load(), folder)
    time = "TIMESTAMP_LTZ(3)"
    views.add_table(
        "changes",
        {
            "name": "STRING",
            "text": "STRING",
            "texts": "ARRAY<STRING>",
            "written_at": time,
            "known_until": time,
        },
        [
            {"name": each.key, "written_at": NOON + each.since, "known_until": NOON + each.since - 1}
            | dict(zip(("text", "texts"), each.values or (None, None), strict=True))
            for each in changes
        ],
        ["WATERMARK FOR written_at AS known_until"],
    )
    rows = [
        {"number": number, "name": each.key, "rules_time": NOON + each.as_of}
        for number, each in enumerate(asked)
    ]
    views.add_table("asked", {"number": "INT", "name": "STRING", "rules_time": time}, rows)
    for name, columns in (("versions", "text, texts"), ("again", "text AS text2, texts AS texts2")):
        query = f"SELECT name, {columns}, written_at FROM changes"
        views.table_env.create_temporary_view(name, views.table_env.sql_query(query))
    once = look_up(views.table_env, "asked", "name", "versions", 30 * DAY, "once")
    views.table_env.create_temporary_view("once", once)
    twice = look_up(views.table_env, "once", "name", "again", 30 * DAY, "twice")
    views.table_env.create_temporary_view("twice", twice)
    found: dict[int, Values] = {}
    query = "SELECT number, text, texts, text2, texts2 FROM twice"
    for number, text, texts, text2, texts2 in views.rows(query):
        assert (text, texts) == (text2, texts2)
        assert number not in found
        found[number] = None if text is None else (text, texts)
    return [found[number] for number in range(len(asked))]


def test_each_version_holds_from_its_millisecond_on(tmp_path: Path) -> None:
    values: list[tuple[str, list[str]]] = [("a", ["x", "y"]), ("b", []), ("c", ["z"])]
    first, second, third = values
    changes = [Change("k", 10, first), Change("k", 20, second), Change("k", 30, None), Change("k", 40, third)]
    asked = [Asked("k", time) for time in (9, 10, 19, 20, 29, 30, 39, 40, 99)]
    assert answers(tmp_path, changes, [*asked, Asked("nobody", 99)]) == [
        *(None, first, first, second, second, None, None, third, third),
        None,
    ]


@pytest.mark.parametrize("seed", range(2))
def test_any_changes_any_time(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)

    def at() -> int:
        # Close together, so that some meet, and far apart.
        return chance.randrange(40) * chance.choice((1, DAY // 4))

    keys = [f"k{number}" for number in range(20)]
    kinds: list[Values] = [None, ("a", ["x"]), ("a", ["y"]), ("b", []), ("b", ["x", "y"])]
    changes = [Change(chance.choice(keys), at(), chance.choice(kinds)) for _ in range(400)]
    changes.sort(key=lambda change: change.since)
    asked = [Asked(chance.choice(keys), at()) for _ in range(1_000)]
    assert answers(tmp_path, changes, asked) == plainly(changes, asked)
