"""How many alerts a second a sender hands over, how long it takes, what it costs: `python -m bench.senders`.

Starts a Kafka, a PostgreSQL, a mail server, the profiles and one sender of mails on free ports; nothing else.
First as fast as it goes, then at steady rates. Processor time is the processes' own, so it holds on a busy
machine too.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from account_alerts.config import load
from devenv.ports import throw_away
from devenv.services.catalog import POSTGRES
from tests.component.conftest import KAFKA
from tests.component.post import Post
from tests.component.programs import Programs


def percentile(values: list[float], share: float) -> float:
    """The value that a share of all is not above."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def processor_seconds(processes: list[psutil.Process]) -> float:
    """Processor time that processes and their children have used up to now, in seconds."""
    # PostgreSQL's own processes do not show whose they are, except by their parent.
    children = [child for process in processes for child in process.children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in {*processes, *children})


def measure(
    post: Post, sender: psutil.Process, database: list[psutil.Process], count: int, rate: float
) -> None:
    """Hand alerts over, `rate` a second, or all at once where it is 0; print what came of it."""
    customers = [post.customer() for _ in range(20)]
    alerts = [post.alert(customers[number % 20]) for number in range(count)]
    before_count = post.metrics().get('sender_handed_over_total{channel="EMAIL"}', 0)
    before = processor_seconds([sender]), processor_seconds(database)
    start = time.monotonic()
    if rate:
        portion = max(1, int(rate / 100))
        for first in range(0, count, portion):
            time.sleep(max(0.0, start + first / rate - time.monotonic()))
            post.put(alerts[first : first + portion])
    else:
        post.put(alerts)
    # Seldom, and by the sender's own figures: asking PostgreSQL for all of them would be most of its work.
    while post.metrics().get('sender_handed_over_total{channel="EMAIL"}', 0) < before_count + count:
        time.sleep(0.25)
    own, theirs = processor_seconds([sender]) - before[0], processor_seconds(database) - before[1]
    rows = post.rows(alerts).values()
    took = [(row["handed_over_at"] - row["written_at"]).total_seconds() * 1000 for row in rows]
    first, last = min(row["written_at"] for row in rows), max(row["handed_over_at"] for row in rows)
    print(
        f"{count} alerts, {f'{rate:.0f}/s' if rate else 'at once'}: "
        f"{count / (last - first).total_seconds():.0f}/s; "
        f"Kafka to gateway p50 {percentile(took, 0.5):.0f}, p95 {percentile(took, 0.95):.0f}, "
        f"p99 {percentile(took, 0.99):.0f} ms; processor per alert: sender {own / count * 1e6:.0f} us, "
        f"PostgreSQL {theirs / count * 1e6:.0f} us"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rates", type=float, nargs="*", default=[0, 150, 500])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = Programs(throw_away(load(), folder), folder)
        post = sink = None
        try:
            programs.start(KAFKA)
            programs.start(POSTGRES)
            post = Post(programs.config, folder, {})
            sink = subprocess.Popen([sys.executable, "-m", "bench.smtp_sink", str(post.server.port)])
            post.start("delivery.profiles.consumer")
            sender = psutil.Process(post.start().pid)
            post.wait("the sender", lambda: post.is_ready())
            for rate in chosen.rates:
                measure(post, sender, programs.processes("postgres"), chosen.count, rate)
        finally:
            if sink is not None:
                sink.kill()
                sink.wait()
            if post is not None:
                post.close()
            programs.stop_all()


if __name__ == "__main__":
    main()
