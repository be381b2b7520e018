"""A real browser on the pages: headless Chromium by Playwright, and axe-core for what is inaccessible."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from install import npm

PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
TIMEOUT_MS = 60_000
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> str:
    """Return the browser's program, as Debian installs it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is missing: `make test` installs it on Debian as root"
    return found


def axe(folder: Path) -> str:
    """Return the source of axe-core."""
    npm.fetch((each for each in npm.read_lock(npm.LOCK.read_text()) if each.section == "tests"), folder)
    return (folder / "axe.min.js").read_text()


@contextmanager
def launch() -> Iterator[Browser]:
    """Start the browser, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[Page]:
    """Lend a page of a browser that nobody used before; what it complains of fails the test."""
    context: BrowserContext = browser.new_context(**{"viewport": DESKTOP, "locale": "en", **options})
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    try:
        yield page
        assert complaints == []
    finally:
        context.close()


def log_in(page: Page, url: str, customer: str) -> None:
    """Log in at the local provider, as by one click."""
    page.goto(url)
    page.get_by_role("button", name=f"Customer {customer}", exact=True).click()
    page.wait_for_url(f"{url}/**")


def violations(page: Page, source: str) -> list[str]:
    """Return what axe-core finds on a page, each with the elements it is about."""
    # Not as a script of the page: its policy allows none.
    page.evaluate(f"() => {{ {source}; window.axe = axe ?? module.exports }}")
    found = page.evaluate(
        f"async () => (await axe.run(document, {{runOnly: {json.dumps(_RULES)}}})).violations"
    )
    return [f"{each['id']}: {[node['html'][:200] for node in each['nodes'][:4]]}" for each in found]


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider
