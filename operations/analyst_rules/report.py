"""Which analysts' rules there are, and what each does."""

from collections.abc import Callable

from account_alerts.config import Config
from account_alerts.model.analyst_rule import Rule
from jobs import catalog
from operations.analyst_rules import quarantine, registry
from operations.analyst_rules.registry import Registry
from operations.flink.rest import LIVE, FlinkRest, FlinkUnreachableError


def report(config: Config, rules: list[Rule], on_broken: Callable[[str], None]) -> list[dict[str, object]]:
    """Return a line for each rule there is: of a file, started, or with quarantined alerts."""
    known = registry.read(config)
    waiting = quarantine.counts(config, known)
    states = _states(config, on_broken)
    lines: list[dict[str, object]] = []
    of_files = {rule.name: rule for rule in rules}
    for name in sorted({*of_files, *known.started, *waiting}):
        rule = known.started.get(name) or of_files.get(name)
        lines.append(
            {
                "name": name,
                "about": rule.about if rule else "",
                "per_minute": rule.per_minute if rule else None,
                "state": _state(name, known, waiting[name], states),
                "since": known.started[name].since if name in known.started else None,
                "quarantined": waiting[name],
            }
        )
    return lines


def _state(name: str, known: Registry, waiting: int, states: dict[str, str]) -> str:
    state = states.get(catalog.RULE + name, "")
    if name not in known.started:
        return "RUNS THOUGH STOPPED" if state in LIVE else "not started"
    if state not in LIVE and (waiting or name in known.paused):
        return "paused by its limit"
    return {"RUNNING": "runs"}.get(state, "does not run")


def _states(config: Config, on_broken: Callable[[str], None]) -> dict[str, str]:
    """Return the state of each job's newest life, by name."""
    try:
        return {job.name: job.state for job in reversed(FlinkRest(config.flink.rest_url).jobs())}
    except FlinkUnreachableError as error:
        on_broken(str(error))
        return {}
