"""Why an alert was raised, and what is left of it for some of its reasons."""

from typing import Any

import pytest

from delivery.reasons import integer_param, keep_reasons, list_reasons
from tests.unit.delivery.alerts import ALERT

LOW, COUNT = (
    {"setting_id": "s1", "alert_type": "BALANCE_BELOW", "threshold_minor": 10_000}
    | dict.fromkeys(("count", "window_minutes")),
    {"setting_id": "s2", "alert_type": "TRANSACTION_COUNT", "threshold_minor": None}
    | {"count": 3, "window_minutes": 60},
)
BOTH: dict[str, Any] = ALERT | {"reasons": [LOW, COUNT]}


def test_an_alert_without_reasons_is_its_own() -> None:
    assert list_reasons(ALERT | {"reasons": []}) == [LOW]
    assert list_reasons(BOTH) == [LOW, COUNT]


def test_an_alert_for_some_of_its_reasons() -> None:
    booking = {"amount_minor": "1000", "balance_minor": "9500"}
    kept = keep_reasons(BOTH, [COUNT])
    assert (kept["alert_type"], kept["setting_id"]) == ("TRANSACTION_COUNT", "s2")
    assert kept["params"] == booking | {"count": "3", "window_minutes": "60"}
    assert kept["reasons"] == [COUNT]
    assert kept["alert_id"] == BOTH["alert_id"]
    assert keep_reasons(BOTH, [LOW])["params"] == booking | {"threshold_minor": "10000"}
    assert keep_reasons(BOTH, [LOW, COUNT]) == BOTH


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-5", -5),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("9" * 40, None),
        ("9" * 5_000, None),
        ("5.0", None),
        ("", None),
    ],
)
def test_a_parameter_is_a_long_or_nothing(text: str, number: int | None) -> None:
    assert integer_param({"amount_minor": text}, "amount_minor") == number
    assert integer_param({}, "amount_minor") is None
