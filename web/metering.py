"""Counts requests and how long they take, by route and status."""

from time import perf_counter

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from account_alerts.service import metrics

_NO_ROUTE = "none"


class Metering:
    """The outermost middleware: what it sees is what the asker sees."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        """Wrap an application; make the metrics in a registry."""
        self._app = app
        self._requests = metrics.WEB_REQUESTS.create(registry)
        self._duration = metrics.WEB_REQUEST_DURATION.create(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                # To the first byte: an answer that goes on, such as a page's live events, is no slow one.
                status = message["status"]
                self._duration.observe(perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # By the route's pattern: ids of customers are no labels.
            route = getattr(scope.get("route"), "path", _NO_ROUTE)
            self._requests.labels(route, str(status)).inc()
