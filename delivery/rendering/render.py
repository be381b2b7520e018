"""Alerts as their customers read them: a mail, an SMS, a push, or a digest of several alerts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from account_alerts.config.gateways import Disclosure
from account_alerts.model.alerts import Channel
from account_alerts.records.codec import Record
from delivery.gateways.base import Message
from delivery.gateways.sms import gsm
from delivery.reasons import Reason, list_reasons
from delivery.rendering import formatting, texts
from delivery.rendering.formatting import PUSH_STYLE, SMS_STYLE, Style
from delivery.rendering.values import alert_values, booking_sentence, quote, reason_values

_FACTS = (
    "account",
    "card",
    "amount",
    "original",
    "merchant",
    "party",
    "counterparty",
    "country_name",
    "balance",
    "threshold",
    "product",
)
"""What a mail shows in a table below its text, in this order, as far as the alert has it."""
_FACT_WORDS = {"country_name": "country"}
_LONGEST_LIST = 50
"""Alerts of a digest that are written out; the others are counted in its title."""
_LONGEST_PUSH = 178
"""Characters of a push's text that iOS shows on the lock screen; Android shows more."""
_SHORTER_NAMES = (24, 12, 0)
"""Where a text is too long: characters of the names in it, and of a rule's at least so many:"""
_SHORTEST_RULE = 24
_FULL_STYLE = Style()


@dataclass(frozen=True)
class RenderedText:
    """An alert in words."""

    title: str
    sentences: Sequence[str]
    """About the first reason, the most important first: what was raised, the booking, the balance."""
    others: Sequence[str]
    """A line for each further reason."""
    values: Mapping[str, str]
    quote: str = ""
    """What the other party wrote, marked as theirs: for mails and the inbox, never for an SMS or a push."""

    @property
    def text(self) -> str:
        """The sentences about the first reason."""
        return " ".join(self.sentences)


def render_text(alert: Record, language: str, style: Style = _FULL_STYLE) -> RenderedText:
    """Render an alert in the words of its reader's language, its values in a channel's style."""
    own = texts.choose(language)
    if style.disclosure == "minimal":
        return RenderedText(own.word("minimal_title"), [own.word("minimal_text")], [], {"account": ""})
    first, *others = list_reasons(alert)
    values = alert_values(alert, language, style)
    booking = booking_sentence(alert, values, language)
    known = values | ({} if booking is None else {"booking": booking})
    parts = own.types.get(first["alert_type"], own.types[texts.OTHER])
    wordings = [texts.choose_wording(parts[part], known.keys()) for part in ("title", "text")]
    if None in wordings:
        parts = own.types[texts.OTHER]
        wordings = [texts.choose_wording(parts[part], known.keys()) for part in ("title", "text")]
    title, text = (wording for wording in wordings if wording is not None)
    sentences = [text.render(known, first["count"])]
    if "booking" not in text.needs and "account" in text.needs:
        booking = booking_sentence(alert, values | {"account": ""}, language)
    if booking is not None and "booking" not in text.needs:
        sentences.append(booking)
    if booking is not None and "balance" in values and "balance" not in text.needs:
        sentences.append(own.word("balance_now", values))
    lines = [_also(reason, alert["currency"], language, style) for reason in others]
    written = quote(alert) if style.quotes else ""
    quoted = own.word("quote", {"text": written}) if written else ""
    return RenderedText(title.render(known, first["count"]), sentences, lines, values, quoted)


def _also(reason: Reason, currency: str, language: str, style: Style) -> str:
    own, values = texts.choose(language), reason_values(reason, currency, language, style)
    for parts in (own.types.get(reason["alert_type"]), own.types[texts.OTHER]):
        wording = texts.choose_wording(parts["also"], values.keys()) if parts else None
        if wording is not None:
            return wording.render(values, reason["count"])
    raise AssertionError("the general line asks for the rule only")


def render(
    alert: Record,
    *,
    language: str,
    time_zone: str,
    channel: str,
    unsubscribe: str | None = None,
    disclosure: Disclosure = "full",
) -> Message:
    """Render the message of one OutboundAlert, to its address; its key is the alert's id.

    Args:
        alert: An OutboundAlert.
        language: BCP 47; one that has no texts (`xx`) gives English, a region (`nl-BE`) only its way to write
            amounts and dates.
        time_zone: IANA; an unknown one gives UTC.
        channel: `EMAIL`, `SMS` or `PUSH`.
        unsubscribe: The https address that ends this setting's mails (`email.unsubscribe`); mails only.
        disclosure: What the channel may say.
    """
    data = {"alert_id": alert["alert_id"], "alert_type": alert["alert_type"]}
    if channel == Channel.SMS:
        text = _sms(alert, language, time_zone, disclosure)
        return _message(alert, alert["alert_id"], language, "", text, data=data)
    if channel == Channel.PUSH:
        title, text = _push(alert, language, disclosure)
        return _message(alert, alert["alert_id"], language, title, text, data=data)
    rendered = render_text(alert, language, replace(_FULL_STYLE, disclosure=disclosure))
    values = _layout_values(language, unsubscribe, rendered.title)
    shown = [_layout_alert(alert, rendered, language, time_zone)]
    values |= {"alerts": shown, "intro": "", "preview": rendered.text}
    plain, html = (_layout(name).render(values) for name in ("mail.txt", "mail.html"))
    return _message(alert, alert["alert_id"], language, rendered.title, plain, html, data, unsubscribe)


