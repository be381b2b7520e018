"""What is in force: the senders' profile, which comes through Kafka, against what the bank's database has."""

from typing import Any

from delivery.profiles.records import profile_row
from tests import builders
from web.store.live import Live

SAVED: dict[str, Any] = builders.settings("c1", builders.setting("s1", threshold_minor=100), digest="DAILY")


def _profile(**changes: Any) -> dict[str, Any]:
    row = profile_row({**SAVED, **changes})
    return {name: row[name] for name in ("language", "digest", "addresses", "settings")}


def test_a_setting_is_live_once_the_profile_has_it_as_saved() -> None:
    wanted = profile_row(SAVED)
    assert Live(wanted, _profile()).has("s1")
    older = builders.setting("s1", threshold_minor=200)
    assert not Live(wanted, _profile(settings=[older])).has("s1")
    assert not Live(wanted, _profile(settings=[])).has("s1")


def test_a_setting_that_is_off_is_live_once_it_is_gone() -> None:
    wanted = profile_row({**SAVED, "settings": []})
    assert Live(wanted, _profile(settings=[])).has("s1")
    assert not Live(wanted, _profile()).has("s1")


def test_a_profile_of_an_earlier_version_has_less_of_a_setting() -> None:
    wanted, found = profile_row(SAVED), _profile()
    for name in ("threshold_minor", "count"):
        del found["settings"]["s1"][name]
    assert Live(wanted, found).has("s1")


def test_the_rest_is_live_by_itself() -> None:
    wanted = profile_row(SAVED)
    assert Live(wanted, _profile(settings=[])).has_the_rest()
    assert not Live(wanted, _profile(digest=None)).has_the_rest()


def test_nothing_is_live_that_nobody_knows_of() -> None:
    assert not Live(profile_row(SAVED), None).has("s1")
    assert not Live(None, _profile()).has_the_rest()
