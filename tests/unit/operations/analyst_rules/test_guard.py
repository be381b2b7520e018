"""Which rules are over their limit."""

import pytest

from operations.analyst_rules.guard import is_over
from operations.analyst_rules.registry import Registry, Started


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
def test_a_rule_is_over_its_limit_while_quarantined_alerts_wait(
    newest: dict[int, int], decided: dict[int, int], over: bool
) -> None:
    known = Registry(decided={"r": decided, "other": {0: 99}})
    newest_by_partition = {partition: (offset, 1_000) for partition, offset in newest.items()}
    assert is_over("r", {"r": newest_by_partition, "another": {0: (1, 1_000)}}, known) == over


@pytest.mark.parametrize(("since", "over"), [(999, True), (1_000, True), (1_001, False)])
def test_what_was_quarantined_before_a_rule_was_started_anew_does_not_end_it(since: int, over: bool) -> None:
    started = Started(sql="SELECT 1", name="r", about="", per_minute=1, since=since)
    assert is_over("r", {"r": {0: (5, 1_000)}}, Registry(started={"r": started})) == over
