"""The configuration: one YAML file per environment, overridden by environment variables.

`load` reads the file named by its argument, else by `ALERTS_CONFIG`, else `conf/local.yaml`. Every key can be
overridden by a variable `ALERTS_SECTION__KEY`. Secrets come from the environment only. Whatever is wrong is
reported at once, by key and with its cure, as `ConfigError`.
"""

import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, overload

import yaml
from pydantic import BaseModel, PrivateAttr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from account_alerts.config import gateways
from account_alerts.config.delivery import Senders
from account_alerts.config.ingest import Bridge, Capture, Clicks
from account_alerts.config.jobs import AlertingJob, AlertRulesJob, AnalystRuleJobs, Devices, Flink, Rules
from account_alerts.config.kafka import Kafka, Topics
from account_alerts.config.local import Local
from account_alerts.config.postgres import Database
from account_alerts.config.types import PREFIX, Text
from account_alerts.installation import PROJECT
from account_alerts.model.errors import ConfigError

__all__ = ["PREFIX", "PROJECT", "Config", "ConfigError", "load"]

_SECRET = re.compile(
    r"(password|secret|^token$|\.token$|jaas|username|private_key|service_account|bearer"
    r"|basic\.auth\.user\.info|\.key\.pem)",
    re.IGNORECASE,
)

_FREE = ("flink.options", "kafka.client", "kafka.java_client", "kafka.librdkafka_client")
"""Where any key may stand, also one with dots, for which there is no variable of its own."""
_OF_A_SERVICE = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$")
"""Variables that Kubernetes sets in every pod for a service whose name begins with `alerts-`."""


LARGEST_RECORD = 20_000_000
"""Bytes of the records that the jobs write: longer than any made of records of Kafka's own limit, 1 MiB."""
_WIDE = frozenset(
    {"alert_rules", "dead_letters", "outbound_email", "outbound_sms", "outbound_push", "quarantined_alerts"}
)


_SECRETS: dict[str, Any] = {
    "kafka": {"username", "password"},
    "bank": {"password"},
    "delivery": {"password"},
    "bridge": {"username", "password"},
    "senders": gateways.SECRETS,
    "devices": {"token"},
    "clicks": {"secret"},
}
"""What comes from the environment only and is never written to a file, by section."""
_FOLLOWING = (
    ("kafka", "bootstrap_servers", "kafka_port", "localhost:{}"),
    ("flink", "rest_url", "flink_rest_port", "http://localhost:{}"),
    ("bank", "port", "postgres_port", "{}"),
    ("delivery", "port", "postgres_port", "{}"),
    ("capture", "connect_url", "connect_port", "http://localhost:{}"),
    ("bridge", "url", "queue_port", "amqp://localhost:{}"),
    ("clicks", "port", "clicks_port", "{}"),
    ("devices", "url", "devices_port", "http://localhost:{}"),
    *(
        ("senders", f"{process}_metrics_port", f"{process}_metrics_port", "{}")
        for process in ("email", "sms", "push", "profiles")
    ),
    *gateways.FOLLOWING,
)
"""Addresses that follow a port of the local environment: section, key, the port's key, how it is written."""


def _section(data: Any, path: str) -> Any:
    """The values of a section, or of one below another (`senders.email`); None where it is not there."""
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data


