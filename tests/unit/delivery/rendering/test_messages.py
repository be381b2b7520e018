"""Keys of messages and digests, and the settings whose mails a link ends."""

from collections.abc import Sequence

from delivery.rendering.messages import build_message, digest_key
from tests.unit.delivery.alerts import ALERT, delivery


def link(customer: str, settings: Sequence[str]) -> str:
    return f"https://x.example/{customer}/{','.join(settings)}"


def test_one_message_has_the_alerts_id_and_a_digest_its_own() -> None:
    assert build_message([delivery()], "EMAIL").key == "0123"
    two = [delivery(digest_id="d", alert=ALERT | {"alert_id": number}) for number in ("1", "2")]
    message = build_message(two, "EMAIL")
    assert message.key == digest_key(two[0]) == digest_key(two[1])
    assert digest_key(delivery(digest_id="d", alert=ALERT | {"customer_id": "c2"})) != message.key
    assert digest_key(delivery(digest_id="e")) != message.key


def test_a_link_ends_the_mails_of_all_reasons() -> None:
    [first] = ALERT["reasons"]
    two = delivery(alert=ALERT | {"reasons": [first, {**first, "setting_id": "s2"}]})
    assert build_message([two], "EMAIL", link).unsubscribe == "https://x.example/c1/s1,s2"
    assert build_message([delivery(digest_id="d")], "EMAIL", link).unsubscribe == "https://x.example/c1/"
    rule = {**first, "setting_id": "adhoc:salary"}
    assert build_message([delivery(alert=ALERT | {"reasons": [rule]})], "EMAIL", link).unsubscribe is None
