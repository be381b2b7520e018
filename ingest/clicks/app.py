"""The HTTP interface: `POST /v1/events`, health and metrics."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from account_alerts.config import Config, ConfigError
from account_alerts.config.ingest import Clicks
from account_alerts.records.codec import Record
from ingest.clicks import problems, writer
from ingest.clicks.authentication import EVERYBODY, Authenticator
from ingest.clicks.events import parse_events
from ingest.clicks.problems import ProblemError
from ingest.clicks.writer import BrokerUnavailableError, Writer

_log = logging.getLogger(__name__)
_DEMO = Path(__file__).with_name("demo.html")
_SHORTEST_SECRET = 32
"""Bytes."""


class Metrics:
    """What is counted, for Prometheus."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()
        self.accepted = Counter("clicks_accepted", "Events that Kafka has", registry=self.registry)
        self.refused = Counter("clicks_refused", "Requests refused", ["status"], registry=self.registry)
        self.away = Counter("clicks_away", "Requests told to come again", registry=self.registry)
        self.seconds = Histogram("clicks_seconds", "Time to Kafka's answer", registry=self.registry)


def section(config: Config) -> tuple[Clicks, bytes]:
    """The endpoint's configuration, and the secret that tokens are signed with (empty: none are asked for).

    Raises:
        ConfigError: There is no such section, or no usable secret where there must be one.
    """
    clicks = config.clicks
    if clicks is None:
        raise ConfigError(f"{config.path}: clicks: missing. Add it, as in conf/local.yaml.")
    secret = clicks.secret.get_secret_value().encode() if clicks.secret else b""
    if clicks.authentication == "none":
        return clicks, b""
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigError(
            f"{config.path}: clicks.secret: authentication by token needs one of at least {_SHORTEST_SECRET} "
            "bytes; set ALERTS_CLICKS__SECRET in the environment, the same as in the bank's login."
        )
    return clicks, secret


def make_app(config: Config) -> FastAPI:
    """The endpoint.

    Raises:
        ConfigError: The configuration has no usable section for it.
    """
    clicks, secret = section(config)
    authenticator = Authenticator(secret) if secret else None
    metrics = Metrics()
    writers: list[Writer] = []

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        writers.append(Writer(config, writer.connect(config, clicks.acknowledged_within)))
        yield
        await asyncio.to_thread(writers.pop().close)

    app = FastAPI(title="Clicks", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    if clicks.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(clicks.origins),
            allow_methods=["POST"],
            allow_headers=["Authorization", "Content-Type"],
            max_age=7200,
        )

    problems.install(app)

    @app.post("/v1/events")
    async def accept(request: Request) -> Response:
        with metrics.seconds.time():
            try:
                events = await _authorized_events(request, clicks, authenticator)
                await writers[0].write(events)
            except ProblemError as problem:
                metrics.refused.labels(str(problem.status)).inc()
                return problems.respond(problem)
            except BrokerUnavailableError as error:
                metrics.away.inc()
                _log.warning("Kafka did not take a request's events in time: %s", error)
                return problems.respond(_unavailable(clicks))
        metrics.accepted.inc(len(events))
        return JSONResponse({"accepted": len(events)}, 202)

    @app.get("/healthz")
    async def alive() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz")
    async def ready() -> Response:
        reachable = await asyncio.to_thread(writers[0].reachable)
        return JSONResponse({"kafka": "ok" if reachable else "away"}, 200 if reachable else 503)

    @app.get("/metrics")
    async def numbers() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    if config.local is not None:

        @app.get("/demo")
        async def demo() -> Response:
            return FileResponse(_DEMO)

    return app


async def _authorized_events(
    request: Request, clicks: Clicks, authenticator: Authenticator | None
) -> list[Record]:
    """Read the events of a request, each of which its token lets in.

    Raises:
        ProblemError: 401, 403, 413 or 422: none of them is accepted.
    """
    customer = EVERYBODY
    if authenticator is not None:
        customer = authenticator.customer(request.headers.get("Authorization", ""))
    events = parse_events(await _body(request, clicks.largest_body), clicks.largest_batch)
    if customer != EVERYBODY and any(event["customer_id"] != customer for event in events):
        detail = "The token is another customer's. Send each customer's events with their own token."
        raise ProblemError(403, detail)
    return events


async def _body(request: Request, largest: int) -> bytes:
    """Read the request's body, no further than it may be long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise ProblemError(413, f"The body is too long. Send at most {largest} bytes in a request.")
    return bytes(body)


def _unavailable(clicks: Clicks) -> ProblemError:
    seconds = str(-(-clicks.retry_after // 1000))
    detail = (
        "Kafka did not acknowledge the events in time. "
        f"Send the same events again in {seconds} s, with the same event_id."
    )
    return ProblemError(503, detail, headers={"Retry-After": seconds})
