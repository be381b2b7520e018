"""The local PostgreSQL: one server with the bank's database and the senders', on this machine only."""

import os
import pwd
import shlex
import shutil
from pathlib import Path

from account_alerts import installation, postgres
from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from devenv.layout import Layout
from operations import migrations

# Changes are read from the log (wal_level). What customers told the bank does not go into the server's log:
# neither statements nor the rows that errors quote.
_SETTINGS = """\
data_directory = '{data}'
hba_file = '{hba}'
ident_file = '{ident}'
listen_addresses = 'localhost'
port = {port}
unix_socket_directories = ''
wal_level = logical
max_replication_slots = 10
max_wal_senders = 10
max_connections = 100
shared_buffers = 64MB
io_method = sync
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_error_verbosity = terse
log_min_error_statement = panic
"""
# The superuser can do what its process can, so nobody gets in as such; others need no password here.
_ACCESS = """\
host all postgres 0.0.0.0/0 reject
host all postgres ::0/0 reject
host all all 127.0.0.1/32 trust
host all all ::1/128 trust
"""

_CAP_DAC_OVERRIDE = 1


def write(config: Config, layout: Layout) -> str:
    """Write the server's files; return the shell command that makes its data once and runs it.

    Raises:
        OperationError: The two databases are not the local server's, or `setpriv` is missing.
    """
    _check(config)
    folder, data = layout.postgres, layout.postgres / "data"
    settings, access, ident = (folder / f"{name}.conf" for name in ("postgresql", "pg_hba", "pg_ident"))
    settings.write_text(
        _SETTINGS.format(
            data=_literal(data),
            hba=_literal(access),
            ident=_literal(ident),
            port=config.local_environment().postgres_port,
        )
    )
    access.write_text(_ACCESS)
    ident.write_text("")
    roles = folder / "roles.sql"
    roles.write_text(_roles(config))
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    run = unprivileged(user)
    # Made beside its place: half a folder is never taken for a whole one.
    new = folder / "data.new"
    owner = ["-o", str(user.pw_uid), "-g", str(user.pw_gid)] if user else []
    own = ["install", "-d", "-m", "700", *owner, str(new)]
    make = [
        *(*run, str(installation.POSTGRES / "bin/initdb"), "--pgdata", str(new)),
        *("--username", "postgres", "--auth", "reject", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        *("--no-sync", "--no-instructions"),
    ]
    # The superuser's statements: one a line, without a server, as it may not get into one.
    single = [*run, str(installation.POSTGRES / "bin/postgres"), "--single", "-D", str(new), "postgres"]
    server = [*run, str(installation.POSTGRES / "bin/postgres"), "-c", f"config_file={settings}"]
    quoted = {"new": shlex.quote(str(new)), "data": shlex.quote(str(data))}
    return (
        f"[ -d {quoted['data']} ] || {{ rm -rf {quoted['new']} && {shlex.join(own)} && {shlex.join(make)} && "
        f"{shlex.join(single)} < {shlex.quote(str(roles))} && "
        f"mv {quoted['new']} {quoted['data']}; }} || exit 1; exec {shlex.join(server)}"
    )


def unprivileged(user: pwd.struct_passwd | None) -> list[str]:
    """Return the command, of util-linux, that runs the rest of its arguments as a user other than root.

    PostgreSQL refuses to run as root. Another user can't pass through folders that are root's alone, such as
    a clone below /root: so the server keeps root's right to pass through folders and open files
    (CAP_DAC_OVERRIDE), where this process has it. The server ends, in order, when the supervisor dies.

    Args:
        user: The user to become; None where this process is not root's.

    Raises:
        OperationError: The program `setpriv` is missing.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise OperationError("setpriv is missing: install util-linux")
    run = [setpriv, "--pdeathsig", "INT"]
    if user is not None:
        run += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        if _permitted() >> _CAP_DAC_OVERRIDE & 1:
            run += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return run


def _permitted() -> int:
    """Return the capabilities that this process may use, one a bit."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapPrm:"))


def ready(config: Config) -> bool:
    """Tell whether both databases answer."""
    return all(postgres.reachable(each) for each in (config.require("bank"), config.require("delivery")))


def where(config: Config) -> str:
    """Return the addresses of both."""
    both = (config.require("bank"), config.require("delivery"))
    return ", ".join(postgres.address(each) for each in both)


def prepare(config: Config) -> None:
    """Bring the tables of both up to date."""
    for name, target in (("bank", config.require("bank")), ("delivery", config.require("delivery"))):
        folder = migrations.FOLDER / name
        if any(folder.glob("*.sql")):
            migrations.migrate(target, folder)


def _check(config: Config) -> None:
    port = config.local_environment().postgres_port
    for name, section in (("bank", config.require("bank")), ("delivery", config.require("delivery"))):
        if (section.host, section.port) != ("localhost", port):
            raise OperationError(
                f"{config.path}: {name}: is at {section.host}:{section.port}, the local PostgreSQL at "
                f"localhost:{port}. Leave {name}.port out, and set {name}.host to localhost."
            )


def _roles(config: Config) -> str:
    """Return SQL that makes users and databases.

    The users may read the log of changes, and make databases for tests.
    """
    bank, delivery = config.require("bank"), config.require("delivery")
    lines = [
        f"CREATE ROLE {_name(user)} LOGIN REPLICATION CREATEDB;"
        for user in sorted({bank.user, delivery.user})
    ]
    lines += [f"CREATE DATABASE {_name(each.name)} OWNER {_name(each.user)};" for each in (bank, delivery)]
    return "\n".join(lines) + "\n"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")
