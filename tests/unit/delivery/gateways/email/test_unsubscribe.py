"""Links that end mails: nobody can make them up, and old ones still hold."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey
from pydantic import SecretStr

from delivery.gateways.email.unsubscribe import UnsubscribeLinks

URL = "https://bank.example/stop?t={token}"
SECRET, OTHER = "a-secret-of-the-tests", "another-secret-of-tests"
LINKS = UnsubscribeLinks(URL, SecretStr(SECRET))
OTHERS = UnsubscribeLinks(URL, SecretStr(OTHER))


def token(customer: str, setting: str) -> str:
    return LINKS.link(customer, setting).removeprefix("https://bank.example/stop?t=")


def two_part_token(customer: str, setting: str) -> str:
    """Make a token as links had it in mails sent before December 2026."""
    payload = json.dumps([customer, setting], separators=(",", ":")).encode()
    signature = hmac.digest(SECRET.encode(), b"unsubscribe:" + payload, hashlib.sha256)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (payload, signature))


@given(st.text(), st.text(), st.sampled_from([token, two_part_token]))
def test_links_say_whose_they_are_and_cannot_be_made_up(
    customer: str, setting: str, make: Callable[[str, str], str]
) -> None:
    made = make(customer, setting)
    assert LINKS.read(made) == (customer, setting)
    assert OTHERS.read(made) is None
    assert LINKS.read(f"x{made}") is None


def test_a_link_that_was_sent_in_2026_holds() -> None:
    sent = "WyJjMSIsInMxIl0.6oIVEOWwjdM2VSGUAYC2yM8EBn4R28paFsgLu4MuN6s"
    assert LINKS.read(sent) == ("c1", "s1")


@pytest.mark.parametrize("text", ["", ".", "..", "...", "ž.ž", "ž.ž.ž", "a.b.c"])
def test_what_is_no_token(text: str) -> None:
    assert LINKS.read(text) is None


def test_a_token_for_something_else_ends_no_mails() -> None:
    key = OctKey.import_key(SECRET)
    other = jws.serialize_compact({"alg": "HS256", "typ": "JWT"}, '["c1","s1"]', key)
    assert LINKS.read(other) is None
    header, payload, _ = token("c1", "s1").split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"unsubscribe+jws"}').rstrip(b"=").decode()
    for head in (header, unsigned):
        assert LINKS.read(f"{head}.{payload}.") is None
