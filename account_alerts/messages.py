"""An alert in words, as its customer reads it."""

from account_alerts.codec import Record
from account_alerts.money import format_minor, locale

_TEXTS = {
    "en": {
        "BALANCE_ABOVE": "The balance of account {account} rose above {threshold}. It is now {balance}.",
        "BALANCE_BELOW": "The balance of account {account} fell below {threshold}. It is now {balance}.",
        "CREDITED_ABOVE": "{amount} came in on account {account}. The balance is now {balance}.",
        "DEBITED_ABOVE": "{amount} went out of account {account}. The balance is now {balance}.",
        "TRANSACTION_COUNT": "{account}: more than {count} card payments in {window_minutes} minutes.",
    },
    "cs": {
        "BALANCE_ABOVE": "Zůstatek na účtu {account} přesáhl {threshold}. Nyní činí {balance}.",
        "BALANCE_BELOW": "Zůstatek na účtu {account} klesl pod {threshold}. Nyní činí {balance}.",
        "CREDITED_ABOVE": "Na účet {account} bylo připsáno {amount}. Zůstatek je nyní {balance}.",
        "DEBITED_ABOVE": "Z účtu {account} odešlo {amount}. Zůstatek je nyní {balance}.",
        "TRANSACTION_COUNT": "Účet {account}: více než {count} plateb kartou za {window_minutes} minut.",
    },
    "de": {
        "BALANCE_ABOVE": "Der Saldo von Konto {account} ist über {threshold} gestiegen: jetzt {balance}.",
        "BALANCE_BELOW": "Der Saldo von Konto {account} ist unter {threshold} gefallen: jetzt {balance}.",
        "CREDITED_ABOVE": "{amount} sind auf Konto {account} eingegangen. Saldo jetzt {balance}.",
        "DEBITED_ABOVE": "{amount} wurden von Konto {account} abgebucht. Saldo jetzt {balance}.",
        "TRANSACTION_COUNT": "Konto {account}: mehr als {count} Kartenzahlungen in {window_minutes} Minuten.",
    },
}


def message(alert: Record) -> str:
    """The text of an OutboundAlert in its customer's language, English where there is no such text.

    Amounts are written as the language's readers write them, the account's number is masked.
    """
    params: dict[str, str] = alert["params"]
    language: str = alert["language"]
    if locale(language).language not in _TEXTS:
        language = "en"
    texts = _TEXTS[locale(language).language]
    text = texts.get(alert["alert_type"], "{alert_type}: {amount}, {account}")
    values = {name: params.get(name, "?") for name in ("count", "window_minutes")}
    values["alert_type"] = alert["alert_type"]
    for name in ("threshold", "amount", "balance"):
        minor = params.get(f"{name}_minor")
        values[name] = "?" if minor is None else format_minor(int(minor), alert["currency"], language)
    return text.format(account=masked(alert["account_id"]), **values)


def masked(account_id: str) -> str:
    """An account's number with no more than its last four characters, and never more than half of it."""
    return "…" + account_id[len(account_id) - min(4, len(account_id) // 2) :]
