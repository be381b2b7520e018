"""What all operators' pages share: their frame, and who looks."""

from typing import Any

from fastapi.responses import HTMLResponse

from web.auth.identity import Identity, Role
from web.operator.chain import duration_words
from web.operator.views import moment
from web.parts import Parts

_TABS = (
    ("chain", "/operator", "The chain", Role.OPERATOR),
    ("lookup", "/operator/lookup", "Did we tell them?", Role.OPERATOR),
    ("dead", "/operator/dead-letters", "Dead letters", Role.OPERATOR),
    ("rules", "/operator/rules", "Rules", None),
    ("erase", "/operator/erase", "Erase", Role.OPERATOR),
)
"""Key, address, words, and the role that may see it; None: all of the bank's own people."""


def page(
    parts: Parts, user: Identity, template: str, here: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render one of the operators' pages.

    Args:
        parts: The application's.
        user: Who looks.
        template: Its name below `operator/`.
        here: The key of its tab.
        status: Of the answer.
        values: What the template needs besides the frame's.
    """
    frame = {
        "here": here,
        "environment": parts.config.environment,
        "user": user.subject,
        "tabs": [(key, path, words) for key, path, words, role in _TABS if role in (None, *user.roles)],
        "csrf": "",
        "moment": moment,
        "duration": duration_words,
    }
    return HTMLResponse(parts.templates.render(f"operator/{template}", **frame, **values), status)
