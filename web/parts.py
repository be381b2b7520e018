"""What all routes share; `request.app.state.parts`."""

import asyncio
from dataclasses import dataclass

from fastapi import Request
from prometheus_client import CollectorRegistry

from account_alerts.config import Config
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from web.assets import Assets
from web.auth.openid import OpenIdProvider
from web.auth.session import Cookies
from web.devices import Devices
from web.inbox import InboxWatch
from web.operator.watch import ChainWatch, sources
from web.rates import RateLimits
from web.store.pools import Store
from web.templating import Templates


@dataclass(frozen=True)
class Parts:
    """The parts of the application; each is open while it runs."""

    config: Config
    bank: Store
    """The bank's database: customers, settings, addresses."""
    ledger: Store
    """The delivery ledger: what became of each alert."""
    inboxes: InboxWatch
    """The inboxes that are open in this process."""
    devices: Devices
    """The bank's device service."""
    provider: OpenIdProvider
    cookies: Cookies
    assets: Assets
    """The files that pages load."""
    templates: Templates
    chain: ChainWatch
    """What the operators' page shows."""
    limits: RateLimits
    registry: CollectorRegistry
    clock: Clock = SYSTEM_CLOCK

    async def open(self) -> None:
        """Begin to connect to the databases, and to watch the chain."""
        await self.bank.open()
        await self.ledger.open()
        self.chain.start()

    async def close(self) -> None:
        """Close what is open."""
        await self.inboxes.stop()
        await asyncio.to_thread(self.chain.stop)
        await self.devices.close()
        await self.bank.close()
        await self.ledger.close()


def make_parts(config: Config, registry: CollectorRegistry) -> Parts:
    """Make the parts that the configuration describes; nothing is connected yet.

    Raises:
        ConfigError: A section or the session's secret is missing.
        OperationError: A file that pages load is missing: run `make install`.
    """
    web = config.require("web")
    assets = Assets(web.brand)
    ledger = Store(config.require("delivery"), web.connections)
    return Parts(
        config,
        Store(config.require("bank"), web.connections),
        ledger,
        InboxWatch(ledger),
        Devices(config),
        OpenIdProvider(config),
        Cookies(web),
        assets,
        Templates(web.brand, assets),
        ChainWatch(config, sources(config)),
        RateLimits(web.requests_per_second, web.burst),
        registry,
    )


def parts_of(request: Request) -> Parts:
    """Return the application's parts: `Annotated[Parts, Depends(parts_of)]`."""
    parts: Parts = request.app.state.parts
    return parts
