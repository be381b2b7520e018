"""Notices a client that knows no broker any more.

librdkafka 2.16 can end like this after all brokers were away: it takes an answer that names no broker for
the truth, forgets those it knew, also the configured ones, and never connects again, whatever its
`metadata.recovery.strategy` (https://github.com/confluentinc/librdkafka/issues/5301). Only a new client
helps. While brokers are merely away, the client keeps them in its list.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from account_alerts.config import Config

OnLost = Callable[[str], object]
"""What to do when a client never connects again; it is given the reason."""
_OF_A_BROKER = ("configured", "learned")
"""Sources of entries that stand for brokers; `logical` and `internal` ones are always there."""
_REPORTS = 6
"""Reports of the client within the time after which it is given up."""


def knows_broker(statistics: Mapping[str, Any]) -> bool:
    """Tell whether a client can connect to anybody.

    Args:
        statistics: What librdkafka says of itself (its STATISTICS.md).
    """
    return any(broker["source"] in _OF_A_BROKER for broker in statistics["brokers"].values())


def watch(config: Config, on_lost: OnLost | None) -> dict[str, Any]:
    """Return options of a client that is watched; of one that is not, where nobody wants to know.

    Whoever keeps a client for long watches it, and polls it all the time: its reports wait for that.
    """
    if on_lost is None:
        return {}
    after = config.kafka.lost_after
    return {
        "statistics.interval.ms": max(1, after // _REPORTS),
        "stats_cb": BrokerWatch(after, on_lost).read,
    }


class BrokerWatch:
    """Reads a client's statistics, and says when it has known no broker for too long."""

    def __init__(self, lost_after: int, on_lost: OnLost) -> None:
        """Begin to watch.

        Args:
            lost_after: How long a client may know no broker, milliseconds.
            on_lost: Called with the reason, by each report from then on, in the thread that polls the client.
        """
        self._lost_after, self._on_lost = lost_after, on_lost
        self._since: int | None = None

    def read(self, report: str) -> None:
        """Take a report of the client."""
        statistics = json.loads(report)
        if knows_broker(statistics):
            self._since = None
            return
        now = statistics["ts"]  # Microseconds of a clock that never goes back.
        self._since = now if self._since is None else self._since
        if now - self._since >= self._lost_after * 1000:
            seconds = (now - self._since) / 1e6
            self._on_lost(f"{statistics['name']} has known no broker of Kafka for {seconds:.0f} s")
