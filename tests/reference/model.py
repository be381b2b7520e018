"""What the contract asks for, read as plainly as possible and sharing no code with the product.

In go the records of the input topics as they stand in Kafka, out come the alerts that must be there and
the records that must be dead letters. Where the contract leaves freedom, all outcomes it allows are given: a
change counts for no booking written before it and for every booking written 1 s or more after it; in between
both are right.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from zoneinfo import available_timezones

import pycountry

from tests.reference.binary import decode

FREEDOM_MS = 1000
CHANNELS = frozenset({"EMAIL", "SMS", "PUSH"})
AMOUNT_TYPES = frozenset({"BALANCE_ABOVE", "BALANCE_BELOW", "CREDITED_ABOVE", "DEBITED_ABOVE"})
ENTRY_TYPES = frozenset({"CARD", "TRANSFER", "CASH", "DIRECT_DEBIT", "INTEREST", "FEE", "OTHER"})
CURRENCIES = frozenset(currency.alpha_3 for currency in pycountry.currencies)
_ZONES = available_timezones()
_HH_MM = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_OWN: dict[str, Callable[[str], object]] = {
    "time_zone": _ZONES.__contains__,
    "quiet_from": _HH_MM.fullmatch,
    "quiet_to": _HH_MM.fullmatch,
    "digest": {"HOURLY", "DAILY"}.__contains__,
}
"""What is right for a customer's own fields, where there is anything."""

Source = tuple[str, int, int]
"""Where a record stands: topic, partition, offset."""


@dataclass(frozen=True)
class KafkaRecord:
    """A record as it stands in Kafka; the timestamp is in milliseconds UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None

    @property
    def source(self) -> Source:
        """Where it stands."""
        return self.topic, self.partition, self.offset


@dataclass(frozen=True)
class Topics:
    """Names of the topics the model reads."""

    entries: str = "account-entries"
    authorizations: str = "account-authorizations"
    settings: str = "alert-settings"


Reason = tuple[str, str, int | None, int | None, int | None]
"""setting_id, alert_type, threshold_minor, count, window_minutes."""
REASON = ("setting_id", "alert_type", "threshold_minor", "count", "window_minutes")
_IMPORTANCE = ("BALANCE_BELOW", "DEBITED_ABOVE", "CREDITED_ABOVE", "BALANCE_ABOVE", "TRANSACTION_COUNT")
_TOLD = (
    *("credit_debit", "entry_type", "amount_minor", "balance_minor"),
    *("merchant_name", "merchant_category", "country", "counterparty", "counterparty_name"),
    *("card_last_four", "original_currency", "original_amount_minor", "description"),
)
"""What an alert says of its booking."""


@dataclass(frozen=True)
class Alert:
    """An OutboundAlert without what only the job can know: its id and when it was raised."""

    entry_id: str
    customer_id: str
    setting_id: str
    channel: str
    address: str
    alert_type: str
    account_id: str
    currency: str
    booked_at: int
    language: str
    params: frozenset[tuple[str, str]]
    reasons: tuple[Reason, ...]


Outcome = frozenset[Alert]
_Choice = tuple[str, Mapping[str, Any] | None]
"""A customer and the settings that may hold for them; None: may not see the account, or has none."""


@dataclass(repr=False)  # Of thousands of records; pytest would write it out where a test fails.
class Expected:
    """What the contract allows.

    For each booking and customer, `alerts` has the sets of alerts that are right, one of which must be there;
    a booking and customer without an entry must have none.
    """

    alerts: dict[tuple[str, str], set[Outcome]] = field(default_factory=dict)
    dead_letters: dict[Source, KafkaRecord] = field(default_factory=dict)
    optional_dead_letters: dict[Source, KafkaRecord] = field(default_factory=dict)
    skipped_settings: dict[Source, frozenset[str]] = field(default_factory=dict)

    @property
    def certain(self) -> set[Alert]:
        """Alerts that must be there whichever side of a change their booking falls on."""
        return {alert for outcomes in self.alerts.values() for alert in frozenset.intersection(*outcomes)}


class _History:
    """Versions of one key's value by the time they were written."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.values: list[Any] = []

    def add(self, time: int, value: Any) -> None:
        self.times.append(max(time, self.times[-1] if self.times else time))
        self.values.append(value)

    def allowed(self, time: int) -> list[Any]:
        """Versions that a booking of this time may use; None stands for nothing known."""
        # The newest that is old enough, and each that was written since.
        first = bisect_right(self.times, time - FREEDOM_MS)
        after = bisect_right(self.times, time)
        return [self.values[first - 1] if first else None, *self.values[first:after]]


_NOTHING = _History()


