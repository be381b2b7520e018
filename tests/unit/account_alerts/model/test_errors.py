"""Every error of the project stands in one tree."""

import importlib
import pkgutil

import pytest

from account_alerts.model.errors import AlertsError

PACKAGES = [
    *("account_alerts", "alerts_cli", "delivery", "demo", "devenv"),
    *("ingest", "jobs", "operations", "udfs"),
]


def modules() -> list[str]:
    found = []
    for name in PACKAGES:
        package = importlib.import_module(name)
        found += [each.name for each in pkgutil.walk_packages(package.__path__, f"{name}.")]
    return [name for name in found if not name.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_an_error_of_ours_is_an_alerts_error(name: str) -> None:
    for value in vars(importlib.import_module(name)).values():
        if isinstance(value, type) and issubclass(value, BaseException) and value.__module__ == name:
            assert issubclass(value, AlertsError), value
