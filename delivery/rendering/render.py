"""Alerts as their customers read them: a mail, an SMS, a push, or a digest of several alerts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from account_alerts.model.alerts import Channel
from account_alerts.records.codec import Record
from delivery.gateways.base import Message
from delivery.gateways.sms import gsm
from delivery.reasons import integer_param
from delivery.rendering import formatting, texts
from delivery.rendering.formatting import SMS_STYLE, Style

_FACTS = ("account", "amount", "balance", "threshold", "product")
"""What a mail shows in a table below its text, in this order, as far as the alert has it."""
_LONGEST_LIST = 50
"""Alerts of a digest that are written out; the others are counted in its title."""
_FULL_STYLE = Style()


@dataclass(frozen=True)
class RenderedText:
    """An alert in words: a title, a sentence or two, and the values in them."""

    title: str
    text: str
    values: Mapping[str, str]


def render_text(alert: Record, language: str, style: Style = _FULL_STYLE) -> RenderedText:
    """Render an alert in the words of its reader's language, its values in a channel's style."""
    own, values = texts.choose(language), formatting.format_values(alert, language, style)
    chosen = own.types.get(alert["alert_type"], own.types[texts.OTHER])
    if not chosen["title"].needs | chosen["text"].needs <= values.keys():
        chosen = own.types[texts.OTHER]
    count = integer_param(alert["params"], "count")
    title, text = (chosen[part].render(values, count) for part in ("title", "text"))
    return RenderedText(title, text, values)


def render(
    alert: Record, *, language: str, time_zone: str, channel: str, unsubscribe: str | None = None
) -> Message:
    """Render the message of one OutboundAlert, to its address; its key is the alert's id.

    Args:
        alert: An OutboundAlert.
        language: BCP 47; one that has no texts (`xx`) gives English, a region (`nl-BE`) only its way to write
            amounts and dates.
        time_zone: IANA; an unknown one gives UTC.
        channel: `EMAIL`, `SMS` or `PUSH`.
        unsubscribe: The https address that ends this setting's mails (`email.unsubscribe`); mails only.
    """
    data = {"alert_id": alert["alert_id"], "alert_type": alert["alert_type"]}
    if channel == Channel.SMS:
        text = _sms(alert, language, time_zone)
        return _message(alert, alert["alert_id"], language, "", text, data=data)
    rendered = render_text(alert, language)
    if channel == Channel.PUSH:
        return _message(alert, alert["alert_id"], language, rendered.title, rendered.text, data=data)
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
) -> Message:
    """Render one message that lists alerts of one customer and one address, in the order of their bookings.

    Args:
        alerts: At least one; customer and address are the first one's.
        key: The digest's id, the same at every attempt.
        language: As in `render`.
        time_zone: As in `render`.
        channel: As in `render`.
        unsubscribe: As in `render`.
    """
    ordered = sorted(alerts, key=lambda alert: (alert["booked_at"], alert["alert_id"]))
    own, count = texts.choose(language), len(ordered)
    counted = {"count": formatting.format_number(count, language)}
    title = own.word("digest_title", counted, count)
    data = {"digest_id": key, "alerts": str(count)}
    if channel == Channel.SMS:
        latest = _sms_texts(ordered[-1], language)
        text = _fitting(
            gsm.simplify(own.word("digest_short", counted | {"text": text}, count)) for text in latest
        )
        return _message(ordered[0], key, language, "", text, data=data)
    if channel == Channel.PUSH:
        text = "\n".join(render_text(alert, language).text for alert in ordered[-3:])
        return _message(ordered[0], key, language, title, text, data=data)
    values = _layout_values(language, unsubscribe, title)
    listed = ordered[-_LONGEST_LIST:]
    shown = [_layout_alert(alert, render_text(alert, language), language, time_zone) for alert in listed]
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


def _sms(alert: Record, language: str, time_zone: str) -> str:
    """Render the sentence, and when it was booked if both fit into one SMS."""
    local = formatting.local_time(alert["booked_at"], time_zone)
    at = gsm.simplify(formatting.format_local_time(local, language))
    return _fitting(written for text in _sms_texts(alert, language) for written in (f"{text} {at}", text))


def _sms_texts(alert: Record, language: str) -> Iterator[str]:
    """Yield the sentence in the GSM alphabet: whole, and without a product, whose name may be too long."""
    yield gsm.simplify(render_text(alert, language, SMS_STYLE).text)
    params = {name: value for name, value in alert["params"].items() if name != "product"}
    yield gsm.simplify(render_text({**alert, "params": params}, language, SMS_STYLE).text)


def _fitting(texts: Iterable[str]) -> str:
    """Return the first text that is one SMS, or the last of all."""
    text = ""
    for text in texts:
        if gsm.is_single(text):
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
    """Return an alert as the layouts show it: a heading, a sentence, and a table of facts."""
    own, values = texts.choose(language), rendered.values
    facts = [(own.word(name), values[name]) for name in _FACTS if values.get(name)]
    local = formatting.local_time(alert["booked_at"], time_zone)
    booked = formatting.format_local_time(local, language, zone=True)
    facts.append((own.word("booked" if values["account"] else "noticed"), booked))
    return {"title": rendered.title, "text": rendered.text, "facts": facts}


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
