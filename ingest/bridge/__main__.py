"""Runs one bridge until SIGTERM: `python -m ingest.bridge --config FILE`; several may share a queue."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from prometheus_client import start_http_server

from account_alerts.config import ConfigError, load
from ingest.bridge import kafka_writer
from ingest.bridge.bridge import Bridge


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ingest.bridge", description=__doc__)
    parser.add_argument("--config", type=Path, help="the environment's YAML file (default: conf/local.yaml)")
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        config = load(arguments.config)
        bridge = Bridge(config, kafka_writer.connect(config))
        if config.bridge is not None and config.bridge.metrics_port is not None:
            start_http_server(config.bridge.metrics_port)
    except (ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: bridge.stop())
    try:
        bridge.run()
    except kafka_writer.BridgeError as error:
        logging.getLogger(__name__).error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
