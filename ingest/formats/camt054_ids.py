"""Ids of bookings, made of what a camt.054 entry says itself.

None of its references will do: a payment and its fee share the bank's, and some banks repeat `NtryRef` in all
entries. The number of an entry, and the message's id, change with the message in which the booking comes.
"""

from collections import Counter
from hashlib import sha256
from xml.etree.ElementTree import Element

from ingest.formats.xml_tree import text

_LONGEST_REFERENCE = 35
"""Characters of the bank's reference that are shown in an id: ISO 20022's Max35Text."""
_DIGEST_DIGITS = 32
# What is given apart, and in one spelling; the status is always the same.
_GIVEN = frozenset({"Amt", "CdtDbtInd", "BookgDt", "RvslInd", "Sts"})


class EntryIds:
    """The ids of one message: entries that say the same are told apart by a number."""

    def __init__(self) -> None:
        """Begin a message."""
        self._seen: Counter[str] = Counter()

    def make(self, entry: Element, given: tuple[str | int | bool, ...]) -> str:
        """Return the id of an entry: the bank's reference, where it has one, and a digest of all it says.

        It is the same whatever names, order of transactions, blanks and namespaces the message has, and
        whatever other entries; the message itself and the notification's balance have no part in it.

        Args:
            entry: The `Ntry`.
            given: Account, amount, direction, whether it is a reversal, and time, each in one spelling.
        """
        said: list[str] = []
        transactions: list[list[str]] = []
        for part in entry:
            if part.tag == "NtryDtls":
                for detail in part:
                    if detail.tag == "TxDtls":
                        transactions.append(_texts(detail))
                    else:
                        said += _texts(detail)
            elif part.tag not in _GIVEN:
                said += _texts(part)
        groups = [map(str, given), said, *sorted(transactions)]
        # XML cannot carry either separator.
        content = "\x1e".join("\x1f".join(group) for group in groups)
        digest = sha256(content.encode()).hexdigest()[:_DIGEST_DIGITS]
        self._seen[digest] += 1
        number = self._seen[digest]
        reference = text(entry, "AcctSvcrRef")[:_LONGEST_REFERENCE]
        return (f"{reference}/" if reference else "") + (digest if number == 1 else f"{digest}.{number}")


def _texts(element: Element) -> list[str]:
    """List all texts and attributes, in the message's order; not the names, which versions change."""
    said: list[str] = []
    for each in element.iter():
        if each.attrib:
            said += each.attrib.values()
        if not len(each) and (words := (each.text or "").split()):
            said.append(" ".join(words))
    return said
