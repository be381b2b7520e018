"""TODO."""

CHANNELS = frozenset({"EMAIL", "SMS", "PUSH"})
AMOUNT_TYPES = frozenset({"BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE"})
COUNT_TYPE = "TRANSACTION_COUNT"
REMINDER_TYPE = "APPLICATION_REMINDER"
"""Agrees to be reminded of an application that was not finished (docs/clicks.md); no rule about bookings."""
