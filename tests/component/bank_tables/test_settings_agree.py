"""The bank's database takes no setting that the jobs would reject.

It takes fewer: it also asks that `count` is not negative and `window_minutes` greater than 0. The contract
asks for neither, and other writers of `alert-settings` may send such settings: the jobs take them.
"""

import psycopg
import pytest

from account_alerts.model.alerts import AlertType
from tests.component.bank_tables.tables import Connection, one_customer
from tests.unit.account_alerts.records.test_settings_agree import accepted, every_setting

pytestmark = pytest.mark.environment

INSERT = (
    "INSERT INTO preferences (customer_id, setting_id, account_id, currency, alert_type, channels,"
    " threshold_minor, count, window_minutes) VALUES ('c', 's', 'a', 'EUR', %s, %s, %s, %s, %s)"
)


def test_it_takes_what_the_jobs_take_but_for_counts_and_windows_that_mean_nothing(
    connection: Connection,
) -> None:
    one_customer(connection)
    for each in every_setting():
        names = ("alert_type", "channels", "threshold_minor", "count", "window_minutes")
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(INSERT, [each[name] for name in names])
            taken = True
        except psycopg.errors.CheckViolation:
            taken = False
        count, window = each["count"], each["window_minutes"]
        stricter = (count is not None and count < 0) or (window is not None and window <= 0)
        if stricter:
            assert not taken, each
        elif each["alert_type"] == AlertType.APPLICATION_REMINDER:
            assert taken == {"EMAIL", "SMS", "PUSH"}.issuperset(each["channels"]), each
        else:
            assert taken == accepted(each), each
