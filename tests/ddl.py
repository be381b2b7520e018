"""What the tables of sql/ declare, and what the schemas would have them declare, both as Flink SQL types."""

import json
import re
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
_PRIMITIVES = {"string": "STRING", "long": "BIGINT", "int": "INT", "boolean": "BOOLEAN", "bytes": "BYTES"}


def text(file: str) -> str:
    """A file under sql/ without its comments."""
    return re.sub(r"--.*", "", (PROJECT / "sql" / file).read_text(encoding="utf-8"))


def value_columns(table: str) -> dict[str, str]:
    """Name and type of each column that is in the record's value, in their order."""
    statement = text(f"tables/{table}.sql")
    parts = re.fullmatch(r"\s*CREATE TABLE \w+ \((.*)\) WITH \((.*)\)\s*", statement, re.DOTALL)
    assert parts is not None
    body, options = parts.groups()
    columns = {}
    for part in _split(" ".join(body.split())):
        name, kind = part.replace("`", "").split(" ", 1)
        if name not in ("PRIMARY", "WATERMARK") and not kind.startswith("AS ") and " METADATA" not in kind:
            columns[name] = kind
    if "'value.fields-include' = 'EXCEPT_KEY'" in options:
        key = re.search(r"PRIMARY KEY \((\w+)\)", body) or re.search(r"'key.fields' = '(\w+)'", options)
        assert key is not None
        del columns[key[1]]
    return columns


def schema_columns(record: str) -> dict[str, str]:
    """Name and type of the column that each field of a schema needs."""
    schema = json.loads((PROJECT / f"schemas/{record}.avsc").read_text(encoding="utf-8"))
    return {field["name"]: _sql_type(field["type"]) for field in schema["fields"]}


def _sql_type(avro: Any) -> str:
    if isinstance(avro, list):
        null, other = avro
        assert null == "null"
        return _sql_type(other).removesuffix(" NOT NULL")
    if isinstance(avro, str):
        return f"{_PRIMITIVES[avro]} NOT NULL"
    match avro["type"]:
        case "array":
            return f"ARRAY<{_sql_type(avro['items'])}> NOT NULL"
        case "map":
            return f"MAP<STRING NOT NULL, {_sql_type(avro['values'])}> NOT NULL"
        case "record":
            fields = ", ".join(f"{field['name']} {_sql_type(field['type'])}" for field in avro["fields"])
            return f"ROW<{fields}> NOT NULL"
        case "long" if avro.get("logicalType") == "timestamp-millis":
            return "TIMESTAMP_LTZ(3) NOT NULL"
        case plain:
            return _sql_type(plain)


def _split(body: str) -> list[str]:
    """The parts between the commas that stand in no bracket, blanks around brackets left out."""
    body = re.sub(r"\s*([<>])\s*", lambda bracket: bracket[1] + (" " if bracket[1] == ">" else ""), body)
    body = re.sub(r">\s+([>,)])", r">\1", body)
    parts, depth = [""], 0
    for character in body:
        depth += (character in "(<") - (character in ")>")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
