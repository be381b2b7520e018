"""sql/shared/keep_dead_letters.sql makes the same dead letters as account_alerts/kafka/dead_letters.py."""

from pathlib import Path

from account_alerts.config import load
from account_alerts.kafka.dead_letters import dead_letter
from account_alerts.model.limits import DEAD_LETTER_KEY, DEAD_LETTER_REASON, DEAD_LETTER_RECORD
from jobs.sql import keep_dead_letters
from tests.unit.sql.views import Views

COLUMNS = {
    "record_key": "BYTES",
    "record": "BYTES",
    "source_partition": "INT",
    "source_offset": "BIGINT",
    "reason": "STRING",
}
LETTERS = [
    (b"k", b"\xff\0", "why"),
    (None, None, "účet"),
    (b"", b"", "r" * (DEAD_LETTER_REASON + 1)),
    (b"k" * DEAD_LETTER_KEY, b"\0" * DEAD_LETTER_RECORD, "as much as there may be"),
    (b"k" * (DEAD_LETTER_KEY + 1), b"r", "the key is cut"),
    (b"k", b"\0" * 20_000_000, "the record is cut"),
]


def test_sql_and_python_make_the_same_dead_letters(tmp_path: Path) -> None:
    config = load()
    rows = [
        dict(zip(COLUMNS, (key, record, 3, number, reason), strict=True))
        for number, (key, record, reason) in enumerate(LETTERS)
    ]
    views = Views(config, tmp_path)
    views.add_table("bad_records", COLUMNS, [*rows, {"record_key": b"good", "record": b"good"}])
    views.table_env.get_config().set("collect-sink.batch-size.max", "100 mb")
    insert = keep_dead_letters(config, "bad_records", "record_key", config.topics.alert_settings)
    made = views.rows(insert.partition("INSERT INTO dead_letters")[2])
    assert len(made) == len(LETTERS)
    for number, (key, record, reason) in enumerate(LETTERS):
        letter = dead_letter(key, record, "alert-settings", 3, number, reason)
        assert (letter.key, letter.value, dict(letter.headers)) in [
            (_bytes(key), _bytes(value), {name: _bytes(each) for name, each in headers.items()})
            for key, value, headers in made
        ], reason[:30]


def _bytes(value: object) -> bytes | None:
    return None if value is None else bytes(value)  # type: ignore[call-overload]
