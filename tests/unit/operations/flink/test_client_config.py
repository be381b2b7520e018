"""What Flink's client is told, and what a cluster is."""

import pytest

from account_alerts.config import PROJECT, Config, load
from operations.flink import client_config


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Config:
    for key in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"ALERTS_KAFKA__{key}", "anything")
    return load(PROJECT / "conf/production.yaml")


def test_cluster_has_all_options_of_the_configuration(config: Config) -> None:
    assert config.flink.options.items() <= client_config.cluster_options(config).items()


def test_client_asks_the_rest_interface_and_not_kubernetes(config: Config) -> None:
    cluster, client = client_config.cluster_options(config), client_config.client_options(config)
    assert client["rest.address"] == "flink-jobmanager.internal"
    assert cluster.keys() - client.keys() == {
        "high-availability.type",
        "high-availability.storageDir",
        "kubernetes.cluster-id",
    }
