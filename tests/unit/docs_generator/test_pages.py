"""The generated pages are those that the code gives now."""

import pytest

from account_alerts.config import PROJECT
from docs_generator.pages import PAGES


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_not_stale(path: str) -> None:
    written = (PROJECT / path).read_text()
    assert written == PAGES[path](), f"{path} is stale: run `make docs` and commit it"
