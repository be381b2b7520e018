"""Mails that nobody can add a header to."""

import email
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.gateways.email.mail import compose, is_address
from tests.unit.delivery.gateways.messages import new_message

SENDER = "Example Bank <alerts@bank.example>"


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.text(max_size=200))
def test_nothing_adds_a_header_to_a_mail(title: str, text: str, html: str, key: str) -> None:
    mail = compose(
        new_message(title=title, text=text, html=html, key=key, unsubscribe="https://x.example/u?a=1"), SENDER
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
        compose(new_message(title=title, text=text, html="<p>ž</p>"), '"Bank, Ex ž" <a@b.example>'),
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
