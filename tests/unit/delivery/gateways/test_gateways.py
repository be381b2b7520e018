"""The gateways' pure parts: mails that nobody can add a header to, keys, answers, links, journals."""

import email
import json
import re
from email.policy import default
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from account_alerts.config import PROJECT, ConfigError, load
from delivery.gateways import build, keys
from delivery.gateways.base import Message, Result
from delivery.gateways.email.mail import compose, is_address
from delivery.gateways.http_answers import may_pass, retry_after
from delivery.gateways.push import apns, web_push
from delivery.gateways.sms.phone import international
from delivery.gateways.sms.sms_http import filled
from delivery.unsubscribe import Unsubscribe
from devenv.fake_gateways.journal import Journal, read

SENDER = "Example Bank <alerts@bank.example>"


def message(**fields: Any) -> Message:
    values = {"key": "k1", "customer_id": "c1", "address": "anna@example.com", "language": "en", "title": "t"}
    return Message(**{**values, "text": "x", **fields})


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.text(max_size=200))
def test_nothing_adds_a_header_to_a_mail(title: str, text: str, html: str, key: str) -> None:
    mail = compose(
        message(title=title, text=text, html=html, key=key, unsubscribe="https://x.example/u?a=1"), SENDER
    )
    head, _, _ = mail.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in mail.split(b"\r\n"))
    assert b"\n" not in mail.replace(b"\r\n", b"")
    parsed = email.message_from_bytes(mail, policy=default)
    assert sorted(name for name, _ in parsed.items()) == sorted(
        (
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "X-Idempotency-Key",
            "Content-Language",
            "Auto-Submitted",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "MIME-Version",
            "Content-Type",
        )
    )
    assert parsed["To"] == "anna@example.com"
    assert b"<https://x.example/u?a=1>" in head
    parts = list(parsed.walk())
    assert [part.get_content_type() for part in parts] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_mail_reads_as_it_was_written() -> None:
    title, text = (
        "Zůstatek pod 100,00\u00a0€ — a title that is much longer than a header's line may be ěščř",
        "Ahoj\n.\n=x",
    )
    mail = email.message_from_bytes(
        compose(message(title=title, text=text, html="<p>ž</p>"), '"Bank, Ex ž" <a@b.example>'),
        policy=default,
    )
    assert mail["Subject"].replace(" ", "") == title.replace("\u00a0", " ").replace(" ", "")
    assert mail["From"].addresses[0].addr_spec == "a@b.example"
    assert mail["From"].addresses[0].display_name == "Bank, Ex ž"
    assert mail["Message-ID"] == "<k1@b.example>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == text.splitlines()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a@b\r\nRCPT TO:<c@d>",
        "a b@c",
        "a@b,c@d",
        "<a@b>",
        "a@b>",
        "a@b\0",
        "a@@b",
        "A <a@b>",
    ],
)
def test_what_is_no_address(address: str) -> None:
    assert not is_address(address)


@pytest.mark.parametrize("address", ["a@b.example", "a.b+c@d-e.example", "nö@exämple.com", "o'x@b.example"])
def test_what_is_an_address(address: str) -> None:
    assert is_address(address)


@given(st.text(), st.text())
def test_keys_are_safe_and_stay_apart(one: str, other: str) -> None:
    for make in (keys.token, keys.as_uuid):
        assert make(one) == make(one)
        assert (make(one) == make(other)) == (one == other)
    assert re.fullmatch(r"[\w-]*", keys.token(one), re.ASCII)
    assert len(keys.token(one, 32)) <= 32


def test_an_alerts_id_is_its_key() -> None:
    assert keys.token("0123456789abcdef" * 2, 32) == "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+420 777 123 456", "420777123456"),
        ("0031-6-1234567", "3161234567"),
        ("+31 (6) 12345678", "31612345678"),
        ("0777123456", None),
        ("", None),
        ("+1", None),
        ("+4207771234567890", None),
        ("+420x77123456", None),
        ("+٤٢٠٧٧٧١٢٣٤٥٦", None),
    ],
)
def test_phone_numbers(written: str, number: str | None) -> None:
    assert international(written) == number


def answer(status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_how_long_a_service_asks_to_wait() -> None:
    assert retry_after(answer(429, Retry_After="7")) == 7
    assert retry_after(answer(429, Retry_After="999999")) == 3600
    assert retry_after(answer(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")) == 0
    assert retry_after(answer(429, Retry_After="soon")) is None
    assert retry_after(answer(429)) is None


def test_what_may_pass() -> None:
    for status, down in ((429, False), (500, False), (503, True)):
        outcome = may_pass(answer(status, Retry_After="2"))
        assert outcome is not None
        assert (outcome.result, outcome.retry_after, outcome.gateway_down) == (Result.RETRY, 2, down)
    assert may_pass(answer(400)) is None


@given(st.text(), st.text())
def test_a_body_is_filled_in_once(text: str, to: str) -> None:
    template = {"a": ["{to}", {"b": "x {text} {y} {"}], "n": 5}
    assert filled(template, {"to": to, "text": text}) == {"a": [to, {"b": f"x {text} {{y}} {{"}], "n": 5}


@given(st.text(max_size=20_000))
def test_pushes_fit(text: str) -> None:
    about = message(text=text * 3)
    assert len(web_push.payload(about)) <= web_push.LARGEST
    assert json.loads(web_push.payload(about))["title"] == "t"
    assert len(apns.payload(about)) <= 4096


@given(st.text(), st.text())
def test_links_say_whose_they_are_and_cannot_be_made_up(customer: str, setting: str) -> None:
    links = Unsubscribe("https://bank.example/stop?t={token}", SecretStr("s1"))
    token = links.link(customer, setting).removeprefix("https://bank.example/stop?t=")
    assert links.read(token) == (customer, setting)
    assert Unsubscribe(links.url, SecretStr("s2")).read(token) is None
    assert links.read(f"x{token}") is None
    assert links.read("") is None
    assert links.read("ž.ž") is None


def test_a_journal_survives_a_crash_in_the_middle_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    journal = Journal(file)
    assert journal.add("k1", "i1", {"text": "ž"}) == "i1"
    assert journal.add("k1", "i2", {}) == "i1"
    journal.close()
    with file.open("ab") as end:
        end.write(b'{"key": "k2", "id": "half')
    again = Journal(file)
    assert (again.find("k1"), again.find("k2")) == ("i1", None)
    again.add("k2", "i3", {})
    again.close()
    assert [(line["key"], line["id"]) for line in read(file)] == [("k1", "i1"), ("k2", "i3")]


@pytest.mark.parametrize(
    ("channel", "key"),
    [
        ("EMAIL", "senders.email.unsubscribe_secret"),
        ("PUSH", "senders.push.web.vapid_private_key"),
    ],
)
def test_a_missing_secret_is_named(channel: str, key: str) -> None:
    config = load(PROJECT / "conf/local.yaml")
    with pytest.raises(ConfigError, match=key) as error:
        build(config, channel)
    assert f"ALERTS_{key.upper().replace('.', '__')}" in str(error.value)


def test_a_wrong_secret_is_named_and_not_shown() -> None:
    config = load(
        PROJECT / "conf/local.yaml", {"senders": {"push": {"web": {"vapid_private_key": "not-a-key"}}}}
    )
    with pytest.raises(ConfigError, match=r"senders\.push\.web\.vapid_private_key") as error:
        build(config, "PUSH")
    assert "not-a-key" not in str(error.value)
