"""Reads the transaction of a camt.054 entry: entry type, counterparty, description."""

from typing import Any
from xml.etree.ElementTree import Element

from account_alerts.model.alerts import EntryType
from account_alerts.records.codec import Record
from ingest.formats import camt054_codes
from ingest.formats.xml_tree import child, text

_ENTRY_TYPES = frozenset(EntryType)


def _has(element: Element, name: str) -> bool:
    return next(element.iter(name), None) is not None


def transaction(entry: Element) -> Element | None:
    """Return the entry's transaction, or None where a batch holds several: none describes their sum."""
    transactions = [each for detail in entry.findall("NtryDtls") for each in detail.findall("TxDtls")]
    return transactions[0] if len(transactions) == 1 else None


def reference(entry: Element, transaction: Element | None) -> str:
    """Return the bank's own reference; empty where there is none."""
    return text(entry, "AcctSvcrRef") or text(transaction, "Refs", "AcctSvcrRef")


def account(element: Element | None) -> str:
    """Return the IBAN, or the bank's own account number."""
    identification = child(element, "Id")
    iban = text(identification, "IBAN").replace(" ", "")
    return iban or text(identification, "Othr", "Id") or text(identification, "PrtryAcct", "Id")


def entry_type(entry: Element, transaction: Element | None) -> str:
    """Return the contract's `entry_type`."""
    for element in (entry, transaction):
        code = child(element, "BkTxCd")
        if (own := text(code, "Prtry", "Cd")) in _ENTRY_TYPES:
            return own
        domain = child(code, "Domn")
        if domain is not None:
            family = child(domain, "Fmly")
            found = camt054_codes.entry_type(
                text(domain, "Cd"),
                text(family, "Cd"),
                text(family, "SubFmlyCd"),
                card=_has(entry, "CardTx"),
            )
            if found != "OTHER":
                return found
    return "OTHER" if _has(entry, "BkTxCd") or not _has(entry, "CardTx") else "CARD"


def parties(entry: Element, transaction: Element | None, booking: Record) -> dict[str, Any]:
    """Return merchant, country, counterparty and description; empty where the message has none."""
    reversal = text(entry, "RvslInd").lower() in ("true", "1")
    # Of a reversal, the parties are still those of what is reversed.
    credited = (booking["credit_debit"] == "CRDT") != reversal
    related = child(transaction, "RltdPties")
    role = "Dbtr" if credited else "Cdtr"
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
