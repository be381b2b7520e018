"""Reads what a camt.054 entry says of itself: entry type, the other side, card, original amount, words."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from xml.etree.ElementTree import Element

from account_alerts.model.alerts import CreditDebit, EntryType
from account_alerts.records.codec import Record
from ingest.formats import camt054_amounts as amounts
from ingest.formats import camt054_codes
from ingest.formats.parsed import InvalidMessageError
from ingest.formats.xml_tree import child, text

_CARD_DIGITS = 4
_ORIGINAL_AMOUNTS = ("InstdAmt", "TxAmt", "CntrValAmt")


def transactions(entry: Element) -> list[Element]:
    """Return the entry's transactions; in version 1 they stand in the entry itself."""
    within = [each for detail in entry.findall("NtryDtls") for each in detail.findall("TxDtls")]
    return within or entry.findall("TxDtls")


def account(element: Element | None) -> str:
    """Return the IBAN, or the bank's own account number."""
    identification = child(element, "Id")
    if identification is None:
        return ""
    iban = text(identification, "IBAN").replace(" ", "")
    return iban or text(identification, "Othr", "Id") or text(identification, "PrtryAcct", "Id")


def entry_type(entry: Element, transaction: Element | None, own_codes: Mapping[str, EntryType]) -> str:
    """Return the contract's `entry_type`; the bank's own code decides before ISO's.

    Args:
        entry: The entry.
        transaction: Its only transaction.
        own_codes: The bank's own codes, and the entry type of each.
    """
    is_known = False
    for element in (entry, transaction):
        code = child(element, "BkTxCd")
        own = camt054_codes.own_entry_type(text(code, "Prtry", "Cd"), own_codes)
        found = own or camt054_codes.entry_type(*_iso_code(code))
        if found is not None and (own or found != EntryType.OTHER):
            return found
        is_known = is_known or found is not None
    is_card = not is_known and next(entry.iter("CardTx"), None) is not None
    return (EntryType.CARD if is_card else EntryType.OTHER).value


def _iso_code(code: Element | None) -> tuple[str, str, str]:
    domain = child(code, "Domn")
    family = child(domain, "Fmly")
    return text(domain, "Cd"), text(family, "Cd"), text(family, "SubFmlyCd")


def says_reversal(entry: Element) -> bool:
    """Tell whether the entry says that it takes back an earlier one: `RvslInd`."""
    return text(entry, "RvslInd").lower() in ("true", "1")


def returns(entry: Element, transactions: Sequence[Element]) -> bool:
    """Tell whether the entry is a payment that comes back."""
    for element in (entry, *transactions[:1]):
        if text(element, "BkTxCd", "Domn", "Fmly", "SubFmlyCd") in camt054_codes.RETURNS:
            return True
    return bool(transactions) and all(each.find("RtrInf") is not None for each in transactions)


def _other_role(transaction: Element | None, booking: Record) -> str:
    """Tell which party is the other side: `Dbtr` or `Cdtr`."""
    related = child(transaction, "RltdPties")
    debtor, creditor = account(child(related, "DbtrAcct")), account(child(related, "CdtrAcct"))
    own = booking["account_id"]
    if (debtor == own) != (creditor == own):
        return "Cdtr" if debtor == own else "Dbtr"
    # Of what came back, the parties are still those of the payment before.
    credited = (booking["credit_debit"] == CreditDebit.CREDIT) != booking["reversal"]
    return "Dbtr" if credited else "Cdtr"


def _party(element: Element | None) -> Element | None:
    """Return who a party is: since version 8 a person or an organisation, or a bank."""
    if element is None:
        return None
    found = element.find("Pty")
    if found is None:
        found = child(element, "Agt", "FinInstnId")
    return element if found is None else found


def parties(entry: Element, transaction: Element | None, booking: Record) -> Record:
    """Return merchant, card, country, the other side and description; empty where the message has none."""
    related = child(transaction, "RltdPties")
    role = _other_role(transaction, booking)
    party = _party(child(related, role))
    name = text(party, "Nm") or text(_party(child(related, f"Ultmt{role}")), "Nm")
    card = booking["entry_type"] == EntryType.CARD
    if not name and not card:
        name = text(transaction, "RltdAgts", f"{role}Agt", "FinInstnId", "Nm")
    return {
        "merchant_name": name if card else "",
        **_card(entry, transaction),
        "country": text(party, "PstlAdr", "Ctry") or text(party, "CtryOfRes"),
        "counterparty": account(child(related, f"{role}Acct")),
        "counterparty_name": name,
        "description": _description(entry, transaction),
    }


def _card(entry: Element, transaction: Element | None) -> dict[str, str]:
    """Return what a payment by card says of the shop and the card."""
    use = child(transaction, "CardTx")
    if use is None:
        use = entry.find("CardTx")
    if use is None:
        return {}
    shop = child(use, "POI", "Id")
    said = {
        "merchant_id": text(shop, "Id"),
        "merchant_name": text(shop, "ShrtNm"),
        "merchant_category": text(next(use.iter("TxCtgy"), None)),
        "card_last_four": _last_four(text(use, "Card", "PlainCardData", "PAN")),
    }
    return {key: value for key, value in said.items() if value}


def _last_four(card_number: str) -> str:
    digits = card_number[-_CARD_DIGITS:]
    return digits if len(digits) == _CARD_DIGITS and digits.isascii() and digits.isdecimal() else ""


def original(entry: Element, transaction: Element | None, currency: str) -> Record:
    """Return the amount before its conversion, in minor units, and its currency; empty where there was none.

    It is an amount in another currency than the entry's, the instructed one first; one that cannot be read
    is as if it were not there.
    """
    for element in (transaction, entry):
        stated = child(element, "AmtDtls")
        if stated is None:
            continue
        for name in _ORIGINAL_AMOUNTS:
            amount = child(stated, name, "Amt")
            code = amounts.currency(amount)
            if code in (None, currency):
                continue
            with suppress(InvalidMessageError):
                if units := amounts.minor(amount):
                    return {"original_currency": code, "original_amount_minor": units}
    return {}


def _description(entry: Element, transaction: Element | None) -> str:
    remittance = child(transaction, "RmtInf")
    lines: list[str] = []
    if remittance is not None:
        lines = [text(each) for each in remittance.findall("Ustrd")]
        if not any(lines):
            lines = [text(each, "CdtrRefInf", "Ref") for each in remittance.findall("Strd")]
    joined = " ".join(line for line in lines if line)
    return joined or text(transaction, "AddtlTxInf") or text(entry, "AddtlNtryInf")
