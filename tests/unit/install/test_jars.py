"""The jars: everything is pinned, and a changed file is refused."""

import hashlib
import re
import tomllib
import zipfile
from pathlib import Path

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


@pytest.mark.parametrize("line", ["org.apache.kafka:kafka-clients 00", "org.apache.kafka", "a:b:c:d 00"])
def test_malformed_line_is_named(line: str) -> None:
    with pytest.raises(JarError, match=f":2: .*{re.escape(line)}"):
        jars.read_lock(f"[kafka]\n{line}\n")


class _Registry:
    """Gives every jar the same content, where jgo would fetch it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0

    def __call__(self, repo_cache: Path, timeout: int) -> "_Registry":
        self.folder = repo_cache
        return self

    def project(self, group: str, artifact: str) -> "_Registry":
        return self

    def at_version(self, version: str) -> "_Registry":
        return self

    def artifact(self) -> "_Registry":
        return self

    def resolve(self) -> Path:
        self.asked += 1
        self.folder.mkdir(parents=True)
        file = self.folder / "fetched.jar"
        file.write_bytes(self.content)
        return file


def test_jar_with_another_checksum_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("jgo.maven.MavenContext", _Registry(b"another"))
    with pytest.raises(JarError, match=r"g:a:1: SHA-256 is .*--update"):
        jars.fetch([Jar("flink", "g", "a", "1", hashlib.sha256(b"right").hexdigest())], tmp_path)
    assert not (tmp_path / "flink/a-1.jar").exists()


def test_only_what_changed_is_fetched_and_what_is_gone_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry = _Registry(b"right")
    monkeypatch.setattr("jgo.maven.MavenContext", registry)
    wanted = [Jar("flink", "g", "a", "1", hashlib.sha256(b"right").hexdigest())]
    (tmp_path / "flink").mkdir()
    (tmp_path / "flink/old-1.jar").touch()
    jars.fetch(wanted, tmp_path)
    jars.fetch(wanted, tmp_path)
    assert registry.asked == 1
    (tmp_path / "flink/a-1.jar").write_bytes(b"spoiled")
    jars.fetch(wanted, tmp_path)
    assert registry.asked == 2
    assert [file.name for file in (tmp_path / "flink").iterdir()] == ["a-1.jar"]


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
