"""The chain at one moment, as the pages show it: how each part does, in words and figures."""

from dataclasses import dataclass
from enum import StrEnum

from web.operator.readings import NO_SPREAD, Spread


class Health(StrEnum):
    """How a part of the chain does; the pages repeat it by colour and shape."""

    HEALTHY = "good"
    BEHIND = "warn"
    DOWN = "bad"
    NO_NEWS = "rest"


@dataclass(frozen=True)
class Node:
    """One part of the chain; a figure that is not known is None."""

    name: str
    health: Health
    words: str
    rate: float | None = None
    """A second."""
    waiting: int | None = None
    spread: Spread = NO_SPREAD
    meaning: str = ""
    """What it means where somebody has to act, and what to do."""
    waiting_label: str = "Waiting"


@dataclass(frozen=True)
class Stage:
    """Parts that do the same, side by side."""

    name: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Headline:
    """One figure of the strip on top, with what belongs to it."""

    name: str
    value: str
    detail: str


@dataclass(frozen=True)
class Snapshot:
    """The chain at one moment."""

    at: int
    stages: tuple[Stage, ...]
    headlines: tuple[Headline, ...]
    rules: tuple[Node, ...] = ()
    """The jobs of analysts' rules."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All parts, in the order of the chain."""
        return (*(node for stage in self.stages for node in stage.nodes), *self.rules)

    @property
    def troubles(self) -> tuple[Node, ...]:
        """The parts that somebody has to look at, those that are down first."""
        order = [Health.DOWN, Health.BEHIND, Health.NO_NEWS]
        found = [node for node in self.nodes if node.health in order]
        return tuple(sorted(found, key=lambda node: order.index(node.health)))

    @property
    def health(self) -> Health:
        """The worst of all parts."""
        return self.troubles[0].health if self.troubles else Health.HEALTHY


def duration_words(ms: float) -> str:
    """Return a duration in the unit in which it is a small number: `31 ms`, `12 s`, `3 min`, `2 h`."""
    if ms < 1_000:
        return f"{ms:.0f} ms"
    if ms < 10_000 and ms % 1_000:
        return f"{ms / 1_000:.1f} s"
    for size, unit, until in ((1_000, "s", 120), (60_000, "min", 120), (3_600_000, "h", 48)):
        if ms < size * until:
            return f"{ms // size:.0f} {unit}"
    return f"{ms // 86_400_000:.0f} d"
