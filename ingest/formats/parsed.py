"""The result of parsing a message: its bookings, and what of it is no booking."""

from dataclasses import dataclass, field

from account_alerts.model.errors import InvalidRecordError
from account_alerts.records.bookings import violation
from account_alerts.records.codec import Record


class InvalidMessageError(InvalidRecordError):
    """A message, or an entry of it, is no booking; the text says why and quotes nothing of the content."""


@dataclass
class ParsedMessage:
    """The bookings of one message, in their order; all of them keep the contract."""

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

    def extend_reversed(self, part: "ParsedMessage") -> None:
        """Append a part of the message that was parsed from its last entry to its first."""
        self.bookings += reversed(part.bookings)
        self.errors += reversed(part.errors)
        self.skipped += part.skipped
