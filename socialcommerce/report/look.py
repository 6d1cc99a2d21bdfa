"""The look of this study's reports: fonts and colours, its own front page, modes that run in a page."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbproof
from nbproof import fonts
from socialcommerce.figures import colours, style
from socialcommerce.report import front, settings

__all__ = ["Look"]

FACES = {"en": "'House Latin'", "zh": "House"}  # what the style sheet calls the fonts
FIRST_HAN = "\u2e80"  # the first radical; before it stand the letters and signs both languages use
BEFORE = ("html {", ".wide {")  # the rules before which ours stand: fonts, explorers


class Look(nbproof.Look):
    """What differs from nbproof's own look."""

    light = {"ink": colours.INK, "muted": colours.MUTED, "grid": colours.GRID}

    def palette(self, dark: bool = False) -> str:
        """Return the colours of the figures."""
        return colours.css(dark)

    def css(self) -> str:
        """Return the style sheet, with the rules for our fonts and explorers in their places."""
        sheet = super().css()
        for part, rule in zip(_file("report.css").split("\n\n"), BEFORE, strict=True):
            sheet = sheet.replace(rule, f"{part.strip()}\n{rule}", 1)
        return sheet

    def faces(self, text: str, strong: str, language: str, formulas: str = "") -> str:
        """Return the house font, regular and bold, and that of formulas, cut to what a page sets.

        The English font holds no Chinese characters: for those the style sheet falls back on the Chinese one.
        """
        faces = []
        for weight, characters in ((400, text), (700, strong)):
            chinese = "".join(c for c in characters if c >= FIRST_HAN)
            cuts = (
                {"en": "".join({*characters} - {*chinese}), "zh": chinese} if language == "en" else {"zh": characters}
            )
            faces += [
                _face(FACES[key], weight, fonts.woff2_subset(cut, weight, key)) for key, cut in cuts.items() if cut
            ]
        if formulas.strip():
            faces += [
                _face("'House Mathematics'", 400, fonts.woff2_formulas(formulas)),
                "math { font-family: 'House Mathematics', math; }",
            ]
        return "\n".join(faces)

    def pdf_font(self, language: str) -> tuple[str, Path | None]:
        """Return the house font."""
        return fonts.family(language), fonts.folder()

    def inline(self, svg: str, prefix: str) -> str:
        """Return a drawing that the page's theme colours."""
        return style.inline(svg, prefix=prefix)

    def basis(self, kind: str, language: str) -> str:
        """Say a kind of evidence in English or Chinese."""
        return nbproof.catalogue("common", language)(kind)

    def script(self, anchor: str, explorer: Mapping[str, Any]) -> str:
        """Return what runs a mode in the page, from :func:`stockflow.page`."""
        spec = dict(explorer)
        model = spec.pop("model")
        call = f"explore({json.dumps(anchor)}, {json.dumps(spec, ensure_ascii=False)}, stockflowModes);"
        return f"{{\n{model}\n{call}\n}}"

    def library(self) -> str:
        """Return the script that draws a mode's course as its reader sets it."""
        return _file("explorer.js")

    def sheets(self, out: Path, reports: Mapping[str, Mapping[str, Any]], language: str) -> Mapping[str, nbproof.Sheet]:
        """Return the front page, the page of all claims, and what each report is built from."""
        words = self.words(language)
        found = front.sheets(out, reports, language, words, settings().front("claims", language))
        return {**found, "made": nbproof.made_sheet(nbproof.read_manifest(out), reports, words)} if found else {}

    def sheet_assets(self) -> tuple[str, str]:
        """Return how the first two look, and what answers to pointer and keys in them."""
        return _file("front.css"), _file("front.js")


def _face(name: str, weight: int, font: bytes) -> str:
    data = b64encode(font).decode()
    return (
        f"@font-face {{ font-family: {name}; font-weight: {weight}; font-display: block; "
        f"src: url(data:font/woff2;base64,{data}) format('woff2'); }}"
    )


@cache
def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
