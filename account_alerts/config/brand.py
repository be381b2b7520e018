"""A bank's own name, logo and colours on the pages of the web application."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from account_alerts.config.types import Section, Text
from account_alerts.installation import PROJECT

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
"""Red, green, blue: `#0b5563`."""
_TEXT_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3: what text of ordinary size needs against its ground."""
_LOGOS = (".svg", ".png")


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2.2: from 1 (none) to 21 (black on white)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    # Relative luminance as WCAG 2.2 defines it.
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class Palette(Section):
    """The bank's colours; each pair of text and ground must be readable."""

    brand: Colour
    """Links, main buttons, what is chosen."""
    on_brand: Colour
    brand_hover: Colour
    brand_soft: Colour
    """Behind what is chosen."""
    band: Colour
    """The head of an account."""
    on_band: Colour
    on_band_soft: Colour

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for text, ground in (
            ("on_brand", "brand"),
            ("on_brand", "brand_hover"),
            ("brand", "brand_soft"),
            ("brand_hover", "brand_soft"),
            ("on_band", "band"),
            ("on_band_soft", "band"),
        ):
            found = contrast(getattr(self, text), getattr(self, ground))
            if found < _TEXT_CONTRAST:
                raise ValueError(
                    f"{text} on {ground} has a contrast of {found:.1f}:1, text needs {_TEXT_CONTRAST}:1"
                )
        return self


LIGHT = Palette(
    brand="#0b5563",
    on_brand="#ffffff",
    brand_hover="#083f4a",
    brand_soft="#e1eff1",
    band="#0d4552",
    on_band="#ffffff",
    on_band_soft="#c6dfe3",
)
DARK = Palette(
    brand="#7acbd7",
    on_brand="#04262d",
    brand_hover="#a4dfe8",
    brand_soft="#12363e",
    band="#12343c",
    on_band="#eef7f8",
    on_band_soft="#a9c9cf",
)


class Brand(Section):
    """What makes the pages a bank's own; all of it stands here and nowhere else."""

    name: Text = "Example Bank"
    logo: Path | None = None
    """An SVG or PNG file; without one the pages show a plain house."""
    light: Palette = Field(default=LIGHT)
    dark: Palette = Field(default=DARK)
    """Used where the customer's device asks for dark pages."""

    @model_validator(mode="after")
    def _logo_is_there(self) -> Self:
        if self.logo is not None and not (self.logo.suffix in _LOGOS and self.logo_path().is_file()):
            raise ValueError(f"logo {self.logo}: no such file of type {' or '.join(_LOGOS)}")
        return self

    def logo_path(self) -> Path:
        """Return where the logo is; a relative path starts at the project."""
        assert self.logo is not None
        return PROJECT / self.logo

    def style_sheet(self) -> str:
        """Return the tokens of section 1 of style.css, in the bank's colours."""
        light, dark = (
            " ".join(f"--{name.replace('_', '-')}: {colour};" for name, colour in palette)
            for palette in (self.light, self.dark)
        )
        return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
