"""The configuration: what is wrong is named with its cure, and what is right arrives."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from account_alerts.config import PROJECT, Config, ConfigError, load, secret_variables
from account_alerts.config.local import Local
from account_alerts.config.problems import REMOVED, RENAMED, SECRET
from account_alerts.config.types import walk

LOCAL = PROJECT / "conf/local.yaml"
PRODUCTION = PROJECT / "conf/production.yaml"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for variable in os.environ:
        if variable.startswith("ALERTS_"):
            monkeypatch.delenv(variable)


def changed(folder: Path, path: str, value: object) -> Path:
    """A copy of the local configuration with one value replaced; None removes the key."""
    data = yaml.safe_load(LOCAL.read_text())
    *parents, key = path.split(".")
    section = data
    for parent in parents:
        section = section[parent]
    if value is None:
        del section[key]
    else:
        section[key] = value
    file = folder / "changed.yaml"
    file.write_text(yaml.safe_dump(data))
    return file


def test_addresses_follow_the_local_ports() -> None:
    config = load(LOCAL, {"local": {"kafka_port": 19092, "flink_rest_port": 18081}})
    assert config.kafka.bootstrap_servers == "localhost:19092"
    assert config.flink.rest_url == "http://localhost:18081"


def test_override_moves_the_addresses_too() -> None:
    config = load(LOCAL).override({"local": {"kafka_port": 19092}})
    assert config.kafka.bootstrap_servers == "localhost:19092"
    assert config.flink.rest_url == "http://localhost:8081"


def test_environment_wins_over_the_file_and_the_caller_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_LOCAL__KAFKA_PORT", "1111")
    monkeypatch.setenv("ALERTS_RULES__MAX_WAIT", "3s")
    config = load(LOCAL, {"local": {"kafka_port": 2222}})
    assert config.local_environment().kafka_port == 2222
    assert config.rules.max_wait == 3000


def test_file_is_chosen_by_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALERTS_CONFIG", str(changed(tmp_path, "environment", "elsewhere")))
    assert load().environment == "elsewhere"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("kafka.encodign", "avro", ["kafka.encodign", "Did you mean encoding?"]),
        (
            "kafka.encoding",
            "json",
            ["kafka.encoding", "'avro' or 'avro-confluent'", "ALERTS_KAFKA__ENCODING"],
        ),
        ("kafka.encoding", "avro-confluent", ["schema_registry_url"]),
        ("kafka.min_insync_replicas", 2, ["min_insync_replicas", "replication_factor"]),
        ("rules", None, ["rules", "missing"]),
        ("rules.max_wait", None, ["rules.max_wait", "missing", "ALERTS_RULES__MAX_WAIT"]),
        ("rules.max_wait", 10, ["rules.max_wait", "not a duration", "10s"]),
        ("rules.effect_delay", "1s", ["rules.effect_delay", "less than 1000"]),
        ("alerting.parallelism", 0, ["alerting.parallelism", "greater than or equal to 1"]),
        ("local.kafka_port", 70000, ["local.kafka_port", "65535"]),
        ("senders.email.tls", "ssl", ["senders.email.tls", "'starttls', 'tls' or 'none'"]),
        ("senders.email.sender", "Bank", ["senders.email.sender", "is no mail address"]),
        ("senders.email.unsubscribe_url", "http://x/{token}", ["senders.email.unsubscribe_url", "https://"]),
        ("senders.email.password", "x", ["senders.email.password", "secrets never stand in a file"]),
        ("senders.sms.smpp", None, ["senders.sms", "there is no smpp"]),
        ("senders.sms.smpp.idempotency_tag", 5, ["senders.sms.smpp.idempotency_tag", "5120"]),
        ("senders.push.web.subject", "me", ["senders.push.web.subject"]),
        ("senders.push.apns.topik", "x", ["senders.push.apns.topik", "Did you mean topic?"]),
        ("senders.push.fcm.url", "http://x", ["senders.push.fcm.url"]),
        ("bridge.time_zone", "Europe/Nowhere", ["bridge.time_zone", "no time zone of IANA's database"]),
        ("local.kafka_port", 8081, ["ports", "same"]),
        ("local.kafka_heap", "lots", ["local.kafka_heap"]),
        ("topics.alert_settings.retention", "1d", ["alert_settings.retention", "account_entries.retention"]),
        ("topics.dead_letters.retention", None, ["dead_letters.retention", "missing"]),
        ("topics.dead_letters.name", "alert-settings", ["same name"]),
        ("kafka.password", "hunter2", ["kafka.password", "ALERTS_KAFKA__PASSWORD"]),
        ("kafka.client", {"sasl.jaas.config": "hunter2"}, ["sasl.jaas.config", "secrets"]),
    ],
)
def test_error_names_key_and_cure(tmp_path: Path, path: str, value: object, said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed(tmp_path, path, value))
    message = str(caught.value)
    assert "changed.yaml" in message
    assert "hunter2" not in message
    for part in said:
        assert part in message


def test_all_errors_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_KAFAK__ENCODING", "avro")
    monkeypatch.setenv("ALERTS_RULES__MAX_WAITING", "1s")
    with pytest.raises(ConfigError) as caught:
        load(LOCAL)
    assert "ALERTS_KAFAK__ENCODING" in str(caught.value)
    assert "Did you mean kafka?" in str(caught.value)
    assert "Did you mean max_wait?" in str(caught.value)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_key_that_was_renamed_names_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    with pytest.raises(ConfigError, match=rf"{re.escape(old)}: is called {re.escape(new)} now"):
        load(changed(tmp_path, old, "1"))
    monkeypatch.setenv(f"ALERTS_{old.upper().replace('.', '__')}", "1")
    with pytest.raises(ConfigError, match=rf"{re.escape(old)}:? is called {re.escape(new)} now"):
        load(LOCAL)
    monkeypatch.delenv(f"ALERTS_{old.upper().replace('.', '__')}")
    section: Any = load(LOCAL)
    for part in new.split("."):
        section = getattr(section, part)


@pytest.mark.parametrize("key", REMOVED)
def test_a_key_that_was_removed_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    with pytest.raises(ConfigError, match=rf"{re.escape(key)}: is no longer a key: .*\. Remove it\."):
        load(changed(tmp_path, key, {}))
    monkeypatch.setenv(f"ALERTS_{key.upper().replace('.', '__')}", "1")
    with pytest.raises(ConfigError, match=rf"{re.escape(key)}:? is no longer a (key|section): "):
        load(LOCAL)


def test_missing_file_and_broken_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config or ALERTS_CONFIG"):
        load(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("kafka: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load(tmp_path / "broken.yaml")


def production(monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("ALERTS_KAFKA__USERNAME", "alerts")
    monkeypatch.setenv("ALERTS_KAFKA__PASSWORD", 'a"b\\c')
    return load(PRODUCTION)


def test_production_needs_its_secrets() -> None:
    with pytest.raises(ConfigError, match="ALERTS_KAFKA__PASSWORD"):
        load(PRODUCTION)


def test_production_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    config = production(monkeypatch)
    assert config.kafka.replication_factor == 3
    assert config.kafka.min_insync_replicas == 2
    assert config.kafka.encoding == "avro-confluent"
    assert config.kafka.client["acks"] == "all"
    assert config.kafka.client["security.protocol"] == "SASL_SSL"
    options = config.flink.options
    assert options["high-availability.type"] == "kubernetes"
    assert str(options["execution.checkpointing.dir"]).startswith("s3://")
    assert config.alerting.state_backend == "rocksdb"
    with pytest.raises(ConfigError, match=r"conf/local\.yaml"):
        config.local_environment()


def test_a_secret_of_an_option_comes_by_the_variable_that_the_error_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = PRODUCTION.read_text()
    file = tmp_path / "own.yaml"
    file.write_text(text.replace("  options:\n", "  options:\n    s3.secret-key: abc\n"))
    cure = 'ALERTS_FLINK__OPTIONS=\'{"s3.secret-key": "..."}\''
    with pytest.raises(ConfigError, match=re.escape(cure)):
        load(file)
    monkeypatch.setenv("ALERTS_FLINK__OPTIONS", '{"s3.secret-key": "abc"}')
    config = production(monkeypatch)
    assert config.flink.options["s3.secret-key"] == "abc"
    assert config.flink.options["high-availability.type"] == "kubernetes"
    config.write(tmp_path / "written.yaml")
    assert "abc" not in (tmp_path / "written.yaml").read_text()
    assert load(tmp_path / "written.yaml").flink.options["s3.secret-key"] == "abc"


def test_what_kubernetes_says_of_a_service_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTP",
        "PORT",
        "PORT_80_TCP",
        "PORT_80_TCP_ADDR",
    ):
        monkeypatch.setenv(f"ALERTS_MAIL_{name}", "10.0.0.1")
    load(LOCAL)


def test_secrets_reach_the_clients_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = production(monkeypatch)
    assert config.kafka.librdkafka()["sasl.password"] == 'a"b\\c'
    assert 'password="a\\"b\\\\c"' in config.kafka.java()["sasl.jaas.config"]
    assert "ScramLoginModule" in config.kafka.java()["sasl.jaas.config"]
    config.write(tmp_path / "written.yaml")
    for text in (repr(config), (tmp_path / "written.yaml").read_text()):
        assert 'a"b' not in text


def test_every_java_client_reads_committed_records_only() -> None:
    for own in ({}, {"isolation.level": "read_uncommitted"}):
        config = load(LOCAL, {"kafka": {"client": own, "java_client": own}})
        assert config.kafka.java()["isolation.level"] == "read_committed"


def test_written_configuration_reads_back_the_same(tmp_path: Path) -> None:
    config = load(LOCAL, {"local": {"kafka_port": 19092}, "rules": {"max_wait": "3s"}})
    config.write(tmp_path / "written.yaml")
    assert load(tmp_path / "written.yaml").model_dump() == config.model_dump()


def test_what_is_named_like_a_secret_is_one_and_what_is_one_is_named_so() -> None:
    for path, _ in walk(Config):
        secret = "ALERTS_" + "__".join(path).upper() in secret_variables()
        assert bool(SECRET.search(path[-1])) == secret, path
    assert "ALERTS_BRIDGE__PASSWORD" in secret_variables()
    assert "ALERTS_SENDERS__PUSH__WEB__VAPID_PRIVATE_KEY" in secret_variables()


def test_the_ports_of_the_local_environment_stand_in_its_file_only() -> None:
    for name, field in Local.model_fields.items():
        assert field.is_required() or not name.endswith("_port"), name


@pytest.mark.parametrize("section", ["bank", "delivery", "capture", "bridge", "clicks", "devices", "senders"])
def test_a_section_that_is_missing_is_named(tmp_path: Path, section: Any) -> None:
    assert load(LOCAL).require(section) is not None
    config = load(changed(tmp_path, section, None))
    with pytest.raises(ConfigError, match=rf"changed\.yaml: has no section '{section}'\. Add it"):
        config.require(section)


def test_a_key_that_went_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alerting\.unusual_from: is no longer a key: .* Remove it"):
        load(changed(tmp_path, "alerting.unusual_from", 5))


def test_an_override_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_LOCAL__KAFKA_PORT", "1111")
    config = load(LOCAL)
    assert config.kafka.bootstrap_servers == "localhost:1111"
    assert config.override({"local": {"kafka_port": 2222}}).kafka.bootstrap_servers == "localhost:2222"


def test_a_banks_own_codes_map_to_entry_types(tmp_path: Path) -> None:
    codes = {"NDDT+106+*": "CARD", "807": "FEE"}
    found = load(changed(tmp_path, "bridge.transaction_codes", codes)).require("bridge").transaction_codes
    assert found == codes
    with pytest.raises(ConfigError, match=r"bridge\.transaction_codes\.807: Input should be 'CARD', "):
        load(changed(tmp_path, "bridge.transaction_codes", {"807": "FEES"}))


def test_clicks_without_authentication_are_for_this_machine_only(tmp_path: Path) -> None:
    assert load(changed(tmp_path, "clicks.host", "127.0.0.1")).require("clicks").authentication == "none"
    with pytest.raises(
        ConfigError, match=r"clicks: without authentication anybody .* authentication 'token'"
    ):
        load(changed(tmp_path, "clicks.host", "0.0.0.0"))
