"""Waits for a condition, and prints how far things are."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from account_alerts.model.errors import OperationError

_T = TypeVar("_T")
_INTERVAL = 0.1


def print_progress(text: str) -> None:
    """Print a line of progress; standard output stays free for results."""
    print(text, file=sys.stderr, flush=True)


def wait_for(what: str, check: Callable[[], _T | None], timeout: float, remedy: str) -> _T:
    """Call `check` until it returns something true, and return that.

    Args:
        what: What is awaited, for the error.
        check: May raise `OperationError` to give up early.
        timeout: In seconds.
        remedy: What to do when it does not come.

    Raises:
        OperationError: `timeout` has passed.
    """
    end = time.monotonic() + timeout
    while not (result := check()):
        if time.monotonic() > end:
            raise OperationError(f"{what}: not within {timeout:.0f} s. {remedy}")
        time.sleep(_INTERVAL)
    return result
