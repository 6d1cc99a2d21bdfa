"""A document as a self-contained HTML page and as a PDF: pandoc writes the body, the house templates do the rest.

Nothing in a page asks for anything outside it; its content security policy says so to the browser.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from html import escape, unescape
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any

from nbproof import pandoc
from nbproof.document import Document
from nbproof.look import asset, look, words
from nbproof.project import project

__all__ = ["html", "page", "pdf"]

FORMULA = re.compile(r"<math\b.*?(?=<annotation)", re.DOTALL)  # what is drawn of it
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
    tree = document.tree("html", _references())
    body = pandoc.convert(tree, "json", "html", "--mathml", "--citeproc", "--syntax-highlighting=none")
    said = words(document.language)
    others = [language for language in languages if language != document.language]
    bar = [f'<a href="../index.html">{said["all"]}</a>', '<span class="space"></span>',
           *(f'<a href="../{other}/{document.name}.html" lang="{tag}" hreflang="{tag}" data-language>{native}</a>'
             for other in others for tag, native in [(words(other)["tag"], words(other)["native"])]),
           f'<a href="{document.name}.pdf">PDF</a>',
           f'<button id="code" hidden aria-pressed="false">{said["show_code"]}</button>',
           f'<button id="theme" hidden>{said["theme"]}</button>']
    body = f"<h1>{escape(document.title)}</h1>\n{body}"
    explorer = [look().library(), *document.scripts] if document.scripts else []
    script = "\n".join([asset("page.js"), *explorer]).replace("</", "<\\/")
    labels = " ".join(document.scripts)  # what the script writes needs its characters too
    return page(document.language, document.title, "\n".join(bar), _contents(document), body, script, labels=labels)


def page(language: str, title: str, bar: str, contents: str, body: str, script: str, data: str = "",
         languages: tuple[str, ...] = (), labels: str = "") -> str:
    """Put a body into the house page: fonts cut to its characters, both themes, a policy that lets nothing load.

    ``languages`` names those of the text where there are several; ``labels`` is text that the script writes.
    """
    said, used = words(language), project()
    footer = said["footer"].format(built_by())
    seen = plain_text(f"{bar} {contents} {body} {footer} {title}")
    natives = (words(each)["native"] for each in used.languages or languages or (language,))
    text = seen + data + labels + "".join(natives) + said["skip"]
    strong = plain_text(contents + " ".join(part for _, part in STRONG.findall(body))) + title + labels
    script_hash = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(asset("page.html")).substitute(
        lang=said["tag"], hashes=f"'sha256-{script_hash}'", generator=built_by(), title=escape(title),
        fonts=look().faces(text, strong, languages or (language,), plain_text(" ".join(FORMULA.findall(body)))),
        theme=look().theme(), css=look().css(), skip=said["skip"], bar=bar, contents=contents, body=body, footer=footer,
        data=data, script=script, columns="columns" if contents else "columns single")


def pdf(document: Document) -> bytes:
    """Render a document as a PDF, code in an appendix; the same bytes for the same document."""
    import typst

    tree = document.tree("pdf", _references())
    body = pandoc.convert(tree, "json", "typst", "--citeproc", "--syntax-highlighting=idiomatic")
    drawn = look()
    family, folder = drawn.pdf_font(document.language)
    language, _, region = words(document.language)["tag"].partition("-")
    head = Template(asset("report.typ")).substitute(
        drawn.light, family=json.dumps(family), lang=language, region=json.dumps(region) if region else "none",
        link=drawn.colours["link"][0], well=drawn.colours["well"][0],
        title=json.dumps(document.title, ensure_ascii=False), author=json.dumps(project().name))
    with TemporaryDirectory() as place:
        for name, content in document.images.items():
            Path(place, name).write_bytes(content)
        main = Path(place, "main.typ")
        main.write_text(head + "\n" + body, encoding="utf-8")
        return typst.compile(str(main), root=place, font_paths=[str(folder)] if folder else [],
                             ignore_system_fonts=folder is not None)


def built_by() -> str:
    """Return what made a page, as it says itself: the program and its version."""
    used = project()
    return f"{used.name} {used.version}".rstrip()


def plain_text(markup: str) -> str:
    """Return the text a reader sees of some HTML."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script|svg)\b.*?</\1>", " ", markup, flags=re.DOTALL)))


def _contents(document: Document) -> str:
    items = "\n".join(
        f'<li class="level-{s["level"]}"><a href="#{s["anchor"]}">'
        f'<span>{s["number"]}</span><span>{escape(s["heading"])}</span></a></li>'
        for s in document.sections if s["anchor"])
    return f'<nav class="contents" aria-label="{words(document.language)["contents"]}">\n<ol>\n{items}\n</ol>\n</nav>'


def _references() -> list[Any]:
    used = project()
    return pandoc.references(used.path(used.bibliography)) if used.bibliography else []
