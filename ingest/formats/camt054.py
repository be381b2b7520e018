"""ISO 20022 camt.054 (BankToCustomerDebitCreditNotification) to bookings.

An `Ntry` is one booking, whatever number of transactions it stands for. Any version is read: elements are
found by their local names. docs/guides/connect-your-bank/queue.md says in a table what becomes what.
"""

import hashlib
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from account_alerts.model.money import to_minor
from account_alerts.records.bookings import LONG_MAX, OPTIONAL, is_currency, signed
from account_alerts.records.codec import Record
from ingest.formats import camt054_details as details
from ingest.formats.parsed import InvalidMessageError, ParsedMessage
from ingest.formats.xml_tree import child, text

_ROOTS = ("BkToCstmrDbtCdtNtfctn", "BkToCstmrDbtCdtNtfctnV01")
_AMOUNT = re.compile(r"\+?\d{1,18}(\.\d{0,10})?|\+?\.\d{1,10}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)?")
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_BOOKED = frozenset({"PDNG", "INFO", "FUTR"})
_BOOKED_BALANCES = frozenset({"ITBD", "CLBD"})
"""Balance types that are the balance of what is booked; others are available, expected or opening ones, or
the bank's own, of which nothing is known. A balance without a type is what is booked."""


def parse(root: Element, data: bytes, time_zone: ZoneInfo) -> ParsedMessage:
    """Parse a notification message.

    Args:
        root: The document.
        data: Its bytes: an entry without a reference gets its id from their hash.
        time_zone: The zone of times without an offset.

    Raises:
        InvalidMessageError: The document is no camt.054.
    """
    message = next((found for name in _ROOTS for found in root.iter(name)), None)
    if message is None:
        raise InvalidMessageError("not a camt.054: no BkToCstmrDbtCdtNtfctn")
    notifications = message.findall("Ntfctn")
    if not notifications:
        raise InvalidMessageError("not a camt.054: no Ntfctn")
    parsed = ParsedMessage()
    accounts = _group_accounts_by_reference(notifications)
    created = text(message, "GrpHdr", "CreDtTm")
    for number, notification in enumerate(notifications, 1):
        one = _Notification(notification, accounts, created, data, time_zone)
        parsed.extend_reversed(one.parse(f"Ntfctn {number}"))
    return parsed


class _Notification:
    """One `Ntfctn`: entries of one account."""

    def __init__(
        self,
        element: Element,
        accounts: dict[str, set[str]],
        created: str,
        data: bytes,
        time_zone: ZoneInfo,
    ) -> None:
        self._element = element
        self._accounts = accounts
        self._created = text(element, "CreDtTm") or created
        self._data = data
        self._time_zone = time_zone
        self._account = details.account(child(element, "Acct"))

    def parse(self, where: str) -> ParsedMessage:
        """Parse the entries from the last to the first: a balance after all of them gives those before.

        Args:
            where: The notification's location in the message, for the texts of errors.
        """
        parsed = ParsedMessage()
        entries = self._element.findall("Ntry")
        if not entries:
            parsed.errors.append(f"{where}: no Ntry")
        balance: int | InvalidMessageError | None = None
        currency = ""
        try:
            balance, currency = _balance(self._element, own=True)
        except InvalidMessageError as error:
            balance = error
        for position in range(len(entries), 0, -1):
            entry = entries[position - 1]
            try:
                if not _is_booked(entry):
                    parsed.skipped += 1
                    continue
                booking = self._booking(entry, position, currency, balance)
                parsed.add(booking)
                currency, balance = booking["currency"], booking["balance_minor"] - signed(booking)
            except InvalidMessageError as error:
                parsed.errors.append(f"{where}, Ntry {position}: {error}")
                balance = None
        return parsed

    def _booking(
        self, entry: Element, position: int, currency: str, balance: int | InvalidMessageError | None
    ) -> Record:
        amount, own_currency = _amount(entry)
        indicator = text(entry, "CdtDbtInd")
        given, given_currency = _balance(entry)
        if given is not None:
            currency, balance = given_currency, given
        if isinstance(balance, InvalidMessageError):
            raise balance
        if balance is None:
            raise InvalidMessageError(
                "no balance after the booking (docs/guides/connect-your-bank/queue.md: Bal)"
            )
        if currency != own_currency:
            raise InvalidMessageError("the balance is in another currency than the amount")
        transaction = details.transaction(entry)
        booking = {
            "entry_id": self._entry_id(entry, transaction, position),
            "account_id": self._account,
            "currency": own_currency,
            "amount_minor": amount,
            "credit_debit": indicator,
            "balance_minor": balance,
            "booked_at": self._booked_at(child(entry, "BookgDt")),
            **dict.fromkeys(OPTIONAL),
        }
        booking["entry_type"] = details.entry_type(entry, transaction)
        booking |= {
            key: value for key, value in details.parties(entry, transaction, booking).items() if value
        }
        return booking

    def _entry_id(self, entry: Element, transaction: Element | None, position: int) -> str:
        """Return the bank's reference, or one made of the notification's id where it gives none."""
        if reference := details.reference(entry, transaction):
            # The bank may give both sides of a payment one reference.
            shared = len(self._accounts[reference]) > 1
            return f"{reference}/{self._account}" if shared else reference
        within = text(entry, "NtryRef") or f"#{position}"
        notification = text(self._element, "Id") or hashlib.sha256(self._data).hexdigest()
        return f"{self._account}/{notification}/{within}"

    def _booked_at(self, date: Element | None) -> int:
        """Return milliseconds UTC; of a date alone, the notification's time on that day, else its start."""
        if moment := text(date, "DtTm"):
            return _milliseconds(moment, self._time_zone, "BookgDt/DtTm")
        created = _milliseconds(self._created, self._time_zone, "CreDtTm") if self._created else None
        day = text(date, "Dt")
        if not day:
            if created is None:
                raise InvalidMessageError("neither BookgDt nor CreDtTm")
            return created
        match = _DATE.fullmatch(day)
        if match is None:
            raise InvalidMessageError("BookgDt/Dt is no date")
        if created is not None and self._created.startswith(match[1]):
            return created
        return _milliseconds(f"{match[1]}T00:00:00{match[2] or ''}", self._time_zone, "BookgDt/Dt")


