"""A document as a self-contained HTML page and as a PDF, and the front page that lists them.

Pandoc writes the body, the house templates do the rest. Nothing in a page asks for anything outside it; its content
security policy says so to the browser. The front page shows what the project has to show first, every report in every
language, a search and a language switch.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from html import escape, unescape
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from nbproof.document import Document
from nbproof.errors import OutputError
from nbproof.look import Sheet, asset, look, template, words
from nbproof.project import project

FORMULA = re.compile(r"<math\b.*?(?=<annotation)", re.DOTALL)  # what is drawn of it
LABEL = re.compile(r'(?:aria-label|data-[a-z]+)="([^"]*)"')  # what a script may show
STRONG = re.compile(r"<(h[1-6]|th|strong|b|dt)\b[^>]*>(.*?)</\1>", re.DOTALL)  # what the style sheet sets in bold


def html(document: Document, languages: tuple[str, ...]) -> str:
    """Render a document as one HTML page.

    Parameters
    ----------
    document : Document
        From :func:`nbproof.document.document_of`.
    languages : tuple of str
        All languages being built; the page links to its translation.

    Returns
    -------
    str
        The page; fonts, style, script and figures are inside.
    """
    body = document.converted("html", "--mathml", "--syntax-highlighting=none")
    said = words(document.language)
    home = project().front("index", document.language)
    bar = template("parts.html").bar(
        document.name, home, said, {each: words(each) for each in languages if each != document.language}
    )
    contents = template("parts.html").contents(document.sections, said["contents"])
    body = f"<h1>{escape(document.title)}</h1>\n{body}"
    explorer = [look().library(), *document.scripts] if document.scripts else []
    script = "\n".join([asset("page.js"), *explorer]).replace("</", "<\\/")
    labels = " ".join(document.scripts)  # what the script writes needs its characters too
    return page(document.language, document.title, bar, contents, body, script, labels=labels)


def page(
    language: str,
    title: str,
    bar: str,
    contents: str,
    body: str,
    script: str,
    data: str = "",
    labels: str = "",
    style: str = "",
) -> str:
    """Put a body into the house page: fonts cut to its characters, both themes, a policy that lets nothing load.

    ``labels`` is text that the script writes, and ``style`` what its style sheet has beside the house's.
    """
    said, used = words(language), project()
    made_by = f"{used.name} {used.version}".rstrip()
    footer = said["footer"].format(made_by)
    seen = plain_text(f"{bar} {contents} {body} {footer} {title}")
    natives = (words(each)["native"] for each in used.languages or (language,))
    text = seen + data + labels + "".join(natives) + said["skip"]
    strong = plain_text(contents + " ".join(part for _, part in STRONG.findall(body))) + title + labels
    fonts = look().faces(text, strong, language, plain_text(" ".join(FORMULA.findall(body))))
    around = (bar, contents, body, data, script, b64encode(hashlib.sha256(script.encode()).digest()).decode())
    return template("page.html").page(said, look(), made_by, title, fonts, style, *around) + "\n"


def pdf(document: Document) -> bytes:
    """Render a document as a PDF, code in an appendix; the same bytes for the same document."""
    import typst

    body = document.converted("typst", "--syntax-highlighting=idiomatic")
    drawn = look()
    family, folder = drawn.pdf_font(document.language)
    language, _, region = words(document.language)["tag"].partition("-")
    head = Template(asset("report.typ")).substitute(
        drawn.light,
        family=json.dumps(family),
        lang=language,
        region=json.dumps(region) if region else "none",
        link=drawn.colours["link"][0],
        well=drawn.colours["well"][0],
        title=json.dumps(document.title, ensure_ascii=False),
        author=json.dumps(project().name),
    )
    with TemporaryDirectory() as place:
        for name, content in document.images.items():
            Path(place, name).write_bytes(content)
        main = Path(place, "main.typ")
        main.write_text(head + "\n" + body, encoding="utf-8")
        made = typst.compile(str(main), root=place, font_paths=_fonts(folder))
    for _ in range(11):  # what ten documents did not use is forgotten: hundreds of MiB after a long one
        typst.compile(b"", font_paths=_fonts(folder))
    return made


@cache  # reading the system's takes as long as a small PDF
def _fonts(folder: Path | None) -> Any:
    """Return typst's own fonts, and those of a folder or of the system."""
    import typst

    return typst.Fonts(include_system_fonts=folder is None, font_paths=[str(folder)] if folder else [])


def plain_text(markup: str) -> str:
    """Return the text a reader sees of some HTML."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script|svg)\b.*?</\1>", " ", markup, flags=re.DOTALL)))


def front_pages(
    out: Path,
    manifest: Mapping[str, Any],
    own: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    more: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Render the index of a folder of reports, and what the project's look has beside it, in each language.

    Parameters
    ----------
    out : Path
        Folder of built reports; their search data are read from it.
    manifest : mapping
        The build's manifest; every report in it that was rendered is listed, unless the look has an index of its own.
    own, more : mapping of language
        Words in place of the project's, such as title and lead, and markup below the list of reports.

    Returns
    -------
    dict
        Pages by file name; ``index.html`` is in the first language that is there.

    Raises
    ------
    OutputError
        When no report has search data.
    """
    files = {name: out / "search" / f"{name}.json" for name in manifest["reports"]}
    reports = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.is_file()}
    made = {language for report in reports.values() for language in report}
    languages = [language for language in project().languages or sorted(made) if language in made]
    if not languages:
        raise OutputError(
            f"no report in {out} can be listed, their search data are gone; make them again with --force."
        )
    said = {language: {**words(language), **own.get(language, {})} for language in languages}
    style, script = look().sheet_assets()
    script, pages = "\n".join((asset("page.js"), asset("index.js"), script)), {}
    for language, used in said.items():
        told = {name: report[language] for name, report in reports.items() if language in report}
        listed = template("parts.html").front(language, used, project().languages[:1], told, more.get(language, ""))
        sheets = {"index": Sheet(used["title"], listed), **look().sheets(out, reports, language)}
        found = {"places": _places(told, sheets, language), "hits": used["hits"], "others": used["others"]}
        links = {sheet.label: project().front(name, language) for name, sheet in sheets.items() if sheet.label}
        for name, sheet in sheets.items():
            others = {each: project().front(name, each) for each in languages}
            bar = template("parts.html").front_bar(others, said, language, links)
            labels = unescape(" ".join([used["placeholder"], *LABEL.findall(sheet.body)]))
            data = json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")  # no text can close the element
            data = f'<script type="application/json" id="search-data">{data}</script>\n'
            body = sheet.body.strip()
            pages[others[language]] = page(language, sheet.title, bar, "", body, script, data, labels, style)
    pages.setdefault("index.html", pages[project().front("index", languages[0])])
    return pages


def _places(reports: Mapping[str, Any], sheets: Mapping[str, Sheet], language: str) -> list[list[str]]:
    """What a search looks through: address, title, heading and text of every section."""
    found = [
        (f"{language}/{name}.html", report["title"], (each["anchor"], each["heading"], each["text"]))
        for name, report in reports.items()
        for each in report["sections"]
    ]
    found += [
        (project().front(name, language), each.title, one) for name, each in sheets.items() for one in each.places
    ]
    lines = (
        (f"{file}#{anchor}" if anchor else file, title, "" if heading == title else heading, text)
        for file, title, (anchor, heading, text) in found
    )
    return [[" ".join(text.split()) for text in line] for line in lines]
