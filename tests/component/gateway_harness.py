"""Conversations of gateways with real servers, over TLS where they speak it."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import uvloop

from account_alerts.config import Config, load
from account_alerts.model.alerts import Channel
from delivery.gateways.base import Gateway, Message, Outcome, Result
from delivery.gateways.factory import make_gateway
from delivery.gateways.sms.gateway import IncomingHandler, SmsGateway
from devenv.fake_gateways import received, secrets
from devenv.fake_gateways.files import files
from devenv.services.catalog import Service
from tests.component.programs import Programs

_numbers = itertools.count()


@contextmanager
def running(programs: Programs, service: Service) -> Iterator[Config]:
    """Run a gateway's server; yields what a sender is configured by, secrets included."""
    values = secrets.variables(programs.config)
    programs.start(service)
    with pytest.MonkeyPatch.context() as variables:
        for name, value in values.items():
            variables.setenv(name, value)
        own = load(files(programs.config).folder / f"{service.program}.yaml")
    yield own
    programs.stop(service.program)  # Other tests listen on its port themselves.


def new_key() -> str:
    """Return a key that no other message has."""
    return f"key{next(_numbers)}"


def override(config: Config, *path: str, **values: Any) -> Config:
    """Return the same with other values in a section below `senders`."""

    def change(section: Any, rest: tuple[str, ...]) -> Any:
        inner = {rest[0]: change(getattr(section, rest[0]), rest[1:])} if rest else values
        return section.model_copy(update=inner)

    return config.model_copy(update={"senders": change(config.senders, path)})


def new_message(address: str, **fields: Any) -> Message:
    """Make a message to an address; `fields` replace its own."""
    values = {
        "key": new_key(),
        "customer_id": "c1",
        "language": "en",
        "title": "Title",
        "text": "Text",
    }
    return Message(address=address, **{**values, **fields})


@asynccontextmanager
async def open_gateway(
    config: Config, channel: str, handler: IncomingHandler | None = None
) -> AsyncIterator[Gateway]:
    """Open the gateway of a channel, and close it at the end; `handler` takes customers' SMS."""
    gateway = make_gateway(config, Channel(channel))
    if isinstance(gateway, SmsGateway):
        gateway.handler = handler
    await gateway.open()
    try:
        yield gateway
    finally:
        await gateway.close()


def converse(
    config: Config,
    channel: str,
    conversation: Callable[[Gateway], Coroutine[Any, Any, Any]],
    handler: IncomingHandler | None = None,
) -> Any:
    """Hold a conversation with the gateway of a channel; returns its result."""

    async def run() -> Any:
        async with open_gateway(config, channel, handler) as gateway:
            return await conversation(gateway)

    return uvloop.run(asyncio.wait_for(run(), 120))


def send(config: Config, channel: str, *messages: Message) -> list[Outcome]:
    """Send one message after the other; returns the outcomes."""

    async def conversation(gateway: Gateway) -> list[Outcome]:
        return [await gateway.send(message) for message in messages]

    outcomes: list[Outcome] = converse(config, channel, conversation)
    return outcomes


def items_with_key(config: Config, channel: str, message: Message) -> list[received.Item]:
    """Return what the server has of a message."""
    return [item for item in received.items(config, channel) if item.key == message.key]


async def send_until_taken(gateway: Gateway, message: Message) -> list[Outcome]:
    """Send a message until the gateway has it; returns the outcomes."""
    outcomes = [await gateway.send(message)]
    deadline = time.monotonic() + 60
    while outcomes[-1].result is not Result.SENT:
        assert time.monotonic() < deadline, outcomes[-1]
        await asyncio.sleep(0.05)  # A gateway says when it is asked.
        outcomes.append(await gateway.send(message))
    return outcomes
