"""The texts of the pages: the same keys and placeholders in all languages, plural forms, labels, escaping."""

import re

import pytest
from babel import Locale
from markupsafe import Markup

from account_alerts.model.alerts import AlertType, Channel, DeliveryState, EntryType
from delivery.policy import DeferralReason
from delivery.rendering import texts as rendering
from web import texts
from web.amounts import Reason

LANGUAGES = list(texts.names())
ENGLISH = texts.load("en")


def test_the_pages_have_the_languages_of_the_messages() -> None:
    assert set(LANGUAGES) == rendering.languages()


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_placeholders_and_labels_are_those_of_english(language: str) -> None:
    found = texts.load(language)
    assert found.keys() == ENGLISH.keys()
    for key, text in found.items():
        assert text.placeholders == ENGLISH[key].placeholders, key
        for form in text.forms.values():
            assert form == form.strip() != "", key
            assert ("[" in form) == ("[" in ENGLISH[key].forms["other"]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_about_a_number_has_the_forms_of_its_language(language: str) -> None:
    categories = set(Locale.parse(language).plural_form.tags) | {"other"}
    for key, text in texts.load(language).items():
        if len(text.forms) > 1:
            assert set(text.forms) == categories, key
        assert (len(text.forms) > 1) == (len(ENGLISH[key].forms) > 1), key


def test_every_value_that_is_shown_has_a_text() -> None:
    states = set(DeliveryState) - {DeliveryState.DEFERRED}
    wanted = {
        *(f"channel_{channel}" for channel in Channel),
        *(f"{kind}_{alert_type}" for kind in ("type", "say", "asked") for alert_type in AlertType),
        *(f"entry_{entry}" for entry in EntryType),
        *(f"went_{state}" for state in states),
        *(f"went_DEFERRED_{reason.name}" for reason in DeferralReason),
        *(f"amount_{reason}" for reason in Reason),
    }
    assert wanted <= ENGLISH.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_english_is_left(language: str) -> None:
    if language == "en":
        return
    same = {key for key, text in texts.load(language).items() if text == ENGLISH[key]}
    assert same <= {"of", "channel_PUSH", "channel_SMS", "channel_EMAIL", "seconds", "device_browser"}


def test_values_are_escaped_and_markup_is_not() -> None:
    text = texts.choose("en")("snoozed", when="<b>")
    assert text == Markup("Snoozed until &lt;b&gt;")
    assert texts.choose("en")("snoozed", when=Markup("<b>8</b>")) == "Snoozed until <b>8</b>"


def test_numbers_choose_their_form() -> None:
    czech = texts.choose("cs-CZ")
    assert [czech("code_wrong", number=n, count=n).rpartition(". ")[2] for n in (1, 2, 5)] == [
        "Zbývá vám 1 pokus.",
        "Zbývají vám 2 pokusy.",
        "Zbývá vám 5 pokusů.",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("alert_type", list(AlertType))
def test_every_field_of_a_sentence_has_words_for_its_label(language: str, alert_type: AlertType) -> None:
    key = f"say_{alert_type}"
    names = ENGLISH[key].placeholders - {"channels"}
    fields = {name: Markup(f'<input id="{name}">') for name in names} | {"channels": Markup("<i></i>")}
    written = texts.choose(language).sentence(key, fields, {name: name for name in names})
    labelled = set(re.findall(r'<label for="(\w+)">', written))
    # The window is a list of times, named by the words before it.
    assert labelled == names
    assert "[" not in written


def test_unknown_languages_are_answered_in_english() -> None:
    assert texts.choose("xx").code == "en"
    assert texts.choose("nl-BE").code == "nl"
