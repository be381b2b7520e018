"""Names that strangers wrote, made harmless for a message of the bank. Pure functions.

Whoever pays chooses the name that the booking carries. In the bank's own message it must not lead its reader
to a page or a phone number, hide letters, or turn them around.
"""

import unicodedata
from functools import lru_cache

import regex

MOST_DIGITS = 4
"""Digits in a row, whatever stands between them: enough for a shop's number, too few for one to call."""
_LONGEST = 1_000
"""Characters that are looked at: the patterns take time by the square of them."""
_ELLIPSIS = "…"
_JOINERS = "\u200c\u200d"
_INVISIBLE = regex.compile(rf"[\p{{Default_Ignorable_Code_Point}}--[{_JOINERS}\ufe00-\ufe0f]]", regex.V1)
_SPACES = regex.compile(r"[\s\p{Cc}\u2800]+")
_WESTERN = r"\s\x00-\x7f\p{Latin}\p{Greek}\p{Cyrillic}"
_LOOSE_JOINERS = regex.compile(rf"(?<![^{_WESTERN}])[{_JOINERS}]|[{_JOINERS}](?![^{_WESTERN}])")
"""Zero width joiners and non-joiners belong into Persian words and into emoji of several parts only."""
_DOT = r"[.\u3002]"
_LABEL = r"[\p{L}\p{N}\p{M}_-]+"
_OCTET = r"\p{Nd}{1,3}"
_LINK = regex.compile(
    rf"[a-z][a-z0-9+.-]*:/\S*|www{_DOT}\S*|[^\s@]+@\S+{_DOT}\S+|{_LABEL}(?:{_DOT}{_LABEL})+{_DOT}?[/\\:?#]\S+"
    # Phones make a link of an IPv4 address, too.
    rf"|(?<![\p{{L}}\p{{N}}]){_OCTET}(?:{_DOT}{_OCTET}){{3}}(?![\p{{L}}\p{{N}}])",
    regex.IGNORECASE,
)
_DOMAINS_DOT = regex.compile(rf"(?<=\S){_DOT}(?=\p{{L}}[\p{{L}}\p{{N}}\p{{M}}-])")
_DIGITS = regex.compile(rf"[+(]*\p{{Nd}}(?:[^\p{{L}}\p{{Nd}}]*\p{{Nd}}){{{MOST_DIGITS},}}\)*")
_TORN_ENDS = regex.compile(r"^[\s\p{M}\u200c\u200d,:;/|+-]+|[\s\u200c\u200d,:;/|(+-]+$")


@lru_cache(maxsize=10_000)
def clean_name(text: str, most: int) -> str:
    """Return a name as a message may show it: on one line, of at most so many characters; maybe empty.

    Its letters are written in their usual form (NFKC: `ﬁ` becomes `fi`). Links, mail addresses and
    digits that could be a phone number are left out. Of a name that looks like a link the dot is left out,
    too: `Example.com` becomes `Example com`. Control and bidirectional characters and invisible ones are
    gone. A name that is too long ends in `…`, after a whole grapheme.
    """
    # What is invisible could hide a link from the patterns; in the usual form it can be found.
    shown = unicodedata.normalize("NFKC", _visible(text[:_LONGEST]))
    shown = _DOMAINS_DOT.sub(" ", _LINK.sub(" ", _visible(shown)))
    shown = _LOOSE_JOINERS.sub("", _SPACES.sub(" ", _DIGITS.sub(" ", shown)))
    shown = _TORN_ENDS.sub("", shown)
    return _shorten(shown, most)


def _visible(text: str) -> str:
    shown = _INVISIBLE.sub("", _SPACES.sub(" ", text))
    # By Python's own Unicode, which later steps such as a mail's subject go by.
    letters = (each for each in shown if each in _JOINERS or not unicodedata.category(each).startswith("C"))
    visible: str = _LOOSE_JOINERS.sub("", "".join(letters))
    return visible


def _shorten(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    kept = ""
    for grapheme in regex.findall(r"\X", text):
        if len(kept) + len(grapheme) > most - len(_ELLIPSIS):
            break
        kept += grapheme
    kept = _TORN_ENDS.sub("", kept)
    return kept + _ELLIPSIS if kept else ""
