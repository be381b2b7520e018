"""The templates of all pages: everything is escaped, and a name that is missing is an error."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from account_alerts.config.brand import Brand
from web.assets import Assets

_TEMPLATES = Path(__file__).parent / "templates"


class Templates:
    """Renders pages, with the bank's name and logo known to each."""

    def __init__(self, brand: Brand, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Of an id, which may hold anything, in a path.
        self._environment.filters["urlpath"] = lambda value: quote(value, safe="")
        self._environment.globals.update(asset=assets.url, logo=assets.logo, bank=brand.name)

    def render(self, name: str, **values: Any) -> str:
        """Return a page (`customer/alerts.html`) as HTML."""
        return self._environment.get_template(name).render(**values)
