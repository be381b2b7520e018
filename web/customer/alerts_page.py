"""The page of all accounts with their alerts, from what is known of a customer. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from account_alerts.model.alerts import AMOUNT_TYPES, AlertType
from account_alerts.model.masking import masked
from web.customer import alert_view
from web.customer.alert_view import AlertView
from web.customer.formats import Formats
from web.customer.model import Overview, Typed
from web.store.accounts import Account
from web.store.settings import Setting

KINDS = (
    (AlertType.BALANCE_BELOW, "low"),
    (AlertType.BALANCE_ABOVE, "high"),
    (AlertType.DEBITED_ABOVE, "out"),
    (AlertType.CREDITED_ABOVE, "in"),
    (AlertType.TRANSACTION_COUNT, "card"),
)
"""What a customer may add, each with its icon."""

ACCOUNTS_AT_ONCE = 10
"""On one page: some customers have hundreds."""


@dataclass(frozen=True)
class Card:
    """One account on the page."""

    account_id: str
    anchor: str
    name: str
    named: bool
    """Whether the name is the customer's own, so that the number has to be said, too."""
    own_name: str
    tail: str
    balance: str | None
    alerts: Sequence[AlertView]
    adding: bool


def build(
    overview: Overview,
    formats: Formats,
    typed: Mapping[str, Typed] | None = None,
    new: tuple[Setting, Typed | None] | None = None,
    account_id: str = "",
) -> dict[str, Any]:
    """Return what the template `customer/alerts.html` asks for.

    Args:
        overview: What is known of the customer.
        formats: How they read values.
        typed: What was typed and not saved, by setting.
        new: An alert that is being added, and what was typed for it.
        account_id: One that is to be among those that are shown: a few at once.
    """
    usable = overview.usable
    by_account: dict[str, list[Setting]] = {}
    for setting in sorted(overview.settings, key=_order):
        by_account.setdefault(setting.account_id, []).append(setting)

    def views(account: Account) -> list[AlertView]:
        found = [
            view(setting, overview, formats, (typed or {}).get(setting.setting_id))
            for setting in by_account.get(account.account_id, ())
        ]
        if new is not None and new[0].account_id == account.account_id:
            found.append(alert_view.view(new[0], formats, usable, typed=new[1], new=True))
        return found

    named_first = sorted(overview.accounts, key=lambda each: (each.name is None, each.name, each.account_id))
    ids = [each.account_id for each in named_first]
    wanted = new[0].account_id if new is not None else account_id
    start = (ids.index(wanted) if wanted in ids else 0) // ACCOUNTS_AT_ONCE * ACCOUNTS_AT_ONCE
    end = start + ACCOUNTS_AT_ONCE
    cards = [_card(account, formats, views(account), new) for account in named_first[start:end]]
    return {
        "earlier": ids[start - ACCOUNTS_AT_ONCE] if start else None,
        "later": ids[end] if end < len(ids) else None,
        "cards": cards,
        "kinds": KINDS,
        "looks": [(view, card.name) for card in cards for view in card.alerts if view.look],
        "paused": alert_view.paused(overview.paused_until, formats),
    }


def view(setting: Setting, overview: Overview, formats: Formats, typed: Typed | None = None) -> AlertView:
    """Return one alert of the page."""
    is_live = overview.live.has(setting.setting_id)
    return alert_view.view(setting, formats, overview.usable, overview.paused_until, typed, live=is_live)


def card_anchor(account_id: str) -> str:
    """Return the id of an account on the page."""
    return f"c{alert_view.anchor(account_id)}"


def propose(account: Account, settings: Sequence[Setting], alert_type: str, default_currency: str) -> Setting:
    """Return a new alert with the account's currency and the channels that its customer uses most."""
    currencies = [each.currency for each in settings if each.account_id == account.account_id]
    currency = account.currency or (currencies[0] if currencies else default_currency)
    used = [tuple(each.channels) for each in settings]
    channels = max(sorted(set(used)), key=used.count) if used else ()
    count = 5 if alert_type == AlertType.TRANSACTION_COUNT else None
    return Setting(
        setting_id="",
        account_id=account.account_id,
        currency=currency,
        alert_type=alert_type,
        channels=channels,
        threshold_minor=None,
        count=count,
        window_minutes=None if alert_type in AMOUNT_TYPES else 60,
        snoozed_until=None,
        enabled=True,
        version="",
    )


def account_tail(account_id: str) -> str:
    """Return what may be shown of an account's number: its end."""
    return masked(account_id).removeprefix("…")


def account_words(account_id: str, own_name: str | None, formats: Formats) -> str:
    """Return what an account is called: by the customer, else by the end of its number."""
    return own_name or str(formats.texts("account_tail", tail=account_tail(account_id)))


def _order(setting: Setting) -> tuple[int, str, int, str]:
    kinds = [kind for kind, _ in KINDS]
    place = kinds.index(AlertType(setting.alert_type)) if setting.alert_type in kinds else len(kinds)
    return place, setting.currency, setting.threshold_minor or 0, setting.setting_id


def _card(
    account: Account, formats: Formats, alerts: Sequence[AlertView], new: tuple[Setting, Typed | None] | None
) -> Card:
    balance = None
    if account.balance_minor is not None and account.currency is not None:
        balance = formats.money(account.balance_minor, account.currency)
    return Card(
        account_id=account.account_id,
        anchor=card_anchor(account.account_id),
        name=account_words(account.account_id, account.name, formats),
        named=account.name is not None,
        own_name=account.name or "",
        tail=account_tail(account.account_id),
        balance=balance,
        alerts=alerts,
        adding=new is not None and new[0].account_id == account.account_id,
    )
