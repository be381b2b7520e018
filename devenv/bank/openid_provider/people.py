"""Who can log in locally: the sample's customers, any other by their id, and two of the bank's own people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

STAFF_ROLES = ("operator", "analyst", "approver")


@dataclass(frozen=True)
class Person:
    """Somebody who can log in."""

    subject: str
    label: str
    claims: dict[str, Any] = field(default_factory=dict)


STAFF = tuple(
    Person(f"operator-{number}", f"Operator {number}", {"roles": list(STAFF_ROLES)}) for number in (1, 2)
)
"""Two, as some things need a second person's consent."""
_CUSTOMER = "customer-"


def customer(customer_id: str) -> Person:
    """Return a customer of the bank."""
    return Person(f"{_CUSTOMER}{customer_id}", f"Customer {customer_id}", {"customer_id": customer_id})


def find(subject: str) -> Person | None:
    """Return whom a subject names; None: nobody."""
    for person in STAFF:
        if person.subject == subject:
            return person
    customer_id = subject.removeprefix(_CUSTOMER)
    return customer(customer_id) if customer_id and customer_id != subject else None


def sample_customers() -> Sequence[str]:
    """Return the ids of the sample's customers, those with the most accounts first."""
    from devenv.bank import customers  # Here because it reads a file.

    accounts: dict[str, int] = {}
    for record in customers.authorizations():
        for customer_id in record["customer_ids"]:
            accounts[customer_id] = accounts.get(customer_id, 0) + 1
    return sorted(accounts, key=lambda each: (-accounts[each], int(each)))
