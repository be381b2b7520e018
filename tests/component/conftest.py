"""Real programs for the tests of the chain's two ends.

They are started once, on demand, and shared by all these tests: use ids and consumer groups of your own, and
leave running what you found running.
"""

import itertools
from collections.abc import Iterator

import pytest

from account_alerts import postgres as database
from account_alerts.config import Config, load
from account_alerts.config.postgres import Database
from account_alerts.kafka import topics
from devenv.ports import throw_away
from devenv.services import kafka as kafka_service
from devenv.services.catalog import POSTGRES, Service
from tests.component.programs import Programs

KAFKA = Service(
    "kafka",
    kafka_service.write,
    topics.reachable,
    lambda config: config.kafka.bootstrap_servers,
    topics.create,
)


_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """What starts programs; stops all at the end."""
    folder = tmp_path_factory.mktemp("ends")
    config = throw_away(load(), folder)
    # So short that each broker that is stopped shows whether a service would end for that.
    own = Programs(config.override({"kafka": {"lost_after": "2s"}}), folder)
    try:
        yield own
    finally:
        own.stop_all()


@pytest.fixture(scope="package")
def kafka(programs: Programs) -> Config:
    """A broker with the topics; the configuration that says where it is."""
    programs.start(KAFKA)
    return programs.config


@pytest.fixture(scope="package")
def postgres(programs: Programs) -> Config:
    """A server with both databases and their tables; the configuration that says where it is."""
    programs.start(POSTGRES)
    return programs.config


@pytest.fixture
def empty(postgres: Config) -> Iterator[Database]:
    """A database of the test's own, without tables."""
    bank, name = postgres.require("bank"), f"test_{next(_numbers)}"
    with database.connect(bank, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield bank.model_copy(update={"name": name})
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
