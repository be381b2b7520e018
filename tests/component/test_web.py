"""The web application and the local OpenID provider as programs of the local environment."""

import httpx2
import pytest

from account_alerts.config import Config
from devenv.services.catalog import OPENID, WEB
from tests.component.programs import Programs

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def web(programs: Programs, postgres: Config) -> str:
    """The address of the application."""
    programs.start(OPENID)
    programs.start(WEB)
    return postgres.require("web").public_url


def test_pages_ask_for_a_login_at_the_local_provider(web: str, postgres: Config) -> None:
    with httpx2.Client(follow_redirects=True) as browser:
        page = browser.get(web)
    assert str(page.url).startswith(f"{postgres.require('web').openid.issuer}/authorize?")
    assert "Operator 2" in page.text
    assert page.text.count("Customer ") > 3
