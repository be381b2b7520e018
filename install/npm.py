"""The npm files that pages load: fetched by pinned version, checked against the committed SHA-256, unpacked.

Run by `make install`. They come from npm's registry, or from the one whose URL is in NPM_REGISTRY. Only the
files that are named are taken: nothing is built, and no program of a package runs. After a change of a
version in conf/npm.lock, `python -m install.npm --update` writes the new checksums.
"""

import argparse
import hashlib
import io
import os
import sys
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from account_alerts import installation
from account_alerts.installation import PROJECT
from account_alerts.model.errors import OperationError

LOCK = PROJECT / "conf/npm.lock"
REGISTRY = "NPM_REGISTRY"
"""The variable that names another registry than npm's own, such as a mirror."""
_ATTEMPTS = 3
_SECONDS = 60.0


class NpmError(OperationError):
    """A package cannot be fetched, or is not the one that was agreed on."""


@dataclass(frozen=True)
class Package:
    """One line of the lock file."""

    section: str
    name: str
    version: str
    sha256: str
    files: tuple[str, ...]

    @property
    def spec(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


def read_lock(text: str) -> list[Package]:
    """Parse the lock file; a malformed line is an `NpmError` that names it."""
    packages: list[Package] = []
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1]
        elif content and not content.startswith("#"):
            spec, *rest = content.split()
            name, _, version = spec.rpartition("@")
            if not (name and version and section and len(rest) > 1):
                expected = "'name@version sha256 file ...' below a [section]"
                raise NpmError(f"{LOCK}:{number}: expected {expected}, found {content!r}")
            packages.append(Package(section, name, version, rest[0], tuple(rest[1:])))
    return packages


def fetch(packages: Iterable[Package], target: Path) -> None:
    """Bring the files of packages into `target`, by their base names; what is there already stays.

    Raises:
        NpmError: A package cannot be fetched, its checksum is another, or it lacks a file.
    """
    target.mkdir(parents=True, exist_ok=True)
    for package in packages:
        mark = target / f".{package.name.replace('/', '+')}"
        stamp = f"{package.spec} {package.sha256} {' '.join(package.files)}"
        files = [target / Path(name).name for name in package.files]
        if mark.is_file() and mark.read_text() == stamp and all(file.is_file() for file in files):
            continue
        print(f"Fetching {package.spec}", flush=True)
        archive = _download(package)
        sha256 = hashlib.sha256(archive).hexdigest()
        if sha256 != package.sha256:
            raise NpmError(
                f"{package.spec}: SHA-256 is {sha256}, {LOCK.name} says {package.sha256}. The package is not "
                "the one agreed on; if its version was changed on purpose: python -m install.npm --update"
            )
        for file, content in zip(files, _unpack(package, archive), strict=True):
            file.write_bytes(content)
        mark.write_text(stamp)


def _unpack(package: Package, archive: bytes) -> list[bytes]:
    """Return the contents of the files that are named; an archive of npm has all in the folder `package`."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        for member in files:
            stream = files.extractfile(member) if member.isfile() else None
            if stream is not None:
                found[member.name.partition("/")[2]] = stream.read()
    for name in package.files:
        if name not in found:
            raise NpmError(f"{package.spec}: has no file {name}")
    return [found[name] for name in package.files]


def _url(package: Package) -> str:
    if registry := os.environ.get(REGISTRY):
        file = f"{package.name.rpartition('/')[2]}-{package.version}.tgz"
        return f"{registry.rstrip('/')}/{package.name}/-/{file}"
    # Only where something is to be fetched: this library knows where each registry keeps its archives.
    from packageurl.contrib.purl2url import get_download_url

    url: str = get_download_url(f"pkg:npm/{package.spec}")  # type: ignore[no-untyped-call]
    return url


def _download(package: Package) -> bytes:
    with httpx2.Client(timeout=_SECONDS, follow_redirects=True) as client:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return client.get(_url(package)).raise_for_status().content
            except httpx2.HTTPError as error:
                if attempt == _ATTEMPTS:
                    raise NpmError(f"{package.spec}: cannot be fetched: {error}") from error
                time.sleep(attempt)
    raise AssertionError("unreachable")


def update() -> None:
    """Fetch every listed package anew and write its checksum into the lock file."""
    text = LOCK.read_text()
    for package in read_lock(text):
        text = text.replace(package.sha256, hashlib.sha256(_download(package)).hexdigest())
    LOCK.write_text(text)


def main() -> int:
    """Fetch the files that the pages load."""
    parser = argparse.ArgumentParser(prog="python -m install.npm", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the checksums of the listed versions")
    parser.add_argument("--into", metavar="DIR", type=Path, default=installation.NPM, help="where they go")
    arguments = parser.parse_args()
    try:
        if arguments.update:
            update()
            return 0
        packages = [package for package in read_lock(LOCK.read_text()) if package.section == "web"]
        fetch(packages, arguments.into)
    except NpmError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
