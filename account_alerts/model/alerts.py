"""The enumerations of the data contract: the one place in Python where each value is listed.

SQL statements, CHECK constraints, Avro documentation and texts have to list some of them again; tests compare
those lists with these. A member is a `str`, equal to its value and with its hash.
"""

from enum import StrEnum


class Channel(StrEnum):
    """How an alert reaches a customer."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PUSH = "PUSH"


class AlertType(StrEnum):
    """What a setting asks to be told about; an analyst's rule is a type of its own, by its name."""

    BALANCE_ABOVE = "BALANCE_ABOVE"
    BALANCE_BELOW = "BALANCE_BELOW"
    CREDITED_ABOVE = "CREDITED_ABOVE"
    DEBITED_ABOVE = "DEBITED_ABOVE"
    TRANSACTION_COUNT = "TRANSACTION_COUNT"
    """As many card bookings as `count` within `window_minutes`."""
    APPLICATION_REMINDER = "APPLICATION_REMINDER"
    """Agrees to be reminded of an application that was not finished; no rule about bookings."""


AMOUNT_TYPES = frozenset(AlertType) - {AlertType.TRANSACTION_COUNT, AlertType.APPLICATION_REMINDER}
"""The types that compare an amount with `threshold_minor`."""


IMPORTANCE = (
    AlertType.BALANCE_BELOW,
    AlertType.DEBITED_ABOVE,
    AlertType.CREDITED_ABOVE,
    AlertType.BALANCE_ABOVE,
    AlertType.TRANSACTION_COUNT,
)
"""The order of an alert's reasons; any other type comes after them, by name."""


class EntryType(StrEnum):
    """What kind of booking an AccountEntry is."""

    CARD = "CARD"
    TRANSFER = "TRANSFER"
    CASH = "CASH"
    DIRECT_DEBIT = "DIRECT_DEBIT"
    INTEREST = "INTEREST"
    FEE = "FEE"
    OTHER = "OTHER"


class CreditDebit(StrEnum):
    """The direction of a booking (ISO 20022, CreditDebitCode)."""

    CREDIT = "CRDT"
    DEBIT = "DBIT"


class DeliveryState(StrEnum):
    """What has become of an alert at a sender; the ledger's column `state`."""

    CLAIMED = "CLAIMED"
    """A sender is sending it; another one takes it over when its lease has ended."""
    DEFERRED = "DEFERRED"
    """Waits for the customer's quiet hours, snooze or digest to end."""
    RETRYING = "RETRYING"
    """The gateway could not take it; it is sent again later."""
    SENT = "SENT"
    """The gateway has it."""
    DELIVERED = "DELIVERED"
    """A receipt says that it arrived."""
    UNDELIVERED = "UNDELIVERED"
    """A receipt says that it did not arrive."""
    REJECTED = "REJECTED"
    """The gateway will never take it, or it could not be rendered."""
    CANCELLED = "CANCELLED"
    """Was deferred, and meanwhile lost its authorization, address or setting."""
    EXPIRED = "EXPIRED"
    """Was too old when it could have been sent."""
