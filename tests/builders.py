"""Records of the contract to start tests from; every argument replaces a field."""

from typing import Any

from tests.reference.binary import encode
from tests.reference.model import KafkaRecord, Topics

Record = dict[str, Any]
TOPICS = Topics()
NOON = 1_750_000_000_000


def entry(entry_id: str = "e1", account_id: str = "a1", **fields: Any) -> Record:
    """A debit of 10.00 EUR that leaves 95.00 EUR."""
    return {
        "entry_id": entry_id,
        "account_id": account_id,
        "currency": "EUR",
        "amount_minor": 1000,
        "credit_debit": "DBIT",
        "balance_minor": 9500,
        "booked_at": NOON,
        "entry_type": "TRANSFER",
        "merchant_id": None,
        "merchant_name": None,
        "merchant_category": None,
        "country": None,
        "counterparty": None,
        "description": None,
        "counterparty_name": None,
        "card_last_four": None,
        "original_currency": None,
        "original_amount_minor": None,
        "reversal": False,
    } | fields


def setting(setting_id: str = "s1", account_id: str = "a1", **fields: Any) -> Record:
    """An e-mail for every debit."""
    return {
        "setting_id": setting_id,
        "account_id": account_id,
        "currency": "EUR",
        "alert_type": "DEBITED_ABOVE",
        "channels": ["EMAIL"],
        "threshold_minor": 0,
        "count": None,
        "window_minutes": None,
        "snoozed_until": None,
    } | fields


def settings(customer_id: str = "c1", *wanted: Record, **fields: Any) -> Record:
    """The customer's settings, with an address on every channel."""
    return {
        "customer_id": customer_id,
        "language": "en",
        "time_zone": "UTC",
        "addresses": [
            {"channel": "EMAIL", "address": f"{customer_id}@example.com"},
            {"channel": "SMS", "address": "+999123"},
            {"channel": "PUSH", "address": customer_id},
        ],
        "settings": list(wanted),
        "quiet_from": None,
        "quiet_to": None,
        "digest": None,
    } | fields


def authorization(account_id: str = "a1", *customers: str) -> Record:
    """These customers may see the account."""
    return {"account_id": account_id, "customer_ids": list(customers)}


class Log:
    """Kafka's input topics in memory: gives every record its offset."""

    def __init__(self, topics: Topics = TOPICS) -> None:
        """Start with empty topics."""
        self.topics = topics
        self.records: list[KafkaRecord] = []

    def put(self, topic: str, time: int, key: bytes | None, value: bytes | None) -> KafkaRecord:
        """Append any bytes."""
        offset = sum(record.topic == topic for record in self.records)
        self.records.append(KafkaRecord(topic, 0, offset, time, key, value))
        return self.records[-1]

    def book(self, time: int, record: Record) -> KafkaRecord:
        """Append a booking."""
        key = record["account_id"].encode()
        return self.put(self.topics.entries, time, key, encode("AccountEntry", record))

    def authorize(self, time: int, account_id: str, *customers: str) -> KafkaRecord:
        """Say who may see an account."""
        value = encode("AccountAuthorization", authorization(account_id, *customers))
        return self.put(self.topics.authorizations, time, account_id.encode(), value)

    def ask(self, time: int, record: Record) -> KafkaRecord:
        """Append a customer's settings."""
        key = record["customer_id"].encode()
        return self.put(self.topics.settings, time, key, encode("AlertSettings", record))
