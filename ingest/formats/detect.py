"""A message's body to bookings, whichever of the known forms it has."""

import logging
from zoneinfo import ZoneInfo

from ingest.formats import camt054, json_messages, xml_tree
from ingest.formats.parsed import Reading, UnusableError

_LOG = logging.getLogger(__name__)
_BLANK = b" \t\r\n"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(data: bytes, time_zone: ZoneInfo, *, is_text: bool = False) -> Reading:
    """The bookings of a message, or why it has none; never raises for what a message holds.

    Args:
        data: The body.
        time_zone: What times in it mean that say no offset.
        is_text: It came as text, and `data` is UTF-8 whatever an XML declaration says.
    """
    try:
        start = data.removeprefix(_UTF8_MARK).lstrip(_BLANK)[:1]
        if start == b"<" or data.startswith(_UTF16_MARKS):
            return camt054.read(xml_tree.parse(data.lstrip(_BLANK), utf8=is_text), data, time_zone)
        if start in (b"{", b"["):
            return json_messages.read(data)
        raise UnusableError("neither XML nor JSON" if data else "an empty message")
    except UnusableError as error:
        return Reading(faults=[str(error)])
    except Exception as error:  # Our own mistake: one message must not stop those behind it for ever.
        _LOG.error("a message cannot be read: %s", type(error).__name__)
        return Reading(faults=[f"cannot be read: {type(error).__name__}"])
