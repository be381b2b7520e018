"""A sender: `python -m delivery --channel email`; as many processes of a channel as it has partitions."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop

from account_alerts.kafka import groups
from account_alerts.model.alerts import Channel
from account_alerts.records.codec import codec
from account_alerts.service.process import Service, run
from delivery.gateways import factory
from delivery.ledger.store import LedgerStore
from delivery.metrics import SenderMetrics
from delivery.worker.alert_consumer import AlertConsumer
from delivery.worker.dead_letters import DeadLetterProducer
from delivery.worker.ports import Ports
from delivery.worker.startup import wait_for_profiles
from delivery.worker.worker import Worker


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only senders have."""
    parser.add_argument("--channel", required=True, choices=[channel.lower() for channel in Channel])
    parser.add_argument(
        "--instance", help="a name this process keeps when it is started again (group.instance.id)"
    )


def main(service: Service) -> None:
    """Run a sender of a channel until it is stopped."""
    uvloop.run(send(service))


async def send(service: Service) -> None:
    """Send the channel's alerts until the service is stopped."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    service.on_stop(lambda: loop.call_soon_threadsafe(stop.set))
    config, instance = service.config, service.options.instance
    channel = Channel(service.options.channel.upper())
    settings = config.require("senders")
    topics = config.topics
    topic = topics.outbound_device_push if channel is Channel.PUSH else topics.map_channels()[channel]
    metrics = SenderMetrics(channel, service.registry)
    service.serve(settings.metrics_port(channel.lower()), ready=metrics.is_ready)
    gateway = factory.make_gateway(config, channel)
    links = factory.make_unsubscribe_links(config) if channel is Channel.EMAIL else None
    database = config.require("delivery")
    if not await _profiles_complete(wait_for_profiles(config, database), stop):
        return
    await gateway.open()
    ledger = LedgerStore(database, channel, settings.lease, instance)
    ports = Ports(
        alerts=AlertConsumer(config, topic.name, f"{groups.SENDER_PREFIX}{channel.lower()}", instance),
        ledger=ledger,
        dead_letters=DeadLetterProducer(config),
        gateway=gateway,
        decoder=codec(config),
        unsubscribe=None if links is None else links.link,
    )
    await ledger.reclaim_own()
    try:
        await Worker(channel, topic.name, settings, ports, metrics).run(stop)
    finally:
        await gateway.close()
        await ledger.close()


async def _profiles_complete(waiting: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Wait for the profiles; False where the process is stopped first."""
    profiles, stopped = asyncio.create_task(waiting), asyncio.create_task(stop.wait())
    await asyncio.wait([profiles, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if stop.is_set():
        profiles.cancel()
        return False
    profiles.result()
    return True


if __name__ == "__main__":
    sys.exit(run(main, "python -m delivery", "Sends the alerts of one channel.", add_options))
