"""A sender: `python -m delivery --channel email`; as many processes of a channel as it has partitions."""

import argparse
import asyncio
import signal
import sys

import uvloop

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.config.delivery import Senders
from account_alerts.model.alerts import Channel
from account_alerts.records.codec import codec
from account_alerts.service.process import Service
from account_alerts.service.process import run as run_service
from delivery.gateways import build
from delivery.ledger.ledger import Ledger
from delivery.metrics import Metrics
from delivery.worker.alert_consumer import Inbox
from delivery.worker.dead_letters import Letters
from delivery.worker.sender import Sender
from delivery.worker.startup import wait_for_profiles


async def run(
    config: Config, settings: Senders, channel: str, instance: str | None, metrics_port: int
) -> None:
    """Run a sender of a channel (`EMAIL`) until SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    name = channel.lower()
    topic = config.topics.outbound_device_push if channel == "PUSH" else config.topics.of_channels()[channel]
    metrics = Metrics(channel)
    metrics.serve(metrics_port)
    gateway, unsubscribe = build(config, channel)
    delivery = postgres.delivery(config)
    waiting = asyncio.create_task(wait_for_profiles(config, delivery))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if stop.is_set():
        waiting.cancel()
        return
    waiting.result()
    await gateway.open()
    ledger = Ledger(delivery, channel, settings.lease, instance)
    sender = Sender(
        channel,
        settings,
        ledger=ledger,
        inbox=Inbox(config, topic.name, f"sender-{name}", instance),
        letters=Letters(config),
        gateway=gateway,
        decoder=codec(config),
        topic=topic.name,
        metrics=metrics,
        unsubscribe=unsubscribe,
    )
    await ledger.take_back()
    try:
        await sender.run(stop)
    finally:
        await gateway.close()
        await ledger.close()


def main(service: Service) -> None:
    """Run until SIGTERM."""
    chosen, config = service.options, service.config
    settings = config.require("senders")
    port = chosen.metrics_port or settings.metrics_port(chosen.channel)
    uvloop.run(run(config, settings, chosen.channel.upper(), chosen.instance, port))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only a sender is told."""
    parser.add_argument("--channel", required=True, choices=[channel.lower() for channel in Channel])
    parser.add_argument(
        "--instance", help="a name this process keeps when it is started again (group.instance.id)"
    )


if __name__ == "__main__":
    sys.exit(run_service(main, "python -m delivery", "One sender of a channel.", add_options))
