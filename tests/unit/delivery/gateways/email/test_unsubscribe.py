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

from delivery.gateways.email.unsubscribe import UnsubscribeLinks, Unsubscription

URL = "https://bank.example/stop?t={token}"
SECRET, OTHER = "a-secret-of-the-tests", "another-secret-of-tests"
LINKS = UnsubscribeLinks(URL, SecretStr(SECRET))
OTHERS = UnsubscribeLinks(URL, SecretStr(OTHER))


def token(customer: str, *settings: str) -> str:
    return LINKS.link(customer, settings).removeprefix("https://bank.example/stop?t=")


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
    assert LINKS.read(made) == Unsubscription(customer, [setting] if setting else [])
    assert OTHERS.read(made) is None
    assert LINKS.read(f"x{made}") is None


def test_a_link_that_was_sent_in_2026_holds() -> None:
    sent = "WyJjMSIsInMxIl0.6oIVEOWwjdM2VSGUAYC2yM8EBn4R28paFsgLu4MuN6s"
    assert LINKS.read(sent) == Unsubscription("c1", ["s1"])


def test_a_link_ends_the_mails_of_all_reasons_and_stays_a_line_of_a_header() -> None:
    assert LINKS.read(token("c1", "s1", "s2")) == Unsubscription("c1", ["s1", "s2"])
    assert LINKS.read(token("c1")) == Unsubscription("c1", [])
    many = token("c1", *(f"{number:032}" for number in range(200)))
    found = LINKS.read(many)
    assert found is not None
    assert found.setting_ids[:3] == [f"{number:032}" for number in range(3)]
    assert len(many) < 700


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
