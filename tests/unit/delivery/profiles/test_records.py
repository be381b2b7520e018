"""What senders need of settings and authorizations."""

import pytest

from account_alerts.model.errors import InvalidRecordError
from delivery.profiles.records import Batch, InvalidProfileError, ProfileRow, parse
from tests import builders
from tests.unit.delivery.alerts import CODEC


def test_a_profile_is_what_senders_need_of_the_settings() -> None:
    wanted = builders.settings("c1", builders.setting("s1", "a1", snoozed_until=5), quiet_from="22:00")
    found = parse(b"c1", CODEC.encode("AlertSettings", wanted, "t"), "profiles", CODEC)
    row = found.row
    assert row is not None
    assert found.key == "c1"
    assert row["addresses"]["EMAIL"] == ["c1@example.com"]
    assert row["settings"] == {
        "s1": {name: value for name, value in wanted["settings"][0].items() if name != "setting_id"}
    }
    assert (row["quiet_from"], row["quiet_to"], row["digest"]) == ("22:00", None, None)
    assert (row["language"], row["sms_number"]) == ("en", None)
    wanted["addresses"] = [{"channel": "SMS", "address": text} for text in ("none", "0031 6-12345678", "+32")]
    row = parse(b"c1", CODEC.encode("AlertSettings", wanted, "t"), "profiles", CODEC).row
    assert row is not None
    assert row["sms_number"] == "31612345678"
    assert parse(b"c1", None, "profiles", CODEC) == ProfileRow("c1", None)


def test_an_invalid_field_is_as_if_it_were_not_there() -> None:
    wrong = {"quiet_from": "22:00", "quiet_to": "24:00", "digest": "WEEKLY", "time_zone": "Europe/Nowhere"}
    value = CODEC.encode("AlertSettings", builders.settings("c1", builders.setting("s1"), **wrong), "t")
    row = parse(b"c1", value, "profiles", CODEC).row
    assert row is not None
    assert {name: row[name] for name in wrong} == {
        "quiet_from": "22:00",
        "quiet_to": None,
        "digest": None,
        "time_zone": "UTC",
    }
    assert row["settings"].keys() == {"s1"}


def test_access_has_each_customer_once() -> None:
    value = CODEC.encode("AccountAuthorization", builders.authorization("a1", "c2", "c1", "c2"), "t")
    found = parse(b"a1", value, "account_access", CODEC)
    assert found == ProfileRow("a1", {"account_id": "a1", "customer_ids": ["c1", "c2"]})


@pytest.mark.parametrize(
    ("key", "value"), [(b"c2", None), (b"", b""), (b"c1", b"x"), (b"\xff", None), (b"a\0b", None)]
)
def test_a_broken_profile_is_skipped(key: bytes, value: bytes | None) -> None:
    good = CODEC.encode("AlertSettings", builders.settings("c1"), "t")
    if key == b"c2":
        value = good
    with pytest.raises(InvalidProfileError) as error:
        parse(key, value, "profiles", CODEC)
    assert isinstance(error.value, InvalidRecordError)


def test_a_batch_has_the_newest_row_of_a_key_and_only_what_is_new() -> None:
    batch = Batch()
    for offset, row in (
        (5, ProfileRow("c1", {"n": 1})),
        (6, ProfileRow("c2", {})),
        (7, ProfileRow("c1", None)),
    ):
        batch.put(offset, row)
        batch.advance(offset + 1)
    batch.advance(3)
    assert batch.next_offset == 8
    assert batch.since(0) == [ProfileRow("c1", None), ProfileRow("c2", {})]
    assert batch.since(7) == [ProfileRow("c1", None)]


def test_an_opt_out_is_read_by_its_number() -> None:
    stop = {"number": "31612345678", "stopped": True, "changed_at": builders.NOON}
    value = CODEC.encode("SmsOptOut", stop, "t")
    assert parse(b"31612345678", value, "sms_opt_outs", CODEC) == ProfileRow("31612345678", stop)
    assert parse(b"31612345678", None, "sms_opt_outs", CODEC).row is None
    with pytest.raises(InvalidProfileError):
        parse(b"31612345679", value, "sms_opt_outs", CODEC)
    late = CODEC.encode("SmsOptOut", stop | {"changed_at": 2**62}, "t")
    row = parse(b"31612345678", late, "sms_opt_outs", CODEC).row
    assert row is not None
    assert row["changed_at"] == 253_402_300_799_000