def _is_booked(entry: Element) -> bool:
    status = text(entry, "Sts", "Cd") or text(entry, "Sts") or text(entry, "Sts", "Prtry")
    if status == "BOOK":
        return True
    if status in _NOT_BOOKED:
        return False
    raise InvalidMessageError("Sts is none of BOOK, PDNG, INFO, FUTR")


def _group_accounts_by_reference(notifications: list[Element]) -> dict[str, set[str]]:
    """Map each of the bank's references to the accounts it is given for."""
    accounts: dict[str, set[str]] = defaultdict(set)
    if len(notifications) == 1:
        return accounts  # It has one account.
    for notification in notifications:
        account = details.account(child(notification, "Acct"))
        for entry in notification.findall("Ntry"):
            accounts[details.reference(entry, details.transaction(entry))].add(account)
    return accounts


def _amount(entry: Element) -> tuple[int, str]:
    amount = child(entry, "Amt")
    if amount is None:
        raise InvalidMessageError("no Amt")
    return _minor(amount)


def _minor(amount: Element) -> tuple[int, str]:
    currency = amount.get("Ccy", "").strip()
    if not is_currency(currency):
        raise InvalidMessageError("currency is not in ISO 4217")
    digits = text(amount)
    if not _AMOUNT.fullmatch(digits):
        raise InvalidMessageError("Amt is no amount")
    try:
        minor = to_minor(digits, currency)
    except ValueError:
        raise InvalidMessageError(f"Amt has more decimals than {currency}") from None
    if minor > LONG_MAX:
        raise InvalidMessageError("Amt is too large")
    return minor, currency


def _balance(element: Element, *, own: bool = False) -> tuple[int | None, str]:
    """Find the booked balance, in minor units, and its currency; None where there is no balance.

    Args:
        element: An entry; or, with `own`, a notification.
        own: Look only at the notification's own balance, not at those of its entries.
    """
    if own:
        found = element.findall("Bal")
        for supplement in element.findall("SplmtryData"):
            found += supplement.iter("Bal")
    else:
        found = list(element.iter("Bal"))
    if found:
        found = [each for each in found if _is_booked_balance(each)]
    if not found:
        return None, ""
    if len(found) > 1:
        raise InvalidMessageError("more than one Bal of what is booked")
    amount = child(found[0], "Amt")
    if amount is None:
        raise InvalidMessageError("Bal: no Amt")
    try:
        minor, currency = _minor(amount)
    except InvalidMessageError as error:
        raise InvalidMessageError(f"Bal: {error}") from None
    indicator = text(found[0], "CdtDbtInd")
    if indicator not in ("CRDT", "DBIT"):
        raise InvalidMessageError("Bal: CdtDbtInd is neither CRDT nor DBIT")
    return (minor if indicator == "CRDT" else -minor), currency


def _is_booked_balance(balance: Element) -> bool:
    kind = child(balance, "Tp")
    return kind is None or text(kind, "CdOrPrtry", "Cd") in _BOOKED_BALANCES


def _milliseconds(moment: str, time_zone: ZoneInfo, field: str) -> int:
    if not _DATE_TIME.fullmatch(moment):
        raise InvalidMessageError(f"{field} is no date and time")
    try:
        value = datetime.fromisoformat(moment)
        if value.tzinfo is None:
            value = value.replace(tzinfo=time_zone)
        return (value - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        raise InvalidMessageError(f"{field} is no date and time") from None
