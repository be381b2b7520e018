"""Phone numbers."""

import re

_NUMBER = re.compile(r"(?:\+|00)?([1-9]\d{6,14})", re.ASCII)
_WRITTEN = re.compile(r"[\s().\u2010-\u2015-]")


def international(text: str) -> str | None:
    """Return the digits of an international number (E.164) without `+` or `00`; None where it is none."""
    found = _NUMBER.fullmatch(_WRITTEN.sub("", text))
    return found[1] if found else None
