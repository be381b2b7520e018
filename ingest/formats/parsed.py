"""The result of parsing a message: its bookings, and what of it is no booking."""

from dataclasses import dataclass, field

from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.bookings import violation
from account_alerts.records.codec import Record


class InvalidMessageError(InvalidRecordError):
    """A message, or an entry of it, is no booking; the text says why and quotes nothing of the content."""


@dataclass
class ParsedMessage:
    """The bookings of one message; all of them keep the contract."""

    bookings: list[Record] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Why an entry, or the whole message, is no booking."""
    skipped: int = 0
    """Entries that are not booked, and say so: pending, future, information."""

    def add(self, booking: Record) -> None:
        """Validate a booking and append it: the one way for a booking of any format.

        Raises:
            InvalidMessageError: The booking breaks the contract.
        """
        if reason := violation(booking):
            raise InvalidMessageError(reason)
        self.bookings.append(booking)

    def extend(self, part: "ParsedMessage") -> None:
        """Append a part of the message."""
        self.bookings += part.bookings
        self.errors += part.errors
        self.skipped += part.skipped