class Config(BaseSettings):
    """Everything that differs between environments."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )

    environment: Text
    kafka: Kafka
    topics: Topics
    rules: Rules
    alert_rules: AlertRulesJob
    alerting: AlertingJob
    analyst_rules: AnalystRuleJobs
    flink: Flink
    bank: Database | None = None
    delivery: Database | None = None
    capture: Capture | None = None
    bridge: Bridge | None = None
    clicks: Clicks | None = None
    devices: Devices | None = None
    senders: Senders | None = None
    local: Local | None = None
    _path: Path = PrivateAttr(default=PROJECT / "conf/local.yaml")

    @model_validator(mode="before")
    @classmethod
    def _addresses_of_local(cls, data: Any) -> Any:
        """Without an address, the local environment's own ports are meant."""
        if isinstance(data, dict) and isinstance(local := data.get("local"), dict):
            for section, key, port, template in _FOLLOWING:
                values = _section(data, section)
                if port in local and isinstance(values, dict) and values.get(key) is None:
                    values[key] = template.format(local[port])
        return data

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the caller gives: `load` merges the file and the environment itself."""
        return (init_settings,)

    @property
    def path(self) -> Path:
        """The file this was read from."""
        return self._path

    @overload
    def require(self, section: Literal["bank", "delivery"]) -> Database: ...
    @overload
    def require(self, section: Literal["capture"]) -> Capture: ...
    @overload
    def require(self, section: Literal["bridge"]) -> Bridge: ...
    @overload
    def require(self, section: Literal["clicks"]) -> Clicks: ...
    @overload
    def require(self, section: Literal["devices"]) -> Devices: ...
    @overload
    def require(self, section: Literal["senders"]) -> Senders: ...
    def require(self, section: str) -> Any:
        """Return a section that an environment may be without.

        Raises:
            ConfigError: This one is; the message names the section.
        """
        found = getattr(self, section)
        if found is None:
            raise ConfigError(f"{self._path}: has no section '{section}'. Add it, as in conf/local.yaml.")
        return found

    def local_environment(self) -> Local:
        """The local environment's settings; a `ConfigError` where the file has none."""
        if self.local is None:
            raise ConfigError(
                f"{self._path}: no section 'local': '{self.environment}' is not started by this tool. "
                "Use conf/local.yaml (--config, or ALERTS_CONFIG)."
            )
        return self.local

    def topic_settings(self, key: str) -> dict[str, str]:
        """The Kafka settings a topic is created with, by the topic's key (such as `account_entries`)."""
        topic = self.topics.all()[key]
        retention = topic.retention or self.topics.account_entries.retention
        settings = {
            "cleanup.policy": topic.cleanup,
            # The rules' records carry the time up to which they are known, so they keep their own.
            "message.timestamp.type": "CreateTime" if key == "alert_rules" else "LogAppendTime",
            "min.insync.replicas": str(self.kafka.min_insync_replicas),
        }
        if key in _WIDE:
            settings["max.message.bytes"] = str(LARGEST_RECORD)
        if topic.cleanup == "compact":
            # A booking's rules also say which of those before it were counted.
            kept = str((retention or 0) + self.rules.count_reach)
            return settings | {"min.compaction.lag.ms": kept, "delete.retention.ms": kept}
        return settings | {"retention.ms": str(retention)}

    @model_validator(mode="after")
    def _ids_are_remembered(self) -> Self:
        """A replay raises the same alerts again: their ids must still be known."""
        replayed = (self.topics.account_entries.retention or 0) + max(
            topic.retention or 0
            for topic in (*self.topics.of_channels().values(), self.topics.outbound_device_push)
        )
        if self.senders is not None and self.senders.retention < replayed:
            raise ValueError(
                f"senders.retention must be at least {replayed // 3_600_000}h, as long as bookings and "
                "alerts stay on Kafka: a replay would send forgotten alerts again"
            )
        return self

    def override(self, overrides: Mapping[str, Any]) -> "Config":
        """A copy with some values replaced; addresses of the local environment follow its ports."""
        data = self.model_dump(mode="json", exclude=_SECRETS)
        if self.local is not None and "local" in overrides:
            for section, key, _, _ in _FOLLOWING:
                (_section(data, section) or {}).pop(key, None)
        return _validate(self._path, _merge(data, overrides))

    def write(self, path: Path) -> None:
        """Write the values in force, without the secrets, as a file that `load` reads."""
        data = _without_secrets(self.model_dump(mode="json", exclude=_SECRETS, exclude_none=True))
        path.write_text("# Written by `alerts`; do not edit.\n" + yaml.safe_dump(data, sort_keys=False))


