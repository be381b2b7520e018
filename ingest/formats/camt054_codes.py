"""Bank transaction codes and the contract's entry types.

The codes are those of ISO 20022's external code sets (ExternalBankTransactionDomain1Code, -Family1Code,
-SubFamily1Code); a bank's own are in the configuration.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from account_alerts.model.alerts import EntryType

_SUB_FAMILIES = {
    **dict.fromkeys(("CHRG", "COMM", "COME", "COMI", "COMT", "FEES"), "FEE"),
    "INTR": "INTEREST",
}
_FAMILIES = {
    ("PMNT", "CCRD"): "CARD",
    # Merchant card transactions: what a merchant takes, and is charged, by others' cards.
    ("PMNT", "MCRD"): "OTHER",
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
RETURNS = frozenset({"ARET", "AREV", "PRDD", "RCDD", "RPCR", "RRTN", "UPDD"})
"""Sub-families of credit transfers and direct debits that come back."""
_ENTRY_TYPES = frozenset(EntryType)
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


def entry_type(domain: str, family: str, sub_family: str) -> str | None:
    """Map a bank transaction code to an entry type; None where the code is not known.

    The sub-family decides on fees and interest, whatever they are charged for; a withdrawal by card is a
    card booking.
    """
    return _SUB_FAMILIES.get(sub_family) or _FAMILIES.get((domain, family))


def own_entry_type(code: str, known: Mapping[str, EntryType]) -> str | None:
    """Map a bank's own code to an entry type; None where it is not known.

    Args:
        code: The code, empty where there is none; the name of an entry type stands for that type.
        known: Patterns of the bank's codes; the first that fits counts.
    """
    if not code:
        return None
    for pattern, kind in known.items():
        if fnmatchcase(code, pattern):
            return kind.value
    return code if code in _ENTRY_TYPES else None


def code(entry_type: str, credit_debit: str) -> tuple[str, str, str]:
    """Return domain, family and sub-family that `entry_type` maps back to the same type."""
    return _WRITTEN[entry_type, credit_debit]
