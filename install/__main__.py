"""`make install`: everything the project needs, into `.venv`. Runs on a bare Python.

Quick when nothing changed: each step leaves the hash of what it was made from, and is skipped while it holds.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

from account_alerts.model.errors import OperationError

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin/python"
CONSTRAINTS = PROJECT / "conf/constraints.txt"
_VERSION = (3, 11)
_SOURCE = "python-qpid-proton"
"""The one package that is published as source only: it is compiled here."""
_COMPILES = """
import shlex, subprocess, sys, sysconfig
compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
source = "#include <Python.h>\\n#include <openssl/ssl.h>\\n"
command = [*compiler, "-I", sysconfig.get_path("include"), "-fsyntax-only", "-x", "c", "-"]
subprocess.run(command, input=source, text=True, check=True)
subprocess.run(["pkg-config", "--exists", "openssl"], check=True)
"""
_HEADERS = "import os, sysconfig; os.stat(os.path.join(sysconfig.get_path('include'), 'Python.h'))"
_TLS = "from proton import SSL; import sys; sys.exit(not SSL.present())"


class InstallError(OperationError):
    """The installation cannot go on; the message says why and what to do."""


def _hash(files: Iterable[Path], text: str = "") -> str:
    digest = hashlib.sha256(f"{VENV} {sys.version} {text}".encode())
    for file in sorted(files):
        digest.update(f"{file.relative_to(PROJECT)} {file.stat().st_size}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _done(name: str, stamp: str) -> bool:
    file = VENV / f"{name}.stamp"
    return file.exists() and file.read_text() == stamp


def _run(*command: str | Path) -> None:
    result = subprocess.run([str(part) for part in command], check=False, cwd=PROJECT)
    if result.returncode:
        raise InstallError(f"{' '.join(map(str, command))}: failed (exit status {result.returncode})")


def _succeeds(python: str | Path, code: str) -> bool:
    try:
        with tempfile.TemporaryDirectory() as folder:
            command = [str(python), "-c", code]
            return subprocess.run(command, check=False, capture_output=True, cwd=folder).returncode == 0
    except OSError:
        return False


def _apt_install(what: str, packages: list[str], elsewhere: str) -> None:
    """Install packages on Debian as root.

    Raises:
        InstallError: This is not Debian, or not root; the message names them.
    """
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise InstallError(
            f"{what} missing. On Debian: apt-get install {' '.join(packages)} (as root); elsewhere "
            f"install {elsewhere}."
        )
    print(f"{what} missing: installing {' '.join(packages)}", flush=True)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    _run(apt, "-q", "update")
    _run(apt, "-q", "install", "-y", "--no-install-recommends", *packages)


def _works(python: Path) -> bool:
    """Tell whether there is a whole environment; an interrupted installation leaves half of one."""
    if not (python.exists() and (VENV / "made.stamp").exists()):
        return False
    return subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0


def _has_venv_module() -> bool:
    # Debian ships the module without ensurepip, with which it cannot make an environment.
    command = [sys.executable, "-c", "import venv, ensurepip"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def make_environment() -> None:
    """Make the virtual environment; on Debian as root, install the package it needs first."""
    if not _has_venv_module():
        package = "python{}.{}-venv".format(*_VERSION)
        _apt_install("Python's module venv is", [package], "the complete Python 3.11")
    print("Making .venv", flush=True)
    _run(sys.executable, "-m", "venv", "--clear", VENV)
    (VENV / "made.stamp").touch()


def make_compiler() -> None:
    """Have what compiles the one package that comes as source; on Debian as root, install it."""
    if _succeeds(PYTHON, _TLS) or _succeeds(PYTHON, _COMPILES):
        return
    packages = ["gcc", "libc6-dev", "libssl-dev", "pkg-config"]
    if not _succeeds(PYTHON, _HEADERS):
        packages.append("python{}.{}-dev".format(*_VERSION))
    needed = "a C compiler, pkg-config, and the headers of OpenSSL and Python 3.11"
    _apt_install("A C compiler, or headers it needs, are", packages, needed)


def _with_tls(pip: tuple[str | Path, ...]) -> None:
    """See that the AMQP client can do TLS: a build of an earlier time, kept by pip, may not."""
    if not _succeeds(PYTHON, _TLS):
        package = next(line for line in CONSTRAINTS.read_text().splitlines() if line.startswith(_SOURCE))
        again = ("--no-cache-dir", "--force-reinstall", "--no-deps", "--no-binary", _SOURCE, package)
        _run(*pip, "--quiet", *again)
        if not _succeeds(PYTHON, _TLS):
            raise InstallError(f"{package} was built without TLS: its log, by pip -v, says why")


def install() -> None:
    """Bring `.venv` up to date: Python packages, jars, the project's own jar, the pages' scripts."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    packages = _hash([CONSTRAINTS], json.dumps([project["project"], project["tool"]["setuptools"]]))
    if not _works(PYTHON):
        make_environment()
    if not _done("packages", packages):
        print("Installing Python packages (a few minutes the first time)", flush=True)
        pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off")
        make_compiler()
        _run(*pip, "--quiet", "--constraint", CONSTRAINTS, "--editable", f"{PROJECT}[test]")
        _with_tls(pip)
        (VENV / "packages.stamp").write_text(packages)
    java = [file for file in (PROJECT / "java").rglob("*") if file.is_file()]
    scripts = [
        PROJECT / "install/jars.py",
        PROJECT / "install/java_build.py",
        PROJECT / "account_alerts/installation.py",
    ]
    jars = _hash([PROJECT / "conf/jars.lock", *java, *scripts])
    if not _done("jars", jars):
        _run(PYTHON, "-m", "install.jars")
        (VENV / "jars.stamp").write_text(jars)
    npm = _hash([PROJECT / "conf/npm.lock", PROJECT / "install/npm.py"])
    if not _done("npm", npm):
        _run(PYTHON, "-m", "install.npm")
        (VENV / "npm.stamp").write_text(npm)
    # Not of the project's own Java: archives that do not fit it any more are left out by Java.
    classes = _hash([PROJECT / "conf/jars.lock", PROJECT / "devenv/class_archives.py"], packages)
    if not _done("classes", classes):
        print("Making archives of Java's classes (a minute): all starts sooner by them", flush=True)
        command = [str(PYTHON), "-m", "devenv.class_archives"]
        made = subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True)
        if made.returncode:
            # Only a matter of speed: where an environment cannot run, the rest is installed all the same.
            print(f"{made.stderr}\nNot made; to try again: rm {VENV}/classes.stamp", file=sys.stderr)
        (VENV / "classes.stamp").write_text(classes)


def make_browser() -> None:
    """Have the browser that tests of the pages drive; on Debian as root, install it."""
    if shutil.which("chromium") is None:
        _apt_install("Chromium, which tests of the pages drive, is", ["chromium"], "Chromium")


def main() -> int:
    """Install, one at a time in one clone; returns the exit status.

    With `--tests` also what only tests need from the system.
    """
    if sys.version_info[:2] != _VERSION:
        found = "{}.{}".format(*sys.version_info[:2])
        print(
            f"Python 3.11 is needed, this is {found}: make install PYTHON=/path/to/python3.11",
            file=sys.stderr,
        )
        return 1
    with (PROJECT / "pyproject.toml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            install()
            if "--tests" in sys.argv[1:]:
                make_browser()
        except InstallError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
