"""Every metric is declared once, by the rule of names."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from account_alerts.config import PROJECT
from account_alerts.service import metrics
from account_alerts.service.metric_types import CounterMetric, GaugeMetric, HistogramMetric
from account_alerts.service.metrics import ALL, BRIDGE_SETTLE_DURATION, SENDER_DELIVERIES, SENDER_GATEWAY_UP

SERVICES = (
    *("bridge", "publisher", "clicks", "web", "sender", "profiles"),
    *("alerting", "analyst_alerts", "device_resolver", "reminders", "rules"),
)


def test_names_follow_the_rule() -> None:
    for metric in ALL:
        assert re.fullmatch(rf"account_alerts_({'|'.join(SERVICES)})(_[a-z]+)+", metric.name), metric.name
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        if metric.kind == "histogram":
            assert metric.name.endswith("_seconds"), metric.name


def test_no_name_has_two_meanings() -> None:
    names = [metric.name for metric in ALL]
    assert len(set(names)) == len(names) > 40


def test_each_is_made_as_it_is_declared() -> None:
    for metric in ALL:
        registry = CollectorRegistry()
        assert isinstance(metric, CounterMetric | GaugeMetric | HistogramMetric)
        metric.create(registry)
        [family] = registry.collect()
        assert family.type == metric.kind
        assert family.name == metric.name.removesuffix("_total")


def test_an_alarm_asks_for_its_own_series() -> None:
    for metric in ALL:
        if metric.alarm is not None:
            expression = metric.alarm.expression.format(series=metric.series)
            assert metric.name in expression
            assert re.search(r"[<>=]=? [\d.]+", expression), expression


def test_series_are_named_as_prometheus_has_them() -> None:
    assert BRIDGE_SETTLE_DURATION.series == "account_alerts_bridge_settle_duration_seconds_bucket"
    registry = CollectorRegistry()
    SENDER_DELIVERIES.create(registry).labels("EMAIL", "SENT").inc()
    SENDER_GATEWAY_UP.create(registry).labels("EMAIL", "EMAIL").set(1)
    assert registry.get_sample_value(SENDER_DELIVERIES.name, {"channel": "EMAIL", "state": "SENT"}) == 1
    assert registry.get_sample_value(SENDER_GATEWAY_UP.name, {"channel": "EMAIL", "route": "EMAIL"}) == 1


def source(*folders: str) -> str:
    """The text of all programs in some folders."""
    files = (file for folder in folders for file in Path(PROJECT / folder).rglob("*.*"))
    return "\n".join(file.read_text() for file in files if file.suffix in (".py", ".java"))


def test_each_that_is_declared_is_measured() -> None:
    python, java = source("ingest", "delivery", "udfs", "jobs", "web"), source("java/src")
    for name, value in vars(metrics).items():
        if isinstance(value, CounterMetric | GaugeMetric | HistogramMetric):
            assert re.search(rf"\b{name}\b", python) or f'"{value.name}"' in java, name


def test_java_measures_only_what_is_declared() -> None:
    registered = set(re.findall(r'\b(?:counter|gauge|histogram)\(\s*"(\w+)"', source("java/src")))
    assert registered
    assert registered <= {metric.name for metric in ALL}
