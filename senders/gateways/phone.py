"""Phone numbers."""

import re

_NUMBER = re.compile(r"[1-9]\d{6,14}", re.ASCII)
_WRITTEN = re.compile(r"[\s().\u2010-\u2015-]")


def international(text: str) -> str | None:
    """The digits of an international number (E.164) without `+` or `00`; None where it is none."""
    plain = _WRITTEN.sub("", text)
    for prefix in ("+", "00"):
        plain = plain.removeprefix(prefix)
    return plain if _NUMBER.fullmatch(plain) else None
