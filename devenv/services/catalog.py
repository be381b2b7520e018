"""The services of ingestion and delivery, which `alerts up --profile full` starts beside Kafka and Flink."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from account_alerts.config import Config
from devenv.fake_gateways import programs
from devenv.layout import Layout
from devenv.services import bridge, clicks, connect, devices, openid, postgres, publisher, queue, senders, web
from operations.waiting import print_progress, wait_for

_SECONDS = 600.0


@dataclass(frozen=True)
class Service:
    """A program of the local environment; the supervisor starts it, and restarts it when it dies.

    Those of `FIRST` start at once, the others when Kafka has its topics and the databases their tables; each
    waits by itself for what else it needs.
    """

    program: str
    """Its name: of its process in `alerts status`, and of its log."""
    write: Callable[[Config, Layout], str]
    """Writes what the program is configured by; return the shell command that becomes it (`exec ...`)."""
    ready: Callable[[Config], bool]
    """Tell whether it does its work; never raises while it does not."""
    where: Callable[[Config], str]
    """What a user is told when it is ready, such as its address."""
    prepare: Callable[[Config], object] | None = None
    """What is to be done once it is ready, every time, such as migrations."""
    stop_signal: Literal["TERM", "INT"] = "TERM"
    """What it takes as: end now, in order."""


# By a SIGTERM it would wait for its clients to leave.
POSTGRES = Service("postgres", postgres.write, postgres.ready, postgres.where, postgres.prepare, "INT")
CONNECT = Service("connect", connect.write, connect.ready, connect.where, connect.prepare)
PUBLISHER = Service("publisher", publisher.write, publisher.ready, publisher.where)
QUEUE = Service("queue", queue.write, queue.ready, queue.where)
BRIDGE = Service("bridge", bridge.write, bridge.ready, bridge.where)
GATEWAYS = Service("gateways", *programs.GATEWAYS)
# Each by itself, for tests.
MAILBOX = Service("mailbox", *programs.MAILBOX)
SMSC = Service("smsc", *programs.SMSC)
PUSH_SERVICE = Service("push_service", *programs.PUSH_SERVICE)
CLICKS = Service("clicks", clicks.write, clicks.ready, clicks.where)
DEVICES = Service("devices", devices.write, devices.ready, devices.where)
SENDERS = Service("senders", senders.write, senders.ready, senders.where)
OPENID = Service("openid", openid.write, openid.ready, openid.where)
WEB = Service("web", web.write, web.ready, web.where)

FIRST = (POSTGRES,)
"""What the others need, besides Kafka."""
LATER = (CONNECT, PUBLISHER, QUEUE, BRIDGE, CLICKS, DEVICES, GATEWAYS, SENDERS, OPENID, WEB)
"""In the order in which they are waited for and prepared."""
SERVICES = (*FIRST, *LATER)


STOP_SIGNALS = {service.program: service.stop_signal for service in SERVICES}
"""By program."""


def commands(config: Config, layout: Layout, services: Iterable[Service]) -> dict[str, str]:
    """Configure services; return the shell command of each program, by name."""
    return {service.program: service.write(config, layout) for service in services}


def wait_until_ready(config: Config, layout: Layout, services: Iterable[Service]) -> None:
    """Wait for each service in the order given, and prepare it.

    Raises:
        OperationError: One is not ready in time.
    """
    for service in services:
        ready = partial(service.ready, config)
        wait_for(service.program, ready, _SECONDS, f"See {service.program}.out in {layout.logs}.")
        if service.prepare:
            service.prepare(config)
        print_progress(f"{service.program}: {service.where(config)}")
