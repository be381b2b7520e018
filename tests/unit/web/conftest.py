"""An application of each test's own."""

import pytest

from tests.unit.web.application import Application, configure


@pytest.fixture
def application() -> Application:
    return Application(configure())
