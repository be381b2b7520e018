"""TODO."""


def headers(topic: str, partition: int, offset: int, reason: str) -> list[tuple[str, bytes]]:
    """The headers of a dead letter, as the contract has them."""
    values = {
        "source.topic": topic,
        "source.partition": str(partition),
        "source.offset": str(offset),
        "reason": reason,
    }
    return [(name, value.encode()) for name, value in values.items()]
