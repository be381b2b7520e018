"""Java programs take their classes from an archive where there is one, and start without it all the same."""

import subprocess
from pathlib import Path

import pytest

from account_alerts import installation


@pytest.fixture(autouse=True)
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(installation, "CLASS_ARCHIVES", tmp_path)
    monkeypatch.delenv(installation.RECORD_CLASSES, raising=False)
    return tmp_path


def test_without_an_archive_nothing_is_asked_for() -> None:
    assert installation.java("kafka") == [str(installation.java_home() / "bin/java")]


def test_an_archive_that_does_not_fit_is_left_out_without_a_word(archives: Path) -> None:
    (archives / "kafka.jsa").write_bytes(b"of another Java, or half written" * 1000)
    command = installation.java("kafka")
    assert f"-XX:SharedArchiveFile={archives}/kafka.jsa" in command
    done = subprocess.run([*command, "-version"], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_archives_are_written_where_the_variable_says(
    archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archives / "kafka.jsa").touch()
    monkeypatch.setenv(installation.RECORD_CLASSES, "/elsewhere")
    assert installation.java("kafka")[1:] == ["-XX:ArchiveClassesAtExit=/elsewhere/kafka.jsa"]
