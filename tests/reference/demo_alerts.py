"""The alerts that the demo must raise, by the reference model; the demo reads them from `data/`.

python -m tests.reference.demo_alerts      writes data/demo_alerts.csv.gz
"""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence

from account_alerts.records.codec import Record
from demo.play import BOOKINGS
from devenv.bank import customers
from operations import booking_files
from tests.builders import Log
from tests.reference.model import expect


def demo_alerts() -> list[tuple[str, str, str, str]]:
    """Booking, customer, setting and channel of each alert of the demo's bookings."""
    entries, authorizations = booking_files.read(), customers.authorizations()
    return alerts(entries[-BOOKINGS:], authorizations, customers.settings(entries, authorizations))


def alerts(
    entries: Sequence[Record], authorizations: Iterable[Record], settings: Iterable[Record]
) -> list[tuple[str, str, str, str]]:
    """Booking, customer, setting and channel of each alert, where all is known before the first booking."""
    log = Log()
    for record in authorizations:
        log.authorize(0, record["account_id"], *record["customer_ids"])
    for record in settings:
        log.ask(0, record)
    for record in entries:
        log.book(2000, record)
    expected = expect(log.records)
    assert not expected.dead_letters
    return sorted(
        (each.entry_id, each.customer_id, each.setting_id, each.channel) for each in expected.certain
    )


if __name__ == "__main__":
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("entry_id", "customer_id", "setting_id", "channel"))
    lines.writerows(demo_alerts())
    # No time in it: the same alerts give the same file.
    customers.DEMO_ALERTS.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
