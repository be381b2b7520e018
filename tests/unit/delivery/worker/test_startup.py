"""What a sender waits for."""

from delivery.worker.startup import missing


def test_profiles_are_complete_when_every_partition_is_read_to_its_end() -> None:
    ends = {("alert-settings", 0): 5, ("alert-settings", 1): 0, ("account-authorizations", 0): 2}
    assert missing(ends, {}) == [("account-authorizations", 0), ("alert-settings", 0)]
    assert missing(ends, {("alert-settings", 0): 4, ("account-authorizations", 0): 2}) == [
        ("alert-settings", 0)
    ]
    assert missing(ends, {("alert-settings", 0): 6, ("account-authorizations", 0): 2}) == []
