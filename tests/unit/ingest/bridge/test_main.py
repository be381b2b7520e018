"""The bridge's command line."""

import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ingest.bridge", *arguments], capture_output=True, text=True, check=False
    )


def test_help_names_config() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "--config CONFIG" in done.stdout


@pytest.mark.parametrize(
    ("text", "reason"), [("bridge: {", "is not valid YAML"), ("local: {}\n", "has no section 'bridge'")]
)
def test_config_is_read(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "bank.yaml"
    file.write_text(text)
    done = run("--config", str(file))
    assert done.returncode == 2
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr
