"""Reads the transaction of a camt.054 entry: entry type, counterparty, description."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from account_alerts.model.alerts import CreditDebit, EntryType
from account_alerts.records.codec import Record
from ingest.formats import camt054_codes
from ingest.formats.xml_tree import child, text


def transaction(entry: Element) -> Element | None:
    """Return the entry's transaction, or None where a batch holds several: none describes their sum."""
    transactions = [each for detail in entry.findall("NtryDtls") for each in detail.findall("TxDtls")]
    return transactions[0] if len(transactions) == 1 else None


def account(element: Element | None) -> str:
    """Return the IBAN, or the bank's own account number."""
    identification = child(element, "Id")
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


def is_reversal(entry: Element) -> bool:
    """Tell whether the entry takes back an earlier one, in ISO 20022's words: `RvslInd`."""
    return text(entry, "RvslInd").lower() in ("true", "1")


def _other_role(entry: Element, transaction: Element | None, booking: Record) -> str:
    """Tell which party is the other side: `Dbtr` or `Cdtr`."""
    related = child(transaction, "RltdPties")
    debtor, creditor = account(child(related, "DbtrAcct")), account(child(related, "CdtrAcct"))
    own = booking["account_id"]
    if (debtor == own) != (creditor == own):
        return "Cdtr" if debtor == own else "Dbtr"
    came_back = (
        is_reversal(entry)
        or child(transaction, "RtrInf") is not None
        or any(
            _iso_code(child(element, "BkTxCd"))[2] in camt054_codes.RETURNS
            for element in (entry, transaction)
        )
    )
    # Of what came back, the parties are still those of the payment before.
    credited = (booking["credit_debit"] == CreditDebit.CREDIT) != came_back
    return "Dbtr" if credited else "Cdtr"


def parties(entry: Element, transaction: Element | None, booking: Record) -> dict[str, Any]:
    """Return merchant, country, counterparty and description; empty where the message has none."""
    related = child(transaction, "RltdPties")
    role = _other_role(entry, transaction, booking)
    party = child(related, role)
    party = child(party, "Pty") if child(party, "Pty") is not None else party
    name = text(party, "Nm")
    card = booking["entry_type"] == "CARD"
    card_use = child(transaction, "CardTx")
    if card_use is None:
        card_use = child(entry, "CardTx")
    shop = child(card_use, "POI", "Id")
    category = "" if card_use is None else text(next(iter(card_use.iter("TxCtgy")), None))
    return {
        "merchant_id": text(shop, "Id"),
        "merchant_name": text(shop, "ShrtNm") or (name if card else ""),
        "merchant_category": category,
        "country": text(party, "PstlAdr", "Ctry") or text(party, "CtryOfRes"),
        "counterparty": account(child(related, f"{role}Acct")) or ("" if card else name),
        "description": _description(entry, transaction),
    }


def _description(entry: Element, transaction: Element | None) -> str:
    remittance = child(transaction, "RmtInf")
    lines: list[str] = []
    if remittance is not None:
        lines = [text(each) for each in remittance.findall("Ustrd")]
        if not any(lines):
            lines = [text(each, "CdtrRefInf", "Ref") for each in remittance.findall("Strd")]
    joined = " ".join(line for line in lines if line)
    return joined or text(transaction, "AddtlTxInf") or text(entry, "AddtlNtryInf")
