"""The jars: everything is pinned, and a changed file is refused."""

import hashlib
import re
import time
import tomllib
import zipfile
from pathlib import Path

import httpx2
import pytest

from account_alerts import installation
from account_alerts.config import PROJECT
from install import jars
from install.jars import Jar, JarError

LISTED = jars.read_lock(jars.LOCK.read_text())
PINS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]


def test_every_jar_is_pinned_by_version_and_checksum() -> None:
    assert len(LISTED) > 50
    assert len({(jar.section, jar.coordinate) for jar in LISTED}) == len(LISTED)
    for jar in LISTED:
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256), jar
        assert re.match(r"\d", jar.version), jar
        assert "SNAPSHOT" not in jar.version


def test_the_same_jar_has_the_same_checksum_everywhere() -> None:
    checksums = {jar.coordinate: jar.sha256 for jar in LISTED}
    assert all(checksums[jar.coordinate] == jar.sha256 for jar in LISTED)


def test_flink_jars_fit_the_python_package() -> None:
    [version] = [pin.split("==")[1] for pin in PINS if pin.startswith("apache-flink==")]
    own = [jar for jar in LISTED if jar.group == "org.apache.flink" and "kafka" not in jar.artifact]
    assert len(own) >= 4
    assert {jar.version for jar in own} == {version}


def test_every_python_package_is_pinned() -> None:
    constraints = (PROJECT / "conf/constraints.txt").read_text().splitlines()
    exact = {
        line.split("==")[0].lower().replace("_", "-"): line.split("==")[1]
        for line in constraints
        if "==" in line
    }
    for pin in PINS:
        name, version = pin.split("==")
        assert exact[name.split("[")[0].lower().replace("_", "-")] == version


@pytest.mark.parametrize("line", ["org.apache.kafka:kafka-clients 00", "org.apache.kafka", "a:b:c:d:e 00"])
def test_malformed_line_is_named(line: str) -> None:
    with pytest.raises(JarError, match=f":2: .*{re.escape(line)}"):
        jars.read_lock(f"[kafka]\n{line}\n")


class _Repository:
    """Serves files from memory, by their path."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.failures = 0
        """How many requests are answered by an error first."""
        client = httpx2.Client
        transport = httpx2.MockTransport(self._answer)
        monkeypatch.setattr(httpx2, "Client", lambda **options: client(transport=transport, **options))
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        monkeypatch.setenv(jars.REPOSITORY, "https://maven.bank.example/all/")

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(request.url))
        if len(self.asked) <= self.failures:
            return httpx2.Response(503)
        content = self.files.get(str(request.url).removeprefix("https://maven.bank.example/all/"))
        return httpx2.Response(404) if content is None else httpx2.Response(200, content=content)


def _jar(section: str = "flink") -> Jar:
    return Jar(section, "org.g", "a", "1", hashlib.sha256(b"right").hexdigest())


def test_a_coordinate_is_a_path_in_the_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository = _Repository(monkeypatch, {"org/g/a/1/a-1.jar": b"right"})
    assert jars.fetch([_jar()], tmp_path) == [_jar()]
    assert repository.asked == ["https://maven.bank.example/all/org/g/a/1/a-1.jar"]
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.jar")] == ["flink/a-1.jar"]


def test_jar_with_another_checksum_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _Repository(monkeypatch, {"org/g/a/1/a-1.jar": b"another"})
    with pytest.raises(JarError, match=r"org.g:a:1: SHA-256 is .*--update"):
        jars.fetch([_jar()], tmp_path)
    assert list(tmp_path.rglob("*.jar")) == []


def test_only_what_changed_is_fetched_and_what_is_gone_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository = _Repository(monkeypatch, {"org/g/a/1/a-1.jar": b"right"})
    (tmp_path / "flink").mkdir()
    (tmp_path / "flink/old-1.jar").touch()
    jars.fetch([_jar()], tmp_path)
    jars.fetch([_jar()], tmp_path)
    assert len(repository.asked) == 1
    (tmp_path / "flink/a-1.jar").write_bytes(b"spoiled")
    jars.fetch([_jar()], tmp_path)
    assert len(repository.asked) == 2
    assert [file.name for file in (tmp_path / "flink").iterdir()] == ["a-1.jar"]


def test_two_sections_may_list_the_same_jar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _Repository(monkeypatch, {"org/g/a/1/a-1.jar": b"right"})
    jars.fetch([_jar("kafka"), _jar("connect")], tmp_path)
    assert {file.parent.name for file in tmp_path.rglob("a-1.jar")} == {"connect", "kafka"}


def test_a_broken_transfer_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository = _Repository(monkeypatch, {"org/g/a/1/a-1.jar": b"right"})
    repository.failures = 2
    jars.fetch([_jar()], tmp_path)
    assert (tmp_path / "flink/a-1.jar").read_bytes() == b"right"


def test_a_jar_that_cannot_be_fetched_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository = _Repository(monkeypatch, {})
    with pytest.raises(JarError, match=r"org.g:a:1: cannot be fetched: .*404"):
        jars.fetch([_jar()], tmp_path)
    assert len(repository.asked) == 3


def test_the_default_is_the_repository_that_a_library_names() -> None:
    assert re.fullmatch(r"https://[^/]+/maven2", jars._maven_central())


def test_flink_finds_its_own_jars_the_connectors_and_the_format() -> None:
    names = {file.name for file in installation.FLINK_LIB.iterdir()}
    assert any(name.startswith("flink-dist-") for name in names)
    assert any(name.startswith("flink-python-") for name in names)
    assert {jar.file for jar in LISTED if jar.section == "flink"} <= names
    assert all(file.resolve().exists() for file in installation.FLINK_LIB.iterdir())
    with zipfile.ZipFile(installation.FLINK_LIB / installation.PROJECT_JAR.name) as jar:
        entries = jar.namelist()
    assert "META-INF/services/org.apache.flink.table.factories.Factory" in entries
    sources = {file.stem for file in (PROJECT / "java/src").rglob("*.java")}
    assert sources <= {Path(entry).stem for entry in entries}
