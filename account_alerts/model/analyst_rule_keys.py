"""The names that an analyst's rule has in records: its alerts' setting id, and its keys in `adhoc-rules`."""

from enum import StrEnum
from typing import NamedTuple

_SETTING_PREFIX = "adhoc:"


def setting_id_of_alerts(rule: str) -> str:
    """Build the `setting_id` of a rule's alerts: the prefix keeps it apart from customers' settings."""
    return f"{_SETTING_PREFIX}{rule}"


def is_of_a_rule(setting_id: str) -> bool:
    """Tell whether a `setting_id` stands for an analyst's rule, and so for no setting of the customer's."""
    return setting_id.startswith(_SETTING_PREFIX)


class About(StrEnum):
    """What a record of `adhoc-rules` says about its rule, as its key has it behind the rule's name."""

    STARTED = ""
    DECIDED = "held"
    """An operator decided on the quarantined alerts."""
    HALTED = "halted"
    """The rule's job was ended because of its limit."""


class RegistryKey(NamedTuple):
    """A key of the topic `adhoc-rules`: `NAME`, `NAME:held` or `NAME:halted`; no rule's name has a colon."""

    rule: str
    about: About = About.STARTED

    @classmethod
    def parse(cls, key: bytes | None) -> "RegistryKey":
        """Read a key.

        Raises:
            ValueError: It is no UTF-8, or says something that this version does not know.
        """
        rule, _, about = (key or b"").decode().partition(":")
        return cls(rule, About(about))

    def dump(self) -> bytes:
        """Write the key."""
        return (f"{self.rule}:{self.about}" if self.about else self.rule).encode()
