"""Balances after the entries of a camt.054 notification, from the one balance after all of them.

ISO 20022 gives entries no order, so their times do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from ingest.formats.parsed import InvalidMessageError

OTHER_CURRENCY = "the balance is in another currency than the amount"
ALWAYS = (-inf, inf)
"""The time of an entry that names none."""


@dataclass(frozen=True)
class Posting:
    """What an entry does to the balance, as far as it is known; it may be refused for something else."""

    span: tuple[float, float]
    """The first and the last moment at which it may have been booked, in milliseconds UTC."""
    currency: str | None
    change: int | None
    """Signed, in minor units."""
    balance: int | InvalidMessageError | None
    """The balance that the entry itself gives; an error where that cannot be read."""


def put_in_order(spans: Sequence[tuple[float, float]]) -> tuple[list[int], set[int]]:
    """Order entries by time; returns their indices, oldest first, and those whose place is not known.

    Where the times allow it, this is the order of the message; else its reverse: the newest came first. Else
    the times alone decide, and entries that may be of one time have no known place among each other.
    """
    indices = list(range(len(spans)))
    if _is_ascending(spans):
        return indices, set()
    if _is_ascending(spans[::-1]):
        return indices[::-1], set()
    indices.sort(key=lambda index: spans[index])
    unknown = set()
    latest = -1
    for index in indices:
        if latest >= 0 and spans[index][0] <= spans[latest][1]:
            unknown |= {latest, index}
        if latest < 0 or spans[index][1] > spans[latest][1]:
            latest = index
    return indices, unknown


def _is_ascending(spans: Sequence[tuple[float, float]]) -> bool:
    start = -inf
    for first, last in spans:
        if last < start:
            return False
        start = max(start, first)
    return True


def balances_after(
    postings: Sequence[Posting],
    order: Sequence[int],
    unknown: set[int],
    closing: tuple[int, str] | InvalidMessageError | None,
) -> list[int | None]:
    """Return the balance after each entry, in minor units; None where it is not known.

    Args:
        postings: The entries that are booked, in the message's order.
        order: Their indices, oldest first.
        unknown: Those whose place among the others is not known.
        closing: The balance after all of them, and its currency; an error where that cannot be read.
    """
    running: dict[str | None, int] = {}
    if isinstance(closing, tuple):
        running[closing[1]] = closing[0]
    balances: dict[int, int | None] = {}
    for index in reversed(order):
        posting = postings[index]
        if posting.balance is not None:
            balances[index] = posting.balance if isinstance(posting.balance, int) else None
        else:
            balances[index] = None if index in unknown else running.get(posting.currency)
        if isinstance(posting.balance, int) and index not in unknown:
            running[posting.currency] = posting.balance
        if posting.change is not None and posting.currency is not None:
            if posting.currency in running:
                running[posting.currency] -= posting.change
        elif posting.currency is not None:
            running.pop(posting.currency, None)
        else:
            running.clear()
    return [balances[index] for index in range(len(postings))]
