import logging
import threading
from typing import Any

import pytest

from account_alerts.config import load
from account_alerts.model.errors import UnreachableError
from operations.flink.rest import FlinkUnreachableError, Job
from tests.clock import FakeClock
from web.operator.readings import UNREACHABLE, CaptureFigures
from web.operator.sources.flink import FlinkSource
from web.operator.sources.services import parse
from web.operator.watch import ChainWatch, Source, sources


class Part:
    """Answers what it is told to, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def look(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_what_a_source_had_said_keeps_its_time_when_it_is_away(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock(1_000_000)
    part = Part(CaptureFigures(True))
    source = Source("capture", part.look, 1)
    watch = ChainWatch(load(), [source], clock)
    watch.look_once(source)
    clock.advance(20)
    part.answer = UnreachableError("nobody answers")
    with caplog.at_level(logging.WARNING):
        watch.look_once(source)
        watch.look_once(source)
    found = watch.readings().capture
    assert found is not None
    assert (found.value, found.at, found.problem) == (CaptureFigures(True), 1_000_000, "nobody answers")
    assert len(caplog.records) == 1
    part.answer = CaptureFigures(False)
    watch.look_once(source)
    found = watch.readings().capture
    assert found is not None
    assert (found.value, found.at, found.problem) == (CaptureFigures(False), 1_020_000, "")


def test_a_source_that_hangs_or_breaks_takes_no_other_with_it() -> None:
    hangs, released = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        released.wait()

    looked = threading.Event()

    def answer() -> CaptureFigures:
        looked.set()
        return CaptureFigures(True)

    broken = Part(KeyError("a defect"))
    watch = ChainWatch(
        load(), [Source("queue", hang, 1), Source("bank", broken.look, 1), Source("capture", answer, 0.01)]
    )
    watch.start()
    try:
        assert hangs.wait(30)
        looked.clear()
        assert looked.wait(30)
        readings = watch.readings()
        assert readings.capture is not None
        assert readings.capture.value == CaptureFigures(True)
        assert readings.queue is not None
        assert readings.queue.at == 0
    finally:
        released.set()
        watch.stop()


def test_only_what_an_environment_has_is_looked_at() -> None:
    config = load()
    services = ["service sender-email", "service sender-sms", "service sender-push", "service clicks"]
    names = [source.name for source in sources(config)]
    assert names == ["kafka", "flink", "ledger", "queue", "bank", "capture", *services]
    gone = ("delivery", "bridge", "bank", "capture", "senders", "clicks")
    bare = config.model_copy(update=dict.fromkeys(gone))
    assert [source.name for source in sources(bare)] == ["kafka", "flink"]
    # Elsewhere Kafka Connect is for publishers only, and services are where the configuration says.
    web = config.require("web").model_copy(update={"service_metrics": {"publisher": "http://p:1/metrics"}})
    elsewhere = [source.name for source in sources(config.model_copy(update={"local": None, "web": web}))]
    assert elsewhere == ["kafka", "flink", "ledger", "queue", "bank", "service publisher"]


def test_gateways_of_a_senders_metrics() -> None:
    text = """# HELP account_alerts_sender_gateway_up 1: the gateway takes messages
# TYPE account_alerts_sender_gateway_up gauge
account_alerts_sender_gateway_up{channel="PUSH",route="FCM"} 1.0
account_alerts_sender_gateway_up{channel="PUSH",route="WEB_PUSH:localhost"} 0.0
# TYPE account_alerts_sender_lag_records gauge
account_alerts_sender_lag_records{channel="PUSH"} 7.0
"""
    assert parse(text).gateways == {"FCM": True, "WEB_PUSH:localhost": False}
    assert parse(text).connector is None
    assert parse("account_alerts_publisher_connector_running 0.0\n").connector is False


class Flink:
    """A JobManager that keeps one checkpoint only."""

    def __init__(self, clock: FakeClock, url: str = "") -> None:
        self.clock, self.url = clock, url

    def jobs(self) -> list[Any]:
        if "away" in self.url:
            raise FlinkUnreachableError("nobody answers")
        return [Job("1", "alerting", "RUNNING", 0, True), Job("0", "alerting", "FAILED", 9, False)]

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        entry = {
            "status": "COMPLETED",
            "latest_ack_timestamp": self.clock.now_ms(),
            "end_to_end_duration": 400,
        }
        return {"history": [entry, {"status": "FAILED"}], "counts": {"failed": 1}}

    def total(self, job_id: str, metric: str) -> int:
        return 3

    def restarts(self, job_id: str) -> int:
        return 1

    def get(self, path: str) -> Any:
        return {"exceptionHistory": {"entries": [{"timestamp": 7}]}}


def test_checkpoints_are_remembered_for_an_hour() -> None:
    clock = FakeClock(10_000_000)
    source = FlinkSource(load(), {}, clock, lambda _: Flink(clock))  # type: ignore[arg-type,return-value]
    for _ in range(3):
        clock.advance(1_800)
        job = source.look()[0]
    assert (job.name, job.state, job.waiting, job.restarts, job.failures) == (
        "alerting",
        "RUNNING",
        3,
        1,
        (7,),
    )
    assert [checkpoint.at for checkpoint in job.checkpoints] == [11_800_000, 13_600_000, 15_400_000]
    assert source.look()[1].state == "NOT SUBMITTED"
    clock.advance(1_800)
    assert [checkpoint.at for checkpoint in source.look()[0].checkpoints] == [
        13_600_000,
        15_400_000,
        17_200_000,
    ]


def test_a_job_manager_that_is_away_takes_only_its_own_jobs_with_it() -> None:
    clock = FakeClock(10_000_000)
    addresses = {"reminders": "http://away:8081"}

    def connect(url: str) -> Any:
        return Flink(clock, url)

    jobs = {job.name: job.state for job in FlinkSource(load(), addresses, clock, connect).look()}
    assert jobs == {"alerting": "RUNNING", "device-resolver": "NOT SUBMITTED", "reminders": UNREACHABLE}
    everywhere = dict.fromkeys(
        ("alerting", "device-resolver", "reminders", "adhoc-alerts"), "http://away:8081"
    )
    with pytest.raises(FlinkUnreachableError):
        FlinkSource(load(), everywhere, clock, connect).look()
