"""What passes from the router of changes to the fold of rules.

On the way a change is a plain tuple: a job carries its classes by value, and pickle can't name those.
"""

from typing import Any, NamedTuple, get_args


class AuthorizationChange(NamedTuple):
    """Who may see an account, from a Kafka time on (milliseconds UTC)."""

    account_id: str
    since: int
    customers: list[str]


class SettingsChange(NamedTuple):
    """A customer's settings for an account, from a Kafka time on (milliseconds UTC)."""

    account_id: str
    since: int
    customer_id: str
    settings: dict[str, Any]
    """{"language", "addresses", "settings"} as in AlertSettings; {}: none."""


class ShardRead(NamedTuple):
    """A shard has been read up to a Kafka time (milliseconds UTC)."""

    shard: int
    until: int


Change = AuthorizationChange | SettingsChange | ShardRead
PlainChange = tuple[int, str, tuple[Any, ...]]
"""(partition of alert-rules, name of the kind of change, its fields)."""

_KINDS: dict[str, type[Change]] = {kind.__name__: kind for kind in get_args(Change)}


def dump(partition: int, change: Change) -> PlainChange:
    """Convert a change for a partition of `alert-rules` to its plain form."""
    return partition, type(change).__name__, tuple(change)


def load(plain: PlainChange) -> tuple[int, Change]:
    """Convert back what `dump` made: (partition, change)."""
    partition, kind, fields = plain
    return partition, _KINDS[kind]._make(fields)
