"""The profiles: `python -m delivery.profiles`; as many processes as the topics have partitions."""

import sys

from account_alerts.kafka import groups
from account_alerts.kafka.clients import consumer
from account_alerts.kafka.lost_brokers import watch
from account_alerts.records.codec import codec
from account_alerts.service.process import Service, run
from delivery.profiles.consumer import ProfileConsumer
from delivery.profiles.records import Table
from delivery.profiles.store import ProfileStore


def main(service: Service) -> None:
    """Keep the profiles up to date until the service is stopped."""
    config = service.config
    settings = config.require("senders")
    service.serve(settings.profiles_metrics_port)
    tables: dict[str, Table] = {
        config.topics.alert_settings.name: "profiles",
        config.topics.account_authorizations.name: "account_access",
        config.topics.sms_opt_outs.name: "sms_opt_outs",
    }
    store = ProfileStore(config.require("delivery"), service.stop)
    profiles = ProfileConsumer(tables, codec(config), store, service.registry, service.stop)
    options = {"group.id": groups.PROFILES, "enable.partition.eof": True, "session.timeout.ms": 10_000}
    try:
        profiles.run(consumer(config, **options, **watch(config, service.fail)))
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(run(main, "python -m delivery.profiles", "Keeps what senders look at before they send."))
