"""Alarms and dashboard: PromQL that parses, metrics that exist, a section of the runbook for each alarm."""

import json
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from account_alerts import installation
from account_alerts.config import PROJECT
from account_alerts.service import metrics
from jobs import catalog
from tests.unit.deploy import operator_schemas
from tests.unit.deploy.manifests import MONITORING, Manifest, kustomization, of_kind, pod, read

[RULES] = read(MONITORING / "alerts.yaml")
GROUPS = RULES["spec"]["groups"]
ALARMS: dict[str, Manifest] = {
    rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule
}
RECORDED = {rule["record"]: rule for group in GROUPS for rule in group["rules"] if "record" in rule}
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OURS = {metric.series for metric in metrics.ALL}
FLINK = re.compile(r"flink_(?:taskmanager_job_task_operator|taskmanager_job_task|jobmanager_job)_(\w+)")
OTHERS = {"up", "pg_replication_slots_pg_wal_lsn_diff"}
"""Of Prometheus itself, and of the exporter of PostgreSQL."""
RUNBOOK = "docs/operations/runbook.md"


def _named(expression: str) -> Iterator[str]:
    """Parse PromQL and name the series that it reads."""
    import promql_parser

    found: list[str] = []

    def visit(node: Any) -> bool:
        selector = node.vector_selector if isinstance(node, promql_parser.MatrixSelector) else node
        if isinstance(selector, promql_parser.VectorSelector):
            assert selector.name, expression
            found.append(selector.name)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    yield from found


@cache
def _flinks_names() -> bytes:
    [dist] = (installation.flink_home() / "lib").glob("flink-dist*.jar")
    with zipfile.ZipFile(dist) as jar:
        return b"\n".join(
            jar.read(name)
            for name in jar.namelist()
            if name.endswith(("/MetricNames.class", "/DefaultCheckpointStatsTracker.class"))
        )


EXPRESSIONS = [
    *((name, rule["expr"]) for name, rule in {**ALARMS, **RECORDED}.items()),
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
]


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_expression_reads_metrics_that_exist(where: str, expression: str) -> None:
    names = list(_named(expression))
    assert names, where
    for name in names:
        if name in OURS | OTHERS | set(RECORDED):
            continue
        match = FLINK.fullmatch(name)
        assert match, name
        assert match.group(1).encode() in _flinks_names(), name


def test_prometheus_takes_the_rules() -> None:
    jsonschema.validate(RULES, json.loads(operator_schemas.file("PrometheusRule").read_text()))
    names = [rule.get("alert") or rule["record"] for group in GROUPS for rule in group["rules"]]
    assert len(names) == len(set(names))


def test_alarms_on_our_metrics_are_the_registrys() -> None:
    declared = {metric.alarm.name: metric for metric in metrics.ALL if metric.alarm}
    assert set(declared) <= set(ALARMS)
    for name, metric in declared.items():
        assert metric.alarm is not None
        rule = ALARMS[name]
        assert " ".join(rule["expr"].split()) == metric.alarm.expression.format(series=metric.series), name
        assert rule.get("for", "0m") == metric.alarm.hold, name


def _anchors() -> dict[str, str]:
    """Read the runbook's sections, by their anchors."""
    parts = re.split(r"(?m)^#{2,3} (.+)$", (PROJECT / RUNBOOK).read_text())[1:]
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"): text
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_alarm_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    rule = ALARMS[name]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == RUNBOOK
    assert f"`{name}`" in _anchors()[anchor]


def test_every_job_is_missed_when_it_is_down() -> None:
    missed = set(re.findall(r'job_name="(\w+)"', ALARMS["JobDown"]["expr"]))
    # The reporter puts "_" for what Prometheus has not in names, also in the values of labels.
    assert missed == {job.replace("-", "_") for job in catalog.FULL}


def test_dashboard_is_whole() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
    assert kustomization(MONITORING)["configMapGenerator"][0]["files"] == ["dashboard.json"]
    assert sorted(kustomization(MONITORING)["resources"]) == sorted(
        file.name for file in MONITORING.glob("*.yaml") if file.name != "kustomization.yaml"
    )


def test_what_serves_metrics_is_scraped() -> None:
    jobs, services = read(MONITORING / "pod-monitors.yaml")
    assert jobs["spec"]["selector"] == {"matchLabels": {"type": "flink-native-kubernetes"}}
    scraped = set(services["spec"]["selector"]["matchExpressions"][0]["values"])
    serving = {
        name
        for name, service in of_kind("Deployment").items()
        for container in pod(service)["containers"]
        if any(port["name"] == "metrics" for port in container.get("ports", ()))
    }
    assert scraped == serving
    for monitor in (jobs, services):
        assert [endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]] == ["metrics"]
