"""Times of XML Schema in all their spellings."""

from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from ingest.formats.xml_times import day_bounds, milliseconds, parse_date, parse_date_time
from tests.unit.ingest.formats.messages import at, camt, error, ntry, one

_MIDNIGHT = 1_795_647_600_000
"""The beginning of 2026-11-26 in Zurich: 2026-11-25T23:00:00Z."""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-26T00:00:00", _MIDNIGHT),
        ("2026-11-25T24:00:00", _MIDNIGHT),
        ("2026-11-25T24:00:00.000", _MIDNIGHT),
        ("2026-11-25T24:00:00+01:00", _MIDNIGHT),
        ("2026-11-25T23:00:00Z", _MIDNIGHT),
        ("2026-11-25T24:00:00Z", _MIDNIGHT + 3_600_000),
        ("2026-11-25T13:30:00-09:30", _MIDNIGHT),
        ("2026-11-26T13:00:00+14:00", _MIDNIGHT),
        ("2026-11-25T23:00:00.5Z", _MIDNIGHT + 500),
        ("2026-11-25T23:00:00.0019999999Z", _MIDNIGHT + 1),
        ("2026-12-31T24:00:00Z", 1_798_761_600_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_a_date_and_time(text: str, wanted: int) -> None:
    assert milliseconds(parse_date_time(text), ZoneInfo("Europe/Zurich")) == wanted
    assert one(camt(ntry(date=at(text))), "Europe/Zurich")["booked_at"] == wanted


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T24:00:01",
        "2026-11-25T24:00:00.001",
        "2026-11-25T25:00:00",
        "2026-11-25T10:00",
        "2026-02-30T10:00:00",
        "2026-11-25 10:00:00",
        "2026-11-25T10:00:00z",
        "2026-11-25T10:00:00+0100",
        "-2026-11-25T10:00:00",
        "12026-11-25T10:00:00",
        "0000-11-25T10:00:00",
        "9999-12-31T24:00:00",
        "\u0662026-11-25T10:00:00",
    ],
)
def test_what_is_no_date_and_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_date_time(text)
    assert error(camt(ntry(date=f"<BookgDt><DtTm>{text}</DtTm></BookgDt>"))).endswith(
        "BookgDt/DtTm is no date and time"
    )


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2026-11-26", _MIDNIGHT),
        ("2026-11-26+01:00", _MIDNIGHT),
        ("2026-11-26Z", _MIDNIGHT + 3_600_000),
        ("2026-11-26-05:00", _MIDNIGHT + 6 * 3_600_000),
    ],
)
def test_a_date_is_its_beginning(text: str, start: int) -> None:
    assert one(camt(ntry(date=at(text))), "Europe/Zurich")["booked_at"] == start


def test_a_date_is_the_notifications_time_where_that_is_of_the_same_day_there() -> None:
    created = 1_795_600_800_000  # 2026-11-25T10:00:00Z, which is the 26th in Kiritimati
    assert one(camt(ntry(date=at("2026-11-26"))), "Pacific/Kiritimati")["booked_at"] == created
    assert one(camt(ntry(date=at("2026-11-25Z"))), "Pacific/Kiritimati")["booked_at"] == created
    assert one(camt(ntry(date=at("2026-11-25"))), "Pacific/Kiritimati")["booked_at"] < created


@pytest.mark.parametrize("text", ["2026-02-30", "25.11.2026", "2026-11-25+1", "9999-12-31"])
def test_what_is_no_date(text: str) -> None:
    assert error(camt(ntry(date=at(text)))).endswith("BookgDt/Dt is no date")


def test_a_day_has_as_many_hours_as_it_has() -> None:
    first, last = day_bounds(date(2026, 10, 25), ZoneInfo("Europe/Zurich"))
    assert last - first + 1 == 25 * 3_600_000
    assert parse_date("2026-11-25Z") == (date(2026, 11, 25), UTC)
