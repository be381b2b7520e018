"""What an alert can say: its values as texts, by the names of the gaps that texts have. Pure functions."""

import re
from collections.abc import Mapping

from account_alerts.model.alerts import AlertType, CreditDebit
from account_alerts.model.masking import masked
from account_alerts.model.money import format_minor
from account_alerts.records.codec import Record
from delivery.reasons import Reason, integer_param, list_reasons
from delivery.rendering.formatting import (
    Style,
    format_country,
    format_number,
    format_window,
    is_currency,
)
from delivery.rendering.names import clean_name
from delivery.rendering.texts import OTHER, choose, choose_wording, readable

OPTIONAL = frozenset({"amount", "account", "product", "source", "reversal"})
"""What a text may ask for and do without (`{% if amount %}`). Where another is missing, the next wording is
taken."""
_BALANCE_TYPES = frozenset({AlertType.BALANCE_ABOVE, AlertType.BALANCE_BELOW})
_DIRECTIONS: Mapping[str, str] = {
    AlertType.CREDITED_ABOVE: CreditDebit.CREDIT,
    AlertType.DEBITED_ABOVE: CreditDebit.DEBIT,
}
"""Which way the money went, where an alert of an earlier version does not say."""
_KINDS: Mapping[tuple[str, bool], str] = {
    (CreditDebit.CREDIT, False): "credit",
    (CreditDebit.DEBIT, False): "debit",
    (CreditDebit.CREDIT, True): "returned",
    (CreditDebit.DEBIT, True): "reversed",
}
"""Of a booking, by direction and whether it takes back an earlier one: a key of `bookings` in the texts."""
_SHOWN_DIGITS = 4
_LONGEST_QUOTE = 140
_IBAN = re.compile(r"([A-Z]{2})\d\d[A-Z0-9]{10,30}")


def alert_values(alert: Record, language: str, style: Style) -> dict[str, str]:
    """Return what texts may ask for, the first reason's limits included.

    A value that the alert lacks, or that the channel may not show (`Style.disclosure`), is missing, or empty
    if optional.
    """
    language = readable(language)
    params: Mapping[str, str] = alert["params"]
    found = dict.fromkeys(OPTIONAL, "")
    found |= reason_values(list_reasons(alert)[0], alert["currency"], language, style)
    found["account"] = _masked(alert["account_id"])
    amounts = ("amount", "balance") if style.disclosure == "full" else ("amount",)
    for name in amounts:
        minor = integer_param(params, f"{name}_minor")
        if minor is not None and is_currency(alert["currency"]):
            found[name] = style.money(minor, alert["currency"], language)
    if params.get("reversal") == "true":
        found["reversal"] = "true"
    if card := clean_name(params.get("card_last_four", ""), _SHOWN_DIGITS):
        found["card"] = f"…{card}"
    if counterparty := _masked(params.get("counterparty", "")):
        found["counterparty"] = counterparty
    for name, param in (
        ("party", "counterparty_name"),
        ("merchant", "merchant_name"),
        ("product", "product"),
    ):
        if shown := _clean(params.get(param, ""), style.longest_name):
            found[name] = shown
    found |= _country_values(alert, language, style, found)
    found |= _paid_values(alert, language, style, found)
    return {name: value for name, value in found.items() if value or name in OPTIONAL}


def reason_values(reason: Reason, currency: str, language: str, style: Style) -> dict[str, str]:
    """Return what texts may ask for about a reason; a limit that it lacks is missing."""
    rule = clean_name(reason["alert_type"].replace("_", " "), style.longest_rule)
    found = {"rule": rule.capitalize() or OTHER}
    # A threshold of a balance says as much as the balance.
    hidden = style.disclosure != "full" and reason["alert_type"] in _BALANCE_TYPES
    if reason["threshold_minor"] is not None and is_currency(currency) and not hidden:
        found["threshold"] = style.money(reason["threshold_minor"], currency, language)
    if reason["count"] is not None:
        found["count"] = format_number(reason["count"], language)
    if reason["window_minutes"] is not None:
        found["window"] = format_window(reason["window_minutes"], language)
    return found


def booking_sentence(alert: Record, values: Mapping[str, str], language: str) -> str | None:
    """Say what was booked, where, with whom, with which card; None of what is no booking, or has no amount.

    Without a card the account is named, unless it is empty in the values.
    """
    params: Mapping[str, str] = alert["params"]
    direction = params.get("credit_debit") or _DIRECTIONS.get(alert["alert_type"], "")
    kind = _KINDS.get((direction, params.get("reversal") == "true"))
    own = choose(language)
    wording = choose_wording(own.bookings[kind], values.keys()) if kind else None
    if wording is None:
        return None
    source = ""
    if "card" in values:
        source = own.word("by_card", values)
    elif values["account"]:
        source = own.word("on_account", values)
    return wording.render({**values, "source": source})


def quote(alert: Record) -> str:
    """Return what the other party of a booking wrote, cleaned as names are; empty where there is nothing.

    Strangers write it: it belongs into mails and the inbox only, marked as theirs.
    """
    return clean_name(alert["params"].get("description", ""), _LONGEST_QUOTE)


def _masked(account: str) -> str:
    tail = clean_name(masked(account).removeprefix("…"), _SHOWN_DIGITS)
    return f"…{tail}" if tail else ""


def _clean(name: str, most: int) -> str:
    return clean_name(name, most) if most else ""


def _country_values(alert: Record, language: str, style: Style, values: Mapping[str, str]) -> dict[str, str]:
    """Return where it was: the country as it stands in a sentence and by itself, and the place with its name.

    A place in the account's own country is named without it.
    """
    found: dict[str, str] = {}
    own, code = choose(language), alert["params"].get("country", "")
    by_itself = format_country(code, language)
    if by_itself is not None and len(by_itself) <= style.longest_name:
        found |= {"country_name": by_itself, "country": own.countries.get(code, by_itself)}
    if "merchant" in values:
        iban = _IBAN.fullmatch(alert["account_id"])
        paid_in = alert["params"].get("original_currency", alert["currency"])
        is_abroad = paid_in != alert["currency"] or (iban is not None and iban[1] != code)
        found["place"] = values["merchant"]
        if "country" in found and is_abroad:
            found["place"] = own.word("place_abroad", {**values, **found})
    return found


def _paid_values(alert: Record, language: str, style: Style, values: Mapping[str, str]) -> dict[str, str]:
    """Return the amount as it was paid: in another currency, with the account's behind it."""
    if not values["amount"]:
        return {}
    minor = integer_param(alert["params"], "original_amount_minor")
    currency = alert["params"].get("original_currency", "")
    is_foreign = minor is not None and currency != alert["currency"] and is_currency(currency)
    if minor is None or not is_foreign or not style.longest_name:
        return {"paid": values["amount"]}
    original = format_minor(minor, currency, language, code=True)
    return {
        "original": original,
        "paid": choose(language).word("paid_abroad", {"original": original, "amount": values["amount"]}),
    }
