from account_alerts.config import PROJECT
from account_alerts.service.metrics import ALL
from docs_generator.metrics import metrics


def test_every_metric_is_described_once() -> None:
    page = metrics()
    assert [one.name for one in ALL if page.count(f"- `{one.name}` ") != 1] == []


def test_the_runbook_names_every_alarm() -> None:
    runbook = (PROJECT / "docs/operations/runbook.md").read_text()
    alarms = {metric.alarm.name for metric in ALL if metric.alarm is not None}
    assert sorted(name for name in alarms if f"`{name}`" not in runbook) == []
