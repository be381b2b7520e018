"""Kafka's default partitioner, and the keys of heartbeats that stand in every partition."""

HEARTBEAT = "\0heartbeat"
"""How the keys of heartbeats in `alert-rules` begin; a number follows. No account can have such an id."""
FALLBACK_HEARTBEAT = "\0release"
"""How the keys of fallback heartbeats begin, which are written in place of overdue ones."""

CLICKS_HEARTBEAT = "!heartbeat"
"""How the keys of heartbeats in `click-events` begin; no customer has such an id. They have no value."""


def murmur2(data: bytes) -> int:
    """Hash as Kafka does: 32-bit MurmurHash2, the sign bit cleared (org.apache.kafka.common.utils.Utils)."""
    length, mix, mask = len(data), 0x5BD1E995, 0xFFFFFFFF
    value = 0x9747B28C ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * mix & mask
        value = (value * mix & mask) ^ ((word ^ word >> 24) * mix & mask)
    if whole < length:
        value = (value ^ int.from_bytes(data[whole:], "little")) * mix & mask
    value = (value ^ value >> 13) * mix & mask
    return (value ^ value >> 15) & 0x7FFFFFFF


def find_partition(key: str, partitions: int) -> int:
    """Return the partition of a key in a topic of so many partitions."""
    return murmur2(key.encode()) % partitions


def heartbeat_keys(partitions: int, prefix: str = HEARTBEAT) -> list[str]:
    """Return for each partition a key with this beginning that Kafka puts there."""
    keys: dict[int, str] = {}
    number = 0
    while len(keys) < partitions:
        key = f"{prefix}-{number}"
        keys.setdefault(find_partition(key, partitions), key)
        number += 1
    return [keys[partition] for partition in range(partitions)]