def render_digest(
    alerts: Sequence[Record],
    *,
    key: str,
    language: str,
    time_zone: str,
    channel: str,
    unsubscribe: str | None = None,
    disclosure: Disclosure = "full",
) -> Message:
    """Render one message that lists alerts of one customer and one address, in the order of their bookings.

    Args:
        alerts: At least one; customer and address are the first one's.
        key: The digest's id, the same at every attempt.
        language: As in `render`.
        time_zone: As in `render`.
        channel: As in `render`.
        unsubscribe: As in `render`.
        disclosure: As in `render`.
    """
    ordered = sorted(alerts, key=lambda alert: (alert["booked_at"], alert["alert_id"]))
    own, count = texts.choose(language), len(ordered)
    counted = {"count": formatting.format_number(count, language)}
    title = own.word("digest_title", counted, count)
    data = {"digest_id": key, "alerts": str(count)}
    if disclosure == "minimal" and channel != Channel.EMAIL:
        text = title if channel == Channel.SMS else own.word("minimal_text")
        text = gsm.simplify(text) if channel == Channel.SMS else text
        title = "" if channel == Channel.SMS else title
        return _message(ordered[0], key, language, title, text, data=data)
    if channel == Channel.SMS:
        latest = _short_texts(ordered[-1], language, replace(SMS_STYLE, disclosure=disclosure), " ")
        text = _first_that_fits(
            (gsm.simplify(own.word("digest_short", counted | {"text": text}, count)) for text in latest),
            gsm.is_single,
        )
        return _message(ordered[0], key, language, "", text, data=data)
    if channel == Channel.PUSH:
        text = "\n".join(_push(alert, language, disclosure)[1] for alert in ordered[-3:])
        return _message(ordered[0], key, language, title, text, data=data)
    values = _layout_values(language, unsubscribe, title)
    style = replace(_FULL_STYLE, disclosure=disclosure)
    shown = [
        _layout_alert(alert, render_text(alert, language, style), language, time_zone)
        for alert in ordered[-(1 if disclosure == "minimal" else _LONGEST_LIST) :]
    ]
    values |= {"alerts": shown, "intro": own.word("digest_intro"), "preview": own.word("digest_intro")}
    plain, html = (_layout(name).render(values) for name in ("mail.txt", "mail.html"))
    return _message(ordered[0], key, language, title, plain, html, data, unsubscribe)


def _message(
    alert: Record,
    key: str,
    language: str,
    title: str,
    text: str,
    html: str | None = None,
    data: dict[str, str] | None = None,
    unsubscribe: str | None = None,
) -> Message:
    return Message(
        key=key,
        customer_id=alert["customer_id"],
        address=alert["address"],
        language=texts.readable(language),
        title=title,
        text=text,
        html=html,
        data=data or {},
        unsubscribe=unsubscribe,
    )


def _sms(alert: Record, language: str, time_zone: str, disclosure: Disclosure) -> str:
    """Render one SMS, with when it was booked where that fits."""
    local = formatting.local_time(alert["booked_at"], time_zone)
    at = formatting.format_local_time(local, language)
    shown = _short_texts(alert, language, replace(SMS_STYLE, disclosure=disclosure), " ")
    written = (gsm.simplify(each) for text in shown for each in (f"{text} {at}", text))
    return _first_that_fits(written, gsm.is_single)


def _push(alert: Record, language: str, disclosure: Disclosure) -> tuple[str, str]:
    """Render title and text of a push."""
    style = replace(PUSH_STYLE, disclosure=disclosure)
    rendered = render_text(alert, language, style)
    shown = _short_texts(alert, language, style, "\n", rendered)
    return rendered.title, _first_that_fits(shown, lambda text: len(text) <= _LONGEST_PUSH)


def _short_texts(
    alert: Record, language: str, style: Style, separator: str, whole: RenderedText | None = None
) -> Iterator[str]:
    """Yield the texts of an alert, `whole` first if it is there already, each with less than the one before.

    First the other reasons are left out, then names get shorter, and last go the balance and the booking.
    """
    shorter = [
        replace(style, longest_name=longest, longest_rule=max(longest, _SHORTEST_RULE))
        for longest in _SHORTER_NAMES
    ]
    for each in (style, *shorter):
        rendered = whole if whole and each is style else render_text(alert, language, each)
        for count in range(len(rendered.others), -1, -1):
            yield separator.join([rendered.text, *rendered.others[:count]])
    for each in shorter:
        sentences = render_text(alert, language, each).sentences
        for count in range(len(sentences) - 1, 0, -1):
            yield " ".join(sentences[:count])


def _first_that_fits(shown: Iterable[str], fits: Callable[[str], bool]) -> str:
    """Return the first text that fits, or the last of all."""
    text = ""
    for text in shown:
        if fits(text):
            break
    return text


def _layout_values(language: str, unsubscribe: str | None, title: str) -> dict[str, object]:
    own = texts.choose(language)
    return {
        "language": texts.readable(language),
        "title": title,
        "why": own.word("why"),
        "stop": own.word("unsubscribe"),
        "unsubscribe": unsubscribe,
    }


def _layout_alert(alert: Record, rendered: RenderedText, language: str, time_zone: str) -> dict[str, object]:
    """Return an alert as the layouts show it: a heading, text, lines, a quotation, and a table of facts."""
    own, values = texts.choose(language), rendered.values
    facts = [(own.word(_FACT_WORDS.get(name, name)), values[name]) for name in _FACTS if values.get(name)]
    local = formatting.local_time(alert["booked_at"], time_zone)
    booked = formatting.format_local_time(local, language, zone=True)
    facts.append((own.word("booked" if values["account"] else "noticed"), booked))
    return {
        "title": rendered.title,
        "text": rendered.text,
        "others": rendered.others,
        "quote": rendered.quote,
        "facts": facts,
    }


@cache
def _layout(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(texts.TEMPLATES),
        undefined=StrictUndefined,
        autoescape=name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{name}.jinja")
