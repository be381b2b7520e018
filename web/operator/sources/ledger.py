"""What the delivery ledger says of the last hour, asked in small steps: it may hold millions of rows."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.alerts import Channel, DeliveryState
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from web.operator.readings import ChannelFigures, LedgerFigures, Spread

MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_OVERLAP_MS = 2 * MINUTE_MS
"""An alert may be committed so long after its time of receipt: such minutes are counted again."""
_STATEMENT_MS = 10_000

COUNT_MINUTES = """
SELECT (floor(extract(epoch FROM received_at) / 60) * 60000)::bigint AS minute, channel, alert_type,
  count(*) AS count
FROM deliveries WHERE received_at >= to_timestamp(%(since)s / 1000.0) GROUP BY 1, 2, 3
"""

LAST_MINUTE = """
SELECT channel, count(sent_at) AS sent,
  percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM written_at - raised_at) * 1000)
    AS written,
  percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - written_at) * 1000)
    FILTER (WHERE attempts = 1 AND deferred_for IS NULL) AS sending,
  percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - raised_at) * 1000)
    FILTER (WHERE attempts = 1 AND deferred_for IS NULL) AS whole
FROM deliveries WHERE received_at >= now() - interval '1 minute'
GROUP BY GROUPING SETS ((channel), ())
"""

COUNT_PENDING = f"""
SELECT channel, count(*) FILTER (WHERE state = '{DeliveryState.DEFERRED}') AS deferred,
  count(*) FILTER (WHERE state = '{DeliveryState.RETRYING}') AS retrying,
  count(*) FILTER (WHERE due_at < now() AND state <> '{DeliveryState.CLAIMED}') AS overdue,
  (extract(epoch FROM now() - min(received_at) FILTER (WHERE state = '{DeliveryState.RETRYING}'))
    * 1000)::bigint AS oldest
FROM deliveries WHERE due_at IS NOT NULL GROUP BY channel
"""


class LedgerSource:
    """Looks at the ledger over one connection, which is made anew after an error."""

    def __init__(self, config: Config, clock: Clock = SYSTEM_CLOCK) -> None:
        """Prepare; nothing is asked yet."""
        self._database, self._clock = config.require("delivery"), clock
        self._connection: psycopg.Connection | None = None
        self._minutes: dict[int, dict[tuple[str, str], int]] = {}
        self._counted_until = 0

    def look(self) -> LedgerFigures:
        """Ask for the last minute, what waits, and the minutes that are not counted yet.

        Raises:
            DatabaseError: The ledger cannot be reached.
            psycopg.Error: It cannot be asked.
        """
        if self._connection is None or self._connection.closed:
            self._connection = postgres.connect(
                self._database,
                application="alerts-web-chain",
                row_factory=dict_row,
                autocommit=True,
                options=f"-c statement_timeout={_STATEMENT_MS}",
            )
        try:
            return self._ask(self._connection)
        except psycopg.Error:
            self._connection.close()
            raise

    def _ask(self, connection: psycopg.Connection) -> LedgerFigures:
        self._count(connection)
        rows: Any = connection.execute(LAST_MINUTE).fetchall()
        last = {row["channel"]: row for row in rows}
        rows = connection.execute(COUNT_PENDING).fetchall()
        pending = {row["channel"]: row for row in rows}
        channels = {
            str(channel): _figures(last.get(channel) or {}, pending.get(channel) or {}) for channel in Channel
        }
        return LedgerFigures(channels, _spread(last.get(None, {}).get("whole")), dict(self._minutes))

    def _count(self, connection: psycopg.Connection) -> None:
        now = self._clock.now_ms()
        first = (now - _HOUR_MS) // MINUTE_MS * MINUTE_MS + MINUTE_MS
        again = (self._counted_until - _OVERLAP_MS) // MINUTE_MS * MINUTE_MS
        since = max(first, again)
        self._minutes = {
            minute: counts for minute, counts in self._minutes.items() if first <= minute < since
        }
        rows: Any = connection.execute(COUNT_MINUTES, {"since": since}).fetchall()
        for row in rows:
            self._minutes.setdefault(row["minute"], {})[row["channel"], row["alert_type"]] = row["count"]
        self._counted_until = now


def _figures(last: dict[str, Any], pending: dict[str, Any]) -> ChannelFigures:
    return ChannelFigures(
        sent=last.get("sent") or 0,
        written=_spread(last.get("written")),
        sending=_spread(last.get("sending")),
        deferred=pending.get("deferred") or 0,
        retrying=pending.get("retrying") or 0,
        overdue=pending.get("overdue") or 0,
        oldest_overdue=pending.get("oldest"),
    )


def _spread(percentiles: list[Any] | None) -> Spread:
    """Return the two percentiles; clocks of several machines may make them a little negative."""
    values = [None if value is None else max(0.0, float(value)) for value in percentiles or (None, None)]
    return Spread(*values)
