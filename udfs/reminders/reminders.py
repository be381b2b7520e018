"""From an application that is due to the customer's reminders: pure functions."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypedDict

from account_alerts.model.alerts import AlertType
from account_alerts.records.codec import Codec
from account_alerts.records.customers import read_settings
from account_alerts.records.settings import check_settings
from udfs.alerts import make_alerts


class DueReminder(TypedDict):
    """A row of sql/reminders/due_reminders.sql; times are milliseconds UTC."""

    customer_id: str
    application_id: str
    product: str
    begun_ms: int
    """When the application was begun, by the customer's device."""
    due_ms: int
    """When the time to finish it was over, by Kafka's time."""


class Consent(TypedDict):
    """What a customer's record says of reminders."""

    language: str
    addresses: list[dict[str, str]]
    settings: list[dict[str, Any]]
    """Those of the type APPLICATION_REMINDER: `setting_id`, `account_id`, `currency`, `channels`."""


class Reminder(NamedTuple):
    """A message to one address; begun_ms is when the application was begun, milliseconds UTC."""

    customer_id: str
    application_id: str
    product: str
    alert_id: str
    channel: str
    address: str
    account_id: str
    currency: str
    setting_id: str
    language: str
    begun_ms: int


def read_consent(decoder: Codec, customer_id: str, record: bytes | None) -> Consent | None:
    """Read what a customer's record says of reminders.

    None for a tombstone, and where the customer did not agree. A setting without an id or with an unknown
    channel counts for nothing, as any invalid one.

    Raises:
        CodecError: It is no such record, or one of another customer.
    """
    value = read_settings(decoder, customer_id, record)
    if value is None:
        return None
    agreed = [
        {name: setting[name] for name in ("setting_id", "account_id", "currency", "channels")}
        for setting in check_settings(value["settings"]).reminders
    ]
    return (
        Consent(language=value["language"], addresses=value["addresses"], settings=agreed) if agreed else None
    )


def build_reminders(due: DueReminder, consent: Consent | None) -> Iterator[Reminder]:
    """Make the messages of an application, one for each address on a channel that the customer agreed to.

    Where several settings agree to the same address, the first by its id does.
    """
    if consent is None:
        return
    sent: set[tuple[str, str]] = set()
    for setting in sorted(consent["settings"], key=lambda setting: str(setting["setting_id"])):
        made = make_alerts(
            due["application_id"].encode(),
            due["customer_id"].encode(),
            setting["setting_id"].encode(),
            setting["channels"],
            [address["channel"] for address in consent["addresses"]],
            [address["address"] for address in consent["addresses"]],
        )
        for alert_id, channel, address in made:
            if alert_id is None or address is None or (channel, address) in sent:
                continue
            sent.add((channel, address))
            yield Reminder(
                due["customer_id"],
                due["application_id"],
                due["product"],
                alert_id,
                channel,
                address,
                setting["account_id"],
                setting["currency"],
                setting["setting_id"],
                consent["language"],
                due["begun_ms"],
            )


def dump_waiting(due: DueReminder) -> dict[str, Any]:
    """Convert to what is stored while a reminder waits: savepoints have it under a booking's names."""
    return {
        "rule": AlertType.APPLICATION_REMINDER.value,
        "entry_id": due["application_id"],
        "customer_id": due["customer_id"],
        "product": due["product"],
        "begun_ms": due["begun_ms"],
        "written_at": due["due_ms"],
    }


def load_waiting(stored: Mapping[str, Any]) -> DueReminder:
    """Convert back what `dump_waiting` made."""
    return DueReminder(
        customer_id=stored["customer_id"],
        application_id=stored["entry_id"],
        product=stored["product"],
        begun_ms=stored["begun_ms"],
        due_ms=stored["written_at"],
    )
