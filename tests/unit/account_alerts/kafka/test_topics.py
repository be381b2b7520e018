"""Topics are created as the contract says."""

from account_alerts.config import PROJECT, load
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
