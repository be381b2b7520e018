"""The local cluster's memory is divided as Flink's own scripts divide it."""

import subprocess
from pathlib import Path

import pytest

from account_alerts import installation
from account_alerts.config import load
from account_alerts.model.errors import OperationError
from devenv.layout import layout
from devenv.services import flink
from operations.flink import client_config
from operations.flink.client_config import Options

_RESULT = "BASH_JAVA_UTILS_EXEC_RESULT:"


def _as_flink(program: str, folder: Path) -> tuple[set[str], set[str]]:
    """Ask the Java program of Flink's scripts: Java's options, and Flink's."""
    home = installation.flink_home()
    jars = [home / "bin/bash-java-utils.jar", *(home / "lib").glob("flink-dist*.jar")]
    command = [
        *(str(installation.java_home() / "bin/java"), "-cp", ":".join(map(str, jars))),
        *("org.apache.flink.runtime.util.bash.BashJavaUtils", f"GET_{program}_RESOURCE_PARAMS"),
        *("--configDir", str(folder)),
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    java, options = (line.removeprefix(_RESULT) for line in output.splitlines() if line.startswith(_RESULT))
    return set(java.split()), {part for part in options.split() if part != "-D"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"taskmanager.memory.process.size": "1728 mb", "jobmanager.memory.process.size": "768m"},
        {"taskmanager.memory.managed.size": "300m", "taskmanager.memory.network.max": "128m"},
    ],
)
def test_sizes_are_those_of_flinks_scripts(given: Options, tmp_path: Path) -> None:
    config = load()
    options = {**flink.cluster_options(config, layout(config)), **given}
    client_config.write(tmp_path, options)
    for program, sizes in (("JM", flink.jobmanager_sizes), ("TM", flink.taskmanager_sizes)):
        java, wanted = _as_flink(program, tmp_path)
        found = sizes(options)
        assert set(found.java) == java
        ours = {f"{key}={value}" for key, value in found.flink.items()}
        # Said in the configuration file, and none.
        assert wanted - ours <= {"external-resources=none", "taskmanager.numberOfTaskSlots=8"}
        assert ours <= wanted


def test_a_size_that_is_none_is_named() -> None:
    options: Options = {"jobmanager.memory.process.size": "much"}
    with pytest.raises(OperationError, match=r"jobmanager.memory.process.size: much"):
        flink.jobmanager_sizes(options)
