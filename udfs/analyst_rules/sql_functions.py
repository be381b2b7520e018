"""What analysts can call in SQL besides Flink's own functions; registered in the client by `alerts sql`."""

import time

from pyflink.table import DataTypes
from pyflink.table.udf import ScalarFunction, udf, udtf

from account_alerts.model.masking import masked
from account_alerts.model.money import format_minor
from udfs import alerts

money = udf(
    lambda amount_minor, currency: (
        None if amount_minor is None else format_minor(amount_minor, currency, "en")
    ),
    result_type=DataTypes.STRING(),
)
"""money(amount_minor, currency): an amount in minor units as people write it, such as `CZK 5,000.00`."""
mask = udf(
    lambda account_id: None if account_id is None else masked(account_id), result_type=DataTypes.STRING()
)
"""mask(account_id): an account's number with no more than its last four characters."""
make_alerts = udtf(alerts.make_alerts, result_types=[DataTypes.STRING()] * 3)
"""make_alerts(...): alert_id, channel and address of each alert (udfs/alerts.py)."""


class Pace(ScalarFunction):  # type: ignore[misc]
    """Gives back its first argument, so many times a second at most, and in the first second at once.

    What a rule finds faster waits in the rule's own job; what others find doesn't stand behind it.
    """

    def __init__(self) -> None:
        """Begin with a second's worth."""
        self._next = 0.0

    def eval(self, value: str, per_second: int) -> str:
        """Return the value, after a pause where there were too many before it."""
        now = time.monotonic()
        if self._next > now:
            time.sleep(self._next - now)
        self._next = max(self._next, now - 1.0) + 1.0 / per_second
        return value


pace = udf(Pace(), result_type=DataTypes.STRING())
"""pace(text, per_second): the text, at that pace."""
