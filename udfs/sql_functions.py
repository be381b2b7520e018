"""What analysts can call in SQL besides Flink's own functions; registered in the client by `alerts sql`."""

from pyflink.table import DataTypes
from pyflink.table.udf import udf, udtf

from account_alerts.messages import masked
from account_alerts.money import format_minor
from udfs import make_alerts as alerts

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
"""make_alerts(...): alert_id, channel and address of each alert (udfs/make_alerts.py)."""
