"""Lets a signal end a command so that it cleans up."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible(signals: Sequence[signal.Signals] = (signal.SIGTERM,)) -> Iterator[None]:
    """Let signals end the command as Ctrl-C does: cleaning up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        previous = {number: signal.signal(number, interrupt) for number in signals}
    except ValueError:
        # Not in the main thread, where signals are somebody else's business.
        yield
        return
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
