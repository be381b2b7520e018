"""The npm files: everything is pinned, a changed archive is refused, and only what is named is taken."""

import hashlib
import io
import re
import tarfile
import time
from pathlib import Path

import httpx2
import pytest

from install import npm
from install.npm import NpmError, Package

LISTED = npm.read_lock(npm.LOCK.read_text())


def test_every_package_is_pinned_by_version_and_checksum() -> None:
    assert {package.name for package in LISTED} == {"htmx.org", "uplot", "axe-core"}
    for package in LISTED:
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256), package
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version), package


@pytest.mark.parametrize("line", ["htmx.org 00 a.js", "htmx.org@4.0.1 00", "@4.0.1 00 a.js"])
def test_malformed_line_is_named(line: str) -> None:
    with pytest.raises(NpmError, match=f":2: .*{re.escape(line)}"):
        npm.read_lock(f"[web]\n{line}\n")


def _archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


class _Registry:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, archive: bytes) -> None:
        self.archive = archive
        self.asked: list[str] = []
        self.failures = 0
        client = httpx2.Client
        transport = httpx2.MockTransport(self._answer)
        monkeypatch.setattr(httpx2, "Client", lambda **options: client(transport=transport, **options))
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        monkeypatch.setenv(npm.REGISTRY, "https://npm.bank.example/")

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(request.url))
        return httpx2.Response(503 if len(self.asked) <= self.failures else 200, content=self.archive)


def _package(archive: bytes, *files: str) -> Package:
    return Package("web", "a.js", "1.2.3", hashlib.sha256(archive).hexdigest(), files)


def test_only_the_named_files_are_taken_and_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = _archive(**{"dist/a.min.js": b"a", "other.js": b"b"})
    registry = _Registry(monkeypatch, archive)
    registry.failures = 2
    for _ in range(2):
        npm.fetch([_package(archive, "dist/a.min.js")], tmp_path)
    assert registry.asked == 3 * ["https://npm.bank.example/a.js/-/a.js-1.2.3.tgz"]
    assert [file.name for file in tmp_path.glob("[!.]*")] == ["a.min.js"]
    assert (tmp_path / "a.min.js").read_bytes() == b"a"


def test_another_archive_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _Registry(monkeypatch, b"another")
    with pytest.raises(NpmError, match=r"a.js@1.2.3: SHA-256 is .*--update"):
        npm.fetch([_package(b"right", "a.js")], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = _archive(**{"b.js": b"b"})
    _Registry(monkeypatch, archive)
    with pytest.raises(NpmError, match=r"has no file a\.js"):
        npm.fetch([_package(archive, "a.js")], tmp_path)


def test_a_library_names_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(npm.REGISTRY, raising=False)
    assert re.fullmatch(r"https://[^/]+/a.js/-/a.js-1.2.3.tgz", npm._url(_package(b"")))
