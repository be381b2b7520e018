"""The commands: each says what it does with an example, and what a user can correct is said in a line."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from account_alerts.config import ConfigError
from alerts_cli import jobs, main
from alerts_cli.main import app
from jobs import catalog

GROUP: Any = typer.main.get_command(app)


def _commands(group: Any = GROUP, path: str = "alerts") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(_commands())


def test_there_are_as_many_commands_as_modules_have() -> None:
    assert len(COMMANDS) > 40
    assert "alerts up" in COMMANDS
    assert "alerts dead-letters replay" in COMMANDS


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_says_in_a_sentence_what_it_does(path: str) -> None:
    text = COMMANDS[path].help
    assert re.match(r"[A-Z][^\n]+", text)
    assert text.split("\n\n")[0].rstrip().endswith(".")
    result = CliRunner().invoke(app, [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert "--config" in result.stdout


@pytest.mark.parametrize("path", COMMANDS)
def test_an_example_can_be_typed(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    epilog = COMMANDS[path].epilog
    assert epilog.startswith("Example: ")
    for example in epilog.removeprefix("Example: ").split(", or "):
        words = shlex.split(re.sub(r"^(\w+=\S+ )*alerts |( > \S+)$", "", example))
        for word in words:
            if re.search(r"\.(json|jsonl|sql|xml|csv\.gz|yaml)$", word):
                Path(word).parent.mkdir(parents=True, exist_ok=True)
                Path(word).touch()
        assert _parsed(words) == path


def _parsed(words: list[str]) -> str:
    """Parse a command line down to its command, and run nothing; returns the command's path."""
    context, command, rest = None, GROUP, words
    while hasattr(command, "commands"):
        name = command.name if context else "alerts"
        context = command.make_context(name, list(rest), parent=context)
        _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    return str(command.make_context(command.name, list(rest), parent=context).command_path)


def test_an_error_of_ours_is_a_line_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["alerts", "topics", "acls", "--config", "missing.yaml"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("alerts: ")


def test_an_unexpected_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(ZeroDivisionError):
        main.main()


def test_configuration_errors_are_ours() -> None:
    with pytest.raises(ConfigError):
        CliRunner().invoke(app, ["--config", "missing.yaml", "topics", "acls"], catch_exceptions=False)


def test_help_loads_none_of_what_commands_run_on() -> None:
    code = (
        "import sys; from alerts_cli import main; "
        "print([m for m in ('pydantic', 'confluent_kafka', 'pyflink', 'httpx2', 'psycopg', 'rich', 'jobs', "
        "'operations', 'devenv', 'delivery', 'ingest') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_jobs_that_help_names_are_those_there_are() -> None:
    assert list(jobs.JOBS) == list(catalog.FILES)
