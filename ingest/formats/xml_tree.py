"""Parses untrusted XML safely and finds elements by local name, whatever the version's namespace."""

import codecs
import re
from xml.etree.ElementTree import Element, ParseError, XMLParser

from ingest.formats.parsed import InvalidMessageError

_COMMON_NAMES = 10_000
"""Names of elements that are remembered, at most; messages have some hundreds."""
_LONGEST_NAME = 500
"""Characters of a name, with its namespace, that is remembered."""
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", b"<\0": "utf-16-le"}
"""How documents in UTF-16 begin."""
# The parser's other encodings all begin with ASCII.
_DOCUMENT_TYPE = b"<!DOCTYPE"
_DECLARED = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]{1,100}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_LONG_ATTRIBUTE = re.compile(rb"""=\s*(?:"[^"<]{600}|'[^'<]{600})""")
"""The parser copies a namespace into each element's name: a long one would take gigabytes."""
_names: dict[str, str] = {}


def child(element: Element | None, *path: str) -> Element | None:
    """Return the element at the end of a path, taking the first of each name."""
    for name in path:
        if element is None:
            return None
        element = element.find(name)
    return element


def text(element: Element | None, *path: str) -> str:
    """Return the stripped text at the end of a path; empty where there is none."""
    for name in path:
        if element is None:
            return ""
        element = element.find(name)
    found = None if element is None else element.text
    return found.strip() if found else ""


def parse(data: bytes, *, utf8: bool = False) -> Element:
    """Parse a document into elements that have their local names.

    Args:
        data: The document.
        utf8: The document arrived as text and is UTF-8, whatever encoding it declares.

    Raises:
        InvalidMessageError: Not well-formed; in an encoding that is neither Unicode's nor of single
            bytes; or with a document type, which could bring entities, or a long attribute.
    """
    try:
        if not utf8 and (wide := _UTF_16.get(data[:2])):
            data, utf8 = data.decode(wide).encode(), True
    except UnicodeError:
        raise InvalidMessageError("XML in an encoding that is not read") from None
    # Seen before the parser works on it.
    if _DOCUMENT_TYPE in data:
        raise InvalidMessageError("not read: XML with a document type")
    if _LONG_ATTRIBUTE.search(data):
        raise InvalidMessageError("not read: XML with an attribute of 600 bytes or more")
    parser = XMLParser(encoding="utf-8" if utf8 or _says_utf8(data) else None)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ParseError as error:
        raise InvalidMessageError(f"not well-formed XML at line {error.position[0]}") from None
    except (ValueError, LookupError):
        raise InvalidMessageError("XML in an encoding that is not read") from None
    if len(_names) >= _COMMON_NAMES:
        _names.clear()  # One message of many names must not keep those of all others out.
    for element in root.iter():
        tag = element.tag
        element.tag = _names.get(tag) or _local_name(tag)
    return root


def _local_name(tag: str) -> str:
    name = tag.rpartition("}")[2]
    if len(tag) <= _LONGEST_NAME and len(_names) < _COMMON_NAMES:
        _names[tag] = name
    return name


def _says_utf8(data: bytes) -> bool:
    """Tell whether the document declares UTF-8 by any of its names: the parser knows only one."""
    declared = _DECLARED.match(data)
    try:
        return declared is not None and codecs.lookup(declared[1].decode("ascii")).name == "utf-8"
    except (LookupError, UnicodeError):
        return False
