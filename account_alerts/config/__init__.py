"""The configuration: one YAML file per environment, overridden by environment variables."""

from account_alerts.config.loader import LARGEST_RECORD, Config, ConfigError, load
from account_alerts.config.types import PREFIX
from account_alerts.installation import PROJECT

__all__ = ["LARGEST_RECORD", "PREFIX", "PROJECT", "Config", "ConfigError", "load"]
