"""The whole application in this process, with real databases, and a client of its API."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx2
from fastapi import FastAPI

from account_alerts.config import Config
from devenv.bank.device_service.store import Store as DeviceStore
from devenv.bank.openid_provider import people
from devenv.bank.openid_provider.app import make_app
from tests.component import web_bank
from web.app import create_app
from web.auth.openid import OpenIdProvider
from web.parts import Parts


class Client:
    """One who asks the API, with a token or without."""

    def __init__(self, http: httpx2.AsyncClient, token: str | None) -> None:
        self._http = http
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Send one request; `path` is below /api/v1."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content: dict[str, Any] = {} if body is None else {"json": body}
        return await self._http.request(
            method, f"/api/v1{path}", headers={**self._headers, **named}, **content
        )


class Api:
    """The application, and who logs in."""

    def __init__(self, config: Config, devices: DeviceStore) -> None:
        self._provider = make_app(config, [])
        parts = web_bank.make(config, devices)
        transport = httpx2.ASGITransport(app=self._provider)
        self.parts: Parts = replace(parts, provider=OpenIdProvider(config, transport=transport))
        self.app: FastAPI = create_app(self.parts)
        self._http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app, raise_app_exceptions=False),
            base_url=config.require("web").public_url,
        )
        self._login = httpx2.AsyncClient(transport=transport, base_url=config.require("web").openid.issuer)

    async def customer(self, customer_id: str) -> Client:
        """Log a customer in."""
        return await self.person(people.customer(customer_id).subject)

    async def person(self, subject: str) -> Client:
        """Log somebody in."""
        answer = await self._login.post("/api-token", data={"subject": subject})
        assert answer.status_code == 200, answer.text
        return Client(self._http, answer.text.strip())

    def nobody(self) -> Client:
        """Return who has no token."""
        return Client(self._http, None)

    async def run(self, steps: "Callable[[Api], Awaitable[None]]") -> None:
        """Take steps while the databases' pools are open."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._http)
            await stack.enter_async_context(self._login)

            async def with_parts(_: Parts) -> None:
                await steps(self)

            await web_bank.run(self.parts, with_parts)