def load(path: Path | str | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read the configuration.

    Args:
        path: The file; without it `ALERTS_CONFIG`, without that `conf/local.yaml`.
        overrides: Values that win over the file and the environment, nested like the file.

    Raises:
        ConfigError: Something is missing, unknown or wrong; the message names the key and the cure.
    """
    file = Path(path or os.environ.get(f"{PREFIX}CONFIG") or PROJECT / "conf/local.yaml").absolute()
    try:
        data = yaml.safe_load(file.read_text())
    except OSError as error:
        cure = f"Name another file by --config or {PREFIX}CONFIG, for example conf/local.yaml."
        raise ConfigError(f"{file}: cannot be read ({error.strerror}). {cure}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: holds no configuration. Start from conf/local.yaml.")
    _refuse_secrets(file, data)
    return _validate(file, data, overrides)


def _validate(file: Path, data: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Config:
    """Merge the environment and the caller's values into the file's, and check the whole."""
    try:
        environment = EnvSettingsSource(Config)()
    except SettingsError as error:
        raise ConfigError(f"An environment variable {PREFIX}... cannot be read: {error}") from None
    problems = _unknown_variables()
    try:
        config = Config(**_merge(_merge(data, environment), overrides or {}))
    except ValidationError as error:
        problems += [_explain(file, problem) for problem in error.errors(include_url=False)]
    if problems:
        raise ConfigError("\n".join(problems))
    config._path = file
    return config


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old: Any = merged.get(key)
        nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if nested else value
    return merged


def _without_secrets(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without the secrets that came from the environment into maps: who reads the file has them there."""
    return {
        key: _without_secrets(value) if isinstance(value, Mapping) else value
        for key, value in data.items()
        if isinstance(value, Mapping) or not _SECRET.search(str(key))
    }


def _refuse_secrets(file: Path, data: Mapping[str, Any], path: str = "") -> None:
    for key, value in data.items():
        name = f"{path}{key}"
        if isinstance(value, Mapping):
            _refuse_secrets(file, value, f"{name}.")
        elif _SECRET.search(str(key)) and value is not None:
            raise ConfigError(
                f"{file}: {name}: secrets never stand in a file. Remove it; {_variable_hint(name)}"
            )


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
}
"""Keys of former versions, with the names they have now."""


def _variable_hint(name: str) -> str:
    for prefix in _FREE:
        if name.startswith(f"{prefix}."):
            variable, key = prefix.upper().replace(".", "__"), name.removeprefix(f"{prefix}.")
            value = json.dumps({key: "..."})
            return f"set {PREFIX}{variable}='{value}' in the environment: it is added to the file's."
    return f"set {PREFIX}{name.upper().replace('.', '__')} in the environment."


def _unknown_variables() -> list[str]:
    """Variables such as ALERTS_KAFAK__ENCODING, which would otherwise be passed over in silence."""
    return [
        f"{variable}: {section} is called {RENAMED[section]} now. Rename this variable."
        if section in RENAMED
        else f"{variable}: no such section.{_suggest(section, sections)} Correct or unset this variable."
        for variable in sorted(os.environ)
        if variable.startswith(PREFIX) and variable != f"{PREFIX}CONFIG"
        for section in [variable.removeprefix(PREFIX).split("__")[0].lower()]
        if section not in (sections := list(Config.model_fields)) and not _OF_A_SERVICE.search(variable)
    ]


def _suggest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f" Did you mean {close[0]}?" if close else f" Known are: {', '.join(known)}."


def _explain(file: Path, problem: Any) -> str:
    location = [str(part) for part in problem["loc"]]
    name = ".".join(location)
    if problem["type"] == "extra_forbidden":
        if name in RENAMED:
            return f"{file}: {name}: is called {RENAMED[name]} now. Rename it."
        hint = _suggest(location[-1], _known_keys(location[:-1]))
        return f"{file}: {name}: not a known key.{hint} Remove or rename it."
    if problem["type"] == "missing":
        return f"{file}: {name}: missing. Add it, as in conf/local.yaml, or {_variable_hint(name)}"
    shown = (
        "" if _SECRET.search(name) or isinstance(problem["input"], dict) else f" (found {problem['input']!r})"
    )
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{file}: {name}: {reason}{shown}. Correct it there, or {_variable_hint(name)}"


def _known_keys(location: list[str]) -> list[str]:
    model: type[BaseModel] = Config
    for part in location:
        annotation = model.model_fields[part].annotation
        for candidate in (annotation, *getattr(annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return list(model.model_fields)
