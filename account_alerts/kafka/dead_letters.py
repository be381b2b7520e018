"""The headers that every dead letter carries."""


def headers(topic: str, partition: int, offset: int, reason: str) -> list[tuple[str, bytes]]:
    """Return the headers of a dead letter: where its record came from, and the reason."""
    values = {
        "source.topic": topic,
        "source.partition": str(partition),
        "source.offset": str(offset),
        "reason": reason,
    }
    return [(name, value.encode()) for name, value in values.items()]
