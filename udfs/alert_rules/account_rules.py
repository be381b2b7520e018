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
    settings: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    """By customer: (from, their settings for this account from then on), oldest first; {} for none."""

    def authorize(self, since: int, customers: list[str]) -> bool:
        """Take over who may see the account; return whether that changed anything."""
        return versions.append(self.authorized, since, sorted(set(customers)), [])

    def set_settings(self, since: int, customer: str, settings: dict[str, Any]) -> bool:
        """Take over a customer's settings for the account; return whether that changed anything.

        ``settings`` are {"language", "addresses", "settings"} as in AlertSettings, or {} for none.
        """
        return versions.append(self.settings.setdefault(customer, []), since, settings, {})

    def forget(self, before: int) -> None:
        """Drop the versions that ended before a time: no booking of that time can come any more."""
        self.authorized = versions.after(self.authorized, before, [])
        settings = {customer: versions.after(known, before, {}) for customer, known in self.settings.items()}
        self.settings = {customer: kept for customer, kept in settings.items() if kept}

    def changed_at(self) -> int:
        """Return when the newest version begins: it never goes back, whatever clocks Kafka's leaders have."""
        newest = [known[-1][0] for known in self.settings.values() if known]
        newest += [since for since, _ in self.authorized[-1:]]
        return max(newest, default=0)

    def is_empty(self) -> bool:
        """Tell whether nothing is known that could raise an alert, now or for a late booking."""
        return not self.authorized and not self.settings

    def rules(self) -> list[Rule]:
        """Build the rules: each setting of each customer, while it and an authorization hold."""
        return [
            {
                "customer_id": customer,
                **{name: setting[name] for name in _SETTING_FIELDS},
                "language": settings["language"],
                "address_channels": [address["channel"] for address in settings["addresses"]],
                "addresses": [address["address"] for address in settings["addresses"]],
                "valid_from": valid_from,
                "valid_to": valid_to,
            }
            for customer in sorted(self.settings)
            for valid_from, valid_to, settings in _merged(self._held(customer))
            for setting in settings["settings"]
        ]

    def _held(self, customer: str) -> Iterator[tuple[int, int | None, dict[str, Any]]]:
        for set_from, set_to, settings in versions.spans(self.settings[customer]):
            for allowed_from, allowed_to, customers in versions.spans(self.authorized):
                if customer in customers and settings:
                    ends = [end for end in (set_to, allowed_to) if end is not None]
                    start, end = max(set_from, allowed_from), min(ends, default=None)
                    if end is None or start < end:
                        yield start, end, settings


def _merged(
    spans: Iterator[tuple[int, int | None, dict[str, Any]]],
) -> Iterator[tuple[int, int | None, dict[str, Any]]]:
    """Join spans that follow each other with the same settings: other customers' changes end none."""
    current: tuple[int, int | None, dict[str, Any]] | None = None
    for start, end, settings in spans:
        if current is not None and current[1] == start and current[2] == settings:
            current = current[0], end, settings
            continue
        if current is not None:
            yield current
        current = start, end, settings
    if current is not None:
        yield current


def without_oldest(rules: list[Rule]) -> list[Rule]:
    """Return the rules without the half of the ended ones that ended first; all where none has ended."""
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
    """Convert back what :func:`to_json` made."""
    settings = {
        customer: [(since, known) for since, known in listed] for customer, listed in stored["wishes"].items()
    }
    return AccountRules([(since, customers) for since, customers in stored["authorized"]], settings)


def to_json(account: AccountRules) -> dict[str, Any]:
    """Convert to a value that JSON can hold, for Flink's state; savepoints have these names."""
    return {"authorized": account.authorized, "wishes": account.settings}
