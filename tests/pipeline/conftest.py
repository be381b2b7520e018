"""One running chain for all contract tests.

`CHAIN_CONFIG=conf/local.yaml pytest tests/contract` takes an environment that runs already; tests that stop
or kill a part of it are skipped then.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from account_alerts.config import Config, load
from tests.pipeline.chain import Case, Chain
from tests.pipeline.environment import Environment


@pytest.fixture(scope="package")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment on throw-away state, with both jobs running."""
    if "CHAIN_CONFIG" in os.environ:
        pytest.skip("does not touch an environment that is not its own")
    own = Environment(tmp_path_factory.mktemp("chain"))
    try:
        own.alerts("up", "--fresh")
        yield own
    finally:
        own.alerts("down")


@pytest.fixture(scope="package")
def config(request: pytest.FixtureRequest) -> Config:
    """The configuration of the environment the chain runs in."""
    if path := os.environ.get("CHAIN_CONFIG"):
        return load(Path(path))
    environment: Environment = request.getfixturevalue("environment")
    return environment.config


@pytest.fixture(scope="package")
def chain(config: Config) -> Iterator[Chain]:
    """The chain, with all its outputs watched."""
    running = Chain(config)
    running.prepare_fences()
    yield running
    running.close()


@pytest.fixture
def case(chain: Chain) -> Case:
    """A test's own ids and records."""
    return chain.case()
