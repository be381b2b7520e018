"""The local PostgreSQL, and how its tables are brought up to date."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from devenv import supervise
from devenv.services.catalog import POSTGRES
from operations.migrations import MigrationError, migrate
from tests.component.programs import Programs

pytestmark = pytest.mark.environment


def server(process: psutil.Process) -> bool:
    return re.search("postgres$", process.cmdline()[0]) is not None


def test_both_databases_answer_and_changes_can_be_read(postgres: Config) -> None:
    for which in (postgres.require("bank"), postgres.require("delivery")):
        with database.connect(which) as connection:
            [level] = connection.execute("SHOW wal_level").fetchone() or ()
            [name] = connection.execute("SELECT current_database()").fetchone() or ()
        assert (name, level) == (which.name, "logical")


def test_it_never_runs_as_root(postgres: Config, programs: Programs) -> None:
    users = {process.uids().real for process in programs.processes("postgres") if server(process)}
    assert users
    assert 0 not in users
    assert os.geteuid() in users or os.geteuid() == 0


def test_nobody_gets_in_as_superuser(postgres: Config) -> None:
    with pytest.raises(database.DatabaseError, match=r"pg_hba\.conf rejects connection"):
        database.connect(postgres.require("bank").model_copy(update={"user": "postgres"}))


def test_a_killed_server_comes_back_with_its_data(postgres: Config, programs: Programs) -> None:
    bank = postgres.require("bank")
    with database.connect(bank) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    old = {process.pid for process in programs.processes("postgres")}
    programs.kill("postgres")
    psutil.wait_procs([psutil.Process(pid) for pid in old if psutil.pid_exists(pid)], timeout=30)
    programs.wait(POSTGRES)
    with database.connect(bank) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (1,)
        connection.execute("DROP TABLE kept")


def test_it_ends_in_order_though_clients_are_connected(postgres: Config, programs: Programs) -> None:
    log = programs.layout("postgres").logs / "postgres.out"
    with database.connect(postgres.require("bank")):
        programs.stop("postgres")
    assert log.read_text().rstrip().endswith("database system is shut down")
    programs.start(POSTGRES)


def test_it_ends_when_its_supervisor_dies(postgres: Config, programs: Programs) -> None:
    layout = programs.layout("postgres")
    supervisor = supervise.supervisor(layout)
    assert supervisor is not None
    server_processes = programs.processes("postgres")
    supervisor.kill()
    _, alive = psutil.wait_procs(server_processes, timeout=60)
    assert alive == []
    # What it logs goes nowhere now; a server that ends in order removes this.
    assert not (layout.postgres / "data/postmaster.pid").exists()
    programs.start(POSTGRES)


def test_migrations_are_applied_once_by_whoever_comes_first(empty: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE one (left_over int); INSERT INTO one SELECT 5 % 3;")
    with ThreadPoolExecutor(2) as pool:
        applied = list(pool.map(lambda _: migrate(empty, tmp_path), range(2)))
    assert sorted(applied) == [[], ["0001_one.sql"]]
    (tmp_path / "0002_two.sql").write_text("ALTER TABLE one ADD COLUMN text text DEFAULT 'a%s';")
    assert migrate(empty, tmp_path) == ["0002_two.sql"]
    assert migrate(empty, tmp_path) == []
    with database.connect(empty) as connection:
        assert connection.execute("SELECT * FROM one").fetchall() == [(2, "a%s")]


def test_all_or_none_of_the_migrations(empty: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE one ();")
    (tmp_path / "0002_two.sql").write_text("CREATE TABLE two ();\nNO STATEMENT;")
    with pytest.raises(MigrationError, match=r"0002_two\.sql: syntax error .*NO"):
        migrate(empty, tmp_path)
    with database.connect(empty) as connection:
        assert connection.execute("SELECT to_regclass('one')").fetchone() == (None,)


def test_a_newer_database_is_left_alone(empty: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE one ();")
    two = tmp_path / "0002_two.sql"
    two.write_text("CREATE TABLE two ();")
    migrate(empty, tmp_path)
    two.unlink()
    with pytest.raises(MigrationError, match="is at version 0002"):
        migrate(empty, tmp_path)


def test_a_database_that_alembic_migrated_goes_on(empty: Database, tmp_path: Path) -> None:
    """Earlier releases noted the newest file only, in Alembic's table."""
    for number, name in enumerate(("one", "two", "three"), start=1):
        (tmp_path / f"{number:04}_{name}.sql").write_text(f"CREATE TABLE {name} ();")
    with database.connect(empty) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0002')")
        connection.execute("CREATE TABLE one (); CREATE TABLE two ();")
    assert migrate(empty, tmp_path) == ["0003_three.sql"]
    assert migrate(empty, tmp_path) == []
    with database.connect(empty) as connection:
        # An earlier release refuses a database that is newer than its files.
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0003",)
