"""XML that strangers wrote: read safely, and looked at by local names, whatever the version's namespace."""

from xml.etree.ElementTree import Element, ParseError, XMLParser

from inbound.bridge.reading import UnusableError

_COMMON_NAMES = 10_000
"""Names of elements that are remembered, at most; messages have some hundreds."""
_DOCUMENT_TYPE = "<!DOCTYPE"
_DOCUMENT_TYPES = tuple(_DOCUMENT_TYPE.encode(each) for each in ("ascii", "utf-16-le", "utf-16-be"))
"""As it stands in every encoding that the parser knows: its single-byte ones all begin with ASCII."""
_names: dict[str, str] = {}


def child(element: Element | None, *path: str) -> Element | None:
    """The first at the end of a path, going by the first of each name."""
    for name in path:
        if element is None:
            return None
        element = element.find(name)
    return element


def text(element: Element | None, *path: str) -> str:
    """The text at the end of a path without spaces around it; empty where there is none."""
    for name in path:
        if element is None:
            return ""
        element = element.find(name)
    return "" if element is None else (element.text or "").strip()


def parse(data: bytes, *, utf8: bool = False) -> Element:
    """The root of a document, whose elements have their local names.

    Args:
        data: The document.
        utf8: It came as text and was encoded just now: what it says of its encoding does not count.

    Raises:
        UnusableError: Not well-formed; in an encoding that is neither Unicode's nor of single bytes; or with
            a document type, which could bring entities.
    """
    # Seen before the parser works on it.
    if any(each in data for each in _DOCUMENT_TYPES):
        raise UnusableError("not read: XML with a document type")
    parser = XMLParser(encoding="utf-8" if utf8 else None)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ParseError as error:
        raise UnusableError(f"not well-formed XML at line {error.position[0]}") from None
    except (ValueError, LookupError):
        raise UnusableError("XML in an encoding that is not read") from None
    if len(_names) > _COMMON_NAMES:
        _names.clear()
    for element in root.iter():
        tag = element.tag
        element.tag = _names.get(tag) or _local_name(tag)
    return root


def _local_name(tag: str) -> str:
    name = _names[tag] = tag.rpartition("}")[2]
    return name
