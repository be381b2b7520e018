"""Why a customer got an alert."""

import pytest

from delivery.ledger.audit import balance_before, describe_cause
from tests.unit.delivery.alerts import ALERT


def test_why_tells_the_booking_and_masks_the_account() -> None:
    cause = describe_cause(ALERT)
    assert cause["balance_before_minor"] == 10_500
    assert cause["threshold_minor"] == 10_000
    assert cause["account_id"] == "…6789"


@pytest.mark.parametrize(
    ("alert_type", "before"),
    [
        ("BALANCE_ABOVE", 90),
        ("CREDITED_ABOVE", 90),
        ("BALANCE_BELOW", 110),
        ("DEBITED_ABOVE", 110),
        ("salary", None),
    ],
)
def test_the_balance_before(alert_type: str, before: int | None) -> None:
    assert balance_before(alert_type, 100, 10) == before
    assert balance_before(alert_type, None, 10) is None
