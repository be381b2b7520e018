"""The local PostgreSQL: one server with the bank's database and the senders', on this machine only."""

import shlex
import sys
from pathlib import Path

from account_alerts import installation, postgres
from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from devenv.layout import Layout

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


def write(config: Config, layout: Layout) -> str:
    """Write the server's files; returns the shell command that makes its data once and runs it.

    Raises:
        OperationError: The two databases are not the local server's.
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
    run = [sys.executable, "-I", str(Path(__file__).with_name("unprivileged.py"))]
    # Made beside its place: half a folder is never taken for a whole one.
    new = folder / "data.new"
    make = [
        *(*run, "--own", str(new), str(installation.POSTGRES / "bin/initdb"), "--pgdata", str(new)),
        *("--username", "postgres", "--auth", "reject", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        *("--no-sync", "--no-instructions"),
    ]
    # The superuser's statements: one a line, without a server, as it may not get into one.
    single = [*run, str(installation.POSTGRES / "bin/postgres"), "--single", "-D", str(new), "postgres"]
    server = [*run, str(installation.POSTGRES / "bin/postgres"), "-c", f"config_file={settings}"]
    quoted = {"new": shlex.quote(str(new)), "data": shlex.quote(str(data))}
    return (
        f"[ -d {quoted['data']} ] || {{ rm -rf {quoted['new']} && {shlex.join(make)} && "
        f"{shlex.join(single)} < {shlex.quote(str(roles))} && "
        f"mv {quoted['new']} {quoted['data']}; }} || exit 1; exec {shlex.join(server)}"
    )


def ready(config: Config) -> bool:
    """Whether both databases answer."""
    return all(postgres.reachable(each(config)) for each in (postgres.bank, postgres.delivery))


def where(config: Config) -> str:
    """The addresses of both."""
    both = (postgres.bank(config), postgres.delivery(config))
    return ", ".join(postgres.address(each) for each in both)


def prepare(config: Config) -> None:
    """Bring the tables of both up to date."""
    from operations import migrations  # It loads SQLAlchemy, which takes a while.

    for each in (postgres.bank, postgres.delivery):
        target = each(config)
        folder = migrations.FOLDER / ("bank" if each is postgres.bank else "delivery")
        if any(folder.glob("*.sql")):
            migrations.migrate(target, folder)


def _check(config: Config) -> None:
    port = config.local_environment().postgres_port
    for name, section in (("bank", postgres.bank(config)), ("delivery", postgres.delivery(config))):
        if (section.host, section.port) != ("localhost", port):
            raise OperationError(
                f"{config.path}: {name}: is at {section.host}:{section.port}, the local PostgreSQL at "
                f"localhost:{port}. Leave {name}.port out, and set {name}.host to localhost."
            )


def _roles(config: Config) -> str:
    """The users and their databases; they may read the log of changes, and make databases for tests."""
    bank, delivery = postgres.bank(config), postgres.delivery(config)
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
