"""A client without brokers: told from one whose brokers are away by what it says of itself."""

import json
from typing import Any

import pytest

from account_alerts.config import PROJECT, load
from account_alerts.kafka import clients
from account_alerts.kafka.lost_brokers import BrokerWatch, knows_broker, watch

_NOBODY = {"GroupCoordinator": {"source": "logical", "state": "INIT"}}
_KNOWN = {"kafka-0:9092/0": {"source": "learned", "state": "TRY_CONNECT"}}
_BOOTSTRAP = {"kafka:9092/bootstrap": {"source": "configured", "state": "TRY_CONNECT"}}


@pytest.mark.parametrize(
    ("brokers", "expected"),
    [
        ({}, False),
        (_NOBODY, False),
        ({":0/internal": {"source": "internal", "state": "UP"}}, False),
        (_BOOTSTRAP, True),
        (_KNOWN | _NOBODY, True),
    ],
)
def test_a_broker_is_one_that_can_be_connected_to(brokers: dict[str, Any], expected: bool) -> None:
    assert knows_broker({"brokers": brokers}) is expected


def reported(seconds: float, brokers: dict[str, Any]) -> str:
    return json.dumps({"name": "rdkafka#producer-1", "ts": int(seconds * 1e6), "brokers": brokers})


def test_a_client_is_lost_when_it_has_known_no_broker_for_so_long() -> None:
    reasons: list[str] = []
    watch = BrokerWatch(30_000, reasons.append)
    for seconds in (100, 110, 129.9):
        watch.read(reported(seconds, _NOBODY))
    assert reasons == []
    watch.read(reported(130, _NOBODY))
    assert reasons == ["rdkafka#producer-1 has known no broker of Kafka for 30 s"]


def test_the_time_counts_anew_when_there_was_a_broker() -> None:
    reasons: list[str] = []
    watch = BrokerWatch(30_000, reasons.append)
    for seconds, brokers in ((0, _NOBODY), (20, _KNOWN), (40, _NOBODY), (69, _NOBODY)):
        watch.read(reported(seconds, brokers))
    assert reasons == []


def test_a_client_whose_broker_is_away_still_knows_it() -> None:
    """What librdkafka says of itself, in its own words: nobody listens at this port."""
    away = {"bootstrap_servers": "localhost:1", "lost_after": "60ms"}
    config = load(PROJECT / "conf/local.yaml").override({"kafka": away})
    reports: list[dict[str, Any]] = []
    options = watch(config, pytest.fail) | {"stats_cb": lambda report: reports.append(json.loads(report))}
    client = clients.producer(config, **options)
    while len(reports) < 10:
        client.poll(0.1)
    assert all(knows_broker(report) for report in reports)
    assert reports[-1]["ts"] - reports[0]["ts"] >= 60_000


def test_a_watched_client_is_asked_some_times_before_it_is_given_up() -> None:
    config = load(PROJECT / "conf/local.yaml")
    reasons: list[str] = []
    assert watch(config, None) == {}
    options = watch(config, reasons.append)
    assert options["statistics.interval.ms"] == 5_000
    for seconds in (0, 30):
        options["stats_cb"](reported(seconds, _NOBODY))
    assert len(reasons) == 1
