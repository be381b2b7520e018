"""Several workers in one process: each is run, started again and stopped as if it had its own process."""

import argparse
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from account_alerts.config import PROJECT
from account_alerts.model.errors import ConfigError, UnreachableError
from account_alerts.service import metrics, workers
from account_alerts.service.process import Service
from account_alerts.service.workers import run_workers

_SECONDS = 60.0


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PAUSE_SECONDS", 0.01)


def service(config: Path = PROJECT / "conf/local.yaml") -> Service:
    return Service(argparse.Namespace(config=config, metrics_port=None))


class Running:
    """Workers that run in a thread."""

    def __init__(self, **work: Callable[[Service], object]) -> None:
        self.service = service()
        self._thread = threading.Thread(target=run_workers, args=(self.service, work))
        self._thread.start()

    def stop(self) -> None:
        self.service.end()
        self._thread.join(_SECONDS)
        assert not self._thread.is_alive()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_worker_that_fails_is_started_again_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    starts: list[str] = []
    well = threading.Event()

    def failing(own: Service) -> None:
        starts.append("failing")
        if len(starts) == 2:
            raise RuntimeError("a defect")
        if len(starts) < 4:
            raise UnreachableError("nobody there")
        well.set()
        own.stop.wait(_SECONDS)

    steady: list[Service] = []

    def steadfast(own: Service) -> None:
        steady.append(own)
        own.stop.wait(_SECONDS)

    running = Running(failing=failing, steadfast=steadfast)
    assert well.wait(_SECONDS)
    assert len(steady) == 1
    assert not steady[0].stop.is_set()
    running.stop()
    assert "failing: nobody there" in caplog.text
    assert "RuntimeError: a defect" in caplog.text
    assert "failing: starts again" in caplog.text


def test_all_are_told_to_stop_and_waited_for() -> None:
    ready, drained = threading.Barrier(3), []

    def work(own: Service) -> None:
        told = threading.Event()
        own.on_stop(told.set)
        ready.wait(_SECONDS)
        assert told.wait(_SECONDS)
        time.sleep(0.05)  # What is in flight arrives first.
        drained.append(own)

    running = Running(one=work, two=work)
    ready.wait(_SECONDS)
    running.stop()
    assert len(drained) == 2


def test_a_stop_reaches_a_worker_that_has_closed_its_loop() -> None:
    started = threading.Barrier(3)

    def closed() -> None:
        raise RuntimeError("Event loop is closed")

    def work(own: Service) -> None:
        own.on_stop(closed)
        started.wait(_SECONDS)
        own.stop.wait(_SECONDS)

    other = threading.Event()

    def second(own: Service) -> None:
        started.wait(_SECONDS)
        if own.stop.wait(_SECONDS):
            other.set()

    running = Running(first=work, second=second)
    started.wait(_SECONDS)
    running.stop()
    assert other.is_set()


def test_each_has_metrics_and_readiness_of_its_own() -> None:
    ports: dict[str, int | None] = {}

    def work(name: str, *, ready: bool) -> Callable[[Service], None]:
        def run(own: Service) -> None:
            metrics.BRIDGE_BOOKINGS.create(own.registry).inc(3 if ready else 5)
            own.options.metrics_port = None
            ports[name] = own.serve(0, lambda: ready)
            own.stop.wait(_SECONDS)

        return run

    running = Running(well=work("well", ready=True), ill=work("ill", ready=False))
    until(lambda: len(ports) == 2)
    for name, status, count in (("well", 200, "3.0"), ("ill", 503, "5.0")):
        url = f"http://localhost:{ports[name]}"
        assert httpx2.get(f"{url}/readyz").status_code == status
        assert f"account_alerts_bridge_bookings_total {count}" in httpx2.get(f"{url}/metrics").text
    running.stop()


def test_a_wrong_configuration_ends_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        run_workers(service(tmp_path / "none.yaml"), {"one": lambda own: None})
