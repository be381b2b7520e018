"""STOP, START and HELP in every language, and what is no command."""

import pytest
import yaml

from delivery.gateways.sms import gsm
from delivery.opt_out import keywords
from delivery.opt_out.keywords import Command, Keyword, read_command, reply
from delivery.rendering import texts

_TABLE = yaml.safe_load(keywords._FILE.read_text("utf-8"))["languages"]


@pytest.mark.parametrize(
    ("text", "keyword", "language"),
    [
        ("STOP", Keyword.STOP, None),
        ("stop.", Keyword.STOP, None),
        ("  Stop!!\n", Keyword.STOP, None),
        ('"STOP"', Keyword.STOP, None),
        ("\N{ZERO WIDTH SPACE}STOP\N{ZERO WIDTH NO-BREAK SPACE}", Keyword.STOP, None),
        ("\uff33\uff34\uff2f\uff30", Keyword.STOP, None),
        ("Stop sms", Keyword.STOP, None),
        ("STOP\n-- \nSent from my phone", Keyword.STOP, None),
        ("Please stop, thanks", Keyword.STOP, None),
        ("Bitte abmelden!", Keyword.STOP, "de"),
        ("Opt-out", Keyword.STOP, "en"),
        ("STOP ALL", Keyword.STOP, "en"),
        ("Stopp", Keyword.STOP, "de"),
        ("Abmelden", Keyword.STOP, "de"),
        ("UIT", Keyword.STOP, "nl"),
        ("Afmelden", Keyword.STOP, "nl"),
        ("ODHLÁSIT", Keyword.STOP, "cs"),
        ("Zrušit", Keyword.STOP, "cs"),
        ("START", Keyword.START, None),
        ("Unstop", Keyword.START, "en"),
        ("přihlásit", Keyword.START, "cs"),
        ("HELP", Keyword.HELP, None),
        ("Hilfe", Keyword.HELP, "de"),
    ],
)
def test_commands(text: str, keyword: Keyword, language: str | None) -> None:
    assert read_command(text) == Command(keyword, language)


@pytest.mark.parametrize(
    "text",
    ["", " ", "stop my card now", "Please end the rain", "Thanks", "non stop", "START me up", "nonstop", "2"],
)
def test_no_commands(text: str) -> None:
    assert read_command(text) is None


def test_every_language_with_texts_has_keywords_and_answers() -> None:
    assert keywords.languages() >= texts.languages()


def test_a_form_means_the_same_in_every_language() -> None:
    meanings: dict[str, set[str]] = {}
    for own in _TABLE.values():
        for keyword in Keyword:
            for form in own[keyword.lower()]:
                meanings.setdefault(keywords.normalize(form), set()).add(keyword)
    assert {form for form, found in meanings.items() if len(found) > 1} == set()


@pytest.mark.parametrize("language", sorted(_TABLE))
@pytest.mark.parametrize("keyword", Keyword)
def test_an_answer_is_one_sms(keyword: Keyword, language: str) -> None:
    text = reply(keyword, language, "Example Bank of the North")
    assert gsm.is_gsm(text)
    assert gsm.septets(text) <= gsm.SINGLE_GSM
    assert text.startswith("Example Bank of the North: ")


def test_a_language_without_answers_gets_english() -> None:
    assert reply(Keyword.STOP, "xx", "Bank") == reply(Keyword.STOP, "en", "Bank")
