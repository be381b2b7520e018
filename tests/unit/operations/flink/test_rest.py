"""What is made of Flink's answers."""

import json

import httpx2
import pytest

from operations.flink.rest import FlinkRefusedError, FlinkRest, FlinkUnreachableError, Job, SavepointError


def rest(answers: dict[str, object], seen: list[httpx2.Request] | None = None) -> FlinkRest:
    """A JobManager that answers by path: an object, or a status."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if seen is not None:
            seen.append(request)
        found = answers.get(request.url.raw_path.decode(), 404)
        return httpx2.Response(found) if isinstance(found, int) else httpx2.Response(200, json=found)

    return FlinkRest("http://flink:8081/", httpx2.MockTransport(answer))


def listed(job_id: str, name: str, state: str, started: int, running: int = 2) -> dict[str, object]:
    tasks = {"total": 2, "running": running}
    return {"jid": job_id, "name": name, "state": state, "start-time": started, "tasks": tasks}


def test_the_newest_job_comes_first() -> None:
    jobs = [listed("a", "alerting", "CANCELED", 1, 0), listed("b", "alerting", "RUNNING", 2, 1)]
    flink = rest({"/jobs/overview": {"jobs": jobs}})
    assert flink.jobs() == [
        Job("b", "alerting", "RUNNING", 2, False),
        Job("a", "alerting", "CANCELED", 1, False),
    ]
    assert flink.live_job("alerting") == Job("b", "alerting", "RUNNING", 2, False)
    assert flink.live_job("reminders") is None


def test_a_savepoint_is_asked_for_and_awaited() -> None:
    seen: list[httpx2.Request] = []
    pending = {"status": {"id": "IN_PROGRESS"}}
    assert rest({"/jobs/a/savepoints/r": pending}).savepoint("a", "r") is None
    done = {"status": {"id": "COMPLETED"}, "operation": {"location": "s3://s"}}
    assert rest({"/jobs/a/savepoints/r": done}).savepoint("a", "r") == "s3://s"
    failed = {
        "status": {"id": "COMPLETED"},
        "operation": {"failure-cause": {"stack-trace": "Too slow\n\tat x"}},
    }
    with pytest.raises(SavepointError, match=r"^Too slow$"):
        rest({"/jobs/a/savepoints/r": failed}).savepoint("a", "r")
    assert rest({"/jobs/a/stop": {"request-id": "r"}}, seen).stop_with_savepoint("a", "s3://f") == "r"
    assert json.loads(seen[0].content) == {"drain": False, "targetDirectory": "s3://f"}


def test_an_answer_without_content_is_none() -> None:
    def accepted(request: httpx2.Request) -> httpx2.Response:
        assert (request.method, str(request.url)) == ("PATCH", "http://flink/jobs/a?mode=cancel")
        return httpx2.Response(202)

    FlinkRest("http://flink", httpx2.MockTransport(accepted)).cancel("a")


def test_the_innermost_cause_is_named() -> None:
    trace = "java.X: outer\n\tat a\nCaused by: java.Y: middle\nCaused by: ValueError: broken\n\tat b"
    history = {"exceptionHistory": {"entries": [{"stacktrace": trace}]}}
    assert rest({"/jobs/a/exceptions": history}).last_failure("a") == "ValueError: broken"
    assert rest({"/jobs/a/exceptions": {"exceptionHistory": {"entries": []}}}).last_failure("a") == ""


def test_what_is_refused_and_who_does_not_answer() -> None:
    with pytest.raises(FlinkRefusedError, match="Flink at http://flink:8081 answered 404 to /jobs/a"):
        rest({}).cancel("a")

    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    gone = FlinkRest("http://flink", httpx2.MockTransport(away))
    with pytest.raises(FlinkUnreachableError, match=r"does not answer at http://flink \(flink.rest_url\)"):
        gone.jobs()
    assert gone.slots() == 0
    no_json = httpx2.MockTransport(lambda request: httpx2.Response(200, text="<html>"))
    with pytest.raises(FlinkUnreachableError):
        FlinkRest("http://flink", no_json).jobs()


def test_the_watermark_of_an_operator_is_that_of_its_slowest_subtask() -> None:
    vertices = [
        {"id": "v1", "name": "Source: a -> temporal join, no", "parallelism": 1},
        {"id": "v2", "name": "temporal join -> Calc", "parallelism": 2},
    ]
    marks = [{"id": f"{number}.currentInputWatermark", "value": str(2000 - number)} for number in range(2)]

    def watermark(found: object, operator: str = "temporal join") -> int | None:
        answers = {"/jobs/a": {"vertices": vertices}, "/jobs/a/vertices/v2/watermarks": found}
        return rest(answers).watermark("a", operator)

    assert watermark(marks) == 1999
    assert watermark([*marks[:1], {**marks[1], "value": str(-(2**63))}]) is None
    assert watermark(marks[:1]) is None  # Of the other nothing is known yet.
    assert watermark([]) is None
    assert watermark(marks, "another") is None


def test_a_metric_is_summed_up_over_the_operators_that_have_it() -> None:
    answers: dict[str, object] = {"/jobs/a": {"vertices": [{"id": "v1"}, {"id": "v2"}, {"id": "v3"}]}}
    names = {
        "v1": ["Source__x.pendingRecords", "Source__y.pendingRecords"],
        "v2": ["z.other"],
        "v3": ["q.pendingRecords"],
    }
    for vertex, ids in names.items():
        base = f"/jobs/a/vertices/{vertex}/subtasks/metrics"
        answers[base] = [{"id": each} for each in ids]
        answers[f"{base}?get=Source__x.pendingRecords,Source__y.pendingRecords&agg=sum"] = [
            {"sum": 3.0},
            {"sum": 4.0},
        ]
        answers[f"{base}?get=Source__y.pendingRecords&agg=sum"] = [{"sum": 4.0}]
        answers[f"{base}?get=q.pendingRecords&agg=sum"] = [{"sum": 5.0}]
    flink = rest(answers)
    assert flink.total("a", "pendingRecords") == 12
    assert flink.total("a", "pendingRecords", "__y") == 4
    assert flink.total("a", "numRestarts") is None
