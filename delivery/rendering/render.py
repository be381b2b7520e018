"""Alerts as their customers read them: a mail, an SMS, a push, or a digest of several alerts."""

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from account_alerts.records.codec import Record
from delivery.gateways.base import Message
from delivery.gateways.sms import gsm
from delivery.rendering import texts

_FACTS = ("account", "amount", "balance", "threshold", "product")
"""What a mail shows in a table below its text, in this order, as far as the alert has it."""
_LONGEST_LIST = 50
"""Alerts of a digest that are written out; the others are counted in its title."""


def render(
    alert: Record, *, language: str, time_zone: str, channel: str, unsubscribe: str | None = None
) -> Message:
    """The message of one OutboundAlert, to its address; its key is the alert's id.

    Args:
        alert: An OutboundAlert.
        language: BCP 47; one that has no texts (`xx`) gives English, a region (`nl-BE`) only its way to write
            amounts and dates.
        time_zone: IANA; an unknown one gives UTC.
        channel: `EMAIL`, `SMS` or `PUSH`.
        unsubscribe: The https address that ends this setting's mails (`delivery.unsubscribe`); mails only.
    """
    data = {"alert_id": alert["alert_id"], "alert_type": alert["alert_type"]}
    if channel == "SMS":
        text = _sms(alert, language, time_zone)
        return _message(alert, alert["alert_id"], language, "", text, data=data)
    told = texts.told(alert, language)
    if channel == "PUSH":
        return _message(alert, alert["alert_id"], language, told.title, told.text, data=data)
    known = _known(language, unsubscribe, told.title)
    known |= {"alerts": [_shown(alert, told, language, time_zone)], "intro": "", "preview": told.text}
    plain, html = (_layout(name).render(known) for name in ("mail.txt", "mail.html"))
    return _message(alert, alert["alert_id"], language, told.title, plain, html, data, unsubscribe)


def render_digest(
    alerts: Sequence[Record],
    *,
    key: str,
    language: str,
    time_zone: str,
    channel: str,
    unsubscribe: str | None = None,
) -> Message:
    """One message that lists several alerts of one customer and one address, in the order of their bookings.

    Args:
        alerts: At least one; customer and address are the first one's.
        key: The digest's id, the same at every attempt.
        language: As in `render`.
        time_zone: As in `render`.
        channel: As in `render`.
        unsubscribe: As in `render`.
    """
    ordered = sorted(alerts, key=lambda alert: (alert["booked_at"], alert["alert_id"]))
    own, number = texts.of(language), len(ordered)
    title = own.word("digest_title", number=number)
    data = {"digest_id": key, "alerts": str(number)}
    if channel == "SMS":
        latest = texts.told(ordered[-1], language, texts.sms_money).text
        text = gsm.simplified(own.word("digest_short", number=number, text=latest))
        return _message(ordered[0], key, language, "", text, data=data)
    if channel == "PUSH":
        text = "\n".join(texts.told(alert, language).text for alert in ordered[-3:])
        return _message(ordered[0], key, language, title, text, data=data)
    known = _known(language, unsubscribe, title)
    written_out = ordered[-_LONGEST_LIST:]
    shown = [_shown(alert, texts.told(alert, language), language, time_zone) for alert in written_out]
    known |= {"alerts": shown, "intro": own.word("digest_intro"), "preview": own.word("digest_intro")}
    plain, html = (_layout(name).render(known) for name in ("mail.txt", "mail.html"))
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
    """The sentence in the alphabet of SMS, and when it was booked if both fit into one SMS."""
    text = gsm.simplified(texts.told(alert, language, texts.sms_money).text)
    at = texts.written(texts.local_time(alert["booked_at"], time_zone), language)
    stamped = f"{text} {gsm.simplified(at)}"
    fits = gsm.is_gsm(stamped) and gsm.septets(stamped) <= gsm.SINGLE_GSM
    return stamped if fits else text


def _known(language: str, unsubscribe: str | None, title: str) -> dict[str, object]:
    own = texts.of(language)
    return {
        "language": texts.readable(language),
        "title": title,
        "why": own.word("why"),
        "stop": own.word("unsubscribe"),
        "unsubscribe": unsubscribe,
    }


def _shown(alert: Record, told: texts.Told, language: str, time_zone: str) -> dict[str, object]:
    """An alert as the layouts show it: a heading, a sentence, and a table of facts."""
    own, known = texts.of(language), told.values
    facts = [(own.word(name), known[name]) for name in _FACTS if known.get(name)]
    booked = texts.written(texts.local_time(alert["booked_at"], time_zone), language, zone=True)
    facts.append((own.word("booked" if known["account"] else "noticed"), booked))
    return {"title": told.title, "text": told.text, "facts": facts}


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
