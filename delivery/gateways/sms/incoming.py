"""SMS from customers: their parts, and how their texts may be read. Pure functions."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from delivery.gateways.sms import gsm

_ALPHABETS = {1: "ascii", 3: "latin-1", 6: "iso8859-5", 7: "iso8859-8", gsm.UCS2: "utf-16-be"}
"""Python's names of data codings (SMPP 3.4, 5.2.19)."""


@dataclass(frozen=True)
class Part:
    """Which part of a long SMS one is."""

    reference: int
    total: int
    number: int
    """From 1 on."""


@dataclass(frozen=True)
class IncomingSms:
    """An SMS from a customer, or a part of one."""

    number: str
    """The customer's, E.164 without `+`."""
    recipient: str
    """Whom it was sent to: our number, or what stands for it."""
    coding: int
    """SMPP's data_coding."""
    body: bytes
    """Without the header that joins parts."""
    part: Part | None = None


def readings(parts: Sequence[IncomingSms]) -> Iterator[str]:
    """Yield the texts that an SMS may stand for, the likeliest first; `parts` are in their order.

    SMSCs differ in what they call the default alphabet (GSM 03.38 a byte or packed, Latin-1, UTF-8), and a
    keyword that is read wrongly is a customer's no that nobody hears.
    """
    coding, body = _alphabet(parts[0].coding), b"".join(part.body for part in parts)
    if coding == gsm.UCS2:
        # A byte order mark is no letter; without one it is big-endian (ISO 10646), but some forget that.
        yield from _decoded(body, "utf-16-be", "utf-16-le")
        return
    if coding in _ALPHABETS:
        yield from _decoded(body, _ALPHABETS[coding])
    with suppress(ValueError):  # Not a byte a letter.
        yield gsm.decode(gsm.GSM, body)
    yield from _decoded(body, "utf-8", "latin-1")
    for fill in (0, 1):
        # Packed septets begin anew in every part, one bit behind a header of six bytes.
        packed = b"".join(_unpack(part.body, fill) for part in parts)
        with suppress(ValueError):
            yield gsm.decode(gsm.GSM, packed)


def split_header(body: bytes) -> tuple[Part | None, bytes]:
    """Return what a user data header says of a part (3GPP TS 23.040, 9.2.3.24), and the body behind it."""
    length = body[0] + 1 if body else 0
    header, rest = body[1:length], body[length:]
    while len(header) >= 2:
        kind, size = header[0], header[1]
        data, header = header[2 : 2 + size], header[2 + size :]
        if len(data) == size and (kind, size) in ((0x00, 3), (0x08, 4)):
            total, number = data[-2:]
            if 1 <= number <= total:
                return Part(int.from_bytes(data[:-2], "big"), total, number), rest
    return None, rest


def _alphabet(coding: int) -> int:
    """Return the data coding without its message class and indications (GSM 03.38, 4)."""
    if coding & 0xF0 == 0xF0:
        return 4 if coding & 0x04 else gsm.GSM
    if coding & 0xF0 == 0xE0:
        return gsm.UCS2
    if coding & 0xC0 == 0xC0:
        return gsm.GSM
    return coding


def _decoded(body: bytes, *encodings: str) -> Iterator[str]:
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            yield body.decode(encoding)


def _unpack(body: bytes, fill: int) -> bytes:
    """Return packed septets one a byte; `fill`: bits before the first."""
    bits = int.from_bytes(body, "little") >> fill
    letters = bytes((bits >> 7 * at) & 0x7F for at in range((len(body) * 8 - fill) // 7))
    # Seven bits that are left over are no letter, but a filler.
    return letters.rstrip(b"\0\r")
