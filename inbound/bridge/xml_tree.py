"""XML that strangers wrote: read safely, and looked at by local names, whatever the version's namespace."""

from lxml import etree

from inbound.bridge.reading import UnusableError

_COMMON_NAMES = 10_000
"""Names of elements that are remembered, at most; messages have some hundreds."""


class Element:
    """An element of a document, made once: asking lxml again and again takes most of the time."""

    __slots__ = ("children", "currency", "name", "text")

    def __init__(self, name: str, text: str, currency: str, children: "list[Element]") -> None:
        """Take local name, text without the spaces around it, the attribute `Ccy`, and children."""
        self.name = name
        self.text = text
        self.currency = currency
        self.children = children

    def every(self, name: str) -> "list[Element]":
        """The children of that name."""
        return [each for each in self.children if each.name == name]

    def below(self, name: str) -> "list[Element]":
        """All of that name at any depth, this one too, in the document's order."""
        found, left = [], [self]
        while left:
            element = left.pop()
            if element.name == name:
                found.append(element)
            if element.children:
                left += element.children[::-1]
        return found


def child(element: Element | None, *path: str) -> Element | None:
    """The first at the end of a path, going by the first of each name."""
    for name in path:
        if element is None:
            return None
        for each in element.children:
            if each.name == name:
                element = each
                break
        else:
            return None
    return element


def text(element: Element | None, *path: str) -> str:
    """The text at the end of a path without spaces around it; empty where there is none."""
    found = child(element, *path)
    return "" if found is None else found.text


def _parser(encoding: str | None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


_PARSER = _parser(None)
_UTF8_PARSER = _parser("utf-8")
_names: dict[str, str] = {}


def parse(data: bytes, *, utf8: bool = False) -> Element:
    """The root of a document.

    Args:
        data: The document.
        utf8: It came as text and was encoded just now: what it says of its encoding does not count.

    Raises:
        UnusableError: Not well-formed, too deep, or with a document type: that could bring entities.
    """
    # Seen before the parser works on it; in another encoding, afterwards.
    if b"<!DOCTYPE" in data:
        raise UnusableError("not read: XML with a document type")
    try:
        root = etree.fromstring(data, _UTF8_PARSER if utf8 else _PARSER)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        where = f" at line {error.position[0]}" if isinstance(error, etree.XMLSyntaxError) else ""
        raise UnusableError(f"not well-formed XML{where}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnusableError("not read: XML with a document type")
    if len(_names) > _COMMON_NAMES:
        _names.clear()
    return _element(root)


def _element(source: etree._Element) -> Element:
    tag = source.tag
    name = _names.get(tag)
    if name is None:
        name = _names[tag] = tag.rpartition("}")[2]
    return Element(
        name,
        (source.text or "").strip(),
        source.get("Ccy", "") if name == "Amt" else "",
        [_element(each) for each in source],
    )
