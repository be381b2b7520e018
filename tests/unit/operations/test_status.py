"""What `alerts status` reports of a job."""

from typing import Any

import httpx2
import pytest

from account_alerts.config import load
from account_alerts.service.clock import SYSTEM_CLOCK
from account_alerts.service.metrics import RULES_FALLBACK_WATERMARKS
from operations import status
from operations.flink.rest import FlinkRest

FALLBACKS = f"end_offset_watermarks.{RULES_FALLBACK_WATERMARKS.name}"


def _collect(monkeypatch: pytest.MonkeyPatch, mark: int) -> dict[str, Any]:
    """Report of a cluster on which alerting runs, its join's watermark at a time."""
    tasks = {"total": 1, "running": 1}
    listed = {"jid": "a", "name": "alerting", "state": "RUNNING", "start-time": 1, "tasks": tasks}
    vertices = [
        {"id": "v1", "name": "Source: x", "parallelism": 1},
        {"id": "v2", "name": "temporal join -> Calc", "parallelism": 1},
    ]
    metrics = "/jobs/a/vertices/v1/subtasks/metrics"
    answers: dict[str, object] = {
        "/jobs/overview": {"jobs": [listed]},
        "/jobs/a": {"vertices": vertices},
        "/jobs/a/checkpoints": {"counts": {"completed": 1, "failed": 0}, "latest": {"completed": None}},
        "/jobs/a/metrics?get=numRestarts": [{"value": "0"}],
        "/jobs/a/vertices/v2/watermarks": [{"id": "0.currentInputWatermark", "value": str(mark)}],
        "/jobs/a/vertices/v2/subtasks/metrics": [],
        metrics: [{"id": FALLBACKS}],
        f"{metrics}?get={FALLBACKS}&agg=sum": [{"sum": 3.0}],
    }
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(200, json=answers[request.url.raw_path.decode()])
    )
    monkeypatch.setattr(status, "FlinkRest", lambda url: FlinkRest(url, transport))
    monkeypatch.setattr("account_alerts.kafka.topics.sizes", lambda config: {})
    [job] = status.collect(load(), [], ["alerting"])["flink"]["jobs"]
    return dict(job)


def test_how_far_rules_are_behind_and_how_often_bookings_went_on_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = _collect(monkeypatch, SYSTEM_CLOCK.now_ms() - 60_000)
    assert 60_000 <= found["rules"]["lag"] < 120_000
    assert found["rules"]["fallbacks"] == 3


def test_rules_that_were_never_complete_have_no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _collect(monkeypatch, -(2**63))["rules"] == {"lag": None, "fallbacks": 3}
