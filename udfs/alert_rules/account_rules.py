"""The rules of one account, folded from what was written about it.

Authorizations and settings come from two topics, in any order between them. So the fold keeps, for each,
every version with the Kafka time from which it holds, and a rule holds where both do: in whatever order the
records are read, live or after a cold start, the same rules come out. Times are milliseconds UTC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from udfs.temporal import versions

Rule = dict[str, Any]
"""One element of ``rules`` in schemas/AlertRules.avsc."""


@dataclass
class AccountRules:
    """What is known about one account; plain lists and dicts inside, so that it can be stored as JSON."""

    authorized: list[tuple[int, list[str]]] = field(default_factory=list)
    """(from, customers who may see the account from then on), oldest first."""
    wishes: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    """By customer: (from, what he wishes for this account from then on), oldest first; {} for nothing."""

    def authorize(self, since: int, customers: list[str]) -> bool:
        """Take over who may see the account; whether that changed anything."""
        return versions.append(self.authorized, since, sorted(set(customers)), [])

    def wish(self, since: int, customer: str, wishes: dict[str, Any]) -> bool:
        """Take over what a customer wishes for the account; whether that changed anything.

        ``wishes`` are {"language", "addresses", "settings"} as in AlertSettings, or {} for nothing at all.
        """
        return versions.append(self.wishes.setdefault(customer, []), since, wishes, {})

    def forget(self, before: int) -> None:
        """Drop the versions that ended before a time: no booking of that time can come any more."""
        self.authorized = versions.after(self.authorized, before, [])
        wishes = {customer: versions.after(wished, before, {}) for customer, wished in self.wishes.items()}
        self.wishes = {customer: kept for customer, kept in wishes.items() if kept}

    def changed_at(self) -> int:
        """When the newest version begins: it never goes back, whatever the clocks of Kafka's leaders say."""
        newest = [wished[-1][0] for wished in self.wishes.values() if wished]
        newest += [since for since, _ in self.authorized[-1:]]
        return max(newest, default=0)

    def is_empty(self) -> bool:
        """Whether nothing is known that could raise an alert, now or for a late booking."""
        return not self.authorized and not self.wishes

    def rules(self) -> list[Rule]:
        """Every setting of every customer for the times in which he was authorized and wished for it."""
        return [
            {
                "customer_id": customer,
                **{name: setting[name] for name in _SETTING_FIELDS},
                "language": wishes["language"],
                "address_channels": [address["channel"] for address in wishes["addresses"]],
                "addresses": [address["address"] for address in wishes["addresses"]],
                "valid_from": valid_from,
                "valid_to": valid_to,
            }
            for customer in sorted(self.wishes)
            for valid_from, valid_to, wishes in _merged(self._held(customer))
            for setting in wishes["settings"]
        ]

    def _held(self, customer: str) -> Iterator[tuple[int, int | None, dict[str, Any]]]:
        for wished_from, wished_to, wishes in versions.spans(self.wishes[customer]):
            for allowed_from, allowed_to, customers in versions.spans(self.authorized):
                if customer in customers and wishes:
                    ends = [end for end in (wished_to, allowed_to) if end is not None]
                    start, end = max(wished_from, allowed_from), min(ends, default=None)
                    if end is None or start < end:
                        yield start, end, wishes


def _merged(
    spans: Iterator[tuple[int, int | None, dict[str, Any]]],
) -> Iterator[tuple[int, int | None, dict[str, Any]]]:
    """One span for those that follow each other with the same wishes: others' comings and goings end none."""
    current: tuple[int, int | None, dict[str, Any]] | None = None
    for start, end, wishes in spans:
        if current is not None and current[1] == start and current[2] == wishes:
            current = current[0], end, wishes
            continue
        if current is not None:
            yield current
        current = start, end, wishes
    if current is not None:
        yield current


def without_oldest(rules: list[Rule]) -> list[Rule]:
    """The rules without the half of the ended ones that ended first; all of them where none has ended."""
    ended = sorted(rule["valid_to"] for rule in rules if rule["valid_to"] is not None)
    if not ended:
        return rules
    last = ended[len(ended) // 2]
    return [rule for rule in rules if rule["valid_to"] is None or rule["valid_to"] > last]


_SETTING_FIELDS = (
    "setting_id",
    "alert_type",
    "currency",
    "threshold_minor",
    "count",
    "window_minutes",
    "channels",
)


def from_json(stored: Mapping[str, Any]) -> AccountRules:
    """An account as :func:`to_json` stored it."""
    wishes = {
        customer: [(since, wished) for since, wished in listed]
        for customer, listed in stored["wishes"].items()
    }
    return AccountRules([(since, customers) for since, customers in stored["authorized"]], wishes)


def to_json(account: AccountRules) -> dict[str, Any]:
    """An account as a value that JSON can hold, for Flink's state."""
    return {"authorized": account.authorized, "wishes": account.wishes}
