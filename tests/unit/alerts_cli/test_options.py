"""What all commands share: `--config`, former names, tables."""

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts_cli import options
from alerts_cli.main import app
from alerts_cli.options import App
from devenv.job_control.runner import LocalJobRunner
from operations.job_runner import ClusterJobRunner


@pytest.mark.parametrize(
    ("arguments", "new"),
    [
        (["up", "--whole"], "alerts up --profile full"),
        (["up", "--no-jobs", "--whole=yes"], "alerts up --profile full"),
        (["submit", "alerting", "--from-nothing"], "alerts submit --stateless"),
        (["rules", "release", "flood"], "alerts rules resume"),
        (["rules", "drop", "flood"], "alerts rules discard"),
    ],
)
def test_a_former_name_is_an_error_that_names_the_new_one(arguments: list[str], new: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert f"has another name: {new}" in result.stderr


def test_a_former_name_means_nothing_to_other_commands() -> None:
    result = CliRunner().invoke(app, ["down", "--whole"])
    assert result.exit_code == 2
    assert "No such option" in result.stderr


@pytest.mark.parametrize("arguments", [["--config", "a.yaml", "say"], ["say", "--config", "a.yaml"]])
def test_the_configuration_can_be_named_before_and_after_the_command(arguments: list[str]) -> None:
    outer, inner = App(), App()

    @outer.callback()
    def choose(config: options.ConfigOption = None) -> None:
        options.choose_config(config)

    @inner.command()
    def say(word: str = "x") -> None:
        print(os.environ[options.VARIABLE], word)

    outer.add_typer(inner)
    result = CliRunner().invoke(outer, [*arguments, "--word", "y"])
    assert result.stdout == "a.yaml y\n"


def test_the_last_configuration_named_counts() -> None:
    result = CliRunner().invoke(app, ["--config", "no.yaml", "topics", "acls", "--config", "conf/local.yaml"])
    assert result.exit_code == 0, result.output


def test_json_is_on_one_line_and_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    options.print_json({"name": "Žofie"})
    text = capsys.readouterr().out
    assert text == '{"name": "Žofie"}\n'
    assert json.loads(text) == {"name": "Žofie"}


def test_without_the_option_the_variable_is_left_alone() -> None:
    options.choose_config(None)
    assert os.environ[options.VARIABLE] == "unset"
    options.choose_config(Path("b.yaml"))
    assert os.environ[options.VARIABLE] == "b.yaml"


def test_an_image_for_a_cluster_needs_no_local_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(options.VARIABLE, "conf/production.yaml")
    for name in ("KAFKA__USERNAME", "KAFKA__PASSWORD"):
        monkeypatch.setenv(f"ALERTS_{name}", "unused")
    monkeypatch.setitem(sys.modules, "devenv", None)  # An import of it fails.
    assert type(options.job_runner()) is ClusterJobRunner


def test_the_local_environment_has_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(options.VARIABLE, "conf/local.yaml")
    assert type(options.job_runner()) is LocalJobRunner
