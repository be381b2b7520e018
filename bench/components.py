"""Single components on free ports and throw-away state, without the rest of the environment."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from account_alerts.config import load
from devenv.ports import throw_away
from tests.component.conftest import KAFKA
from tests.component.programs import Programs


@contextmanager
def components() -> Iterator[Programs]:
    """Start a Kafka; what the benchmark starts beside it is stopped at the end, too."""
    with tempfile.TemporaryDirectory(prefix="alerts-bench-") as name:
        folder = Path(name)
        programs = Programs(throw_away(load(), folder), folder)
        try:
            programs.start(KAFKA)
            yield programs
        finally:
            programs.stop_all()
