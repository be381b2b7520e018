"""A message as the bytes of a mail (RFC 5322, MIME). Pure functions.

Written here and not by the standard library's EmailMessage for speed: that takes thirty to fifty times the
processor time for the same mail of two parts (`python -m bench mail-composition` measures both).
"""

import base64
import binascii
import re
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr, quote

from delivery.gateways import keys
from delivery.gateways.base import Message

_ATOM = r"[^\s()<>\[\]:;@\\,\".\x00-\x20\x7f-\x9f]+"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_ATOM}(\.{_ATOM})*")
_LONGEST_ADDRESS = 254
_JOINERS = "\u200c\u200d"
"""Zero width (non-)joiner, without which Persian words and emoji of several parts are torn."""
_LONGEST_HEADER = 900
"""Letters of a header's value on one line; the limit is 998."""
_WORD_BYTES = 42
"""Bytes of an encoded word: in base64, and with what surrounds them, a line of at most 75."""


def is_address(text: str) -> bool:
    """Tell whether a text is a plain mail address: no name, no list, no quoted parts, nothing invisible."""
    return len(text) <= _LONGEST_ADDRESS and text.isprintable() and _ADDRESS.fullmatch(text) is not None


def needs_utf8(address: str) -> bool:
    """Tell whether the server must support SMTPUTF8 to take the address."""
    return not address.isascii()


def one_line(text: str) -> str:
    """Remove from a text what could end a header or is no letter at all; what joins letters stays."""
    kept = (letter if letter.isprintable() or letter in _JOINERS else " " for letter in text)
    return " ".join("".join(kept).split())


def compose(message: Message, sender: str, now: datetime | None = None) -> bytes:
    """Write the mail: text and HTML as alternatives; its Message-ID follows from the message's key."""
    name, address = parseaddr(sender)
    key = keys.token(message.key)
    headers = [
        ("From", f"{_phrase(one_line(name))} <{address}>" if name else address),
        ("To", one_line(message.address)),
        ("Subject", _text(one_line(message.title))),
        ("Date", format_datetime(now or datetime.now(UTC))),
        ("Message-ID", f"<{key}@{address.rpartition('@')[2]}>"),
        ("X-Idempotency-Key", key),
        ("Content-Language", one_line(message.language)),
        # No out-of-office notices, and no loops.
        ("Auto-Submitted", "auto-generated"),
    ]
    if message.unsubscribe is not None and len(message.unsubscribe) < _LONGEST_HEADER:
        headers += [
            ("List-Unsubscribe", f"\r\n <{one_line(message.unsubscribe)}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    headers.append(("MIME-Version", "1.0"))
    plain = _part("plain", message.text)
    if message.html is None:
        return _joined(headers) + plain
    # Quoted-printable never has "=_": the boundary cannot be in a text.
    boundary = f"=_{key}"
    headers.append(("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'))
    line = f"\r\n--{boundary}"
    return b"".join(
        [
            _joined(headers),
            f"{line}\r\n".encode(),
            plain,
            f"{line}\r\n".encode(),
            _part("html", message.html),
            f"{line}--\r\n".encode(),
        ]
    )


def _joined(headers: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode()


def _part(kind: str, text: str) -> bytes:
    # A lone surrogate cannot be encoded, and is no letter.
    data = "\r\n".join(text.splitlines()).encode(errors="replace")
    body = binascii.b2a_qp(data + b"\r\n", istext=True)
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    )
    return head.encode() + body


def _phrase(name: str) -> str:
    return f'"{quote(name)}"' if name.isascii() else _words(name)


def _text(text: str) -> str:
    short = len(text) <= 70 and "=?" not in text
    return text if text.isascii() and short else _words(text)


def _words(text: str) -> str:
    """Write encoded words (RFC 2047), each of whole letters."""
    chunks, current = [], b""
    for letter in text:
        data = letter.encode(errors="replace")
        if len(current) + len(data) > _WORD_BYTES:
            chunks.append(current)
            current = b""
        current += data
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(chunk).decode()}?=" for chunk in (*chunks, current))
