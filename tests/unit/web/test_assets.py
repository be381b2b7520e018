"""Assets and brand: a bank's colours reach the pages, unreadable ones are refused, files are kept by hash."""

import gzip
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from account_alerts.config.brand import DARK, LIGHT, Brand, contrast
from account_alerts.model.errors import OperationError
from web import assets
from web.assets import Assets

STYLE = (assets._OWN / "style.css").read_text()


def _client(brand: Brand) -> tuple[Assets, TestClient]:
    served = Assets(brand)
    app = FastAPI()
    app.include_router(served.router())
    return served, TestClient(app)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_default_colours_are_those_of_the_style_sheet() -> None:
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)", 1)
    for palette, part in ((LIGHT, light), (DARK, dark)):
        for name, colour in palette:
            assert f"--{name.replace('_', '-')}: {colour};" in part


def test_no_colour_stands_outside_of_the_tokens() -> None:
    _, _, rest = STYLE.partition("/* 2 Ground")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb\(|hsl\(", rest)


def test_colours_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"on_brand on brand has a contrast of 1\.\d:1"):
        Brand.model_validate({"light": {**LIGHT.model_dump(), "brand": "#eeeeee"}})


def test_a_logo_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no such file"):
        Brand(logo=tmp_path / "logo.svg")


def test_a_second_brand_changes_colours_logo_and_address(tmp_path: Path) -> None:
    logo = tmp_path / "mark.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    first, _ = _client(Brand())
    second, client = _client(Brand(logo=logo, light=LIGHT.model_copy(update={"brand": "#5b2a86"})))
    assert first.version != second.version
    assert "--brand: #5b2a86;" in client.get(second.url("brand.css")).text
    assert second.logo == "logo.svg"
    assert client.get(second.url("logo.svg")).headers["content-type"] == "image/svg+xml"


def test_files_are_kept_for_good_at_their_own_address_only() -> None:
    served, client = _client(Brand())
    answer = client.get(served.url("style.css"))
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == STYLE
    assert client.get("/static/old/style.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/old/nothing.css").status_code == 404
    plain = client.get(served.url("style.css"), headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_first_load_is_light() -> None:
    served, _ = _client(Brand())
    loaded = ["style.css", "brand.css", "icons.svg", "pages.js", "htmx.min.js", "hx-sse.min.js"]
    assert sum(len(gzip.compress(served._files[name].content)) for name in loaded) < 60_000


def test_a_file_that_is_not_installed_is_named() -> None:
    with pytest.raises(OperationError, match=r"no\.js: run `make install`"):
        _client(Brand())[0].url("no.js")
