"""The application: its routers, and what stands around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from web import problems
from web.api import router as api
from web.auth import routes as auth
from web.auth.session import Sessions
from web.customer import alerts, inbox, reach
from web.customer.pages import problem_page
from web.metering import Metering
from web.operator import dead_letters, erase, lookup, rules
from web.operator import routes as chain
from web.parts import Parts
from web.security import BodyLimit, SameOriginOnly, SecurityHeaders
from web.unsubscribe import router as unsubscribe

ROUTERS: tuple[APIRouter, ...] = (
    *api.ROUTERS,
    auth.router,
    alerts.router,
    reach.router,
    inbox.router,
    unsubscribe,
    chain.router,
    lookup.router,
    dead_letters.router,
    rules.router,
    erase.router,
)
"""Of the API, the pages of customers, and those of operators."""


def create_app(parts: Parts) -> FastAPI:
    """Make the application of its parts; they are opened when it starts, and closed when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await parts.open()
        try:
            yield
        finally:
            await parts.close()

    web = parts.config.require("web")
    app = FastAPI(
        title="Account Alerts",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.parts = parts
    problems.install(app, problem_page)
    for router in (parts.assets.router(), *ROUTERS):
        app.include_router(router)
    # The last one added is the outermost.
    app.add_middleware(Sessions, cookies=parts.cookies)
    app.add_middleware(SameOriginOnly, web=web)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, web=web)
    app.add_middleware(Metering, registry=parts.registry)
    return app
