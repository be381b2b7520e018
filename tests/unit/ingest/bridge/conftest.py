"""A bridge for each test."""

import pytest

from account_alerts.config import Config, load
from tests.unit.ingest.bridge.harness import WINDOW, Harness


@pytest.fixture
def config() -> Config:
    loaded = load()
    assert loaded.bridge is not None
    bridge = loaded.bridge.model_copy(update={"max_unsettled": WINDOW, "max_message": 1_000})
    return loaded.model_copy(update={"bridge": bridge})


@pytest.fixture
def harness(config: Config, monkeypatch: pytest.MonkeyPatch) -> Harness:
    made = Harness(config)
    monkeypatch.setattr("ingest.bridge.events.container", lambda _: made.queue)
    return made
