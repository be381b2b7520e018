"""ISO 20022 camt.054 (BankToCustomerDebitCreditNotification) to bookings.

An `Ntry` is one booking, whatever number of transactions it stands for. Any version is read: elements are
found by their local names. docs/guides/connect-your-bank/queue.md says in a table what becomes what.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from account_alerts.model.alerts import EntryType
from account_alerts.records.bookings import DEFAULTS
from account_alerts.records.codec import Record
from ingest.formats import camt054_amounts as amounts
from ingest.formats import camt054_details as details
from ingest.formats.camt054_balances import ALWAYS, OTHER_CURRENCY, Posting, balances_after, put_in_order
from ingest.formats.camt054_ids import EntryIds
from ingest.formats.parsed import InvalidMessageError, ParsedMessage
from ingest.formats.xml_times import day_bounds, milliseconds, parse_date, parse_date_time
from ingest.formats.xml_tree import child, text

_ROOTS = frozenset({"BkToCstmrDbtCdtNtfctn", "BkToCstmrDbtCdtNtfctnV01"})
_NO_MESSAGE = "not a camt.054: no BkToCstmrDbtCdtNtfctn"
_NO_BALANCE = "booked without a balance"
_NOT_BOOKED = frozenset({"PDNG", "INFO", "FUTR"})


def parse(root: Element, time_zone: ZoneInfo, transaction_codes: Mapping[str, EntryType]) -> ParsedMessage:
    """Parse every notification of a message, or of all messages of an envelope.

    Args:
        root: The document, or an envelope of documents.
        time_zone: The zone of times without an offset.
        transaction_codes: The bank's own transaction codes, and the entry type of each.

    Raises:
        InvalidMessageError: Nothing of it is a camt.054.
    """
    documents = [list(_messages(document)) for document in _documents(root)]
    if not any(documents):
        raise InvalidMessageError(_NO_MESSAGE)
    parsed = ParsedMessage()
    announced = text(root, "PyldDesc", "ApplSpcfcInf", "TtlNbOfDocs")
    if announced.isdecimal() and announced.lstrip("0") != str(len(documents)):
        parsed.errors.append(f"the envelope announces another number of documents than {len(documents)}")
    ids = EntryIds()
    for number, messages in enumerate(documents, 1):
        where = f"Document {number}, " if len(documents) > 1 else ""
        if not messages:
            parsed.errors.append(where + _NO_MESSAGE)
        for message in messages:
            notifications = message.findall("Ntfctn")
            if not notifications:
                parsed.errors.append(f"{where}not a camt.054: no Ntfctn")
            created = text(message, "GrpHdr", "CreDtTm")
            for position, element in enumerate(notifications, 1):
                notification = _Notification(element, created, time_zone, transaction_codes)
                parsed.extend(notification.parse(f"{where}Ntfctn {position}", ids))
    return parsed


def _documents(root: Element) -> Iterator[Element]:
    """Find every `Document`, or message without one, that is not inside of another."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.tag == "Document" or element.tag in _ROOTS:
            yield element
        else:
            waiting.extend(reversed(element))


def _messages(document: Element) -> Iterator[Element]:
    """Find the camt.054 messages of a document, but none in the supplementary data of another."""
    waiting = [document]
    while waiting:
        element = waiting.pop()
        if element.tag in _ROOTS:
            yield element
        else:
            waiting.extend(reversed(element))


@dataclass(frozen=True)
class _Time:
    """When an entry was booked."""

    at: int
    """Milliseconds UTC."""
    span: tuple[float, float]
    """The first and the last moment at which it may have been: a date is a whole day."""
    said: str
    """What the entry itself says, in one spelling."""


@dataclass(frozen=True)
class _Entry:
    """An entry that is booked, or may be."""

    posting: Posting
    booking: Record | InvalidMessageError
    """Without its balance, or why it is none."""


