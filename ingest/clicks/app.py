"""The HTTP interface: `POST /v1/events`, and whether the process lives."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CollectorRegistry
from starlette.requests import ClientDisconnect

from account_alerts.config import Config
from account_alerts.config.ingest import Clicks
from account_alerts.records.codec import Record
from account_alerts.service import metrics, problems
from account_alerts.service.problems import ProblemError
from ingest.clicks.authentication import Authenticator, make_authenticator
from ingest.clicks.events import ClickEvent, parse_events
from ingest.clicks.writer import BrokerUnavailableError, Writer

_log = logging.getLogger(__name__)
_DEMO = Path(__file__).with_name("demo.html")

_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Kafka has acknowledged all events"},
    401: {"description": "There is no valid token"},
    403: {"description": "The token is another customer's"},
    408: {"description": "The body did not come whole in time"},
    413: {"description": "The body is too long"},
    422: {"description": "An event is invalid; nothing was written"},
    503: {"description": "Kafka did not acknowledge in time; `Retry-After` says when to send the same again"},
}
"""What the OpenAPI description says about each status; errors are problem details (RFC 9457)."""
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": ClickEvent.model_json_schema()}},
    }
}


class Metrics:
    """The endpoint's metrics, as account_alerts/service/metrics.py declares them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make them in a registry."""
        self.accepted = metrics.CLICKS_ACCEPTED_EVENTS.create(registry)
        self.rejected = metrics.CLICKS_REJECTED_REQUESTS.create(registry)
        self.unavailable = metrics.CLICKS_UNAVAILABLE_RESPONSES.create(registry)
        self.disconnected = metrics.CLICKS_DISCONNECTED_REQUESTS.create(registry)
        self.duration = metrics.CLICKS_REQUEST_DURATION.create(registry)


def make_app(config: Config, writer: Writer, registry: CollectorRegistry) -> FastAPI:
    """Make the endpoint.

    Raises:
        ConfigError: The configuration has no usable section `clicks`.
    """
    clicks = config.require("clicks")
    authenticator = make_authenticator(config)
    counted = Metrics(registry)
    app = FastAPI(title="Clicks", docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(app)
    if clicks.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(clicks.origins),
            allow_methods=["POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
            max_age=7200,
        )

    @app.post("/v1/events", status_code=202, responses=_ANSWERS, openapi_extra=_BODY)
    async def accept(request: Request) -> Response:
        """Take one event, or an array of them."""
        with counted.duration.time():
            try:
                events = await _authorized_events(request, clicks, authenticator)
                await writer.write(events)
            except ProblemError as problem:
                counted.rejected.labels(str(problem.status)).inc()
                return problems.respond(problem)
            except ClientDisconnect:
                # A phone without a network, for one: it sends the same again, and nobody hears this answer.
                counted.disconnected.inc()
                return Response(status_code=400)
            except BrokerUnavailableError as error:
                counted.unavailable.inc()
                _log.warning("Kafka did not take a request's events in time: %s", error)
                return problems.respond(_unavailable(clicks))
        counted.accepted.inc(len(events))
        return JSONResponse({"accepted": len(events)}, 202)

    @app.get("/healthz")
    async def alive() -> Response:
        """Say that the process lives."""
        return JSONResponse({"status": "ok"})

    if config.local is not None:

        @app.get("/demo")
        async def demo() -> Response:
            """Show a page that sends events; in the local environment only."""
            return FileResponse(_DEMO)

    return app


async def _authorized_events(
    request: Request, clicks: Clicks, authenticator: Authenticator | None
) -> list[Record]:
    """Read the events of a request, each of which its token lets in.

    Raises:
        ProblemError: 401, 403, 408, 413 or 422: none of them is accepted.
    """
    customer = None
    if authenticator is not None:
        customer = authenticator.customer(request.headers.get("Authorization", ""))
    events = parse_events(await _body(request, clicks), clicks.largest_batch)
    if customer is not None and any(event["customer_id"] != customer for event in events):
        detail = "The token is another customer's. Send each customer's events with their own token."
        raise ProblemError(403, detail)
    return events


async def _body(request: Request, clicks: Clicks) -> bytes:
    """Read the request's body, no further than it may be long, and no longer than it may take."""
    body = bytearray()
    try:
        async with asyncio.timeout(clicks.request_within / 1000):
            async for part in request.stream():
                body += part
                if len(body) > clicks.largest_body:
                    detail = f"The body is too long. Send at most {clicks.largest_body} bytes in a request."
                    # Not closed at once: a browser that still sends would hear nothing, and send it again.
                    raise ProblemError(413, detail)
    except TimeoutError:
        detail = f"The body did not come whole within {clicks.request_within} ms. Send the same events again."
        raise ProblemError(408, detail, headers={"Connection": "close"}) from None
    return bytes(body)


def _unavailable(clicks: Clicks) -> ProblemError:
    seconds = str(-(-clicks.retry_after // 1000))
    detail = (
        "Kafka did not acknowledge the events in time. "
        f"Send the same events again in {seconds} s, with the same event_id."
    )
    return ProblemError(503, detail, headers={"Retry-After": seconds})
