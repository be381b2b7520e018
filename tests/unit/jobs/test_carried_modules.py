"""A job carries the modules of udfs/ by value: what they use of others must be where it says it is from."""

import importlib
import pkgutil

import pytest

import udfs
from jobs import runner

MODULES = [
    *(module.name for module in pkgutil.walk_packages(udfs.__path__, "udfs.")),
    *(module.__name__ for module in runner.CARRIED),
]


@pytest.mark.parametrize("name", MODULES)
def test_every_class_it_names_can_be_imported_from_where_it_says(name: str) -> None:
    for what, value in vars(importlib.import_module(name)).items():
        if isinstance(value, type):
            origin = importlib.import_module(value.__module__)
            assert getattr(origin, value.__name__) is value, f"{name}.{what} would be copied, not named"


def test_there_are_modules() -> None:
    assert "udfs.alerts" in MODULES
