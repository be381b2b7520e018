from account_alerts.config import PROJECT
from account_alerts.config.loader import RENAMED


def test_the_changelog_names_every_renamed_key() -> None:
    rows = (PROJECT / "CHANGELOG.md").read_text().splitlines()
    missing = [
        old for old, new in RENAMED.items() if not any(f"`{old}`" in row and f"`{new}`" in row for row in rows)
    ]
    assert missing == []
