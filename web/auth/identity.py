"""Who somebody is, by what the bank's OpenID provider says of them. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from account_alerts.config.web import OpenId

_LONGEST_ID = 1000
"""Bytes, as the bank's database has it."""


class Role(StrEnum):
    """What somebody may do."""

    CUSTOMER = "customer"
    """See and change what is their own."""
    OPERATOR = "operator"
    """See the chain, look customers up, repair dead letters."""
    ANALYST = "analyst"
    """Write, test and start analysts' rules."""
    APPROVER = "approver"
    """Agree to what another one asked for."""


STAFF = frozenset({Role.OPERATOR, Role.ANALYST, Role.APPROVER})
"""Of the bank's own people."""


@dataclass(frozen=True)
class Identity:
    """Somebody who logged in."""

    subject: str
    """The provider's id of them; what the history says of who changed something."""
    customer_id: str | None
    roles: frozenset[Role]

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any], openid: OpenId) -> Self:
        """Read the claims of a token; one that is not as it should be gives no role."""
        customer = claims.get(openid.customer_claim)
        if not isinstance(customer, str) or not 0 < len(customer.encode()) <= _LONGEST_ID or "\0" in customer:
            customer = None
        named = claims.get(openid.roles_claim)
        roles = {role for role in STAFF if isinstance(named, list) and role.value in named}
        if customer is not None:
            roles.add(Role.CUSTOMER)
        return cls(str(claims["sub"]), customer, frozenset(roles))

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in a session."""
        return {"subject": self.subject, "customer_id": self.customer_id, "roles": sorted(self.roles)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(value["subject"], value["customer_id"], frozenset(Role(role) for role in value["roles"]))
