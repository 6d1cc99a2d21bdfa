"""The front page: every claim with its verdict, every report in both languages, a search, a language switch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from socialcommerce.errors import OutputError
from socialcommerce.report import render
from socialcommerce.report.claims import read_verdicts

__all__ = ["Front", "front_page"]

WORDS = {
    "en": {"title": "Private-domain traffic and social commerce: reports",
           "placeholder": "Search all reports", "hits": "{} places found",
           "lead": "Each report rebuilds a part of Xiao's (2024) argument from sourced numbers and says what kind of "
                   "evidence it rests on.",
           "page": "Read", "pdf": "PDF", "notebook": "Executed notebook", "results": "Results (JSON)"},
    "zh": {"title": "私域流量与社交电商：报告", "placeholder": "搜索全部报告", "hits": "找到 {} 处",
           "lead": "每份报告用注明来源的数字重建肖秋香（2024）论证的一部分，并说明所依据的证据类型。",
           "page": "阅读", "pdf": "PDF", "notebook": "运行后的笔记本", "results": "结果（JSON）"},
}


@dataclass(frozen=True)
class Front:
    """What a front page says beside its list of reports: ``words`` by language, and ``more`` markup below the list."""

    words: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: WORDS)
    more: Mapping[str, str] = field(default_factory=dict)


def front_page(out: Path, manifest: Mapping[str, Any], front: Front | None = None) -> str:
    """Render the index of a folder of reports.

    Parameters
    ----------
    out : Path
        Folder of built reports; their search data are read from it.
    manifest : mapping
        The build's manifest; every report in it that was rendered is listed. Where the report on the verdicts is among
        them, its claims and its figure of all estimates stand above the list.
    front : Front, optional
        Title and lead; by default those of the project's own reports.
    """
    front = front or Front()
    files = {name: out / "search" / f"{name}.json" for name in manifest["reports"]}
    reports = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.is_file()}
    languages = [language for language in WORDS if any(language in report for report in reports.values())]
    if not languages:
        raise OutputError(f"no report in {out} can be listed, their search data are gone; "
                          "make them again with --force.")
    sections = {language: [section for name, report in reports.items() if language in report
                           for section in _search_entries(name, language, report[language])]
                for language in languages}
    first = languages[0]
    theme = " ".join(_in(language, render.WORDS[language]["theme"]) for language in languages)
    bar = ['<span class="space"></span>', *map(_button, languages), f'<button id="theme" hidden>{theme}</button>']
    verdicts = read_verdicts(out, reports)
    body = "\n".join([*(_head(language, front.words[language]) for language in languages), _SEARCH,
                      *(_part(language, verdicts.section(language)) for language in languages if verdicts),
                      *(_listing(language, reports) for language in languages),
                      *(_part(language, text) for language, text in front.more.items())])
    shown = ("title", "placeholder", "hits")
    words = {language: {k: front.words[language][k] for k in shown} for language in languages}
    data = _json("search-data", sections) + _json("search-words", words)
    scripts = render.asset("page.js") + render.asset("index.js")
    return render.page(first, front.words[first]["title"], "\n".join(bar), "", body, scripts, data, tuple(languages))


_SEARCH = """<div id="search" hidden role="search"><div class="search">\
<input id="query" type="search" autocomplete="off"></div>
<p id="status" role="status"></p><ul id="found" class="found"></ul></div>"""


def _button(language: str) -> str:
    """What shows the page in one language."""
    return (f'<button data-show="{language}" hidden lang="{render.TAGS[language]}" aria-pressed="false">'
            f'{render.NATIVE[language]}</button>')


def _in(language: str, text: str) -> str:
    """A text the page shows to readers of one language."""
    return f'<span data-lang="{language}" lang="{render.TAGS[language]}">{text}</span>'


def _head(language: str, words: Mapping[str, str]) -> str:
    return _part(language, f'<h1>{words["title"]}</h1><p>{words["lead"]}</p>')


def _part(language: str, markup: str) -> str:
    """A part of the page for readers of one language."""
    return f'<div data-lang="{language}" lang="{render.TAGS[language]}">{markup}</div>'


def _listing(language: str, reports: Mapping[str, Any]) -> str:
    items = "\n".join(_item(language, name, report[language]) for name, report in reports.items()
                      if language in report)
    return f'<ul class="reports" data-lang="{language}" lang="{render.TAGS[language]}">\n{items}\n</ul>'


def _item(language: str, name: str, report: Mapping[str, Any]) -> str:
    words = WORDS[language]
    summary = report["sections"][0]["text"].strip() if report["sections"] else ""
    links = {"page": f"{language}/{name}.html", "pdf": f"{language}/{name}.pdf", "notebook": f"notebooks/{name}.ipynb",
             "results": f"results/{name}.json"}
    formats = "".join(f'<a href="{href}">{words[word]}</a>' for word, href in links.items())
    return (f'<li><h2><a href="{links["page"]}">{escape(report["title"])}</a></h2><p>{escape(summary)}</p>'
            f'<div class="formats">{formats}</div></li>')


def _search_entries(name: str, language: str, report: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"page": f"{language}/{name}.html", "anchor": s["anchor"], "title": report["title"],
             "heading": s["heading"], "text": " ".join(s["text"].split())} for s in report["sections"]]


def _json(anchor: str, value: Any) -> str:
    """Data for the page's script; ``<`` is escaped so that no text can close the element."""
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{anchor}">{text}</script>\n'
