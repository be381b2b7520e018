"""What Flink's client is told, and what a cluster is."""

from pathlib import Path

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


def test_only_the_owner_reads_the_options(tmp_path: Path) -> None:
    """They may hold the key of an object store."""
    for value in ("first", "second"):
        client_config.write(tmp_path, {"s3.secret-key": value})
        assert (tmp_path / "config.yaml").read_text() == f"s3.secret-key: {value}\n"
        assert (tmp_path / "config.yaml").stat().st_mode & 0o777 == 0o600
    assert not [file for file in tmp_path.iterdir() if file.name.startswith("tmp")]
