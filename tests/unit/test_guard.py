"""Which rules are over their limit, and what closes a breaker."""

import pytest

from account_alerts.adhoc import ending
from account_alerts.adhoc.guard import is_over
from account_alerts.adhoc.registry import Registry
from udfs.adhoc_alerts import read_reset


@pytest.mark.parametrize(
    ("newest", "decided", "over"),
    [
        ({}, {}, False),
        ({0: 0}, {}, True),
        ({0: 4}, {0: 5}, False),
        ({0: 5}, {0: 5}, True),
        ({0: 4, 1: 0}, {0: 5}, True),
    ],
)
def test_a_rule_is_over_its_limit_while_held_alerts_wait(
    newest: dict[int, int], decided: dict[int, int], over: bool
) -> None:
    known = Registry(decided={"r": decided, "other": {0: 99}})
    assert is_over("r", {"r": newest, "another": {0: 1}}, known) == over


def test_that_a_job_was_ended_closes_no_breaker() -> None:
    assert read_reset(b"r:halted", b'{"state": null}') is None


def test_where_a_rule_goes_on() -> None:
    assert ending.folder(None) is None
    assert str(ending.folder("file:/a%20b/savepoint-1")) == "/a b/savepoint-1"
    assert ending.restored(None) == []
    assert ending.restored("s3://x/savepoint-1")[:2] == ["-s", "s3://x/savepoint-1"]