def expect(records: Iterable[KafkaRecord], topics: Topics | None = None) -> Expected:
    """What must come of these records, all that were written to the input topics from their beginning."""
    topics = topics or Topics()
    expected = Expected()
    may_see: dict[str, _History] = defaultdict(_History)
    wanted: dict[str, _History] = defaultdict(_History)
    entries: list[tuple[int, dict[str, Any]]] = []
    for record in sorted(records, key=lambda each: each.source):
        if record.topic == topics.entries:
            entry = read_entry(record)
            if entry is None:
                expected.dead_letters[record.source] = record
            else:
                entries.append((record.timestamp, entry))
        elif record.topic == topics.authorizations:
            _read_authorization(record, may_see, expected)
        elif record.topic == topics.settings:
            _read_settings(record, wanted, expected)
        else:
            raise ValueError(f"{record.topic} is no input topic")
    counts = _Counts()
    for time, entry in entries:
        _raise_alerts(time, entry, may_see, wanted, counts, expected)
    return expected


def read_entry(record: KafkaRecord) -> dict[str, Any] | None:
    """The booking in a record, or None for what belongs to the dead letters."""
    entry = decode("AccountEntry", record.value)
    if (
        entry is None
        or not entry["entry_id"]
        or not entry["account_id"]
        or record.key != entry["account_id"].encode()
        or entry["amount_minor"] <= 0
        or entry["credit_debit"] not in ("CRDT", "DBIT")
        or entry["entry_type"] not in ENTRY_TYPES
        or entry["currency"] not in CURRENCIES
        or (entry["original_amount_minor"] is not None and entry["original_amount_minor"] <= 0)
    ):
        return None
    return entry


def _read_authorization(record: KafkaRecord, may_see: dict[str, _History], expected: Expected) -> None:
    key = _text(record.key)
    if record.value is None and key:
        may_see[key].add(record.timestamp, frozenset())
        return
    value = decode("AccountAuthorization", record.value)
    if value is None or not key or value["account_id"] != key:
        expected.dead_letters[record.source] = record
        return
    may_see[key].add(record.timestamp, frozenset(value["customer_ids"]))


def _read_settings(record: KafkaRecord, wanted: dict[str, _History], expected: Expected) -> None:
    key = _text(record.key)
    if record.value is None and key:
        wanted[key].add(record.timestamp, None)
        return
    value = decode("AlertSettings", record.value)
    if value is None or not key or value["customer_id"] != key:
        expected.dead_letters[record.source] = record
        return
    good: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    skipped, doubtful = set(), False
    for setting in value["settings"]:
        known = setting["alert_type"] in AMOUNT_TYPES or setting["alert_type"] == "TRANSACTION_COUNT"
        if valid(setting) and known:
            good[setting["account_id"], setting["currency"]].append(setting)
        elif known:
            skipped.add(setting["setting_id"])
        elif not CHANNELS.issuperset(setting["channels"]):
            doubtful = True  # Of a type nobody knows yet: the contract does not say which rule comes first.
    skipped |= {name for name, right in _OWN.items() if value[name] is not None and not right(value[name])}
    if skipped:
        expected.dead_letters[record.source] = record
        expected.skipped_settings[record.source] = frozenset(skipped)
    elif doubtful:
        expected.optional_dead_letters[record.source] = record
    wanted[key].add(record.timestamp, {**value, "settings": dict(good)})


def valid(setting: Mapping[str, Any]) -> bool:
    """Whether a setting has what its type needs, and known channels only."""
    if not CHANNELS.issuperset(setting["channels"]):
        return False
    if setting["alert_type"] in AMOUNT_TYPES:
        return setting["threshold_minor"] is not None
    if setting["alert_type"] == "TRANSACTION_COUNT":
        return setting["count"] is not None and setting["window_minutes"] is not None
    return True


