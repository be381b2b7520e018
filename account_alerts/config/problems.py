"""What is said about a configuration that cannot be used: each wrong key by its name, with the remedy."""

import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from account_alerts.config.types import PREFIX, nested
from account_alerts.model.errors import ConfigError

RENAMED = {
    "adhoc": "analyst_rules",
    "topics.adhoc_rules": "topics.analyst_rules",
    "topics.held_alerts": "topics.quarantined_alerts",
    "senders.longest_held": "senders.max_deferral",
    "senders.look_again_after": "senders.recheck_after",
    "senders.hand_over_timeout": "senders.send_timeout",
    "senders.retry_first": "senders.initial_backoff",
    "senders.retry_longest": "senders.max_backoff",
    "senders.longest_probe": "senders.max_probe_interval",
    "senders.keep": "senders.retention",
    "devices.longest_pause": "devices.max_backoff",
    "devices.waiting": "devices.queue_capacity",
    "bridge.window": "bridge.max_unsettled",
    "rules.heartbeat_interval": "rules.probe_interval",
}
"""Keys of former versions, with the names they have now."""
_ONE_JOB = "the job alerting reads authorizations and settings itself (docs/operations/upgrades.md)"
REMOVED = {
    "alert_rules": _ONE_JOB,
    "topics.alert_rules": _ONE_JOB,
    "rules.start_wait": "after a start bookings wait until the rules have caught up",
    "alerting.clock_interval": "a booking goes on as soon as the rules of its time are known",
    "clicks.heartbeat_interval": "reminders go by the topic's end offsets, see rules.probe_interval",
    "alerting.unusual_volume": "an alarm on the rate of alerts stands in deploy/monitoring",
    "alerting.unusual_from": "an alarm on the rate of alerts stands in deploy/monitoring",
}
"""Keys of former versions that nothing takes the place of, with the reason."""
SECRET = re.compile(
    r"(password|secret|^token$|\.token$|jaas|username|private_key|service_account|bearer"
    r"|basic\.auth\.user\.info|\.key\.pem)",
    re.IGNORECASE,
)
"""Names of keys whose values never stand in a file, nor in a message."""
FREE_FORM_SECTIONS = ("flink.options", "kafka.client", "kafka.java_client", "kafka.librdkafka_client")
"""Where any key may stand, also one with dots, for which there is no variable of its own."""
_K8S_SERVICE_VARIABLE = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$")
"""Variables that Kubernetes sets in every pod for a service whose name begins with `alerts-`."""


def refuse_secrets(file: Path, data: Mapping[str, Any], path: str = "") -> None:
    """Raise a `ConfigError` where a file holds a secret."""
    for key, value in data.items():
        name = f"{path}{key}"
        if isinstance(value, Mapping):
            refuse_secrets(file, value, f"{name}.")
        elif SECRET.search(str(key)) and value is not None:
            raise ConfigError(
                f"{file}: {name}: secrets never stand in a file. Remove it; {_variable_hint(name)}"
            )


def unknown_variables(model: type[BaseModel]) -> list[str]:
    """Name variables such as ALERTS_KAFAK__ENCODING, which would otherwise be ignored in silence."""
    problems = []
    for variable in sorted(os.environ):
        section = variable.removeprefix(PREFIX).split("__")[0].lower()
        if not variable.startswith(PREFIX) or section in model.model_fields or section == "config":
            continue
        if section in RENAMED:
            problems.append(f"{variable}: {section} is called {RENAMED[section]} now. Rename this variable.")
        elif section in REMOVED:
            problems.append(f"{variable}: {section} is no longer a section: {REMOVED[section]}. Unset it.")
        elif not _K8S_SERVICE_VARIABLE.search(variable):
            hint = _suggest(section, list(model.model_fields))
            problems.append(f"{variable}: no such section.{hint} Correct or unset this variable.")
    return problems


def explain(model: type[BaseModel], file: Path, problem: Any) -> str:
    """Say in a line what pydantic found wrong, and how to mend it."""
    location = [str(part) for part in problem["loc"]]
    name = ".".join(location)
    if problem["type"] == "extra_forbidden":
        if name in RENAMED:
            return f"{file}: {name}: is called {RENAMED[name]} now. Rename it."
        if name in REMOVED:
            return f"{file}: {name}: is no longer a key: {REMOVED[name]}. Remove it."
        hint = _suggest(location[-1], _known_keys(model, location[:-1]))
        return f"{file}: {name}: not a known key.{hint} Remove or rename it."
    if problem["type"] == "missing":
        return f"{file}: {name}: missing. Add it, as in conf/local.yaml, or {_variable_hint(name)}"
    hidden = SECRET.search(name) or isinstance(problem["input"], dict)
    shown = "" if hidden else f" (found {problem['input']!r})"
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{file}: {name}: {reason}{shown}. Correct it there, or {_variable_hint(name)}"


def _variable_hint(name: str) -> str:
    for prefix in FREE_FORM_SECTIONS:
        if name.startswith(f"{prefix}."):
            variable, key = prefix.upper().replace(".", "__"), name.removeprefix(f"{prefix}.")
            value = json.dumps({key: "..."})
            return f"set {PREFIX}{variable}='{value}' in the environment: it is added to the file's."
    return f"set {PREFIX}{name.upper().replace('.', '__')} in the environment."


def _suggest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f" Did you mean {close[0]}?" if close else f" Known are: {', '.join(known)}."


def _known_keys(model: type[BaseModel], location: list[str]) -> list[str]:
    for part in location:
        model = nested(model.model_fields[part]) or model
    return list(model.model_fields)
