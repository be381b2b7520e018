"""Progress is claimed only when everything that was there has been read."""

from hypothesis import given
from hypothesis import strategies as st

from udfs.temporal.rules_watermark import NOTHING, EndOffsets, ShardProgress, rules_watermark


def test_a_look_at_empty_partitions_is_complete_at_once() -> None:
    assert ShardProgress().expect(EndOffsets(7, {"a/0": NOTHING})) == 7


def test_a_look_waits_until_the_last_record_it_saw_is_read() -> None:
    progress = ShardProgress()
    assert progress.expect(EndOffsets(7, {"a/0": 2, "b/0": 0})) is None
    assert progress.advance("a/0", 2) is None
    assert progress.expect(EndOffsets(8, {"a/0": 5, "b/0": 0})) is None
    assert progress.advance("b/0", 0) == 7
    assert progress.advance("a/0", 3) is None
    assert progress.expect(EndOffsets(9, {"a/0": 3, "b/0": 0})) == 9


def test_every_shard_must_have_spoken() -> None:
    assert rules_watermark({}, 2) is None
    assert rules_watermark({0: 5}, 2) is None
    assert rules_watermark({0: 5, 1: 3}, 2) == 3


@given(st.lists(st.sampled_from(["read", "look", "write"]), max_size=60))
def test_no_time_is_claimed_before_all_written_until_then_is_read(steps: list[str]) -> None:
    progress = ShardProgress()
    written_at: list[int] = []
    read = 0
    for time, step in enumerate(steps):
        complete = None
        if step == "write":
            written_at.append(time)
        elif step == "look":
            complete = progress.expect(EndOffsets(time, {"t/0": len(written_at) - 1}))
        elif read < len(written_at):
            complete = progress.advance("t/0", read)
            read += 1
        if complete is not None:
            assert all(at > complete for at in written_at[read:])
