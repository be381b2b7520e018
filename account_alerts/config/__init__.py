"""The configuration: one YAML file per environment, overridden by environment variables."""

from account_alerts.config.kafka import LARGEST_RECORD
from account_alerts.config.loader import Config, free_form_variables, load, secret_variables
from account_alerts.config.types import PREFIX
from account_alerts.installation import PROJECT
from account_alerts.model.errors import ConfigError

__all__ = [
    "LARGEST_RECORD",
    "PREFIX",
    "PROJECT",
    "Config",
    "ConfigError",
    "free_form_variables",
    "load",
    "secret_variables",
]
