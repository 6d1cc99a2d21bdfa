"""A document as a self-contained HTML page and as a PDF: pandoc writes the body, the house templates do the rest.

Nothing in a page asks for anything outside it; its content security policy says so to the browser.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from functools import cache
from html import escape, unescape
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any

from socialcommerce import __version__
from socialcommerce.figures import fonts, style
from socialcommerce.project import root
from socialcommerce.report import pandoc
from socialcommerce.report.document import Document

__all__ = ["asset", "html", "page", "pdf", "plain_text"]

ASSETS = Path(__file__).parent / "assets"
TAGS = {"en": "en-GB", "zh": "zh-CN"}
FACES = {"en": "'House Latin'", "zh": "House"}  # what the style sheet calls the fonts
FIRST_HAN = "\u2e80"  # the first radical; before it stand the letters and signs both languages use
# The page's own colours beside those of the figures: (light, dark), each at least 4.5:1 on paper.
COLOURS = {"link": ("#0b57a4", "#8ab8f0"), "well": ("#f4f3ef", "#22252b"), "mark": ("#ffe9a8", "#5c4a12"),
           "string": ("#1b6b3a", "#8fd3a4"), "number": ("#8a3a0c", "#f0b48a")}
WORDS: dict[str, dict[str, str]] = {
    "en": {"skip": "Skip to the text", "contents": "Contents", "all": "All reports", "theme": "Light / dark",
           "code": "Show code", "footer": "Built by socialcommerce {}. Text and figures CC BY 4.0, code MIT."},
    "zh": {"skip": "跳到正文", "contents": "目录", "all": "全部报告", "theme": "浅色／深色", "code": "显示代码",
           "footer": "由 socialcommerce {} 生成。文字与图：CC BY 4.0；代码：MIT。"},
}
STRONG = re.compile(r"<(h[1-6]|th|strong|b|dt)\b[^>]*>(.*?)</\1>", re.DOTALL)  # what the style sheet sets in bold
NATIVE = {"en": "English", "zh": "中文"}


def html(document: Document, languages: tuple[str, ...]) -> str:
    """Render a document as one HTML page.

    Parameters
    ----------
    document : Document
        From :func:`socialcommerce.report.document.document_of`.
    languages : tuple of str
        All languages being built; the page links to its translation.

    Returns
    -------
    str
        The page; fonts, style, script and figures are inside.
    """
    tree = document.tree("html", _references())
    body = pandoc.convert(tree, "json", "html", "--mathml", "--citeproc", "--syntax-highlighting=none")
    words = WORDS[document.language]
    others = [language for language in languages if language != document.language]
    bar = [f'<a href="../index.html">{words["all"]}</a>', '<span class="space"></span>',
           *(f'<a href="../{other}/{document.name}.html" lang="{TAGS[other]}" hreflang="{TAGS[other]}" data-language>'
             f"{NATIVE[other]}</a>" for other in others),
           f'<a href="{document.name}.pdf">PDF</a>',
           f'<button id="code" hidden aria-pressed="false">{words["code"]}</button>',
           f'<button id="theme" hidden>{words["theme"]}</button>']
    body = f"<h1>{escape(document.title)}</h1>\n{body}"
    explorer = [asset("explorer.js"), *document.scripts] if document.scripts else []
    script = "\n".join([asset("page.js"), *explorer]).replace("</", "<\\/")
    labels = " ".join(document.scripts)  # what the script writes needs its characters too
    return page(document.language, document.title, "\n".join(bar), _contents(document), body, script, labels=labels)


def page(language: str, title: str, bar: str, contents: str, body: str, script: str, data: str = "",
         languages: tuple[str, ...] = (), labels: str = "") -> str:
    """Put a body into the house page: fonts cut to its characters, both themes, a policy that lets nothing load.

    ``languages`` names those of the text where there are several; ``labels`` is text that the script writes.
    """
    words = WORDS[language]
    footer = words["footer"].format(__version__)
    seen = plain_text(f"{bar} {contents} {body} {footer} {title}")
    text = seen + data + labels + "".join(NATIVE.values()) + words["skip"]
    strong = plain_text(contents + " ".join(part for _, part in STRONG.findall(body))) + title + labels
    script_hash = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(asset("page.html")).substitute(
        lang=TAGS[language], hashes=f"'sha256-{script_hash}'", version=__version__, title=escape(title),
        fonts=_font_faces(text, strong, languages or (language,)), theme=_theme(), css=asset("page.css"),
        skip=words["skip"], bar=bar, columns="columns" if contents else "columns single", contents=contents,
        body=body, footer=footer, data=data, script=script)


def pdf(document: Document) -> bytes:
    """Render a document as a PDF, code in an appendix; the same bytes for the same document."""
    import typst

    tree = document.tree("pdf", _references())
    body = pandoc.convert(tree, "json", "typst", "--citeproc", "--syntax-highlighting=idiomatic")
    head = Template(asset("report.typ")).substitute(
        family=json.dumps(fonts.family(document.language)), lang=document.language, region=TAGS[document.language][-2:],
        ink=style.INK, muted=style.MUTED, grid=style.GRID, link=COLOURS["link"][0], well=COLOURS["well"][0],
        title=json.dumps(document.title, ensure_ascii=False))
    with TemporaryDirectory() as folder:
        for name, content in document.images.items():
            Path(folder, name).write_bytes(content)
        main = Path(folder, "main.typ")
        main.write_text(head + "\n" + body, encoding="utf-8")
        return typst.compile(str(main), root=folder, font_paths=[str(fonts.regular().parent)], ignore_system_fonts=True)


def plain_text(markup: str) -> str:
    """Return the text a reader sees of some HTML."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script|svg)\b.*?</\1>", " ", markup, flags=re.DOTALL)))


def _contents(document: Document) -> str:
    items = "\n".join(
        f'<li class="level-{s["level"]}"><a href="#{s["anchor"]}">'
        f'<span>{s["number"]}</span><span>{escape(s["heading"])}</span></a></li>'
        for s in document.sections if s["anchor"])
    return f'<nav class="contents" aria-label="{WORDS[document.language]["contents"]}">\n<ol>\n{items}\n</ol>\n</nav>'


@cache
def asset(name: str) -> str:
    """Return a template, style or script of the house."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _references() -> list[Any]:
    return pandoc.references(root() / "paper" / "references.bib")


def _font_faces(text: str, strong: str, languages: tuple[str, ...]) -> str:
    """The house font of each language, regular and bold, each cut to the characters a page sets in it.

    Beside the Chinese font the English one holds no Chinese characters: the style sheet falls back on the former.
    """
    faces = []
    for language in languages:
        both = language == "en" and "zh" in languages
        for weight, characters in ((400, text), (700, strong)):
            drawn = "".join(c for c in characters if c < FIRST_HAN) if both else characters
            data = b64encode(fonts.woff2_subset(drawn, weight, language)).decode()
            faces.append(f"@font-face {{ font-family: {FACES[language]}; font-weight: {weight}; font-display: block; "
                         f"src: url(data:font/woff2;base64,{data}) format('woff2'); }}")
    return "\n".join(faces)


@cache
def _theme() -> str:
    """Colours as custom properties, light and dark, by the reader's system or own choice."""
    own = [" ".join(f"--{name}: {pair[i]};" for name, pair in COLOURS.items()) for i in (0, 1)]
    light = f"{style.css()}; {own[0]} color-scheme: light;"
    dark = f"{style.css(dark=True)}; {own[1]} color-scheme: dark;"
    return (f":root {{ {light} }}\n"
            f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {dark} }} }}\n"
            f":root[data-theme=dark] {{ {dark} }}")
