"""The configuration: one YAML file per environment, overridden by environment variables.

`load` reads the file named by its argument, else by `ALERTS_CONFIG`, else `conf/local.yaml`. Every key can be
overridden by a variable `ALERTS_SECTION__KEY`. Secrets come from the environment only: they are the fields of
type `SecretStr`, and the keys of free-form sections that are named like one. Whatever is wrong is reported at
once, by key and with its remedy, as `ConfigError`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args, overload

import yaml
from pydantic import PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from account_alerts.config.delivery import Senders
from account_alerts.config.ingest import Bridge, Capture, Clicks
from account_alerts.config.jobs import AlertingJob, AnalystRuleJobs, Devices, Flink, Rules
from account_alerts.config.kafka import Kafka, Topics
from account_alerts.config.local import Local
from account_alerts.config.postgres import Database
from account_alerts.config.problems import (
    FREE_FORM_SECTIONS,
    SECRET,
    explain,
    refuse_secrets,
    unknown_variables,
)
from account_alerts.config.types import PREFIX, LocalPort, Text, find, walk
from account_alerts.config.web import Web
from account_alerts.installation import PROJECT
from account_alerts.model.errors import ConfigError


class Config(BaseSettings):
    """Everything that differs between environments."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )

    environment: Text
    kafka: Kafka
    topics: Topics
    rules: Rules
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
    web: Web | None = None
    local: Local | None = None
    _path: Path = PrivateAttr(default=PROJECT / "conf/local.yaml")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the caller's values win over the environment's, and those over the file's."""
        assert isinstance(init_settings, InitSettingsSource)
        file_values = init_settings.init_kwargs.pop(_FILE_VALUES, {})
        return init_settings, env_settings, InitSettingsSource(settings_cls, file_values)

    @model_validator(mode="before")
    @classmethod
    def _addresses_of_local(cls, data: Any) -> Any:
        """Derive an address that is not given from the port of the local environment."""
        for path, port in _derived_addresses():
            section, number = find(data, path[:-1]), find(data, ("local", port.key))
            if isinstance(section, dict) and section.get(path[-1]) is None and number is not None:
                section[path[-1]] = port.template.format(number)
        return data

    @model_validator(mode="after")
    def _ids_are_remembered(self) -> Self:
        """Have the ledger remember ids for as long as a replay may raise the same alerts again."""
        replayed = (self.topics.account_entries.retention or 0) + max(
            topic.retention or 0
            for topic in (*self.topics.map_channels().values(), self.topics.outbound_device_push)
        )
        if self.senders is not None and self.senders.retention < replayed:
            raise ValueError(
                f"senders.retention must be at least {replayed // 3_600_000}h, as long as bookings and "
                "alerts stay on Kafka: a replay would send forgotten alerts again"
            )
        return self

    @model_validator(mode="after")
    def _nobody_logs_in_by_a_click(self) -> Self:
        """Refuse the local environment's provider, at which anybody is anybody, everywhere else."""
        if self.web is not None and self.local is None:
            self.web.refuse_trial()
        return self

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
    @overload
    def require(self, section: Literal["web"]) -> Web: ...
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
        """Return the local environment's settings; raises `ConfigError` where the file has none."""
        if self.local is None:
            raise ConfigError(
                f"{self._path}: no section 'local': '{self.environment}' is not started by this tool. "
                "Use conf/local.yaml (--config, or ALERTS_CONFIG)."
            )
        return self.local

    def override(self, overrides: Mapping[str, Any]) -> "Config":
        """Return a copy with some values replaced; addresses of the local environment follow its ports."""
        data = _without_secrets(self.model_dump(mode="json"))
        if self.local is not None and "local" in overrides:
            for path, _ in _derived_addresses():
                (find(data, path[:-1]) or {}).pop(path[-1], None)
        return _build(self._path, data, overrides)

    def write(self, path: Path) -> None:
        """Write the values in force, without the secrets, as a file that `load` reads."""
        data = _without_secrets(self.model_dump(mode="json", exclude_none=True))
        path.write_text("# Written by `alerts`; do not edit.\n" + yaml.safe_dump(data, sort_keys=False))


_FILE_VALUES = "file_values"
"""The argument by which `Config` is given the values of a file."""


def load(path: Path | str | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read the configuration.

    Args:
        path: The file; without it `ALERTS_CONFIG`, without that `conf/local.yaml`.
        overrides: Values that win over the file and the environment, nested like the file.

    Raises:
        ConfigError: Something is missing, unknown or wrong; the message names the key and the remedy.
    """
    file = Path(path or os.environ.get(f"{PREFIX}CONFIG") or PROJECT / "conf/local.yaml").absolute()
    try:
        data = yaml.safe_load(file.read_text())
    except OSError as error:
        remedy = f"Name another file by --config or {PREFIX}CONFIG, for example conf/local.yaml."
        raise ConfigError(f"{file}: cannot be read ({error.strerror}). {remedy}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: holds no configuration. Start from conf/local.yaml.")
    refuse_secrets(file, data)
    return _build(file, data, overrides or {})


def free_form_variables() -> list[str]:
    """List the environment variables that hold options of any name, secrets among them."""
    return [PREFIX + path.replace(".", "__").upper() for path in FREE_FORM_SECTIONS]


def secret_variables() -> list[str]:
    """List the environment variables that hold secrets."""
    return [
        PREFIX + "__".join(path).upper()
        for path, field in walk(Config)
        if SecretStr in (field.annotation, *get_args(field.annotation))
    ]


def _build(file: Path, data: Mapping[str, Any], overrides: Mapping[str, Any]) -> Config:
    """Merge the environment and the caller's values into the file's, and check the whole."""
    problems = unknown_variables(Config)
    values: dict[str, Any] = {**overrides, _FILE_VALUES: data}
    try:
        config = Config(**values)
    except SettingsError as error:
        raise ConfigError(f"An environment variable {PREFIX}... cannot be read: {error}") from None
    except ValidationError as error:
        problems += [explain(Config, file, problem) for problem in error.errors(include_url=False)]
    if problems:
        raise ConfigError("\n".join(problems))
    config._path = file
    return config


def _derived_addresses() -> list[tuple[tuple[str, ...], LocalPort]]:
    return [
        (path, mark) for path, field in walk(Config) for mark in field.metadata if isinstance(mark, LocalPort)
    ]


def _without_secrets(data: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the secrets that came from the environment: whoever reads the file has them there."""
    return {
        key: _without_secrets(value) if isinstance(value, Mapping) else value
        for key, value in data.items()
        if isinstance(value, Mapping) or not SECRET.search(str(key))
    }
