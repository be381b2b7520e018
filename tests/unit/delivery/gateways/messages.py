"""Messages for the unit tests of gateways."""

from typing import Any

from delivery.gateways.base import Message


def new_message(**fields: Any) -> Message:
    """Make a message; `fields` replace its own."""
    values = {"key": "k1", "customer_id": "c1", "address": "anna@example.com", "language": "en", "title": "t"}
    return Message(**{**values, "text": "x", **fields})
