"""The HTTP side: what is asked, what is answered."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from account_alerts.config import Config, ConfigError
from account_alerts.config.ingest import Clicks
from ingest.clicks.events import RefusedError, read_events
from ingest.clicks.tokens import EVERYBODY, holder
from ingest.clicks.writer import AwayError, Writer

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
    metrics = Metrics()
    writers: list[Writer] = []

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        writers.append(Writer(config, clicks.acknowledged_within))
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

    @app.post("/v1/events")
    async def take(request: Request) -> Response:
        with metrics.seconds.time():
            try:
                whose = _whose(request, secret)
                events = read_events(await _body(request, clicks.largest_body), clicks.largest_batch)
                if whose != EVERYBODY and any(event["customer_id"] != whose for event in events):
                    cure = "Send each customer's events with a token of his own."
                    raise RefusedError(
                        403, [_problem("customer_id", "the token is another customer's", cure)]
                    )
                await writers[0].write(events)
            except RefusedError as error:
                metrics.refused.labels(str(error.status)).inc()
                return JSONResponse({"errors": error.problems}, error.status)
            except AwayError as error:
                metrics.away.inc()
                _log.warning("Kafka did not take a request's events in time: %s", error)
                again = str(-(-clicks.retry_after // 1000))
                cure = f"Send the same events again in {again} s, with the same event_id."
                problem = _problem("", "the events could not be kept", cure)
                return JSONResponse({"errors": [problem]}, 503, {"Retry-After": again})
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


def _whose(request: Request, secret: bytes) -> str:
    """The customer whose events may be sent with the request's token."""
    if not secret:
        return EVERYBODY
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    customer = holder(secret, token.strip(), time.time()) if kind.lower() == "bearer" else None
    if customer is None:
        cure = "Send Authorization: Bearer and a token of the bank's login that has not expired."
        raise RefusedError(401, [_problem("Authorization", "there is no token that holds", cure)])
    return customer


async def _body(request: Request, largest: int) -> bytes:
    """The request's body, read no further than it may be long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            cure = f"Send at most {largest} bytes in a request."
            raise RefusedError(413, [_problem("", "the body is too long", cure)])
    return bytes(body)


def _problem(field: str, problem: str, cure: str) -> dict[str, str]:
    return {"field": field, "problem": problem, "cure": cure}
