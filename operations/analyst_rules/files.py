"""The files of analysts' rules."""

import difflib
from pathlib import Path

from account_alerts.config import PROJECT
from account_alerts.model.analyst_rule import RuleError

FOLDER = PROJECT / "sql/shipped_rules"


def find(name: str) -> Path:
    """Find the file of a rule that is named by its name, or by its path.

    Raises:
        RuleError: There is no such file.
    """
    file = Path(name) if name.endswith(".sql") or "/" in name else FOLDER / f"{name}.sql"
    if file.is_file():
        return file
    known = [each.stem for each in shipped()]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}; or name a file."
    raise RuleError(f"{file}: no such file. {hint}")


def shipped() -> list[Path]:
    """Return the files of the rules in sql/shipped_rules."""
    return sorted(FOLDER.glob("*.sql"))
