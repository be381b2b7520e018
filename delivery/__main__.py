"""A sender: `python -m delivery --channel email`; as many processes of a channel as it has partitions.

Several channels, and the profiles, may share a process (`account_alerts.service.workers`).
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import uvloop

from account_alerts.kafka import groups
from account_alerts.model.alerts import Channel
from account_alerts.model.errors import ConfigError
from account_alerts.records.codec import codec
from account_alerts.service.process import Service, run
from account_alerts.service.workers import run_workers
from delivery.gateways import factory
from delivery.gateways.sms.gateway import SmsGateway
from delivery.ledger.store import LedgerStore
from delivery.metrics import SenderMetrics
from delivery.notices.sender import Notices
from delivery.opt_out.service import OptOuts
from delivery.profiles import __main__ as profiles
from delivery.worker.alert_consumer import AlertConsumer
from delivery.worker.dead_letters import DeadLetterProducer
from delivery.worker.ports import Ports
from delivery.worker.startup import wait_for_profiles
from delivery.worker.worker import Worker


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only senders have."""
    channels = [channel.lower() for channel in Channel]
    parser.add_argument(
        "--channel", required=True, action="append", choices=channels, help="several may share a process"
    )
    parser.add_argument("--profiles", action="store_true", help="keep the profiles in this process, too")
    parser.add_argument(
        "--instance", help="a name this process keeps when it is started again (group.instance.id)"
    )


def main(service: Service) -> None:
    """Run the senders of the channels, and the profiles where asked for, until the service is stopped."""
    workers: dict[str, Callable[[Service], None]] = {
        name: partial(run_sender, channel=Channel(name.upper())) for name in service.options.channel
    }
    if service.options.profiles:
        workers["profiles"] = profiles.main
    if len(workers) == 1:
        run_sender(service, Channel(service.options.channel[0].upper()))
    elif service.options.metrics_port:
        raise ConfigError("--metrics-port is for one channel: set the ports of several in `senders`")
    else:
        run_workers(service, workers)


def run_sender(service: Service, channel: Channel) -> None:
    """Run a sender of a channel until it is stopped."""
    uvloop.run(send(service, channel))


async def send(service: Service, channel: Channel) -> None:
    """Send the channel's alerts until the service is stopped."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    service.on_stop(lambda: loop.call_soon_threadsafe(stop.set))
    config, instance = service.config, service.options.instance
    if instance and len(service.options.channel) > 1:
        instance = f"{instance}-{channel.lower()}"
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
    opt_outs = OptOuts(config, gateway, service.registry) if isinstance(gateway, SmsGateway) else None
    notices = None if config.bank is None else Notices(config, channel, gateway, service.registry)
    await gateway.open()
    ledger = LedgerStore(database, channel, settings.lease, instance)
    ports = Ports(
        alerts=AlertConsumer(
            config, topic.name, f"{groups.SENDER_PREFIX}{channel.lower()}", instance, service.fail
        ),
        ledger=ledger,
        dead_letters=DeadLetterProducer(config),
        gateway=gateway,
        decoder=codec(config),
        unsubscribe=None if links is None else links.link,
        opt_outs=opt_outs,
        notices=notices,
    )
    await ledger.reclaim_own()
    try:
        await Worker(channel, topic.name, settings, ports, metrics).run(stop)
    finally:
        await gateway.close()
        await ledger.close()
        if opt_outs is not None:
            await opt_outs.close()
        if notices is not None:
            await notices.close()


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
    sys.exit(run(main, "python -m delivery", "Sends the alerts of a channel, or of several.", add_options))
