"""The web application and the local OpenID provider as programs of the local environment."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from devenv.layout import Layout
from devenv.services import web as web_service
from devenv.services.catalog import DEVICES, OPENID, WEB, Service
from tests.component.programs import Programs

pytestmark = pytest.mark.environment
CUSTOMER = "schemathesis"
FILL = """
INSERT INTO customers (customer_id) VALUES (%(customer)s);
INSERT INTO accounts VALUES ('S1');
INSERT INTO access_rights VALUES ('S1', %(customer)s);
INSERT INTO addresses (customer_id, channel, address) VALUES (%(customer)s, 'EMAIL', 's@example.com');
INSERT INTO preferences (
    customer_id, setting_id, account_id, currency, alert_type, channels, threshold_minor
) VALUES (%(customer)s, 's1', 'S1', 'EUR', 'BALANCE_BELOW', '{EMAIL}', 10000);
"""


def _write(config: Config, layout: Layout) -> str:
    """Let one customer ask as often as the test does."""
    return web_service.write(
        config.override({"web": {"requests_per_second": 10_000, "burst": 10_000}}), layout
    )


UNBOUNDED: Service = replace(WEB, write=_write)


@pytest.fixture(scope="module")
def web(programs: Programs, postgres: Config) -> str:
    """The address of the application."""
    for service in (DEVICES, OPENID, UNBOUNDED):
        programs.start(service)
    bank: Database = postgres.require("bank")
    with database.connect(bank) as connection:
        for statement in FILL.strip().split(";\n"):
            connection.execute(statement.encode(), {"customer": CUSTOMER})
    return postgres.require("web").public_url


def test_pages_ask_for_a_login_at_the_local_provider(web: str, postgres: Config) -> None:
    with httpx2.Client(follow_redirects=True) as browser:
        page = browser.get(web)
    assert str(page.url).startswith(f"{postgres.require('web').openid.issuer}/authorize?")
    assert "Operator 2" in page.text
    assert page.text.count("Customer ") > 3


def test_the_api_keeps_what_its_description_says(web: str, postgres: Config, tmp_path: Path) -> None:
    issuer = postgres.require("web").openid.issuer
    token = httpx2.post(f"{issuer}/api-token", data={"customer": CUSTOMER}).text.strip()
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{web}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--header", "If-Match: *"),
        *("--checks", checks, "--phases", "fuzzing", "--max-examples", "10"),
        *("--seed", "1", "--no-shrink", "--continue-on-failure", "--warnings", "off"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
