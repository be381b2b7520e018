"""Keys go where Kafka's own clients put them."""

import pytest

from udfs.partitions import find_partition, heartbeat_keys, murmur2


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # Values of Kafka's own test (UtilsTest.testMurmur2), sign bit cleared.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0x7FFFFFFF


@pytest.mark.parametrize("partitions", [1, 2, 7, 32])
def test_every_partition_has_a_heartbeat_key(partitions: int) -> None:
    keys = heartbeat_keys(partitions)
    assert [find_partition(key, partitions) for key in keys] == list(range(partitions))
