"""Which files make a database, and in which order."""

from pathlib import Path

import pytest

from operations.migrations import FOLDER, MigrationError, numbered


@pytest.mark.parametrize("folder", sorted(path.name for path in FOLDER.glob("*") if path.is_dir()))
def test_the_files_are_numbered(folder: str) -> None:
    assert numbered(FOLDER / folder)


@pytest.mark.parametrize(
    "names", [[], ["0002_a.sql"], ["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["first.sql"]]
)
def test_a_gap_is_an_error(names: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(MigrationError):
        numbered(tmp_path)
