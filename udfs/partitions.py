"""Where Kafka puts a key: the default partitioner of its Java client."""

HEARTBEAT = "\0heartbeat"
"""How the keys of heartbeats in `alert-rules` begin; a number follows. No account can have such an id."""
RELEASE = "\0release"
"""How the keys of heartbeats begin that are written in place of overdue ones."""

CLICKS_HEARTBEAT = "!heartbeat"
"""How the keys of heartbeats in `click-events` begin; no customer has such an id. They have no value."""


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit MurmurHash2 with the sign bit cleared (org.apache.kafka.common.utils.Utils)."""
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


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key in a topic of so many partitions."""
    return murmur2(key.encode()) % partitions


def heartbeat_keys(partitions: int, prefix: str = HEARTBEAT) -> list[str]:
    """A key with this beginning for each partition that Kafka puts there."""
    keys: dict[int, str] = {}
    number = 0
    while len(keys) < partitions:
        key = f"{prefix}-{number}"
        keys.setdefault(partition_of(key, partitions), key)
        number += 1
    return [keys[partition] for partition in range(partitions)]
