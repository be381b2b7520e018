"""The web application and the local OpenID provider in this process, with a bank in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import httpx2
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from account_alerts.config import Config, load
from account_alerts.postgres import DatabaseError
from account_alerts.service.clock import SYSTEM_CLOCK
from devenv.bank.openid_provider.app import make_app
from tests.clock import FakeClock
from web.app import create_app
from web.auth.openid import OpenIdProvider
from web.auth.session import Cookies
from web.parts import Parts, make_parts

SECRET = "0123456789abcdef0123456789abcdef"
ORIGIN = "http://localhost:8080"


class NoDatabase:
    """A database that is away; or one in which every customer is there."""

    def __init__(self) -> None:
        self.is_away = False
        self.customers: set[str] | None = None
        """Those there are; None: all."""

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """Lend the only connection."""
        if self.is_away:
            raise DatabaseError("postgresql://alerts@localhost/bank: PoolTimeout")
        yield self

    async def execute(self, _: str, values: tuple[str, ...]) -> "NoDatabase":
        """Find a customer."""
        known = self.customers is None or values[0] in self.customers
        self.row = {"customer_id": values[0], "language": "en", "time_zone": "UTC"} if known else None
        return self

    async def fetchone(self) -> Any:
        """Return the customer."""
        return self.row


@dataclass
class Application:
    """The application, and browsers that use it."""

    config: Config
    # Authlib goes by the machine's clock: it starts there.
    clock: FakeClock = field(default_factory=lambda: FakeClock(SYSTEM_CLOCK.now_ms()))
    database: NoDatabase = field(default_factory=NoDatabase)
    change: Callable[[FastAPI], object] = lambda app: None

    def __post_init__(self) -> None:
        self.provider = make_app(self.config, ["1", "2"], self.clock)
        made = make_parts(self.config, CollectorRegistry())
        database: Any = self.database
        self.parts: Parts = replace(
            made,
            bank=database,
            ledger=database,
            provider=OpenIdProvider(self.config, self.clock, httpx2.ASGITransport(app=self.provider)),
            cookies=Cookies(self.config.require("web"), self.clock),
            clock=self.clock,
        )
        self.app = create_app(self.parts)
        self.change(self.app)

    def run(self, steps: "Callable[[Browser], Awaitable[None]]") -> None:
        """Let a browser take steps."""

        async def steps_of_browser() -> None:
            async with Browser(self) as browser:
                await steps(browser)

        asyncio.run(steps_of_browser())


class Browser:
    """Follows redirects between application and provider, and keeps the application's cookies."""

    def __init__(self, application: Application) -> None:
        transport = httpx2.ASGITransport(app=application.app, raise_app_exceptions=False)
        self.web = httpx2.AsyncClient(transport=transport, base_url=ORIGIN)
        login = httpx2.ASGITransport(app=application.provider)
        self.provider = httpx2.AsyncClient(
            transport=login, base_url=application.config.require("web").openid.issuer
        )

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.web.aclose()
        await self.provider.aclose()

    async def post(self, path: str, origin: str = ORIGIN, **content: Any) -> httpx2.Response:
        """Send a form of the application's own page."""
        return await self.web.post(path, headers={"Origin": origin}, **content)

    async def log_in(self, subject: str, path: str = "/login") -> httpx2.Response:
        """Log in; returns the application's answer to the code."""
        asked = await self.web.get(path)
        assert asked.status_code in (302, 303), asked.text
        form = httpx2.URL(asked.headers["Location"]).params
        assert (await self.provider.get(asked.headers["Location"])).status_code == 200
        chosen = await self.provider.post("/authorize", data={**dict(form), "subject": subject})
        assert chosen.status_code == 303, chosen.text
        back = urlsplit(chosen.headers["Location"])
        return await self.web.get(f"{back.path}?{back.query}")


def configure(**web: Any) -> Config:
    """Return the local configuration with a secret."""
    return load(overrides={"web": {"session_secret": SECRET, **web}})
