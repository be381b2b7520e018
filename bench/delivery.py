"""How many alerts a second a sender hands over, how long it takes, what it costs: `python -m bench delivery`.

Starts a Kafka, a PostgreSQL, a mail server, the profiles and one sender of mails on free ports; nothing else.
First as fast as it goes, then at steady rates. Processor time is the processes' own, so it holds on a busy
machine too.
"""

import subprocess
import sys
import time
from typing import Annotated

import psutil
import typer

from bench.components import components
from bench.measures import cpu_seconds, percentile
from devenv.services.catalog import POSTGRES
from tests.component.sender_harness import SenderHarness


def measure(
    harness: SenderHarness, sender: psutil.Process, database: list[psutil.Process], count: int, rate: float
) -> None:
    """Hand alerts over, `rate` a second, or all at once where it is 0; print what came of it."""
    customers = [harness.add_customer() for _ in range(20)]
    alerts = [harness.new_alert(customers[number % 20]) for number in range(count)]
    before_count = harness.metrics().get(
        'account_alerts_sender_deliveries_total{channel="EMAIL",state="SENT"}', 0
    )
    before = cpu_seconds([sender]), cpu_seconds(database)
    start = time.monotonic()
    if rate:
        portion = max(1, int(rate / 100))
        for first in range(0, count, portion):
            time.sleep(max(0.0, start + first / rate - time.monotonic()))
            harness.send_alerts(alerts[first : first + portion])
    else:
        harness.send_alerts(alerts)
    # Seldom, and by the sender's own figures: asking PostgreSQL for all of them would be most of its work.
    while (
        harness.metrics().get('account_alerts_sender_deliveries_total{channel="EMAIL",state="SENT"}', 0)
        < before_count + count
    ):
        time.sleep(0.25)
    own, theirs = cpu_seconds([sender]) - before[0], cpu_seconds(database) - before[1]
    rows = harness.ledger_rows(alerts).values()
    took = [(row["sent_at"] - row["written_at"]).total_seconds() * 1000 for row in rows]
    first, last = min(row["written_at"] for row in rows), max(row["sent_at"] for row in rows)
    print(
        f"{count} alerts, {f'{rate:.0f}/s' if rate else 'at once'}: "
        f"{count / (last - first).total_seconds():.0f}/s; "
        f"Kafka to gateway p50 {percentile(took, 0.5):.0f}, p95 {percentile(took, 0.95):.0f}, "
        f"p99 {percentile(took, 0.99):.0f} ms; processor per alert: sender {own / count * 1e6:.0f} us, "
        f"PostgreSQL {theirs / count * 1e6:.0f} us"
    )


def main(
    count: Annotated[int, typer.Option(help="Alerts of each rate.")] = 10_000,
    rates: Annotated[
        list[float] | None, typer.Option("--rate", help="Alerts a second; 0: at once. Default: 0, 150, 500.")
    ] = None,
) -> None:
    """Measure a sender of mails: alerts a second, time from Kafka to the gateway, cost of an alert.

    By-passed: the jobs, whose alerts are made up, and a real mail server: the one here keeps nothing.
    """
    with components() as programs:
        harness = sink = None
        try:
            programs.start(POSTGRES)
            harness = SenderHarness(programs.config, programs.folder, {})
            sink = subprocess.Popen([sys.executable, "-m", "bench.smtp_sink", str(harness.mail_server.port)])
            harness.start_process("delivery.profiles")
            sender = psutil.Process(harness.start_process().pid)
            harness.wait_for("the sender", lambda: harness.is_ready())
            for rate in rates or [0, 150, 500]:
                measure(harness, sender, programs.processes("postgres"), count, rate)
        finally:
            if sink is not None:
                sink.kill()
                sink.wait()
            if harness is not None:
                harness.close()
