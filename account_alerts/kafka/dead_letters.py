"""How a record that cannot be used is put aside; the same in SQL: java/src/alerts/format/DeadLetter.java."""

import hashlib
from typing import NamedTuple

from account_alerts.model.limits import DEAD_LETTER_KEY, DEAD_LETTER_REASON, DEAD_LETTER_RECORD


class DeadLetter(NamedTuple):
    """What is written to `dead-letters`."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def dead_letter(
    key: bytes | None, record: bytes | None, topic: str, partition: int, offset: int, reason: str
) -> DeadLetter:
    """Make the dead letter of a record.

    Of a key or record that is longer than `dead-letters` takes it has the first part, and headers `key.size`,
    `key.sha256`, `record.size` and `record.sha256` of the whole.
    """
    headers = {
        "source.topic": topic,
        "source.partition": str(partition),
        "source.offset": str(offset),
        "reason": reason[:DEAD_LETTER_REASON],
    }
    for name, whole, longest in (("key", key, DEAD_LETTER_KEY), ("record", record, DEAD_LETTER_RECORD)):
        if whole is not None and len(whole) > longest:
            headers |= {f"{name}.size": str(len(whole)), f"{name}.sha256": hashlib.sha256(whole).hexdigest()}
    return DeadLetter(
        None if key is None else key[:DEAD_LETTER_KEY],
        None if record is None else record[:DEAD_LETTER_RECORD],
        # A lone surrogate is no UTF-8.
        [(name, value.encode(errors="replace")) for name, value in headers.items()],
    )
