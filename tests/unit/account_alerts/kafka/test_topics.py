"""Topics are created as the contract says."""

import re

from account_alerts.config import LARGEST_RECORD, PROJECT, load
from account_alerts.kafka.topics import topic_settings

LOCAL = PROJECT / "conf/local.yaml"


def test_topics_follow_the_contract() -> None:
    config = load(LOCAL)
    week = str(7 * 24 * 3600 * 1000)
    assert topic_settings(config, "account_entries")["message.timestamp.type"] == "LogAppendTime"
    assert topic_settings(config, "account_entries")["retention.ms"] == week
    for key in ("account_authorizations", "alert_settings"):
        settings = topic_settings(config, key)
        assert settings["cleanup.policy"] == "compact"
        # And as long as the bookings before a booking are counted.
        assert int(settings["min.compaction.lag.ms"]) == int(week) + config.rules.count_reach
        assert int(settings["delete.retention.ms"]) == int(week) + config.rules.count_reach


def test_what_jobs_write_may_be_longer_than_what_they_read() -> None:
    """An id of Kafka's own limit is in the key and the value of what is made of it."""
    config = load(LOCAL)
    written = {
        key
        for file in (PROJECT / "sql/tables").glob("*.sql")
        if "${kafka_producer}" in (text := file.read_text())
        for topics in re.findall(r"'topic' = '([^']*)'", text)
        for key in re.findall(r"\$\{(\w+)\}", topics)
    }
    assert {"rule_hits", "outbound_device_push", "dead_letters"} < written
    large = {
        key
        for key in config.topics.all()
        if topic_settings(config, key).get("max.message.bytes") == str(LARGEST_RECORD)
    }
    assert large == written
