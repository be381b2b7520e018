"""The programs of the chain's two ends, which `alerts up --profile full` starts beside Kafka and Flink."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from account_alerts.config import Config
from devenv.fake_gateways import programs
from devenv.layout import Layout
from devenv.services import bridge, clicks, connect, devices, postgres, publisher, queue, senders
from operations.waiting import say, wait_for

_SECONDS = 180.0


@dataclass(frozen=True)
class Part:
    """A program of the local environment; the supervisor starts it, and starts it again when it dies.

    All start at once, so each waits by itself for what it needs.
    """

    program: str
    """Its name: of its process in `alerts status`, and of its log."""
    write: Callable[[Config, Layout], str]
    """Writes what the program is configured by; returns the shell command that becomes it (`exec ...`)."""
    ready: Callable[[Config], bool]
    """Whether it does its work; never raises while it does not."""
    where: Callable[[Config], str]
    """What a user is told when it is ready, such as its address."""
    prepare: Callable[[Config], object] | None = None
    """What is to be done once it is ready, every time, such as migrations."""


POSTGRES = Part("postgres", postgres.write, postgres.ready, postgres.where, postgres.prepare)
CONNECT = Part("connect", connect.write, connect.ready, connect.where, connect.prepare)
PUBLISHER = Part("publisher", publisher.write, publisher.ready, publisher.where)
QUEUE = Part("queue", queue.write, queue.ready, queue.where)
BRIDGE = Part("bridge", bridge.write, bridge.ready, bridge.where)
MAILBOX = Part("mailbox", *programs.MAILBOX)
SMSC = Part("smsc", *programs.SMSC)
PUSH_SERVICE = Part("push_service", *programs.PUSH_SERVICE)
CLICKS = Part("clicks", clicks.write, clicks.ready, clicks.where)
DEVICES = Part("devices", devices.write, devices.ready, devices.where)
PROFILES, SENDER_EMAIL, SENDER_SMS, SENDER_PUSH = (
    Part(
        "profiles" if process == "profiles" else f"sender_{process}",
        partial(senders.write, process=process),
        partial(senders.ready, process=process),
        partial(senders.where, process=process),
    )
    for process in ("profiles", "email", "sms", "push")
)

PARTS: tuple[Part, ...] = (
    *(POSTGRES, CONNECT, PUBLISHER, QUEUE, BRIDGE, CLICKS, DEVICES, MAILBOX, SMSC, PUSH_SERVICE),
    *(PROFILES, SENDER_EMAIL, SENDER_SMS, SENDER_PUSH),
)
"""In the order in which they are waited for and prepared."""


def commands(config: Config, layout: Layout) -> dict[str, str]:
    """Configure all parts; the shell command of each program, by name."""
    return {part.program: part.write(config, layout) for part in PARTS}


def wait_until_ready(config: Config, layout: Layout) -> None:
    """Wait for each part in its order, and prepare it.

    Raises:
        OperationError: One is not ready in time.
    """
    for part in PARTS:
        ready = partial(part.ready, config)
        wait_for(part.program, ready, _SECONDS, f"See {part.program}.out in {layout.logs}.")
        if part.prepare:
            part.prepare(config)
        say(f"{part.program}: {part.where(config)}")
