"""One running pipeline for all contract tests.

`PIPELINE_CONFIG=conf/local.yaml pytest tests/pipeline` takes an environment that runs already. Tests that
stop or kill a part of it are skipped then.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from account_alerts.config import Config, load
from tests.pipeline.environment import Environment
from tests.pipeline.harness import PipelineHarness
from tests.pipeline.scenario import Scenario


@pytest.fixture(scope="package")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment on throw-away state, with both jobs running."""
    if "PIPELINE_CONFIG" in os.environ:
        pytest.skip("does not touch an environment that is not its own")
    own = Environment(tmp_path_factory.mktemp("pipeline"))
    try:
        own.alerts("up", "--fresh")
        yield own
    finally:
        own.alerts("down")


@pytest.fixture(scope="package")
def config(request: pytest.FixtureRequest) -> Config:
    """The configuration of the environment the pipeline runs in."""
    if path := os.environ.get("PIPELINE_CONFIG"):
        return load(Path(path))
    environment: Environment = request.getfixturevalue("environment")
    return environment.config


@pytest.fixture(scope="package")
def pipeline(config: Config) -> Iterator[PipelineHarness]:
    """Watch all outputs of the pipeline; after the last test, fail on what no test asked for."""
    running = PipelineHarness(config)
    running.prepare_barriers()
    yield running
    try:
        running.verify_nothing_else_came()
    finally:
        running.close()


@pytest.fixture
def scenario(pipeline: PipelineHarness) -> Scenario:
    """A test's own ids and records."""
    return Scenario(pipeline, pipeline.new_prefix())
