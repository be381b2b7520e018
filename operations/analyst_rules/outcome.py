"""The result of a back-test: counts per day with a plot, and examples."""

import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any, TypedDict

from rich.console import Console
from rich.table import Table

from account_alerts.model.analyst_rule import Rule
from account_alerts.model.masking import masked
from account_alerts.model.money import format_minor

_EXAMPLES = 10
_WIDTH = 40
_SPANS = ((1, 1), (2, 5), (6, 20), (21, sys.maxsize))
_MINUTE_MS = 60_000


class Match(TypedDict):
    """A booking that a rule found, for one customer; a row of sql/tables/rule_hits.sql.

    Amounts are minor units, times milliseconds UTC.
    """

    rule: str
    entry_id: str
    customer_id: str
    """The customer whom the rule names; empty: all who may see the account. Then: the customer it is for."""
    account_id: str
    currency: str
    amount_minor: int
    balance_minor: int | None
    booked_at: int
    written_at: int
    """Kafka time of the booking."""
    threshold_minor: int | None
    channels: str
    """Those that the rule wants, with commas between them; empty: any."""
    per_minute: int


@dataclass
class Outcome:
    """Counts of the alerts that a rule would have raised. Days are of the Kafka time, UTC."""

    rule: Rule
    bookings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Ids of the bookings that it found and somebody would have been alerted of, by day."""
    alerts: Counter[str] = field(default_factory=Counter)
    """By day."""
    channels: Counter[str] = field(default_factory=Counter)
    customers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By day: alerts of each customer."""
    minutes: Counter[int] = field(default_factory=Counter)
    unreachable: int = 0
    """Customers of a booking who have no address on a channel that the rule wants."""
    found: int = 0
    """Bookings that the rule found, whoever may see their accounts."""
    examples: list[str] = field(default_factory=list)

    def add(self, hit: Match, channels: list[str]) -> None:
        """Count the alerts of a booking for one customer, each by its channel."""
        at = datetime.fromtimestamp(hit["written_at"] / 1000, UTC)
        day = f"{at:%Y-%m-%d}"
        self.bookings[day].add(hit["entry_id"])
        self.unreachable += not channels
        for channel in channels:
            self.alerts[day] += 1
            self.channels[channel] += 1
            self.customers[day][hit["customer_id"]] += 1
            self.minutes[hit["written_at"] // _MINUTE_MS] += 1
        if channels and len(self.examples) < _EXAMPLES:
            amount = format_minor(hit["amount_minor"], hit["currency"], "en")
            self.examples.append(
                f"{at:%Y-%m-%d %H:%M:%S} {amount} on account {masked(hit['account_id'])}, booking "
                f"{hit['entry_id']}, to customer {hit['customer_id']} "
                f"by {', '.join(sorted(set(channels)))}"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as `--json` prints them."""
        return {
            "rule": self.rule.name,
            "bookings": self.found,
            "days": [
                {
                    "day": day,
                    "bookings": len(self.bookings[day]),
                    "alerts": self.alerts[day],
                    "customers": len(self.customers[day]),
                    "most_for_one_customer": max(self.customers[day].values(), default=0),
                }
                for day in sorted(self.bookings)
            ],
            "alerts": self.alerts.total(),
            "customers": len(self._by_customer()),
            "customers_by_alerts": {str(n): count for n, count in sorted(self._spread().items())},
            "channels": dict(self.channels),
            "without_address": self.unreachable,
            "busiest_minute": max(self.minutes.values(), default=0),
            "limit": self.rule.per_minute,
            "examples": self.examples,
        }

    def text(self) -> str:
        """Return the counts for a reader."""
        counts = self.as_dict()
        if not counts["days"]:
            nobody = "; nobody is known who may see their accounts" if self.found else ""
            return f"{self.rule.name}: would have raised nothing ({self.found} bookings found{nobody})."
        most = max(self.alerts.values(), default=0) or 1
        table = Table("day", box=None, pad_edge=False)
        for header in ("bookings", "alerts", "customers", "most for one"):
            table.add_column(header, justify="right")
        table.add_column("")
        for day in counts["days"]:
            bar = "█" * -(-day["alerts"] * _WIDTH // most)
            table.add_row(*(str(value) for value in day.values()), bar)
        plain = Console(file=StringIO(), width=200, color_system=None)
        with plain.capture() as capture:
            plain.print(table)
        lines = [line.rstrip() for line in capture.get().splitlines()]
        channels = ", ".join(f"{count} by {channel}" for channel, count in sorted(self.channels.items()))
        lines.append(
            f"\n{counts['alerts']} alerts for {counts['customers']} customers ({channels or 'no channel'})."
        )
        spread = self._spread()
        for least, most_of in _SPANS:
            count = sum(customers for number, customers in spread.items() if least <= number <= most_of)
            if count:
                span = f"{least} to {most_of}" if most_of < sys.maxsize else f"{least} or more"
                lines.append(f"  {count} customers would have got {span if most_of > least else least}")
        if self.unreachable:
            lines.append(f"  {self.unreachable} times a customer has no address on these channels")
        over = (
            " MORE THAN THE LIMIT: it would have been stopped"
            if counts["busiest_minute"] > counts["limit"]
            else ""
        )
        lines.append(f"Busiest minute: {counts['busiest_minute']} alerts; limit {counts['limit']}.{over}")
        if self.examples:
            lines += ["\nFor example:", *(f"  {example}" for example in self.examples)]
        return "\n".join(lines)

    def _by_customer(self) -> Counter[str]:
        return sum(self.customers.values(), Counter())

    def _spread(self) -> Counter[int]:
        """Count the customers by how many alerts they would have got in all."""
        return Counter(self._by_customer().values())
