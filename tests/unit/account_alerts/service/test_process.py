"""The skeleton of a service: how it starts, what it answers, how it ends."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from account_alerts.config import PROJECT
from account_alerts.model.errors import UnreachableError
from account_alerts.service import metrics
from account_alerts.service.process import Service, configure_logging, run

LOCAL = str(PROJECT / "conf/local.yaml")


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """What a test installs for signals goes with it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def start(main: object, *arguments: str) -> int:
    return run(main, "python -m thing", "A thing.", arguments=list(arguments))  # type: ignore[arg-type]


def test_a_service_gets_its_configuration() -> None:
    seen = []
    assert start(lambda service: seen.append(service.config.environment), "--config", LOCAL) == 0
    assert seen == ["local"]


def test_own_options_stand_beside_the_common_ones() -> None:
    seen: list[object] = []
    status = run(
        lambda service: seen.append((service.options.channel, service.options.metrics_port)),
        "python -m thing",
        "A thing.",
        lambda parser: parser.add_argument("--channel"),
        ["--channel", "sms", "--metrics-port", "9999"],
    )
    assert (status, seen) == (0, [("sms", 9999)])


def test_a_configuration_that_cannot_be_used_ends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(lambda service: service.config, "--config", str(tmp_path / "none.yaml")) == 2
    assert "python -m thing: " in (said := capsys.readouterr().err)
    assert "none.yaml: cannot be read" in said


def test_a_missing_section_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (PROJECT / "conf/local.yaml").read_text()
    (tmp_path / "own.yaml").write_text(text.replace("capture: {}\n", ""))

    def main(service: Service) -> None:
        assert service.config.require("bridge").address == "bookings"
        service.config.require("capture")

    assert start(main, "--config", str(tmp_path / "own.yaml")) == 2
    assert "own.yaml: has no section 'capture'. Add it, as in conf/local.yaml." in capsys.readouterr().err


def test_a_failure_is_said_in_a_line_and_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    def main(service: Service) -> None:
        raise UnreachableError("nobody there")

    assert start(main) == 1
    assert "nobody there" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        start(lambda service: 1 // 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(number: signal.Signals) -> None:
    told = []

    def main(service: Service) -> None:
        service.on_stop(lambda: told.append("stop"))
        os.kill(os.getpid(), number)
        assert service.stop.wait(10)
        service.on_stop(lambda: told.append("late"))

    assert start(main) == 0
    assert told == ["stop", "late"]


def test_metrics_and_health_are_answered() -> None:
    ready = False

    def main(service: Service) -> None:
        metrics.BRIDGE_BOOKINGS.create(service.registry).inc(3)
        port = service.serve(None, lambda: ready)
        assert port == service.options.metrics_port
        url = f"http://localhost:{port}"
        text = httpx2.get(f"{url}/metrics").text
        assert "account_alerts_bridge_bookings_total 3.0" in text
        assert "process_cpu_seconds_total" in text
        assert httpx2.get(f"{url}/healthz").status_code == 200
        assert httpx2.get(f"{url}/readyz").status_code == 503
        nonlocal ready
        ready = True
        assert httpx2.get(f"{url}/readyz").status_code == 200
        assert httpx2.get(f"{url}/").status_code == 404
        # Another process of this machine: alerts matter more than metrics.
        other = Service(service.options)
        assert other.serve(port) is None

    assert start(main, "--metrics-port", str(free_port())) == 0


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("", 0))
        port: int = one.getsockname()[1]
        return port


def test_without_a_port_nothing_is_opened() -> None:
    seen = []
    assert start(lambda service: seen.append(service.serve(None))) == 0
    assert seen == [None]


def test_no_request_is_logged() -> None:
    # Customers and the tokens of devices are in the addresses of requests.
    configure_logging()
    assert not logging.getLogger("httpx2").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpcore2.connection").isEnabledFor(logging.INFO)


_FAILING = """
import sys, threading
from account_alerts.service import process

process.END_SECONDS = {seconds}

def main(service):
    service.on_stop(lambda: print("stopped in order", flush=True))
    reason = "a client is lost"
    for _ in range(2):
        threading.Thread(target=service.fail, args=(reason,)).start()
    service.stop.wait()
    {rest}

sys.exit(process.run(main, "python -m thing", "A thing.", arguments=[]))
"""


@pytest.mark.parametrize("rest", ["pass", "threading.Event().wait()"])
def test_one_that_cannot_work_any_more_ends_with_a_failure(rest: str) -> None:
    """In order where it can, and in any case: only then is it started again."""
    code = _FAILING.format(seconds=60 if rest == "pass" else 0.5, rest=rest)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert ended.stdout == "stopped in order\n"
    assert ended.stderr.count("a client is lost: this process ends, to be started again") == 1
