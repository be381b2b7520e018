"""Compiles the project's own Java (`java/`) into one jar, with ecj on the installed Java runtime."""

import subprocess
import tempfile
import zipfile
from pathlib import Path

from account_alerts import installation
from account_alerts.installation import PROJECT
from account_alerts.model.errors import OperationError

SOURCES = PROJECT / "java/src"
RESOURCES = PROJECT / "java/resources"
_EPOCH = (1980, 1, 1, 0, 0, 0)


class BuildError(OperationError):
    """The Java sources do not compile; the message is the compiler's."""


def build() -> None:
    """Compile `java/src` and write the jar; without sources, only remove an old jar."""
    sources = sorted(SOURCES.rglob("*.java"))
    if not sources:
        installation.PROJECT_JAR.unlink(missing_ok=True)
        return
    print(f"Compiling {len(sources)} Java sources", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        compile_java(sources, Path(folder))
        _write_jar([Path(folder), RESOURCES])


def flink_classpath() -> list[Path]:
    """Return the jars of Flink, and those that its jobs run with."""
    return [*(installation.flink_home() / "lib").glob("*.jar"), *(installation.JARS / "flink").glob("*.jar")]


def compile_java(sources: list[Path], folder: Path, *further: Path) -> None:
    """Compile sources against Flink and further jars, into a folder.

    Raises:
        BuildError: They do not compile.
    """
    compiler = next((installation.JARS / "tools").glob("ecj-*.jar"))
    command = [
        str(installation.java_home() / "bin/java"),
        *("-XX:TieredStopAtLevel=1", "-jar", str(compiler)),
        *("-17", "-encoding", "UTF-8", "-warn:none"),
        *("-classpath", ":".join(map(str, [*flink_classpath(), *further])), "-d", str(folder)),
        *map(str, sources),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BuildError(f"The Java sources do not compile:\n{result.stdout}{result.stderr}")


def share_classes() -> None:
    """Make the archive of classes that a full JDK ships: every Java process starts quicker by it."""
    if not (installation.java_home() / "lib/server/classes.jsa").exists():
        command = [str(installation.java_home() / "bin/java"), "-Xshare:dump"]
        # Only a matter of speed: a runtime in a folder that cannot be written to works without it.
        subprocess.run(command, capture_output=True, check=False)


def _write_jar(roots: list[Path]) -> None:
    """Write the files below `roots` as a jar, always the same bytes for the same files."""
    temporary = installation.PROJECT_JAR.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as jar:
        jar.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF", _EPOCH), "Manifest-Version: 1.0\r\n\r\n")
        for root in roots:
            for file in sorted(path for path in root.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(str(file.relative_to(root)), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                jar.writestr(entry, file.read_bytes())
    if installation.PROJECT_JAR.exists() and temporary.read_bytes() == installation.PROJECT_JAR.read_bytes():
        temporary.unlink()  # A cluster may be running on it.
    else:
        temporary.replace(installation.PROJECT_JAR)
