"""The metrics of opt-outs in one sender process."""

from prometheus_client import CollectorRegistry

from account_alerts.service import metrics
from delivery.opt_out.keywords import Keyword

_NONE = "none"


class OptOutMetrics:
    """What is received and answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Start at zero."""
        self._received = metrics.OPT_OUT_RECEIVED.create(registry)
        self._replies = metrics.OPT_OUT_REPLIES.create(registry)
        self.unrecorded = metrics.OPT_OUT_UNRECORDED.create(registry)
        for keyword in (*Keyword, _NONE):
            self._received.labels(keyword)
        for outcome in ("sent", "failed"):
            self._replies.labels(outcome)

    def count_received(self, keyword: Keyword | None) -> None:
        """Count an SMS from a customer; None: there is no keyword in it."""
        self._received.labels(keyword or _NONE).inc()

    def count_reply(self, *, sent: bool) -> None:
        """Count an answer that is done."""
        self._replies.labels("sent" if sent else "failed").inc()
