"""What the templates of the chain's page show, as text: figures with their units, icons beside the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from web.operator.chain import Health, Node, Snapshot
from web.operator.headlines import UNKNOWN, per_second
from web.operator.readings import Spread

ICONS = {Health.HEALTHY: "check", Health.BEHIND: "warn", Health.DOWN: "stop", Health.NO_NEWS: "ask"}
WORDS = {
    Health.HEALTHY: "Healthy",
    Health.BEHIND: "Behind",
    Health.DOWN: "Down",
    Health.NO_NEWS: "No news",
}
_WIRED = (2, 3, 3, 3, 3, 3, 3)
"""How many parts each stage has where the wires between them fit."""
_MOST_TROUBLES = 5
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 28


@dataclass(frozen=True)
class NodeView:
    """One part of the chain, as it is shown."""

    name: str
    health: str
    icon: str
    words: str
    rate: str
    waiting_label: str
    waiting: str
    times: str
    meaning: str


def node_view(node: Node) -> NodeView:
    """Write a part's figures."""
    return NodeView(
        node.name,
        node.health.value,
        ICONS[node.health],
        node.words,
        per_second(node.rate),
        node.waiting_label,
        UNKNOWN if node.waiting is None else f"{node.waiting:,}",
        _times(node.spread),
        node.meaning,
    )


def chain_view(found: Snapshot) -> dict[str, Any]:
    """Return the values of the template `operator/_chain.html`."""
    stages = [(stage.name, [node_view(node) for node in stage.nodes]) for stage in found.stages]
    return {
        "at": clock(found.at),
        "headlines": found.headlines,
        "stages": stages,
        "rules": [node_view(node) for node in found.rules],
        "legend": [(health.value, ICONS[health], words) for health, words in WORDS.items()],
        "wired": tuple(len(nodes) for _, nodes in stages) == _WIRED,
    }


def trouble_view(found: Snapshot) -> dict[str, Any]:
    """Return the values of the template `operator/_trouble.html`: no figure that changes every second."""
    troubles = [node_view(node) for node in found.troubles]
    worst = troubles[0] if troubles else None
    return {
        "health": found.health.value,
        "icon_name": ICONS[found.health],
        "title": "All parts are healthy" if worst is None else f"{worst.name}: {WORDS[found.health].lower()}",
        "troubles": [
            (node.name, WORDS[Health(node.health)].lower(), _without_figures(node))
            for node in troubles[:_MOST_TROUBLES]
        ],
        "more": max(0, len(troubles) - _MOST_TROUBLES),
    }


def type_rows(columns: Mapping[str, Sequence[int | None]]) -> list[dict[str, Any]]:
    """Return the rows of the table of alerts by type, each with the path of its small plot."""
    rows = []
    for name, counts in columns.items():
        known = [count for count in counts if count is not None]
        rows.append(
            {
                "name": name.replace("_", " ").capitalize(),
                "path": spark(counts),
                "now": UNKNOWN if not counts or counts[-1] is None else f"{counts[-1]:,}",
                "sum": f"{sum(known):,}",
            }
        )
    return rows


def spark(counts: Sequence[int | None]) -> str:
    """Return the path of a small plot; minutes of which nothing is known are gaps."""
    top = max((count for count in counts if count is not None), default=0) or 1
    step = _SPARK_WIDTH / max(1, len(counts) - 1)
    path, pen_is_down = [], False
    for number, count in enumerate(counts):
        if count is not None:
            y = _SPARK_HEIGHT - 1 - count * (_SPARK_HEIGHT - 2) / top
            path.append(f"{'L' if pen_is_down else 'M'}{number * step:.1f} {y:.1f}")
        pen_is_down = count is not None
    return "".join(path)


def hour_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the plots' columns as rows of a table, the newest minute first."""
    channels: Mapping[str, Sequence[int | None]] = found["channels"]
    return [
        {
            "at": clock(minute * 1000)[:5],
            "bookings": _count(found["bookings"][number]),
            "channels": [_count(counts[number]) for counts in channels.values()],
            "dead_letters": _count(found["dead_letters"][number]),
        }
        for number, minute in reversed(list(enumerate(found["minutes"])))
    ]


def clock(ms: int) -> str:
    """Return the time of day of milliseconds UTC."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M:%S}"


def moment(ms: int) -> str:
    """Return day and time of milliseconds UTC, to the millisecond."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}"


def _times(spread: Spread) -> str:
    if spread.p50 is None and spread.p99 is None:
        return UNKNOWN
    if spread.p50 == spread.p99 and spread.p50 is not None:
        return f"{spread.p50:,.0f}"
    return ", ".join(UNKNOWN if value is None else f"{value:,.0f}" for value in (spread.p50, spread.p99))


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _without_figures(node: NodeView) -> str:
    """Return what a trouble means, without the count in front: it would be read out anew each second."""
    first, _, rest = node.meaning.partition(" wait. ")
    return rest if rest and first.replace(",", "").isdigit() else node.meaning
