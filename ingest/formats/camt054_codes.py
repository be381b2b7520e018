"""Bank transaction codes of ISO 20022 (external code set) and the contract's entry types."""

_SUB_FAMILIES = {
    **dict.fromkeys(("CHRG", "COMM", "COME", "COMI", "COMT", "FEES"), "FEE"),
    "INTR": "INTEREST",
}
_FAMILIES = {
    ("PMNT", "CCRD"): "CARD",
    ("PMNT", "MCRD"): "CARD",
    ("PMNT", "RCDT"): "TRANSFER",
    ("PMNT", "ICDT"): "TRANSFER",
    ("PMNT", "RRCT"): "TRANSFER",
    ("PMNT", "IRCT"): "TRANSFER",
    ("PMNT", "RDDT"): "DIRECT_DEBIT",
    ("PMNT", "IDDT"): "DIRECT_DEBIT",
    ("PMNT", "CNTR"): "CASH",
    ("PMNT", "MDOP"): "OTHER",
    ("PMNT", "MCOP"): "OTHER",
}
_WRITTEN = {
    ("CARD", "DBIT"): ("PMNT", "CCRD", "POSD"),
    ("CARD", "CRDT"): ("PMNT", "CCRD", "RIMB"),
    ("TRANSFER", "DBIT"): ("PMNT", "ICDT", "OTHR"),
    ("TRANSFER", "CRDT"): ("PMNT", "RCDT", "OTHR"),
    ("CASH", "DBIT"): ("PMNT", "CNTR", "CWDL"),
    ("CASH", "CRDT"): ("PMNT", "CNTR", "CDPT"),
    ("DIRECT_DEBIT", "DBIT"): ("PMNT", "RDDT", "OTHR"),
    ("DIRECT_DEBIT", "CRDT"): ("PMNT", "IDDT", "OTHR"),
    ("INTEREST", "DBIT"): ("ACMT", "MDOP", "INTR"),
    ("INTEREST", "CRDT"): ("ACMT", "MCOP", "INTR"),
    ("FEE", "DBIT"): ("ACMT", "MDOP", "CHRG"),
    ("FEE", "CRDT"): ("ACMT", "MCOP", "CHRG"),
    ("OTHER", "DBIT"): ("PMNT", "MDOP", "OTHR"),
    ("OTHER", "CRDT"): ("PMNT", "MCOP", "OTHR"),
}


def entry_type(domain: str, family: str, sub_family: str, *, card: bool) -> str:
    """Map a bank transaction code to an entry type; `card` says whether the entry has card details.

    The sub-family decides on fees and interest, whatever they are charged for; a withdrawal by card is a
    card booking. An unknown code is OTHER, or CARD where there are card details.
    """
    known = _SUB_FAMILIES.get(sub_family) or _FAMILIES.get((domain, family))
    return known or ("CARD" if card else "OTHER")


def code(entry_type: str, credit_debit: str) -> tuple[str, str, str]:
    """Return domain, family and sub-family that `entry_type` maps back to the same type."""
    return _WRITTEN[entry_type, credit_debit]
