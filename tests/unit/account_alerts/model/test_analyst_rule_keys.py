"""The keys and setting ids of analysts' rules are those that Kafka has."""

import pytest

from account_alerts.model.analyst_rule_keys import About, RegistryKey, is_of_a_rule, setting_id_of_alerts


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (RegistryKey("salary"), b"salary"),
        (RegistryKey("salary", About.DECIDED), b"salary:held"),
        (RegistryKey("salary", About.HALTED), b"salary:halted"),
    ],
)
def test_a_key_is_read_as_it_was_written(key: RegistryKey, written: bytes) -> None:
    assert key.dump() == written
    assert RegistryKey.parse(written) == key


@pytest.mark.parametrize("key", [b"salary:moved", b"salary:held:x", b"\xff"])
def test_an_unknown_key_is_an_error(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"moved|held:x|utf-8"):
        RegistryKey.parse(key)


def test_a_rules_alerts_have_a_setting_id_that_no_customer_has() -> None:
    assert setting_id_of_alerts("salary") == "adhoc:salary"
    assert is_of_a_rule("adhoc:salary")
    assert not is_of_a_rule("salary")
