"""Real bookings become alerts, from nothing: what a newcomer watches first.

The customers' preferences go into the bank's database, the bookings onto its queue; what the customers get is
read from a mailbox, an SMSC and a push service. `watch.py` takes down what is seen on the way, `report.py`
says it.
"""

import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from account_alerts.config import Config
from demo.play import play
from demo.report import print_summary, summary
from devenv import environment, ports
from operations.interruption import interruptible

_SMALL: dict[str, dict[str, Any]] = {
    "local": {
        "quick_java": True,
        "jobmanager_memory": "768m",
        "taskmanager_memory": "2g",
        "kafka_heap": "256m",
        "connect_heap": "256m",
    }
}
"""The demo lives for two minutes, beside whatever else the machine does."""


def run(config: Config, keep: bool = False, as_json: bool = False) -> int:
    """Start everything on throw-away state, replay part of the sample, show what comes, stop everything.

    Args:
        config: The local environment's; it runs on free ports and in a folder of its own instead.
        keep: Leave it running, and say where.
        as_json: Print the summary as JSON, and nothing else to standard output.

    Returns:
        0 when every alert came to its customer, once, and none that must not; 1 otherwise.

    Raises:
        OperationError: The environment did not start.
        KafkaUnreachableError: Kafka went away.
    """
    folder = Path(tempfile.mkdtemp(prefix="alerts-demo-"))
    own = ports.throw_away(config, folder / "state")
    own = own.override(_SMALL)
    settings_file = folder / "demo.yaml"
    own.write(settings_file)
    complete = False
    # As Ctrl-C does; also when the terminal closes.
    with interruptible((signal.SIGTERM, signal.SIGHUP)):
        try:
            watch = play(own, sys.stderr if as_json else sys.stdout)
            report = summary(watch)
            if as_json:
                print(json.dumps(report, indent=2), flush=True)
            else:
                print_summary(report)
            complete = watch.complete()
            if keep:
                _tell(own, settings_file)
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                environment.down(own)
                if complete:
                    shutil.rmtree(folder, ignore_errors=True)
                else:
                    print(f"Logs of what went wrong: {folder}", file=sys.stderr)
    return 0 if complete else 1


def _tell(config: Config, file: Path) -> None:
    use = f"alerts --config {file}"
    web = config.require("web")
    print(
        f"\nLeft running. Pages: {web.public_url}, to log in as a customer or an operator by one click\n"
        f"Tokens for the API, {web.public_url}/api/v1: {web.openid.issuer}\n"
        f"Flink's page: {config.flink.rest_url}   Kafka: {config.kafka.bootstrap_servers}\n"
        f"What customers got: {use} inbox mail (sms, push)\n"
        f"What runs: {use} status\nStop it: {use} down",
        file=sys.stderr,
    )
