import pytest

from account_alerts.config import PROJECT
from account_alerts.config.problems import RENAMED as KEYS
from alerts_cli.options import RENAMED as COMMANDS

NAMES = [*KEYS.items(), *((f"alerts {old}", f"alerts {new}") for old, new in COMMANDS.items())]


@pytest.mark.parametrize(("old", "new"), NAMES)
def test_the_changelog_names_every_former_key_and_command(old: str, new: str) -> None:
    rows = (PROJECT / "CHANGELOG.md").read_text().splitlines()
    assert any(f"`{old}`" in row and f"`{new}`" in row for row in rows)
