"""Runs one bridge until SIGTERM: `python -m ingest.bridge --config FILE`."""

import sys

from account_alerts.service.process import Service, run
from ingest.bridge import kafka_writer
from ingest.bridge.bridge import Bridge
from ingest.bridge.metrics import Metrics


def main(service: Service) -> None:
    """Bridge the queue to Kafka."""
    config = service.config
    section = config.require("bridge")
    bridge = Bridge(config, kafka_writer.connect(config, service.fail), Metrics(service.registry))
    service.serve(section.metrics_port, ready=lambda: bridge.is_ready)
    service.on_stop(bridge.stop)
    bridge.run()


if __name__ == "__main__":
    sys.exit(run(main, "python -m ingest.bridge", "Run one bridge; several may share a queue."))
