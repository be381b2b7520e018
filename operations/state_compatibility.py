"""Whether a new version of a job can go on from the state of the one that runs.

Every job records, when it is submitted, its operators that hold state: their ids, and for keyed state of
which columns its rows are (`jobs/operator_ids.py`, `operators`). Flink would find a difference only at the
restart, when the old version is gone. `upgrade` asks before it stops anything; a test asks for the operators
of the last release (`tests/plans/operators/`).
"""

import re
from collections.abc import Iterable, Mapping

from account_alerts.model.errors import OperationError

Operators = Mapping[str, list[str]]
"""By id: the types of the inputs whose rows an operator's state keeps; none where its state does not depend
on them, as with a source's offsets."""


_READER_OF_RULES = "read-alert_rules"
"""Of versions in which the job alert-rules made the rules."""


def refuse_two_jobs(name: str, operators: Operators) -> None:
    """Raise an `OperationError` where state is of a version with a job alert-rules: it fits no other."""
    if _READER_OF_RULES in operators:
        raise OperationError(
            f"{name}: its state is of a version with the job alert-rules; no newer one can go on from it. "
            "docs/operations/upgrades.md, 'From a version with alert-rules', says how to begin anew."
        )


def incompatible(old: Operators, new: Operators, dropped: Iterable[str] = ()) -> list[str]:
    """Say why the new version cannot go on from the old one's state: a line for each operator.

    Args:
        old: Of the version that runs.
        new: Of the version that is to run.
        dropped: Operators whose state may be lost (`--drop`).
    """
    found = []
    for operator, inputs in sorted(old.items()):
        if operator in dropped:
            continue
        if operator not in new:
            found.append(
                f"{operator}: is not in the new version; what it remembers would be lost (allow it: "
                f"--drop {operator})"
            )
        elif difference := _difference(inputs, new[operator]):
            found.append(f"{operator}: its state has other rows in the new version: {difference}")
    return found


def redundant_drops(old: Operators, new: Operators, dropped: Iterable[str]) -> list[str]:
    """Say why state that may be lost cannot be left out: a line for each operator."""
    return [
        f"{operator}: has state in neither version; it holds: {', '.join(sorted(old))}"
        if operator not in old
        else f"{operator}: is in the new version, too; Flink leaves out only what is not"
        for operator in dropped
        if operator not in old or operator in new
    ]


def new_operators(old: Operators, new: Operators) -> list[str]:
    """Return the operators that the old version does not have: they begin without state."""
    return sorted(new.keys() - old.keys())


def _difference(old: list[str], new: list[str]) -> str:
    if old == new:
        return ""
    if len(old) != len(new):
        return f"{len(old)} inputs, now {len(new)}"
    before, after = ([column for kind in each for column in _columns(kind)] for each in (old, new))
    parts = [f"without {column}" for column in before if column not in after]
    parts += [f"with {column}" for column in after if column not in before]
    return ", ".join(parts) or "the columns are in another order"


def _columns(kind: str) -> list[str]:
    """Return name and type of each column of a row's type, as Flink prints it."""
    depth, parts = 0, [""]
    for character in re.sub(r"^ROW<|>( NOT NULL)?(\(.*\))?$", "", kind):
        depth += (character in "<(") - (character in ">)")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
