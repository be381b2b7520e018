"""Bare Avro binary, read strictly: the reference's own, with the schema files and nothing else in common."""

import io
import json
from pathlib import Path
from typing import Any

import fastavro

SCHEMAS = Path(__file__).parents[2] / "schemas"


def encode(name: str, record: dict[str, Any]) -> bytes:
    """Bytes of a record."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, _SCHEMAS[name], record, strict=True)
    return stream.getvalue()


def decode(name: str, value: bytes | None) -> dict[str, Any] | None:
    """The record in bare Avro binary, or None where the bytes are not exactly one such record."""
    if value is None:
        return None
    stream = io.BytesIO(value)
    try:
        record = fastavro.schemaless_reader(stream, _SCHEMAS[name], None)
    except Exception:  # Whatever it is, it is not decodable.
        return None
    if stream.tell() != len(value) or not isinstance(record, dict):
        return None
    if name == "AccountEntry" and value[-1] > 1:
        return None  # Its last byte is a boolean: Avro has 0 and 1, this decoder takes any.
    for setting in record.get("settings", ()):
        # Avro's int has 32 bits, which this decoder does not look at.
        if any(not -(2**31) <= (setting[name] or 0) < 2**31 for name in ("count", "window_minutes")):
            return None
    return record


def _load(name: str) -> Any:
    def plain(node: Any) -> Any:  # Times as integers: every long is a time to the contract, not to datetime.
        if isinstance(node, dict):
            return node["type"] if "logicalType" in node else {key: plain(each) for key, each in node.items()}
        return [plain(each) for each in node] if isinstance(node, list) else node

    return fastavro.parse_schema(plain(json.loads((SCHEMAS / f"{name}.avsc").read_text(encoding="utf-8"))))


_SCHEMAS = {
    name: _load(name) for name in ("AccountEntry", "AccountAuthorization", "AlertSettings", "OutboundAlert")
}
