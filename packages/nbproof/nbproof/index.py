"""The front page: what the project has to show first, every report in every language, a search, a language switch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from nbproof import render
from nbproof.errors import OutputError
from nbproof.look import asset, look, words
from nbproof.project import project

__all__ = ["Front", "front_page"]


@dataclass(frozen=True)
class Front:
    """What a front page says beside its list of reports: ``words`` by language, and ``more`` markup below the list."""

    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)


def front_page(out: Path, manifest: Mapping[str, Any], front: Front | None = None) -> str:
    """Render the index of a folder of reports.

    Parameters
    ----------
    out : Path
        Folder of built reports; their search data are read from it.
    manifest : mapping
        The build's manifest; every report in it that was rendered is listed, below what the project's look has to
        show first.
    front : Front, optional
        Title and lead; by default those of the project.
    """
    front = front or Front()
    files = {name: out / "search" / f"{name}.json" for name in manifest["reports"]}
    reports = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.is_file()}
    made = {language for report in reports.values() for language in report}
    languages = [language for language in project().languages or sorted(made) if language in made]
    if not languages:
        raise OutputError(f"no report in {out} can be listed, their search data are gone; "
                          "make them again with --force.")
    sections = {language: [section for name, report in reports.items() if language in report
                           for section in _search_entries(name, language, report[language])]
                for language in languages}
    first = languages[0]
    theme = " ".join(_in(language, words(language)["theme"]) for language in languages)
    bar = ['<span class="space"></span>', *map(_button, languages), f'<button id="theme" hidden>{theme}</button>']
    said = {language: {**words(language), **front.words.get(language, {})} for language in languages}
    first_shown = {language: look().front(out, reports, language) for language in languages}
    body = "\n".join([*(_head(language, said[language]) for language in languages), _SEARCH,
                      *(_part(language, markup) for language, markup in first_shown.items() if markup),
                      *(_listing(language, reports) for language in languages),
                      *(_part(language, text) for language, text in front.more.items())])
    shown = ("title", "placeholder", "hits")
    data = _json("search-data", sections)
    data += _json("search-words", {language: {k: said[language][k] for k in shown} for language in languages})
    own = "".join(f'navigator.language.startsWith("{each}") ? "{each}" : ' for each in languages[1:]) + "language"
    script = asset("page.js") + asset("index.js").replace("/* more */", look().front_script()).replace("/* own */", own)
    return render.page(first, said[first]["title"], "\n".join(bar), "", body, script, data, tuple(languages))


_SEARCH = """<div id="search" hidden role="search"><div class="search">\
<input id="query" type="search" autocomplete="off"></div>
<p id="status" role="status"></p><ul id="found" class="found"></ul></div>"""


def _button(language: str) -> str:
    """What shows the page in one language."""
    return (f'<button data-show="{language}" hidden lang="{words(language)["tag"]}" aria-pressed="false">'
            f'{words(language)["native"]}</button>')


def _in(language: str, text: str) -> str:
    """A text the page shows to readers of one language."""
    return f'<span data-lang="{language}" lang="{words(language)["tag"]}">{text}</span>'


def _head(language: str, said: Mapping[str, str]) -> str:
    return _part(language, f'<h1>{said["title"]}</h1><p>{said["lead"]}</p>')


def _part(language: str, markup: str) -> str:
    """A part of the page for readers of one language."""
    return f'<div data-lang="{language}" lang="{words(language)["tag"]}">{markup}</div>'


def _listing(language: str, reports: Mapping[str, Any]) -> str:
    items = "\n".join(_item(language, name, report[language]) for name, report in reports.items()
                      if language in report)
    return f'<ul class="reports" data-lang="{language}" lang="{words(language)["tag"]}">\n{items}\n</ul>'


def _item(language: str, name: str, report: Mapping[str, Any]) -> str:
    said = words(language)
    summary = report["sections"][0]["text"].strip() if report["sections"] else ""
    run = name if language == project().languages[0] else f"{language}/{name}"
    links = {"page": f"{language}/{name}.html", "pdf": f"{language}/{name}.pdf", "notebook": f"notebooks/{run}.ipynb",
             "results": f"results/{name}.json"}
    formats = "".join(f'<a href="{href}">{said[word]}</a>' for word, href in links.items())
    return (f'<li><h2><a href="{links["page"]}">{escape(report["title"])}</a></h2><p>{escape(summary)}</p>'
            f'<div class="formats">{formats}</div></li>')


def _search_entries(name: str, language: str, report: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"page": f"{language}/{name}.html", "anchor": s["anchor"], "title": report["title"],
             "heading": s["heading"], "text": " ".join(s["text"].split())} for s in report["sections"]]


def _json(anchor: str, value: Any) -> str:
    """Data for the page's script; ``<`` is escaped so that no text can close the element."""
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{anchor}">{text}</script>\n'
