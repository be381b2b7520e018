"""Texts of SMS: the GSM 03.38 alphabet, UCS-2, and what one SMS holds. Pure functions."""

import unicodedata
from dataclasses import dataclass

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_CODES = {letter: bytes([code]) for code, letter in enumerate(_BASIC) if letter != "\x1b"} | {
    letter: bytes([0x1B, code])
    for letter, code in zip("\f^{}\\[~]|€", b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", strict=True)
}
_LETTERS = {code: letter for letter, code in _CODES.items()}
_INSTEAD = {
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{DOUBLE LOW-9 QUOTATION MARK}": '"',
}
SINGLE_GSM, PART_GSM = 160, 153
"""Septets in one SMS, and in one of several: the header that joins them takes 7."""
SINGLE_UCS2, PART_UCS2 = 140, 134
"""Bytes in one SMS, and in one of several."""
GSM, UCS2 = 0, 8
"""The data codings of SMPP: the SMSC's default alphabet, and UCS-2."""


@dataclass(frozen=True)
class Parts:
    """A text as it goes over the air; GSM septets one a byte, unpacked, as SMPP carries them."""

    coding: int
    bodies: tuple[bytes, ...]


def simplify(text: str) -> str:
    """Write a text in the GSM alphabet where there is a usual way: `ů` becomes `u`, `…` three dots.

    What has no such way stays, and the text then goes as UCS-2.
    """
    return "".join(_instead(letter) for letter in text)


def is_gsm(text: str) -> bool:
    """Tell whether every letter is in the GSM alphabet, its extension included."""
    return all(letter in _CODES for letter in text)


def septets(text: str) -> int:
    """Count the septets of a GSM text; a letter of the extension (`€`) takes two."""
    return sum(len(_CODES[letter]) for letter in text)


def is_single(text: str) -> bool:
    """Tell whether a text is one SMS."""
    if is_gsm(text):
        return septets(text) <= SINGLE_GSM
    return len(text.encode("utf-16-be", "replace")) <= SINGLE_UCS2


def split(text: str) -> Parts:
    """Split a text into SMS; no letter is torn in two, be it of two septets or of two units."""
    if is_gsm(text):
        return Parts(GSM, _split([_CODES[letter] for letter in text], SINGLE_GSM, PART_GSM))
    # A lone surrogate is no letter, and no phone could show it.
    letters = [letter.encode("utf-16-be", "replace") for letter in text]
    return Parts(UCS2, _split(letters, SINGLE_UCS2, PART_UCS2))


def decode(coding: int, body: bytes) -> str:
    """Decode the text of a body that has no header.

    Raises:
        ValueError: It is not of that coding.
    """
    if coding == UCS2:
        return body.decode("utf-16-be")
    letters, at = [], 0
    while at < len(body):
        code = body[at : at + (2 if body[at] == 0x1B else 1)]
        if code not in _LETTERS:
            raise ValueError(f"no letter of the GSM alphabet: {code.hex()}")
        letters.append(_LETTERS[code])
        at += len(code)
    return "".join(letters)


def header(reference: int, total: int, number: int) -> bytes:
    """Write the user data header that joins the parts of a long SMS (8-bit reference)."""
    return bytes([5, 0, 3, reference & 0xFF, total, number])


def _instead(letter: str) -> str:
    if letter in _CODES:
        return letter
    if letter in _INSTEAD:
        return _INSTEAD[letter]
    if letter.isspace():
        return " "
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return plain if plain and is_gsm(plain) else letter


def _split(letters: list[bytes], single: int, part: int) -> tuple[bytes, ...]:
    whole = b"".join(letters)
    if len(whole) <= single:
        return (whole,)
    bodies, current = [], b""
    for letter in letters:
        if len(current) + len(letter) > part:
            bodies.append(current)
            current = b""
        current += letter
    return (*bodies, current)
