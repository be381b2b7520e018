"""Compare what the running chain gave with what the contract asks for, and say the difference readably."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.reference.model import Alert, Expected, Source, reason

MAX_SHOWN = 10


@dataclass(frozen=True)
class DeadLetter:
    """A record of the dead-letters topic: where it came from, and what it says."""

    source: Source
    key: bytes | None
    value: bytes | None
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Difference:
    """What is wrong; empty is right."""

    missing: list[Alert] = field(default_factory=list)
    unexpected: list[Alert] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is one."""
        return any(vars(self).values())

    def __str__(self) -> str:
        """A line each, the first few of each kind."""
        lines = []
        for kind, found in vars(self).items():
            if found:
                lines.append(f"{kind}: {len(found)}")
                lines += [f"  {each}" for each in found[:MAX_SHOWN]]
        return "\n".join(lines) or "no difference"


def as_alert(record: Mapping[str, Any]) -> Alert:
    """An OutboundAlert as the model speaks of it."""
    of_their_own = ("params", "reasons")
    values = {name: record[name] for name in Alert.__dataclass_fields__ if name not in of_their_own}
    reasons = tuple(map(reason, record["reasons"]))
    return Alert(**values, params=frozenset(record["params"].items()), reasons=reasons)


def compare(
    expected: Expected,
    alerts: Iterable[tuple[str, Mapping[str, Any]]],
    dead_letters: Iterable[DeadLetter] = (),
) -> Difference:
    """Compare with the alerts (channel of the topic, OutboundAlert) and the dead letters that came.

    Repeats are right, as they may come after a crash, as long as their ids are equal.
    """
    difference = Difference()
    got: dict[tuple[str, str], set[Alert]] = defaultdict(set)
    ids: dict[tuple[str, ...], set[str]] = defaultdict(set)
    owners: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for channel, record in alerts:
        alert = as_alert(record)
        got[alert.entry_id, alert.customer_id].add(alert)
        what: tuple[str, ...] = alert.entry_id, alert.customer_id, alert.channel, alert.address
        ids[what].add(record["alert_id"])
        owners[record["alert_id"]].add(what)
        if channel != alert.channel:
            difference.channels.append(f"{alert} came by {channel}")
    _compare_alerts(expected, got, difference)
    for what, own in ids.items():
        if len(own) > 1 or not all(own):
            difference.ids.append(f"{sorted(own)} stand for one: {what}")
    for alert_id, whats in owners.items():
        if len(whats) > 1:
            difference.ids.append(f"{alert_id!r} stands for {len(whats)}: {sorted(whats)}")
    _compare_dead_letters(expected, dead_letters, difference)
    return difference


def duplicates(alerts: Iterable[tuple[str, Mapping[str, Any]]]) -> Counter[str]:
    """Alert ids that came more than once, and how often: right after a crash only."""
    counts = Counter(record["alert_id"] for _, record in alerts)
    return Counter({alert_id: count for alert_id, count in counts.items() if count > 1})


def _compare_alerts(
    expected: Expected, got: Mapping[tuple[str, str], set[Alert]], difference: Difference
) -> None:
    for place in expected.alerts.keys() | got.keys():
        outcomes = expected.alerts.get(place, {frozenset()})
        mine = frozenset(got.get(place, ()))
        if mine in outcomes:
            continue
        missing = frozenset.intersection(*outcomes) - mine
        unexpected = mine - frozenset().union(*outcomes)
        difference.missing += missing
        difference.unexpected += unexpected
        if not missing and not unexpected:
            difference.mixed.append(
                f"{place}: neither the old rules nor the new ones gave {sorted(map(str, mine))}"
            )


def _compare_dead_letters(
    expected: Expected, dead_letters: Iterable[DeadLetter], difference: Difference
) -> None:
    found = set()
    all_letters = expected.optional_dead_letters | expected.dead_letters
    for letter in dead_letters:
        found.add(letter.source)
        original = all_letters.get(letter.source)
        if original is None:
            difference.dead_letters.append(f"{letter.source} is none, but came: {letter.reason}")
            continue
        if (letter.key, letter.value) != (original.key, original.value):
            difference.dead_letters.append(f"{letter.source}: key or bytes are not the original's: {letter}")
        if not letter.reason:
            difference.dead_letters.append(f"{letter.source}: no reason")
        for setting_id in expected.skipped_settings.get(letter.source, ()):
            if setting_id not in letter.reason:
                difference.dead_letters.append(f"{letter.source}: {setting_id} is not in {letter.reason!r}")
    for source in sorted(expected.dead_letters.keys() - found):
        difference.dead_letters.append(f"{source} is missing")
