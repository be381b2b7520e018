"""The body of an AMQP 1.0 message, which may be cut into several data sections.

proton's `Message` keeps only the last of them. So the sections are walked here: each is a described value
(AMQP 1.0 part 1, 1.2 and 1.6; part 3, 3.2).
"""

_DATA = 0x75
_BODY = {b"\x75": _DATA, b"\x76": 0x76, b"\x77": 0x77}
"""Data, sequence and value, by the descriptor's last byte as a number."""
_NAMES = {b"amqp:data:binary": _DATA, b"amqp:amqp-sequence:list": 0x76, b"amqp:amqp-value:*": 0x77}
_BINARY = (0xA0, 0xB0)
_FIXED_WIDTH = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
"""Bytes of a value by the first half of its constructor."""
_SIZE_WIDTH = {0xA: 1, 0xB: 4, 0xC: 1, 0xD: 4, 0xE: 1, 0xF: 4}
"""Bytes that say how long a value is."""


def join_data(encoded: bytes) -> bytes | None:
    """Join the data sections of a message; None where its body is one section of another kind, or none.

    Raises:
        ValueError: It is no AMQP message, or of several sections that are not all data.
    """
    data: list[bytes] = []
    others = at = 0
    while at < len(encoded):
        if encoded[at] != 0:
            raise ValueError("a section without a descriptor")
        start, value = _value(encoded, at + 1)
        name = encoded[start:value]
        kind = _NAMES.get(name) or _BODY.get(name.lstrip(b"\0"))
        start, at = _value(encoded, value)
        if kind == _DATA and encoded[value] in _BINARY:
            data.append(encoded[start:at])
        elif kind is not None:
            others += 1
    if others and (data or others > 1):
        raise ValueError("several sections that are not all data")
    return b"".join(data) if data else None


def _value(encoded: bytes, at: int) -> tuple[int, int]:
    """Return where the content of a value begins and where it ends; of a described one, its own value's."""
    waiting = 1
    start = at
    while waiting:
        if at >= len(encoded):
            raise ValueError("a value is cut off")
        kind = encoded[at] >> 4
        at += 1
        if kind == 0:
            waiting += 1  # A descriptor and a value in place of one.
            continue
        if kind in _FIXED_WIDTH:
            start, at = at, at + _FIXED_WIDTH[kind]
        elif kind in _SIZE_WIDTH:
            start = at + _SIZE_WIDTH[kind]
            at = start + int.from_bytes(encoded[at:start], "big")
        else:
            raise ValueError("an unknown constructor")
        waiting -= 1
    if at > len(encoded):
        raise ValueError("a value is cut off")
    return start, at
