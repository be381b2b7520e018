"""The endpoint to which an SMS gateway posts customers' SMS (a webhook)."""

import asyncio
import hmac
import json
import logging
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response

from account_alerts.config.gateways import SmsCallback
from account_alerts.model.errors import InvalidRecordError, UnreachableError
from delivery.gateways.sms import gsm
from delivery.gateways.sms.gateway import IncomingHandler
from delivery.gateways.sms.incoming import IncomingSms
from delivery.gateways.sms.phone import international

_log = logging.getLogger(__name__)
_LONGEST_BODY = 1 << 20
_FORM = "application/x-www-form-urlencoded"
_START_SECONDS, _STOP_SECONDS = 30.0, 10


class InvalidCallbackError(InvalidRecordError):
    """What was posted holds no SMS as the configuration describes them."""


def parse_callback(config: SmsCallback, content_type: str, body: bytes) -> list[IncomingSms]:
    """Read the SMS in the body of a request, a form or JSON; of senders without a number there is none.

    Raises:
        InvalidCallbackError: It is neither, or a field is missing.
    """
    try:
        if content_type.partition(";")[0].strip().lower() == _FORM:
            posted: Any = dict(parse_qsl(body.decode(), keep_blank_values=True))
        else:
            posted = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidCallbackError("neither a form nor JSON") from error
    messages = posted if config.messages is None else _field(posted, config.messages)
    found = []
    for message in messages if isinstance(messages, list) else [messages]:
        number, text = _field(message, config.number), _field(message, config.text)
        if not isinstance(number, str | int) or not isinstance(text, str):
            raise InvalidCallbackError(f"an SMS without {config.number} or {config.text}")
        if (sender := international(str(number))) is None:
            _log.warning("an SMS from what is no international number is dropped")
            continue
        found.append(IncomingSms(sender, "", gsm.UCS2, text.encode("utf-16-be", "replace")))
    return found


def make_app(config: SmsCallback, handler: IncomingHandler, timeout: float) -> FastAPI:
    """Make the endpoint; it answers 204 when all SMS of a request are recorded.

    Args:
        config: Its path, secret and fields.
        handler: Records an SMS.
        timeout: Seconds for all of a request; after it the gateway is told to come again.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    wanted = None if config.secret is None else config.secret.get_secret_value().encode()

    @app.post(config.path)
    async def take(request: Request) -> Response:
        given = request.headers.get(config.header, "").encode("latin-1", "replace")
        if wanted is not None and not hmac.compare_digest(given, wanted):
            return Response("the secret is missing or wrong", 401)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LONGEST_BODY:
                return Response("too long", 413)
        try:
            messages = parse_callback(config, request.headers.get("Content-Type", ""), bytes(body))
        except InvalidCallbackError as error:
            _log.error("an SMS gateway posted what cannot be read: %s", error)
            return Response(str(error), 422)
        try:
            async with asyncio.timeout(timeout):
                for message in messages:
                    await handler(message)
        except Exception as error:
            _log.error("an SMS from a customer was not recorded: %s", type(error).__name__)
            return Response("try again", 503, {"Retry-After": "5"})
        return Response(status_code=204)

    return app


class CallbackServer:
    """Serves the endpoint in a thread of its own; what it takes is handled in the loop that started it."""

    def __init__(self, config: SmsCallback, handler: IncomingHandler, timeout: float) -> None:
        """Listen from `start` on."""
        self._where = f"{config.host}:{config.port}"
        self._loop: asyncio.AbstractEventLoop | None = None

        async def hand_over(sms: IncomingSms) -> None:
            assert self._loop is not None
            recording: Any = handler(sms)
            # Shielded: what has begun is recorded, though the gateway does not wait for it.
            await asyncio.shield(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(recording, self._loop)))

        settings = uvicorn.Config(
            make_app(config, hand_over, timeout),
            host=config.host,
            port=config.port,
            access_log=False,  # Who opts out is nobody's business.
            log_config=None,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._run, name="sms callback", daemon=True)

    async def start(self) -> None:
        """Listen.

        Raises:
            UnreachableError: The port is taken, or the host is not this machine's.
        """
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        async with asyncio.timeout(_START_SECONDS):
            while not self._server.started:
                if not self._thread.is_alive():
                    raise UnreachableError(f"senders.sms.http.callback: cannot listen on {self._where}")
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Answer what has begun, and stop listening."""
        self._server.should_exit = True
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # uvicorn's way to say that it cannot listen; it has logged why.
            return


def _field(message: Any, name: str) -> Any:
    """Return a field by its name, `a.b` for nested ones; None where it is missing."""
    for part in name.split("."):
        message = message.get(part) if isinstance(message, Mapping) else None
    return message