def raised(setting: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether the booking raises the setting; of a count :class:`_Counts` says it."""
    amount, balance, threshold = entry["amount_minor"], entry["balance_minor"], setting["threshold_minor"]
    credit = entry["credit_debit"] == "CRDT"
    match setting["alert_type"]:
        case "BALANCE_ABOVE" | "BALANCE_BELOW" if balance is None:
            return False
        case "BALANCE_ABOVE":
            return bool(balance > threshold and _before(balance, amount, credit) <= threshold)
        case "BALANCE_BELOW":
            return bool(balance < threshold and _before(balance, amount, credit) >= threshold)
        case "CREDITED_ABOVE":
            return bool(credit and amount > threshold)
        case "DEBITED_ABOVE":
            return bool(not credit and amount > threshold)
    return False


def _before(balance: int, amount: int, credit: bool) -> int:
    return balance - (amount if credit else -amount)


class _Counts:
    """The card bookings of each account and currency, and which settings the last of them had raised."""

    def __init__(self) -> None:
        self.booked: dict[tuple[str, str], dict[str, int]] = {}
        self.raised: set[tuple[str, ...]] = set()
        self.last: dict[tuple[str, str], dict[tuple[str, str], tuple[int, int]]] = {}

    def raised_by(self, entry: Mapping[str, Any], choices: list[list[_Choice]]) -> frozenset[tuple[str, str]]:
        """(customer, setting_id) of the count settings that a booking raises.

        `choices` has for each customer what may hold for them; as far as counts go that must be one thing,
        for a booking within a second of a change may be counted or not, and so may all after it.
        """
        place = entry["account_id"], entry["currency"]
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for versions in choices:
            counting = [
                {
                    (customer, setting["setting_id"]): (setting["count"], setting["window_minutes"])
                    for setting in (settings or {"settings": {}})["settings"].get(place, ())
                    if setting["alert_type"] == "TRANSACTION_COUNT"
                }
                for customer, settings in versions
            ]
            if any(one != counting[0] for one in counting):
                raise ValueError(f"{entry['entry_id']}: within a second of a change of a count")
            found |= counting[0]
        if found:
            self.booked.setdefault(place, {})  # Counting starts with the first such setting.
        booked = self.booked.get(place)
        if entry["entry_type"] != "CARD" or booked is None or entry["entry_id"] in booked:
            return frozenset()
        booked[entry["entry_id"]] = end = entry["booked_at"]
        crossed = set()
        last = self.last.setdefault(place, {})
        last |= found
        for name, (count, minutes) in last.items():
            if sum(end - minutes * 60_000 < each <= end for each in booked.values()) <= count:
                self.raised.discard((*place, *name))  # Also while nobody asks.
            elif name in found and (*place, *name) not in self.raised:
                self.raised.add((*place, *name))
                crossed.add(name)
        return frozenset(crossed)


def _raise_alerts(
    time: int,
    entry: dict[str, Any],
    may_see: Mapping[str, _History],
    wanted: Mapping[str, _History],
    counts: _Counts,
    expected: Expected,
) -> None:
    authorizations = [
        seen or frozenset() for seen in may_see.get(entry["account_id"], _NOTHING).allowed(time)
    ]
    choices: list[list[_Choice]] = [
        [
            (customer, settings if customer in seen else None)
            for seen, settings in product(authorizations, wanted.get(customer, _NOTHING).allowed(time))
        ]
        for customer in sorted(frozenset[str]().union(*authorizations))
    ]
    crossed = counts.raised_by(entry, choices)
    for versions in choices:
        customer = versions[0][0]
        outcomes: set[Outcome] = {
            frozenset(_alerts(customer, settings, entry, crossed) if settings else ())
            for _, settings in versions
        }
        place = entry["entry_id"], customer
        # A booking that was written twice gives the alerts of both.
        earlier = expected.alerts.get(place, {frozenset()})
        outcomes = {one | other for one, other in product(earlier, outcomes)}
        if outcomes != {frozenset()}:
            expected.alerts[place] = outcomes


def _alerts(
    customer: str,
    settings: Mapping[str, Any],
    entry: Mapping[str, Any],
    crossed: frozenset[tuple[str, str]],
) -> Iterator[Alert]:
    hit = []
    for setting in settings["settings"].get((entry["account_id"], entry["currency"]), ()):
        counts = setting["alert_type"] == "TRANSACTION_COUNT"
        if (customer, setting["setting_id"]) in crossed if counts else raised(setting, entry):
            hit.append(setting)
    hit.sort(key=lambda each: (_IMPORTANCE.index(each["alert_type"]), each["setting_id"]))
    for channel, address in dict.fromkeys(
        (each["channel"], each["address"]) for each in settings["addresses"]
    ):
        reasons = [setting for setting in hit if channel in setting["channels"]]
        if not reasons:
            continue
        first = reasons[0]
        params = {name: str(entry[name]) for name in _TOLD if entry.get(name) is not None}
        params |= {"reversal": "true"} if entry.get("reversal") else {}
        counts = first["alert_type"] == "TRANSACTION_COUNT"
        for name in ("count", "window_minutes") if counts else ("threshold_minor",):
            params[name] = str(first[name])
        yield Alert(
            entry_id=entry["entry_id"],
            customer_id=customer,
            setting_id=first["setting_id"],
            channel=channel,
            address=address,
            alert_type=first["alert_type"],
            account_id=entry["account_id"],
            currency=entry["currency"],
            booked_at=entry["booked_at"],
            language=settings["language"],
            params=frozenset(params.items()),
            reasons=tuple(dict.fromkeys(reason(each) for each in reasons)),
        )


def reason(setting: Mapping[str, Any]) -> Reason:
    """What an alert says of a setting that raised it."""
    setting_id, alert_type, threshold, count, window = (setting[name] for name in REASON)
    return setting_id, alert_type, threshold, count, window


def _text(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode()
    except UnicodeDecodeError:
        return None
