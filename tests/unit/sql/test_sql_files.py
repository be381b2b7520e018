"""The files of sql/: all are used, all names in them are known, and the tables fit the schemas."""

import re
from string import Template
from types import SimpleNamespace

import pytest

from account_alerts.config import PROJECT, load
from account_alerts.model import analyst_rule
from jobs import analyst_rule_job
from jobs.sql import values
from operations.analyst_rules import files
from tests import ddl

SQL = PROJECT / "sql"
FILES = sorted(str(file.relative_to(SQL)) for file in SQL.rglob("*.sql"))
FILLED = [file for file in FILES if not file.startswith("shipped_rules/")]
"""Rules of analysts are run as they are."""
PRODUCTION = PROJECT / "conf/production.yaml"


def names_of_a_rule() -> set[str]:
    """What the job of a rule fills in besides the configuration."""
    table = SimpleNamespace(get_schema=lambda: SimpleNamespace(get_field_names=list))
    return set(analyst_rule_job.hits(table, analyst_rule.Rule("r", "SELECT 1", "", 1), 0))


MORE = {
    "analyst_rules/raise_hits.sql": names_of_a_rule(),
    "tables/bookings_of_a_file.sql": {"bookings_file"},
    "shared/keep_dead_letters.sql": {"source", "key", "topic"},
    "reference/alerts.sql": {"raised_settings"},
}
"""Names that are filled in by who uses the file."""


def test_every_file_is_used_or_named_in_the_readme() -> None:
    jobs = [
        *(PROJECT / "jobs").glob("*_job.py"),
        PROJECT / "jobs/sql.py",
        PROJECT / "operations/sql_shell.py",
    ]
    code = "".join(file.read_text() for file in jobs)
    readme = (SQL / "README.md").read_text()
    assert len(FILES) > 25
    for file in FILES:
        folder, name = file.removesuffix(".sql").split("/")
        used = f'"{file}"' in code or f'"{folder}/{name}"' in code
        if folder == "tables":
            used |= f'"{name}"' in code
        if folder == "analyst_views":
            used |= name in analyst_rule_job.VIEWS
        assert used or f"`{file}`" in readme, f"{file}: no job uses it, and sql/README.md doesn't name it"


@pytest.mark.parametrize("file", FILLED)
@pytest.mark.parametrize("environment", ["local", "production"])
def test_every_name_in_it_is_known(file: str, environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"ALERTS_KAFKA__{secret}", "it's")
    known = values(load(PROJECT / f"conf/{environment}.yaml")).keys() | MORE.get(file, set())
    template = Template((SQL / file).read_text())
    assert template.is_valid()
    assert set(template.get_identifiers()) <= known


@pytest.mark.parametrize("file", MORE)
def test_every_name_that_is_filled_in_for_a_file_is_in_it(file: str) -> None:
    assert set(Template((SQL / file).read_text()).get_identifiers()) >= MORE[file]


def test_a_value_stays_in_its_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_KAFKA__USERNAME", "o'neill")
    monkeypatch.setenv("ALERTS_KAFKA__PASSWORD", "', 'topic' = 'other")
    filled = Template(ddl.text("tables/rule_hits.sql")).substitute(values(load(PRODUCTION)))
    assert filled.replace("''", "").count("'") % 2 == 0
    assert """password="'', ''topic'' = ''other";""" in filled


def test_every_table_of_kafka_reads_committed_records_only() -> None:
    assert "'properties.isolation.level' = 'read_committed'" in values(load())["kafka_client"]
    tables = [file for file in FILES if re.search(r"'connector' = '(upsert-)?kafka'", ddl.text(file))]
    assert len(tables) > 10
    assert all("${kafka_client}" in ddl.text(file) for file in tables)


@pytest.mark.parametrize(
    ("table", "record"),
    [
        ("account_entries", "AccountEntry"),
        ("account_authorizations", "AccountAuthorization"),
        ("authorization_records", "AccountAuthorization"),
        ("alert_settings", "AlertSettings"),
        ("setting_records", "AlertSettings"),
        ("outbound_alerts", "OutboundAlert"),
        ("outbound_push", "OutboundAlert"),
        ("click_events", "ClickEvent"),
    ],
)
def test_a_table_has_the_columns_of_its_schema(table: str, record: str) -> None:
    # Bare Avro has neither names nor types: only their order says which bytes are what.
    # Flink's formats write times without a zone, and read those with one, as the schema's timestamp-millis.
    columns = {
        name: kind.replace("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)")
        for name, kind in ddl.value_columns(table).items()
    }
    assert list(columns.items()) == list(ddl.schema_columns(record).items())


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("shipped_rules/")])
def test_an_ad_hoc_file_is_a_rule(file: str) -> None:
    assert SQL / file in files.shipped()
    assert analyst_rule.read(SQL / file).per_minute > 0


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("queries/")])
def test_a_query_only_reads(file: str) -> None:
    statements = [part.strip() for part in ddl.text(file).split(";") if part.strip()]
    assert statements
    assert all(statement.split()[0] in ("SELECT", "SET", "WITH") for statement in statements)
