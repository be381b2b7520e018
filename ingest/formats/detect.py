"""Detects the format of a message's body and parses it."""

import logging
from zoneinfo import ZoneInfo

from ingest.formats import camt054, json_messages, xml_tree
from ingest.formats.parsed import InvalidMessageError, ParsedMessage

_LOG = logging.getLogger(__name__)
_BLANK = b" \t\r\n"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def parse(data: bytes, time_zone: ZoneInfo, *, is_text: bool = False) -> ParsedMessage:
    """Parse a message; never raises for its content.

    Args:
        data: The body.
        time_zone: The zone of times without an offset.
        is_text: The body arrived as text: `data` is UTF-8 whatever an XML declaration says.
    """
    try:
        start = data.removeprefix(_UTF8_MARK).lstrip(_BLANK)[:1]
        if start == b"<" or data.startswith(_UTF16_MARKS):
            return camt054.parse(xml_tree.parse(data.lstrip(_BLANK), utf8=is_text), data, time_zone)
        if start in (b"{", b"["):
            return json_messages.parse(data)
        raise InvalidMessageError("neither XML nor JSON" if data else "an empty message")
    except InvalidMessageError as error:
        return ParsedMessage(errors=[str(error)])
    except Exception as error:  # A bug of ours must not block the messages behind this one for ever.
        _LOG.error("a message cannot be read: %s", type(error).__name__)
        return ParsedMessage(errors=[f"cannot be read: {type(error).__name__}"])
