"""SMS by a gateway that takes JSON over HTTP."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from account_alerts.config.gateways import SmsHttp
from delivery.gateways import keys
from delivery.gateways.base import WITHDRAWN, Message, Outcome, Result
from delivery.gateways.http import HttpService, refusal
from delivery.gateways.outcomes import unsendable
from delivery.gateways.sms import http_answers
from delivery.gateways.sms.gateway import SmsGateway
from delivery.gateways.sms.phone import international

if TYPE_CHECKING:
    from delivery.gateways.sms.callback import CallbackServer


class SmsHttpGateway(HttpService, SmsGateway):
    """Posts each SMS; repeats carry the same key in the header that the gateway drops them by."""

    def __init__(self, config: SmsHttp, ca_file: Path | None = None) -> None:
        """Describe how the gateway wants to be asked."""
        super().__init__(ca_file, config.connections, config.timeout)
        self._config = config
        self._places = asyncio.Semaphore(config.connections)
        self._callback: CallbackServer | None = None
        self._headers = {"Content-Type": "application/json"}
        if config.bearer is not None:
            self._headers["Authorization"] = f"Bearer {config.bearer.get_secret_value()}"

    async def open(self) -> None:
        """Listen for customers' SMS where the configuration says so.

        Raises:
            UnreachableError: It is not possible to listen there.
        """
        if self._config.callback is not None and self.handler is not None:
            # Here because the other senders need no web server.
            from delivery.gateways.sms.callback import CallbackServer

            timeout = self._config.timeout / 1000
            self._callback = CallbackServer(self._config.callback, self.handler, timeout)
            await self._callback.start()

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        if self._callback is not None:
            await self._callback.stop()
        await super().close()

    async def send(self, message: Message) -> Outcome:
        """Send one SMS."""
        number = international(message.address)
        if number is None:
            return unsendable("no phone number")
        key = keys.token(message.key)
        values = {"to": f"+{number}", "text": message.text, "sender": self._config.sender, "key": key}
        body = json.dumps(fill(self._config.body, values)).encode()
        headers = {**self._headers, self._config.idempotency_header: key}
        async with self._places:
            if message.is_wanted is not None and not await message.is_wanted():
                return WITHDRAWN
            answer = await self.post(self._config.url, headers=headers, content=body)
        if isinstance(answer, Outcome):
            return answer
        reference = _find(answer, self._config.id_field)
        code = _find(answer, self._config.code_field)
        named = reference is not None or not answer.content.strip()
        meaning = http_answers.meaning(answer.status_code, code, self._config.codes, named=named)
        if meaning is None:
            return Outcome(Result.SENT, reference=reference)
        said = f" {code}" if code in self._config.codes else "" if named else " without an id"
        return refusal(answer, meaning, f"HTTP {answer.status_code}{said}")


def fill(template: Any, values: Mapping[str, str]) -> Any:
    """Replace `{name}` in every text of the template, and nothing in what was filled in."""
    if isinstance(template, Mapping):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, values) for value in template]
    return _fill(template, values) if isinstance(template, str) else template


def _fill(text: str, values: Mapping[str, str]) -> str:
    pieces, rest = [], text
    while rest:
        before, brace, after = rest.partition("{")
        name, closing, left = after.partition("}")
        if brace and closing and name in values:
            pieces += [before, values[name]]
            rest = left
        else:
            pieces += [before, brace]
            rest = after
    return "".join(pieces)


def _find(answer: httpx2.Response, field: str | None) -> str | None:
    """Return what an answer has at `a.b.0`; None where there is no text or number."""
    if field is None or not answer.content:
        return None
    try:
        value = answer.json()
    except ValueError:
        return None
    for name in field.split("."):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return str(value) if isinstance(value, str | int) else None
