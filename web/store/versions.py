"""Versions of rows, so that nobody overwrites what they have not seen."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from account_alerts.model.errors import InvalidRequestError

_CHARACTERS = 20


class ChangedMeanwhileError(InvalidRequestError):
    """The row is not as it was when the change was made of it; nothing was changed."""


def version_of(row: Mapping[str, Any]) -> str:
    """Return the version of a row: of equal ones the same, in every process."""
    text = json.dumps(row, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_CHARACTERS]


def check_version(row: Mapping[str, Any], expected: str | None) -> None:
    """Raise a `ChangedMeanwhileError` where a row has another version than the one expected; None: any."""
    if expected is not None and version_of(row) != expected:
        raise ChangedMeanwhileError("it was changed meanwhile; read it again")
