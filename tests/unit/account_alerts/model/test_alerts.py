"""The enumerations of the contract, and the lists elsewhere that have to repeat them."""

import cloudpickle

from account_alerts.model import alerts
from account_alerts.model.alerts import AMOUNT_TYPES, AlertType, Channel, EntryType


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
