"""Sections of AMQP messages, as the library writes them and as others may."""

import contextlib
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proton import Message

from ingest.bridge.sections import join_data

_ABC, _DEF = b"\x00\x53\x75\xa0\x03abc", b"\x00\x53\x75\xa0\x03def"


def encode(body: Any, **fields: Any) -> bytes:
    """Let the library write a message."""
    made = Message(body=cast("Any", body), **fields)
    made.inferred = isinstance(body, bytes)
    return bytes(made.encode())


@given(st.binary(max_size=600), st.dictionaries(st.text(max_size=3), st.text() | st.integers(0, 9)))
def test_what_the_library_writes(body: bytes, properties: dict[str, Any]) -> None:
    fields = {"properties": properties, "group_id": "g", "delivery_count": 3, "annotations": {"x": 1}}
    assert join_data(encode(body, **fields)) == body


@pytest.mark.parametrize("body", ["text", 7, None, ["list"], {"map": "of it"}])
def test_a_body_of_another_kind(body: Any) -> None:
    assert join_data(encode(body)) is None


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(_ABC, id="short"),
        pytest.param(b"\x00\x80" + (0x75).to_bytes(8, "big") + b"\xa0\x03abc", id="long descriptor"),
        pytest.param(b"\x00\xa3\x10amqp:data:binary\xa0\x03abc", id="descriptor by name"),
        pytest.param(b"\x00\x53\x75\xb0\x00\x00\x00\x03abc", id="long size"),
        pytest.param(b"\x00\x53\x70\x45" + _ABC, id="after an empty header"),
    ],
)
def test_several_data_sections(first: bytes) -> None:
    assert join_data(first + _DEF) == b"abcdef"
    assert join_data(first + _DEF + b"\x00\x53\x78\xc1\x01\x00") == b"abcdef"


@pytest.mark.parametrize(
    "encoded",
    [
        _ABC + b"\x00\x53\x77\xa1\x01x",
        b"\x00\x53\x76\x45" * 2,
        b"\x00\x53\x77\x40" * 2,
        b"abc",
        b"\x00\x53\x75\xa0\x04abc",
        b"\x00\x53\x75",
        b"\x00\x53\x75\x30",
    ],
)
def test_what_is_no_message_or_of_sections_that_do_not_go_together(encoded: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        join_data(encoded)


@given(st.binary(max_size=60))
def test_any_bytes_end(encoded: bytes) -> None:
    with contextlib.suppress(ValueError):
        join_data(encoded)
    with contextlib.suppress(ValueError):
        join_data(_ABC + b"\0" * 100_000 + encoded)