class _Notification:
    """One `Ntfctn`: entries of one account."""

    def __init__(
        self,
        element: Element,
        created: str,
        time_zone: ZoneInfo,
        transaction_codes: Mapping[str, EntryType],
    ) -> None:
        self._element = element
        self._created = text(element, "CreDtTm") or created
        self._time_zone = time_zone
        self._codes = transaction_codes
        self._account = details.account(child(element, "Acct"))

    def parse(self, where: str, ids: EntryIds) -> ParsedMessage:
        """Parse the entries; the bookings are in the order of their times.

        Args:
            where: The notification's location in the message, for the texts of errors.
            ids: Those of the message.
        """
        parsed = ParsedMessage()
        entries: list[tuple[int, _Entry]] = []
        for position, element in enumerate(self._element.findall("Ntry"), 1):
            if _status(element) in _NOT_BOOKED:
                parsed.skipped += 1
            else:
                entries.append((position, self._entry(element, ids)))
        postings = [entry.posting for _, entry in entries]
        order, unknown = put_in_order([posting.span for posting in postings])
        closing: tuple[int, str] | InvalidMessageError | None
        try:
            closing = amounts.balance(self._element, own=True)
        except InvalidMessageError as error:
            closing = error
        if entries and isinstance(closing, InvalidMessageError):
            parsed.errors.append(f"{where}: {_NO_BALANCE}: {closing}")
        balances = balances_after(postings, order, unknown, closing)
        errors: dict[int, str] = {}
        for index in order:
            position, entry = entries[index]
            own = entry.posting.balance
            try:
                if isinstance(entry.booking, InvalidMessageError):
                    raise entry.booking
                parsed.add({**entry.booking, "balance_minor": balances[index]})
                if isinstance(own, InvalidMessageError):
                    raise InvalidMessageError(f"{_NO_BALANCE}: {own}")
            except InvalidMessageError as error:
                errors[position] = f"{where}, Ntry {position}: {error}"
        parsed.errors += [errors[position] for position in sorted(errors)]
        return parsed

    def _entry(self, element: Element, ids: EntryIds) -> _Entry:
        """Read an entry; what it says of the balance counts though it is refused for something else."""
        fault: InvalidMessageError | None = None
        amount_element, indicator = child(element, "Amt"), text(element, "CdtDbtInd")
        currency, sign = amounts.currency(amount_element), amounts.sign(indicator)
        amount: int | None = None
        time: _Time | None = None
        try:
            time = self._time(child(element, "BookgDt"))
        except InvalidMessageError as error:
            fault = error
        try:
            amount = amounts.minor(amount_element)
        except InvalidMessageError as error:
            fault = error
        change = None if amount is None or sign is None else sign * amount
        if _status(element) != "BOOK":
            fault, change = InvalidMessageError("Sts is none of BOOK, PDNG, INFO, FUTR"), None
        posting = Posting(time.span if time else ALWAYS, currency, change, _own_balance(element, currency))
        if fault is not None or amount is None or time is None:
            return _Entry(posting, fault or InvalidMessageError("no booking"))
        transactions = details.transactions(element)
        # Of a batch, none describes their sum.
        transaction = transactions[0] if len(transactions) == 1 else None
        reversal = details.says_reversal(element)
        booking = {
            **DEFAULTS,
            "entry_id": ids.make(
                element, (self._account, currency or "", amount, indicator, reversal, time.said)
            ),
            "account_id": self._account,
            "currency": currency,
            "amount_minor": amount,
            "credit_debit": indicator,
            "booked_at": time.at,
        }
        booking["entry_type"] = details.entry_type(element, transaction, self._codes)
        booking["reversal"] = reversal or details.returns(element, transactions)
        said = details.parties(element, transaction, booking)
        booking |= {key: value for key, value in said.items() if value}
        booking |= details.original(element, transaction, currency or "")
        return _Entry(posting, booking)

    def _time(self, date: Element | None) -> _Time:
        """Read when an entry was booked: of a date, the notification's time on that day, else its start."""
        if said := text(date, "DtTm"):
            moment = _date_time(said, "BookgDt/DtTm")
            at = self._milliseconds(moment, "BookgDt/DtTm")
            return _Time(at, (at, at), moment.isoformat() if moment.tzinfo is None else str(at))
        created = None
        if self._created:
            created = self._milliseconds(_date_time(self._created, "CreDtTm"), "CreDtTm")
        said = text(date, "Dt")
        if not said:
            if created is None:
                raise InvalidMessageError("neither BookgDt nor CreDtTm")
            return _Time(created, ALWAYS, "")
        try:
            day, zone = parse_date(said)
            first, last = day_bounds(day, zone or self._time_zone)
        except (ValueError, OverflowError):
            raise InvalidMessageError("BookgDt/Dt is no date") from None
        at = created if created is not None and first <= created <= last else first
        return _Time(at, (first, last), day.isoformat())

    def _milliseconds(self, moment: datetime, field: str) -> int:
        try:
            return milliseconds(moment, self._time_zone)
        except (ValueError, OverflowError):
            raise InvalidMessageError(f"{field} is no date and time") from None


def _date_time(said: str, field: str) -> datetime:
    try:
        return parse_date_time(said)
    except ValueError:
        raise InvalidMessageError(f"{field} is no date and time") from None


def _status(entry: Element) -> str:
    return text(entry, "Sts", "Cd") or text(entry, "Sts") or text(entry, "Sts", "Prtry")


def _own_balance(entry: Element, currency: str | None) -> int | InvalidMessageError | None:
    try:
        found = amounts.balance(entry)
    except InvalidMessageError as error:
        return error
    if found is None:
        return None
    if currency is not None and found[1] != currency:
        return InvalidMessageError(OTHER_CURRENCY)
    return found[0]
