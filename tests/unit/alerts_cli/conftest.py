"""What every test of a command needs."""

import pytest

from alerts_cli import options


@pytest.fixture(autouse=True)
def _variable(monkeypatch: pytest.MonkeyPatch) -> None:
    # Commands write it: so it is put back.
    monkeypatch.setenv(options.VARIABLE, "unset")
