"""Runs one publisher until SIGTERM: `python -m ingest.capture --config FILE`."""

import argparse
import sys
import threading

from confluent_kafka import KafkaException

from account_alerts.kafka.clients import producer
from account_alerts.kafka.lost_brokers import watch
from account_alerts.service.process import Service, run
from ingest.capture import heartbeats, publisher
from ingest.capture.connect_client import ConnectClient
from ingest.capture.connector_watch import MISSED_BEATS, watch_connector
from ingest.capture.metrics import Metrics
from ingest.capture.position import RecordPositions


def main(service: Service) -> None:
    """Publish changes, and keep the connector running."""
    config = service.config
    capture = config.require("capture")
    metrics = Metrics(service.registry)
    changes = publisher.connect(config, service.options.instance, service.fail)
    worker = publisher.Publisher(
        config, changes, producer(config, **watch(config, service.fail)), RecordPositions(config), metrics
    )
    service.serve(capture.metrics_port)
    watching = (
        ConnectClient(config),
        heartbeats.Heartbeats(heartbeats.connect(config, service.fail)),
        capture.check_interval / 1000,
        MISSED_BEATS * capture.heartbeat / 1000,
        metrics,
        service.stop,
    )
    threading.Thread(target=watch_connector, args=watching, daemon=True).start()
    try:
        worker.run(service.stop)
    except KafkaException as error:
        raise publisher.PublisherError(f"Kafka: {error}") from error


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--instance", help="a name that no other publisher has: then a restart is quick")


if __name__ == "__main__":
    description = (
        "Run one publisher: changes of the bank's tables become records; several share the partitions."
    )
    sys.exit(run(main, "python -m ingest.capture", description, _add_options))
