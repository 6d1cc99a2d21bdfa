"""How reports look, and the words around what notebooks tell: nbproof's own, or a project's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from nbproof.errors import ParameterError
from nbproof.project import project
from nbproof.shapes import read_toml

ASSETS = Path(__file__).parent / "assets"
REFERENCE = re.compile(r"""(\bid="|href="#|url\(#)""")


@dataclass(frozen=True)
class Sheet:
    """A page beside the reports: its title and markup.

    ``label`` is what the bar says of it; ``places`` are what a search finds in it, as (anchor, heading, text).
    """

    title: str
    body: str
    label: str = ""
    places: Sequence[tuple[str, str, str]] = ()


class Look:
    """Colours, fonts, drawings and front page; a project's subclass says what is to be otherwise."""

    light: Mapping[str, str] = {"paper": "#ffffff", "ink": "#1b1d21", "muted": "#5c6168", "grid": "#dcdee2"}
    dark: Mapping[str, str] = {"paper": "#16181c", "ink": "#e6e7ea", "muted": "#a3a8b0", "grid": "#3a3e46"}
    # of links, code and search hits, light and dark, each at least 4.5:1 on paper
    colours: Mapping[str, tuple[str, str]] = {
        "link": ("#0b57a4", "#8ab8f0"),
        "well": ("#f4f3ef", "#22252b"),
        "mark": ("#ffe9a8", "#5c4a12"),
        "string": ("#1b6b3a", "#8fd3a4"),
        "number": ("#8a3a0c", "#f0b48a"),
    }

    def palette(self, dark: bool = False) -> str:
        """Return colours (paper, ink, muted, grid) and font as custom properties of a style sheet."""
        named = self.dark if dark else self.light
        return "; ".join(["--house: system-ui", *(f"--{name}: {value}" for name, value in named.items())])

    def css(self) -> str:
        """Return the page's style sheet."""
        return asset("page.css")

    def faces(self, text: str, strong: str, language: str, formulas: str = "") -> str:
        """Return the web fonts of a page that sets ``text``, ``strong`` in bold, and ``formulas``, as style rules."""
        return ""

    def pdf_font(self, language: str) -> tuple[str, Path | None]:
        """Return the font family of a PDF and the folder of its files; None for typst's own and the system's fonts."""
        return "Libertinus Serif", None

    def inline(self, svg: str, prefix: str) -> str:
        """Return a drawing as it stands in a page, where its ids must not meet another's."""
        return REFERENCE.sub(rf"\g<1>{prefix}-", svg[svg.index("<svg") :])

    def pictures(self, name: str, image: bytes) -> Mapping[str, bytes]:
        """Return the files of a figure beside the page, by name: the drawing, and what else is made of it."""
        return {name: image}

    def words(self, language: str) -> Mapping[str, str]:
        """Return what reports say in a language beside what notebooks tell."""
        return words(language)

    def basis(self, kind: str, language: str) -> str:
        """Say a kind of evidence in a language."""
        return kind

    def script(self, anchor: str, explorer: Mapping[str, Any]) -> str:
        """Return what a page runs in place of a figure's drawing, from what `Page.figure` was given as explorer."""
        raise ParameterError(f"{anchor} has an explorer, but the project's look says nothing of how to run one.")

    def library(self) -> str:
        """Return what stands once before the scripts of a page that has any."""
        return ""

    def sheets(self, out: Path, reports: Mapping[str, Mapping[str, Any]], language: str) -> Mapping[str, Sheet]:
        """Return pages in one language beside the reports, by name; one named index stands for the list of reports.

        Parameters
        ----------
        out : Path
            The folder of built reports.
        reports : mapping of report to its languages
            Every report that has a page in the folder, by name.
        """
        return {}

    def sheet_assets(self) -> tuple[str, str]:
        """Return the style sheet and the script that those pages have beside nbproof's own."""
        return "", ""


def look() -> Look:
    """Return the look of the project in use."""
    return _made(project().look)


@cache
def _made(name: str) -> Look:
    module, _, member = name.partition(":")
    try:
        return getattr(import_module(module), member)()
    except (ImportError, AttributeError, TypeError) as wrong:
        raise ParameterError(
            f"the look {name!r} cannot be made: {wrong}; allowed is module:Class, a subclass of nbproof.Look."
        ) from wrong


def words(language: str) -> Mapping[str, str]:
    """Return what reports say in a language: the project's own words, nbproof's, and English for what neither has."""
    used = project()
    return _words(language, used.path(used.words) if used.words else None, used.title)


@cache
def _words(language: str, own: Path | None, title: str) -> Mapping[str, str]:
    ours = tomllib.loads(asset("words.toml"))
    given = read_toml(own).get(language, {}) if own else {}
    return {
        **ours["en"],
        **dict.fromkeys(("tag", "native", "catalogue"), language),
        **ours.get(language, {}),
        **({"title": title} if title else {}),
        **given,
    }


@cache
def asset(name: str) -> str:
    """Return a template, style or script of nbproof's own."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def template(name: str) -> Any:
    """Return the macros of a template of nbproof's own; they escape what they are told to."""
    import jinja2

    templates = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    templates.filters["e"] = escape
    return templates.from_string(asset(name)).module


def provenance(payload: Mapping[str, Any]) -> str:
    """Return the sentences on n, basis and source of a figure or table."""
    language = payload["language"]
    said = words(language)
    basis = said["list"].join(look().basis(kind, language) for kind in payload["basis"])
    parts = {"n": payload["n"], "basis": basis, "source": payload["source"].rstrip("。.")}
    return said["gap"].join(said[key].format(part) for key, part in parts.items() if part)


def closed(sentence: str, language: str) -> str:
    """End a caption as a sentence ends."""
    sentence = sentence.rstrip()
    return sentence if sentence.endswith((".", "。", "?", "？")) else sentence + words(language)["stop"]


def captioned(payload: Mapping[str, Any]) -> str:
    """Return a caption as one line: what is shown, n, basis, source, note."""
    parts = closed(payload["caption"], payload["language"]), provenance(payload), payload["note"]
    return words(payload["language"])["gap"].join(filter(None, parts))


def html_table(payload: Mapping[str, Any], label: str) -> str:
    """Return a table as JupyterLab shows it."""

    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    head, body = line(payload["heads"], "th"), "".join(line(row, "td") for row in payload["rows"])
    caption = f"{escape(label)}&ensp;{escape(captioned(payload))}"
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"
