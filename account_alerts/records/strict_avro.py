"""What fastavro lets pass and Avro's specification does not: numbers and lengths out of their range.

Without this, damaged bytes may still be a record: a count of 2^63 wraps to 0, and nobody may see an account.
"""

import io
from collections.abc import Callable, Iterable
from typing import Any

_LONG_BITS, _INT_BITS = 64, 32
_FIXED_SIZES = {"null": 0, "float": 4, "double": 8}


def check(schema: Any, data: bytes) -> None:
    """Walk over a value as Avro's specification reads it.

    Raises:
        ValueError: A number or length does not fit, an index has no branch or symbol, or bytes are missing.
    """
    _walk(schema, _Data(data), {})


class _Data(io.BytesIO):
    """The value's bytes, and how many items its lists have had: each takes a byte at least."""

    items = 0


def _walk(schema: Any, data: _Data, named: dict[str, Any]) -> None:
    if isinstance(schema, list):
        _walk(schema[_index(data, len(schema))], data, named)
        return
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(schema, dict) and "name" in schema:
        named[schema["name"]] = schema
    if kind in ("record", "error"):
        _walk_all((field["type"] for field in schema["fields"]), data, named)
    elif kind in ("string", "bytes"):
        _skip(data, _number(data, _LONG_BITS))
    elif kind in ("long", "int"):
        _number(data, _LONG_BITS if kind == "long" else _INT_BITS)
    elif kind == "array":
        _blocks(data, lambda: _walk(schema["items"], data, named))
    elif kind == "map":
        _blocks(data, lambda: _walk_all(("string", schema["values"]), data, named))
    elif kind == "enum":
        _index(data, len(schema["symbols"]))
    elif kind == "fixed":
        _skip(data, schema["size"])
    elif kind == "boolean":
        if data.read(1) not in (b"\0", b"\1"):
            raise ValueError("neither true nor false")
    elif kind in _FIXED_SIZES:
        _skip(data, _FIXED_SIZES[kind])
    else:
        _walk(named.get(kind, kind), data, named)


def _walk_all(schemas: Iterable[Any], data: _Data, named: dict[str, Any]) -> None:
    for schema in schemas:
        _walk(schema, data, named)


def _blocks(data: _Data, item: Callable[[], None]) -> None:
    while count := _number(data, _LONG_BITS):
        if count < 0:
            count = -count
            _number(data, _LONG_BITS)  # The block's size in bytes, for those who skip it.
        data.items += count
        if data.items > len(data.getbuffer()):
            raise ValueError(f"{data.items} items in {len(data.getbuffer())} bytes")
        for _ in range(count):
            item()


def _index(data: io.BytesIO, size: int) -> int:
    index = _number(data, _LONG_BITS)
    if not 0 <= index < size:
        raise ValueError(f"index {index} of {size}")
    return index


def _skip(data: io.BytesIO, length: int) -> None:
    if length < 0 or len(data.read(length)) != length:
        raise ValueError(f"a length of {length} does not fit")


def _number(data: io.BytesIO, bits: int) -> int:
    value = shift = 0
    while True:
        byte = data.read(1)
        if not byte:
            raise ValueError("a number is cut off")
        value |= (byte[0] & 0x7F) << shift
        if value >> bits:
            raise ValueError(f"a number has more than {bits} bits")
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        shift += 7
        if shift >= bits + 6:
            raise ValueError("a number does not end")
