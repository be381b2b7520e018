"""The page of the chain: the live picture by server-sent events, the plots as JSON."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from account_alerts.model.alerts import Channel
from web.auth.dependencies import Operator, TheParts
from web.operator.headlines import CHANNEL_NAMES
from web.operator.pages import page
from web.operator.plots import plots
from web.operator.views import chain_view, hour_rows, trouble_view, type_rows
from web.parts import Parts

router = APIRouter(prefix="/operator", include_in_schema=False)
_EVERY_SECONDS = 1.0
_STREAM_SECONDS = 600
"""A stream ends after so long, and the browser opens another: who may not look any more is out."""
_PLOTS = (
    ("alerts", "Alerts a minute, by channel"),
    ("bookings", "Bookings a minute"),
    ("dead", "Dead letters a minute"),
    ("checkpoints", "Checkpoints, and how long they took"),
)


@router.get("")
async def chain(operator: Operator, parts: TheParts) -> Response:
    """Show the whole chain."""
    found, columns = parts.chain.snapshot(), _plots(parts)
    trouble = trouble_view(found)
    return page(
        parts,
        operator,
        "chain.html",
        "chain",
        **chain_view(found),
        **trouble,
        plots=_PLOTS,
        types=type_rows(columns["types"]),
        hour=hour_rows(columns),
        channel_names=[CHANNEL_NAMES[channel] for channel in Channel],
    )


@router.get("/live")
async def live(_: Operator, parts: TheParts) -> Response:
    """Stream the picture, once a second; the notice on top only when it changes, as it is read out."""
    return StreamingResponse(_stream(parts), media_type="text/event-stream")


@router.get("/plots.json")
async def plots_json(_: Operator, parts: TheParts) -> dict[str, Any]:
    """Return the columns of the plots."""
    return _plots(parts)


def _plots(parts: Parts) -> dict[str, Any]:
    return plots(parts.config, parts.chain.readings(), parts.clock.now_ms())


async def _stream(parts: Parts) -> AsyncIterator[str]:
    told: dict[str, Any] = {}
    for _ in range(round(_STREAM_SECONDS / _EVERY_SECONDS)):
        found = parts.chain.snapshot()
        text = parts.templates.render("operator/_chain.html", **chain_view(found))
        trouble = trouble_view(found)
        if trouble != told:
            told = trouble
            notice = parts.templates.render("operator/_trouble.html", **trouble)
            text += f'<div id="trouble" hx-swap-oob="innerHTML">{notice}</div>'
        yield event(text)
        await asyncio.sleep(_EVERY_SECONDS)


def event(text: str) -> str:
    """Return a server-sent event of some lines."""
    return "".join(f"data: {line}\n" for line in text.splitlines() if line.strip()) + "\n"
