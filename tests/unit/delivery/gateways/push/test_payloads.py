"""What push services get."""

import json

from hypothesis import given
from hypothesis import strategies as st

from delivery.gateways.push import apns, fcm, web_push
from tests.unit.delivery.gateways.messages import new_message


@given(st.text(max_size=20_000))
def test_pushes_fit(text: str) -> None:
    about = new_message(text=text * 3)
    assert len(web_push.payload(about)) <= web_push.LARGEST
    assert json.loads(web_push.payload(about))["title"] == "t"
    assert len(apns.payload(about)) <= 4096
    found = fcm.content(about)
    assert sum(len(part.encode(errors="replace")) for item in found.items() for part in item) <= fcm.LARGEST
    assert found["body"] == about.text[: len(found["body"])]
