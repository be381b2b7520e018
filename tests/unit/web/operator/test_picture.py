from dataclasses import replace
from typing import Any

import pytest

from account_alerts.config import Config, load
from jobs.catalog import ALERTING
from web.operator.chain import Health, Node, Snapshot, duration_words
from web.operator.picture import FRESH_MS, snapshot
from web.operator.readings import (
    UNREACHABLE,
    CaptureFigures,
    ChannelFigures,
    Checkpoint,
    GroupFigures,
    JobFigures,
    KafkaFigures,
    LedgerFigures,
    QueueFigures,
    Reading,
    Readings,
    ServiceFigures,
    Spread,
    TopicFigures,
)

NOW = 1_800_000_030_000


@pytest.fixture(scope="module")
def config() -> Config:
    return load()


def kafka(config: Config, **lags: int) -> KafkaFigures:
    topics = {topic.name: TopicFigures(1_000, 3, 12.0) for topic in config.topics.all().values()}
    groups = {
        name: GroupFigures(1, {config.topics.outbound_sms.name: lags.get(name.replace("-", "_"), 0)})
        for name in ("profiles", "sender-email", "sender-sms", "sender-push")
    }
    minutes = {config.topics.account_entries.name: {NOW // 60_000 * 60_000 - 60_000: 720}}
    return KafkaFigures(topics, groups, minutes)


def job(name: str = ALERTING, **values: Any) -> JobFigures:
    found = JobFigures(name, "RUNNING", 3, 0, (), (Checkpoint(NOW - 12_000, 400),))
    return replace(found, **values)


def read(value: Any, age: int = 0) -> Reading[Any]:
    return Reading(value, NOW - age)


def whole(config: Config, **values: Any) -> Readings:
    found = Readings(
        kafka=read(kafka(config)),
        jobs=read((job(), job("device-resolver"), job("reminders"))),
        ledger=read(LedgerFigures({}, Spread(31, 142))),
        queue=read(QueueFigures(0, 5, 1)),
        bank=read(2.0),
        capture=read(CaptureFigures(True)),
        services={
            "clicks": read(ServiceFigures()),
            **{f"sender-{name}": read(ServiceFigures({name: True})) for name in ("email", "sms", "push")},
        },
    )
    return replace(found, **values)


def node(found: Snapshot, name: str) -> Node:
    return next(node for node in found.nodes if node.name == name)


def test_all_is_well(config: Config) -> None:
    found = snapshot(config, whole(config), NOW)
    assert found.health is Health.HEALTHY
    assert found.troubles == ()
    assert [stage.name for stage in found.stages] == [
        "Comes from",
        "Taken in by",
        "Topics in",
        "Jobs",
        "Topics out",
        "Senders",
        "Gateways",
    ]
    strip = {headline.name: (headline.value, headline.detail) for headline in found.headlines}
    assert strip["Alert to gateway"] == ("31 ms", "p50; p99 142 ms; last minute")
    assert strip["Bookings"] == ("12/s", "720 in the last full minute")
    assert strip["Dead letters"] == ("3", "0 new in the last hour")
    assert strip["Last checkpoint"] == ("12 s ago", "took 400 ms; every 30 s")
    assert strip["Restarts"] == ("0", "since the jobs began")


@pytest.mark.parametrize(
    ("part", "nodes"),
    [
        ("kafka", {"account-entries", "outbound-sms", "E-mail", "SMS"}),
        ("jobs", {"Alerting", "Reminders"}),
        ("ledger", {"E-mail", "SMS", "Push"}),
        ("queue", {"Bank's queue", "Bridge"}),
        ("bank", {"Bank's database"}),
        ("capture", {"Capture"}),
    ],
)
def test_old_figures_are_never_shown_as_new(config: Config, part: str, nodes: set[str]) -> None:
    readings = whole(config)
    old = replace(getattr(readings, part), at=NOW - FRESH_MS - 1, problem="away")
    found = snapshot(config, replace(readings, **{part: old}), NOW)
    for name in nodes:
        shown = node(found, name)
        assert shown.health is Health.NO_NEWS
        assert shown.words == "No news, 15 s"
        assert (shown.rate, shown.waiting, shown.spread) == (None, None, Spread())
    assert found.health is Health.NO_NEWS


def test_a_part_that_never_answered_does_not_say_since_when(config: Config) -> None:
    found = snapshot(config, Readings(kafka=Reading(), jobs=Reading(), queue=Reading()), NOW)
    assert {shown.words for shown in found.nodes} == {"No news"}
    assert [headline.value for headline in found.headlines] == ["\N{EN DASH}"] * 6


def test_a_part_that_is_away_leaves_the_others_as_they_are(config: Config) -> None:
    found = snapshot(config, whole(config, jobs=Reading()), NOW)
    assert {shown.name for shown in found.troubles} == {"Alerting"}


def test_capture_is_known_by_its_publisher_where_kafka_connect_is_closed(config: Config) -> None:
    services = {**whole(config).services, "publisher": read(ServiceFigures(connector=False))}
    found = snapshot(config, whole(config, capture=None, services=services), NOW)
    assert node(found, "Capture").health is Health.DOWN


def test_what_an_environment_does_not_have_is_not_shown(config: Config) -> None:
    found = snapshot(config, Readings(kafka=read(kafka(config)), jobs=read((job(),))), NOW)
    assert [stage.name for stage in found.stages] == ["Topics in", "Jobs", "Topics out"]


@pytest.mark.parametrize(
    ("queue", "name", "health"),
    [
        (QueueFigures(120, 5, 1), "Bank's queue", Health.HEALTHY),  # Ten seconds of 12 a second.
        (QueueFigures(121, 5, 1), "Bank's queue", Health.BEHIND),
        (QueueFigures(0, 0, 0), "Bridge", Health.DOWN),
    ],
)
def test_queue_and_bridge(config: Config, queue: QueueFigures, name: str, health: Health) -> None:
    assert node(snapshot(config, whole(config, queue=read(queue)), NOW), name).health is health


@pytest.mark.parametrize(
    ("changed", "health", "words"),
    [
        ({"state": "RESTARTING"}, Health.DOWN, "Restarts"),
        ({"state": "FAILED"}, Health.DOWN, "Down"),
        ({"state": "STARTING"}, Health.BEHIND, "Starts"),
        ({"state": "NOT SUBMITTED", "waiting": None}, Health.DOWN, "Not started"),
        ({"state": UNREACHABLE}, Health.NO_NEWS, "No news"),
        ({"waiting": 5_000}, Health.BEHIND, "Behind"),
        ({"checkpoints": (Checkpoint(NOW - 91_000, 400),)}, Health.BEHIND, "No checkpoint"),
        ({"checkpoints": (), "waiting": None}, Health.HEALTHY, "Healthy"),
    ],
)
def test_jobs(config: Config, changed: dict[str, Any], health: Health, words: str) -> None:
    shown = node(snapshot(config, whole(config, jobs=read((job(**changed),))), NOW), "Alerting")
    assert (shown.health, shown.words) == (health, words)
    assert bool(shown.meaning) == (health is not Health.HEALTHY)


def test_a_sender_that_is_away_is_down_though_its_lag_is_small(config: Config) -> None:
    figures = kafka(config)
    groups = {**figures.groups, "sender-sms": GroupFigures(0, {"outbound-sms": 2})}
    found = snapshot(config, whole(config, kafka=read(replace(figures, groups=groups))), NOW)
    assert node(found, "SMS").health is Health.DOWN
    assert node(found, "SMS").waiting == 2
    assert node(found, "E-mail").health is Health.HEALTHY


def test_a_gateway_that_is_down_comes_before_the_sender_that_waits_for_it(config: Config) -> None:
    ledger = LedgerFigures({"SMS": ChannelFigures(retrying=1_240, overdue=40, oldest_overdue=172_000)})
    services = {**whole(config).services, "sender-sms": read(ServiceFigures({"SMS": False}))}
    found = snapshot(config, whole(config, ledger=read(ledger), services=services), NOW)
    assert [(shown.name, shown.health) for shown in found.troubles] == [
        ("SMS gateway", Health.DOWN),
        ("SMS", Health.BEHIND),
    ]
    assert node(found, "SMS gateway").words == "Down"
    assert "172" not in node(found, "SMS").meaning
    assert "for 2 min" in node(found, "SMS").meaning


def test_one_push_service_of_several_is_down(config: Config) -> None:
    routes = {"FCM": True, "APNS": False}
    services = {**whole(config).services, "sender-push": read(ServiceFigures(routes))}
    shown = node(snapshot(config, whole(config, services=services), NOW), "Push services")
    assert (shown.health, shown.words) == (Health.DOWN, "Partly down")
    assert shown.meaning.startswith("APNS takes no messages")


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 ms"),
        (31.4, "31 ms"),
        (1_400, "1.4 s"),
        (12_000, "12 s"),
        (172_000, "2 min"),
        (7_300_000, "2 h"),
    ],
)
def test_durations_in_words(ms: float, words: str) -> None:
    assert duration_words(ms) == words


def test_jobs_of_analysts_rules_stand_beside_the_chain(config: Config) -> None:
    jobs = (job(), job("adhoc-alerts"), job("rule-salary", state="FAILED"))
    found = snapshot(config, whole(config, jobs=read(jobs)), NOW)
    assert [shown.name for stage in found.stages if stage.name == "Jobs" for shown in stage.nodes] == [
        "Alerting"
    ]
    assert [shown.name for shown in found.rules] == ["Adhoc alerts", "Rule salary"]
    assert [shown.name for shown in found.troubles] == ["Rule salary"]
