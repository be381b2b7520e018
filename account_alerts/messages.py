"""An alert in words, as its customer reads it."""

from account_alerts.codec import Record


def message(alert: Record) -> str:
    """The text of an OutboundAlert in its customer's language, English where there is no such text.

    Amounts are written as the language's readers write them, the account's number is masked.
    """
    from senders import texts  # Here because jobs import `masked` and nothing of this.

    return texts.told(alert, alert["language"]).text


def masked(account_id: str) -> str:
    """An account's number with no more than its last four characters, and never more than half of it."""
    return "…" + account_id[len(account_id) - min(4, len(account_id) // 2) :]
