"""Keys of messages and digests."""

from delivery.rendering.messages import build_message, digest_key
from tests.unit.delivery.alerts import ALERT, delivery


def test_one_message_has_the_alerts_id_and_a_digest_its_own() -> None:
    assert build_message([delivery()], "EMAIL").key == "0123"
    two = [delivery(digest_id="d", alert=ALERT | {"alert_id": number}) for number in ("1", "2")]
    message = build_message(two, "EMAIL")
    assert message.key == digest_key(two[0]) == digest_key(two[1])
    assert digest_key(delivery(digest_id="d", alert=ALERT | {"customer_id": "c2"})) != message.key
    assert digest_key(delivery(digest_id="e")) != message.key
