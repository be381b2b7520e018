"""The reference of metrics, from the registry `account_alerts.service.metrics`."""

from account_alerts.service.metric_types import FLINK_PREFIX, Metric
from account_alerts.service.metrics import ALL
from docs_generator.markdown import bullets, page, paragraph, sentence

PREFIX = "account_alerts_"
SERVICES = {
    "bridge": "Bridge",
    "publisher": "Capture publisher",
    "clicks": "Clicks endpoint",
    "web": "Web application",
    "sender": "Senders",
    "profiles": "Profiles",
    "alerting": "Job alerting",
    "rules": "Following of settings and authorizations, in every job that joins them",
    "analyst_alerts": "Job for analysts' alerts",
    "reminders": "Job reminders",
    "device_resolver": "Job device-resolver",
}
"""What stands behind the prefix, and the heading it gets."""
_INTRODUCTION = (
    f"Names are `{PREFIX}<service>_<noun>_<unit>`. A service shows its metrics at `/metrics` of its port "
    "([Configuration](configuration.md)).",
    f"An operator of a job shows them by Flink's Prometheus reporter: `{FLINK_PREFIX}` and the name, with "
    "the labels `job_name` and `operator_name`. Sum over parallel subtasks.",
    "An alarm is PromQL. The [runbook](../operations/runbook.md) says what to do.",
)


def metrics() -> str:
    """Write the page of all metrics."""
    blocks = []
    for service, title in SERVICES.items():
        blocks += [
            f"## {title}",
            bullets([_describe(metric) for metric in ALL if _service(metric) == service]),
        ]
    return page("Metrics", *map(paragraph, _INTRODUCTION), *blocks)


def _service(metric: Metric) -> str:
    """Name the service of a metric: the longest that its name begins with."""
    name = metric.name.removeprefix(PREFIX)
    return max((service for service in SERVICES if name.startswith(f"{service}_")), key=len)


def _describe(metric: Metric) -> str:
    facts = [metric.kind, *(f"label `{label}`" for label in metric.labels)]
    if metric.operator:
        facts.append(f"operator `{metric.operator}`")
    text = f"`{metric.name}` ({', '.join(facts)}): {sentence(metric.help)}"
    if metric.alarm is None:
        return text
    hold = "" if metric.alarm.hold == "0m" else f" for {metric.alarm.hold}"
    expression = metric.alarm.expression.format(series="SERIES").replace("SERIES", "…")
    return f"{text} Alarm `{metric.alarm.name}`: `{expression}`{hold}."
