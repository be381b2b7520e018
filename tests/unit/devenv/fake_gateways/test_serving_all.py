"""Local gateways in one process: one that fails is served again, the others go on, and all end when told."""

import asyncio

import pytest

from account_alerts.config import Config, load
from devenv.fake_gateways import __main__ as gateways


def test_one_that_fails_is_served_again_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gateways, "_PAUSE_SECONDS", 0.01)
    served: list[str] = []

    async def failing(_: Config, stop: asyncio.Event) -> None:
        served.append("failing")
        if len(served) < 4:
            raise OSError("the port is taken")
        stop.set()

    async def steadfast(_: Config, stop: asyncio.Event) -> None:
        await stop.wait()
        served.append("steadfast")

    async def serve() -> None:
        both = {"failing": failing, "steadfast": steadfast}
        await asyncio.wait_for(gateways.serve_all(load(), both, asyncio.Event()), 60)

    asyncio.run(serve())
    assert served == ["failing"] * 4 + ["steadfast"]
    assert "failing: failed, and starts again" in caplog.text
