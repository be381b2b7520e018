"""Bodies of requests to an SMS gateway."""

from hypothesis import given
from hypothesis import strategies as st

from delivery.gateways.sms.http import fill


@given(st.text(), st.text())
def test_a_body_is_filled_in_once(text: str, to: str) -> None:
    template = {"a": ["{to}", {"b": "x {text} {y} {"}], "n": 5}
    assert fill(template, {"to": to, "text": text}) == {"a": [to, {"b": f"x {text} {{y}} {{"}], "n": 5}
