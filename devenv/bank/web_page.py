"""Sending events to the clicks endpoint, as a web page would."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import OctKey

from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from account_alerts.service.clock import SYSTEM_CLOCK
from ingest.clicks.authentication import ALGORITHM, ANY_CUSTOMER, AUDIENCE

_LONGEST_TOKEN_S = 30 * 86_400


class ClicksError(OperationError):
    """The endpoint cannot be reached, or did not accept the events; the message says why."""


def example(customer_id: str) -> list[dict[str, Any]]:
    """Make the events of a loan application that a customer began and left just now."""
    common = {
        "customer_id": customer_id,
        "occurred_at": SYSTEM_CLOCK.now_ms(),
        "application_id": f"loan-{uuid.uuid4()}",
        "product": "LOAN",
        "page": "/loans/apply",
    }
    kinds = ("APPLICATION_BEGUN", "APPLICATION_LEFT")
    return [{"event_id": str(uuid.uuid4()), "event_type": kind, **common} for kind in kinds]


def read(file: Path) -> list[dict[str, Any]]:
    """Read the events of a file: JSON, one or an array of them.

    Raises:
        ClicksError: It is no JSON.
    """
    try:
        parsed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ClicksError(f"{file}: {error}") from error
    return parsed if isinstance(parsed, list) else [parsed]


def send(config: Config, events: list[dict[str, Any]], url: str | None = None) -> int:
    """Send events; return how many were accepted, in as many requests as it takes.

    Args:
        config: Where the endpoint is, and the secret for a token where it asks for one.
        events: As in schemas/ClickEvent.avsc; nullable fields may be left out.
        url: The endpoint's address, where it is not on this machine.

    Raises:
        ClicksError: It is not reached, or accepts not all; what it accepted before stays accepted.
    """
    clicks = config.require("clicks")
    address, size = url or f"http://localhost:{clicks.port}", clicks.largest_batch
    headers = {}
    if clicks.authentication == "token":
        headers["Authorization"] = f"Bearer {token(config, None, 300)}"
    for start in range(0, len(events), size):
        try:
            answer = httpx2.post(
                f"{address}/v1/events", json=events[start : start + size], headers=headers, timeout=30
            )
        except httpx2.HTTPError as error:
            raise ClicksError(
                f"{address} does not answer ({error}). Is it up? `alerts up --profile full`"
            ) from error
        if answer.status_code != 202:
            raise ClicksError(f"{address} answers {answer.status_code}: {answer.text}")
    return len(events)


def token(config: Config, customer_id: str | None, seconds: int) -> str:
    """Issue a token as the bank's login would, for trying (ingest/clicks/authentication.py).

    Args:
        config: Has the secret.
        customer_id: Whose events it lets in; None: any customer's, as a server of the bank.
        seconds: For how long.

    Raises:
        ClicksError: There is no secret, or it should hold for longer than 30 days.
    """
    secret = config.require("clicks").secret
    if secret is None:
        raise ClicksError("there is no secret: set ALERTS_CLICKS__SECRET in the environment")
    if not 0 < seconds <= _LONGEST_TOKEN_S:
        raise ClicksError(f"{seconds} s: a token holds for 1 to {_LONGEST_TOKEN_S} s")
    key = OctKey.import_key(secret.get_secret_value().encode())
    now = int(time.time())
    whose = {"sub": "server", "scope": ANY_CUSTOMER} if customer_id is None else {"sub": customer_id}
    claims = {**whose, "aud": AUDIENCE, "iat": now, "exp": now + seconds}
    return jwt.encode({"alg": ALGORITHM}, claims, key, algorithms=[ALGORITHM])
