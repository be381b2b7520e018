"""What a message turned out to be: bookings, and what of it cannot be used."""

from dataclasses import dataclass, field

from account_alerts.records.bookings import fault
from account_alerts.records.codec import Record


class UnusableError(ValueError):
    """A message, or an entry of it, that is no booking; it says why, and quotes nothing of its content."""


@dataclass
class Reading:
    """The bookings of one message, in their order."""

    bookings: list[Record] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Why an entry, or the whole message, cannot be used."""
    skipped: int = 0
    """Entries that are no bookings, and say so."""

    def take(self, booking: Record) -> None:
        """Add a booking.

        Raises:
            UnusableError: It breaks the contract.
        """
        if reason := fault(booking):
            raise UnusableError(reason)
        self.bookings.append(booking)
