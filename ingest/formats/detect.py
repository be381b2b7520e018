"""Detects the format of a message's body and parses it."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

from account_alerts.model.alerts import EntryType
from ingest.formats import camt054, json_messages, xml_tree
from ingest.formats.parsed import InvalidMessageError, ParsedMessage

_LOG = logging.getLogger(__name__)
_BLANK = b" \t\r\n"
_NO_CODES: Mapping[str, EntryType] = MappingProxyType({})
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def parse(
    data: bytes,
    time_zone: ZoneInfo,
    *,
    transaction_codes: Mapping[str, EntryType] = _NO_CODES,
    is_text: bool = False,
) -> ParsedMessage:
    """Parse a message; never raises for its content.

    Args:
        data: The body.
        time_zone: The zone of times without an offset.
        transaction_codes: The bank's own transaction codes, and the entry type of each.
        is_text: The body arrived as text: `data` is UTF-8 whatever an XML declaration says.
    """
    try:
        start = data.removeprefix(_UTF8_MARK).lstrip(_BLANK)[:1]
        if start == b"<" or data.startswith(_UTF16_MARKS):
            root = xml_tree.parse(data.lstrip(_BLANK), utf8=is_text)
            return camt054.parse(root, time_zone, transaction_codes)
        if start in (b"{", b"["):
            return json_messages.parse(data)
        raise InvalidMessageError("neither XML nor JSON" if data else "an empty message")
    except InvalidMessageError as error:
        return ParsedMessage(errors=[str(error)])
    except Exception as error:  # A bug of ours must not block the messages behind this one for ever.
        _LOG.error("a message cannot be read: %s", type(error).__name__)
        return ParsedMessage(errors=[f"cannot be read: {type(error).__name__}"])
