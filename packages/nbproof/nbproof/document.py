"""An executed notebook as a pandoc document of one language: prose filled in, figures and tables numbered, code folded.

What comes from outputs enters as nodes of the document tree, never as markup, so that text from data cannot become any.
Pandoc is called as a program of its own (it is GPL; nothing of it is imported), in its sandbox.
"""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any

import pypandoc
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from nbproof.errors import NotebookError
from nbproof.look import captioned, closed, html_table, look, provenance, words
from nbproof.project import project
from nbproof.results import MIME, REFERENCE, fill, labels, printed
from nbproof.translation import catalogue, localised

Block = dict[str, Any]
MARKER = "cell-marker"
MANY, TALL = 12, 40  # with more columns, or more rows, a table scrolls in its own frame on a screen
PLAIN = {"t": "NormalCitation"}
CITED = {"citationPrefix": [], "citationSuffix": [], "citationMode": PLAIN, "citationNoteNum": 0, "citationHash": 0}
FOLD_END: Block = {"t": "RawBlock", "c": ["html", "</details>"]}


@dataclass
class Document:
    """One report in one language, ready to be rendered.

    ``blocks`` are pandoc's, folded code in place for the page alone; ``code`` goes to the PDF's appendix.
    ``sections`` are (anchor, heading, text) for the contents and the search; ``images`` the files the PDF needs;
    ``scripts`` what the page runs; ``labels`` what figures and tables are called, by name.
    """

    name: str
    language: str
    title: str = ""
    blocks: list[Block] = field(default_factory=list)
    code: list[Block] = field(default_factory=list)
    sections: list[dict[str, Any]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def converted(self, target: str, *options: str) -> str:
        """Return the body that pandoc writes for ``"html"`` or ``"typst"``, what is cited listed at its end."""
        blocks, written = self.blocks, json.dumps(self.blocks)
        linked = dict.fromkeys(re.findall(r'"#ref-(\w+)"', written))  # cited in the author's own words
        meta: dict[str, Any] = {}
        if linked or '"t": "Cite"' in written:  # reading a style takes pandoc longer than all else
            options = ("--citeproc", *options)
            cited = [{"citationId": key, **CITED} for key in linked]
            meta = {
                "lang": {"t": "MetaString", "c": "en-GB"},  # of the references' style; the page says its own language
                "link-citations": {"t": "MetaBool", "c": True},
                "nocite": {"t": "MetaInlines", "c": [{"t": "Cite", "c": [cited, []]}]},
                **(references(project().path(project().bibliography)) if project().bibliography else {}),
            }
            heading = _header("refs-heading", words(self.language)["references"])
            blocks = [*blocks, heading, {"t": "Div", "c": [_attr("refs"), []]}]
        if target == "typst" and self.code:
            blocks = [*blocks, _header("appendix-code", words(self.language)["appendix"]), *self.code]
        tree = json.dumps({"pandoc-api-version": [1, 23, 1], "meta": meta, "blocks": blocks})
        return convert(tree, "json", target, *options)


def document_of(notebook: Mapping[str, Any], results: Mapping[str, Any], language: str) -> Document:
    """Turn an executed notebook into a document.

    Parameters
    ----------
    notebook : mapping
        An executed notebook in nbformat's form.
    results : mapping
        Its results, from :func:`nbproof.results.collect`.
    language : str
        The reader's.

    Raises
    ------
    NotebookError
        When the notebook has no title.
    """
    known = printed(results, language)
    document = Document(results["notebook"], language, labels=labels(notebook, language))
    if language != project().languages[0]:  # as if it had been run in that language
        notebook = localised(notebook, catalogue(document.name, language))
    prose = _prose(notebook, language)
    counter = [0, 0]
    answered = not any(_tagged(cell, "answer") for cell in notebook["cells"])
    for position, cell in enumerate(notebook["cells"]):
        for block in prose.get((position, -1), []):
            _add_prose(document, block, counter)
        if cell["cell_type"] == "code" and not _tagged(cell, "explore"):
            outputs = cell.get("outputs", ())
            spoken = all(output.get("data", {}).get(MIME, {}).get("kind") == "say" for output in outputs)
            _add_code(document, "".join(cell["source"]), spoken)
            for place, output in enumerate(outputs):
                _add_output(document, output)
                for block in _filled(prose.get((position, place), []), known):
                    _add_prose(document, block, counter)
        if document.title and not answered:
            answered = True
            first = [
                each for (at, place), each in prose.items() if place >= 0 and _tagged(notebook["cells"][at], "answer")
            ]
            for block in _filled([*chain.from_iterable(first)], known):  # a report answers first
                _add_prose(document, block, counter)
    if not document.title:
        raise NotebookError(
            f"{document.name} has no title in language {language}; start it with a markdown cell that "
            "opens with a level-1 heading, and translate that to one."
        )
    return document


def notebook_in(notebook: Mapping[str, Any], results: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return an executed notebook as it would have been run in another language, for a reader of JupyterLab."""
    known, called = printed(results, language), labels(notebook, language)

    def told(output: dict[str, Any]) -> list[dict[str, Any]]:
        """What an output shows in the language: nothing of what it says in another."""
        payload = output.get("data", {}).get(MIME)
        if payload is None:
            return [output]
        shown: list[dict[str, Any]] = []
        if payload["kind"] == "say":
            shown = [{"text/markdown": fill(payload["prose"][language], known)}]
        elif payload.get("language") == language:
            label = called[payload["name"]]
            if payload["kind"] == "table":
                shown = [{"text/html": html_table(payload, label)}]
            else:
                drawing = {"image/svg+xml": _drawing(output), "text/plain": payload["alt"]}
                shown = [drawing, {"text/markdown": f"**{label}**\u2002{captioned(payload)}"}]
        return [{"output_type": "display_data", "metadata": {}, "data": data} for data in shown]

    made = localised(notebook, catalogue(results["notebook"], language))
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [*chain.from_iterable(map(told, cell["outputs"]))]
    return made


def _drawing(output: Mapping[str, Any]) -> str:
    """The drawing of a figure: of the language that JupyterLab shows, or kept for another."""
    return "".join(output["data"].get("image/svg+xml") or output["data"][MIME]["image/svg+xml"])


def _tagged(cell: Mapping[str, Any], tag: str) -> bool:
    return tag in cell["metadata"].get("tags", ())


def _prose(notebook: Mapping[str, Any], language: str) -> dict[tuple[int, int], list[Block]]:
    """Parse what markdown cells and ``Page.say`` tell in a language, all in one call.

    Returns
    -------
    dict
        Blocks by position of the cell, and of the output in it; -1 for the cell itself.
    """
    cells = {}
    for i, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            cells[i, -1] = "".join(cell["source"])
        for place, output in enumerate(cell.get("outputs", ())):
            payload = output.get("data", {}).get(MIME, {})
            if payload.get("kind") == "say" and not _tagged(cell, "explore"):
                cells[i, place] = payload["prose"][language]
    tree = parse(f"\n\n``` {MARKER}\n```\n\n".join(cells.values()))
    groups: list[list[Block]] = [[]]
    for block in tree["blocks"]:
        if block["t"] == "CodeBlock" and MARKER in block["c"][0][1]:
            groups.append([])
        else:
            groups[-1].append(block)
    if cells and len(groups) != len(cells):
        raise NotebookError(f"a markdown cell in language {language} opens a code block and does not close it.")
    return dict(zip(cells, groups, strict=False))


def _filled(node: Any, known: Mapping[str, str]) -> Any:
    """Put what names print, marked by them, into every text of a pandoc tree."""
    if isinstance(node, list):
        return [part for child in node for part in _parts(child, known)]
    if isinstance(node, dict):
        if node.get("t") == "Math":
            return {**node, "c": [node["c"][0], fill(node["c"][1], known)]}
        return {key: _filled(value, known) for key, value in node.items()}
    return node


def _parts(node: Any, known: Mapping[str, str]) -> list[Any]:
    if not isinstance(node, dict) or node.get("t") != "Str":
        return [_filled(node, known)]
    parts = REFERENCE.split(node["c"])  # every second is a name
    return [
        {"t": "Span", "c": [_attr("", "result", result=part), [_text(known[part])]]} if i % 2 else _text(part)
        for i, part in enumerate(parts)
        if part
    ]


def _add_prose(document: Document, block: Block, counter: list[int]) -> None:
    """Add one block of prose; headings are numbered and open sections, the first of level 1 is the title."""
    text = _plain(block)
    if block["t"] == "Header":
        level, (_, classes, attributes), inlines = block["c"]
        if level == 1 and not document.title:
            document.title = text
            return
        level = max(level, 2)
        counter[:] = [counter[0] + 1, 0] if level == 2 else [counter[0], counter[1] + 1]
        number = str(counter[0]) if level == 2 else f"{counter[0]}.{counter[1]}"
        anchor = f"section-{number.replace('.', '-')}"
        label = {"t": "Span", "c": [["", ["section-number"], []], [_text(number)]]}
        block = {"t": "Header", "c": [level, [anchor, classes, attributes], [label, _text("\u2002"), *inlines]]}
        document.sections.append({"anchor": anchor, "level": level, "number": number, "heading": text, "text": ""})
    elif document.sections:
        document.sections[-1]["text"] += text + " "
    else:
        opening = {"anchor": "", "level": 0, "number": "", "heading": document.title, "text": text + " "}
        document.sections.append(opening)
    document.blocks.append(block)


def _add_code(document: Document, source: str, spoken: bool = False) -> None:
    """Fold code away in the page and keep it for the PDF's appendix.

    Neighbouring cells stand in one fold; one that only speaks joins the fold before it in its section.
    """
    if not source.strip():
        return
    document.code.append({"t": "CodeBlock", "c": [["", ["python"], []], source.strip("\n")]})
    marked = highlight(source.strip("\n"), PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")  # all escaped
    shown = _raw("html", f"<pre><code>{marked}</code></pre>")
    folds: list[int] = []  # since the last heading
    for i, block in enumerate(document.blocks):
        folds = [] if block["t"] == "Header" else [*folds, i] if block == FOLD_END else folds
    if folds and (spoken or folds[-1] == len(document.blocks) - 1):
        document.blocks.insert(folds[-1], shown)
        return
    label = words(document.language)["code"]
    document.blocks += [_raw("html", f'<details class="code"><summary>{label}</summary>'), shown, FOLD_END]


def _add_output(document: Document, output: Mapping[str, Any]) -> None:
    payload = output.get("data", {}).get(MIME)
    if payload is None:
        document.blocks += _plain_output(document, output)
    elif payload["kind"] in ("figure", "table") and payload["language"] == document.language:
        kind = payload["kind"]
        caption = _captioned(payload, document.labels[payload["name"]])
        if kind == "table":
            body = _table(payload)
        else:
            svg, alt, file = _drawing(output), payload["alt"], f"{payload['name']}.{document.language}.svg"
            document.images[file] = svg.encode()
            drawn = look().inline(svg, payload["name"])
            body = [
                _raw("html", f'<div class="drawing" role="img" aria-label="{escape(alt)}">{drawn}</div>'),
                _raw("typst", f"#image({_quoted(file)}, alt: {_quoted(alt)}, width: 100%)"),
            ]
        anchor = f"{kind}-{payload['name']}"
        if "explorer" in payload:
            document.scripts.append(look().script(anchor, payload["explorer"]))
        block = {"t": "Figure", "c": [[anchor, [kind], []], [None, [{"t": "Plain", "c": caption}]], body]}
        document.blocks.append(block)
        if document.sections:
            document.sections[-1]["text"] += _plain({"t": "Plain", "c": caption}) + " "


def _captioned(payload: Mapping[str, Any], label: str) -> list[Block]:
    """A caption: label, what is shown, n, basis, source, note."""
    gap, said = _text(words(payload["language"])["gap"]), closed(payload["caption"], payload["language"])
    basis = {"t": "Span", "c": [_attr("", "provenance"), [_text(provenance(payload))]]}
    note = [gap, _text(payload["note"])] if payload["note"] else []
    return [{"t": "Strong", "c": [_text(label)]}, _text("\u2002"), _text(said), gap, basis, *note]


def _table(payload: Mapping[str, Any]) -> list[Block]:
    """A table whose cells are plain text, some of it linked, numbers to the right; rows with an id can be linked to."""

    def row(cells: list[str], scope: str = "", anchor: str = "", links: list[str | None] | None = None) -> list[Any]:
        texts = [
            [{"t": "Link", "c": [_attr(), [_text(cell)], [link, ""]]}] if link else [_text(cell, column)]
            for cell, link, column in zip(cells, links or [None] * len(cells), payload["columns"], strict=True)
        ]
        form = ["", [], [["scope", scope]] if scope else []], {"t": "AlignDefault"}, 1, 1
        return [[anchor, [], []], [[*form, [{"t": "Plain", "c": text}]] for text in texts]]

    widths = column_widths([payload["heads"], *payload["rows"]])
    sizes = ({"t": "ColWidth", "c": width} if width else {"t": "ColWidthDefault"} for width in widths)
    sides = ({"t": "AlignRight" if right else "AlignLeft"} for right in payload["numeric"])
    columns = list(map(list, zip(sides, sizes, strict=True)))
    lines, named = payload["rows"], payload["columns"][0] == "id"
    body = [
        row(cells, anchor=f"table-{payload['name']}-{cells[0]}" if named else "", links=links)
        for cells, links in zip(lines, payload.get("links") or [None] * len(lines), strict=True)
    ]
    kind = (" many" if len(widths) > MANY else " long" * bool(widths[0])) + " tall" * (len(lines) > TALL)
    head, foot = [_attr(), [row(payload["heads"], "col")]], [_attr(), []]
    table = {"t": "Table", "c": [_attr(), [None, []], columns, head, [[_attr(), 0, [], body]], foot]}
    return [_raw("html", f'<div class="wide{kind}" tabindex="0">'), table, _raw("html", "</div>")]


def _plain_output(document: Document, output: Mapping[str, Any]) -> list[Block]:
    """Show any other output: a picture as it is, all else as plain text."""
    data = output.get("data", {})
    if "image/png" in data:
        picture = "".join(data["image/png"]).replace("\n", "")
        alt = "".join(data.get("text/plain", ""))
        file = f"output-{len(document.images)}.png"
        document.images[file] = b64decode(picture)
        return [
            _raw("html", f'<p><img src="data:image/png;base64,{picture}" alt="{escape(alt)}" /></p>'),
            _raw("typst", f"#image({_quoted(file)}, alt: {_quoted(alt)})"),
        ]
    text = "".join(output.get("text", "")) or "".join(data.get("text/plain", ""))
    shown: Block = {"t": "CodeBlock", "c": [["", ["output", output.get("name", "result")], []], text.rstrip("\n")]}
    return [shown] if text.strip() else []


def _plain(node: Any) -> str:
    """Return the text of a pandoc tree."""
    if isinstance(node, list):
        return "".join(_plain(child) for child in node)
    if not isinstance(node, dict):
        return ""
    kind, content = node.get("t"), node.get("c", "")
    if kind == "Str":
        return content
    if kind in ("Space", "SoftBreak", "LineBreak"):
        return " "
    if kind in ("Code", "CodeBlock", "Math"):
        return content[1]
    if kind in ("RawBlock", "Cite"):
        return ""
    return _plain(content) + (" " if kind in ("Para", "Plain", "Header") else "")


def _text(text: str, column: str = "") -> Block:
    if column == "symbol" and re.fullmatch("[a-zα-ω][0-9A-Z]?", text):  # λ0, γC: as formulas set them
        return {"t": "Math", "c": [{"t": "InlineMath"}, "_".join(text)]}
    return {"t": "Str", "c": text}


def _attr(anchor: str = "", kind: str = "", **more: str) -> list[Any]:
    return [anchor, [kind] if kind else [], [[f"data-{key}", value] for key, value in more.items()]]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _raw(target: str, markup: str) -> Block:
    return {"t": "RawBlock", "c": [target, markup]}


def _header(anchor: str, text: str) -> Block:
    return {"t": "Header", "c": [2, [anchor, ["unnumbered"], []], [_text(text)]]}


# Text from data and prose is shown, never run: no raw HTML, TeX or attributes that reach another format.
REFUSED = "raw_html raw_tex raw_attribute native_divs native_spans yaml_metadata_block markdown_in_html_blocks"
MARKDOWN = "-".join(["markdown", *REFUSED.split()])


def convert(text: str, source: str, target: str, *options: str) -> str:
    """Run pandoc on a text, with no access to files or network; what it refuses is said in its own words."""
    command = [pypandoc.get_pandoc_path(), "--sandbox", "--from", source, "--to", target, "--wrap", "none", *options]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise NotebookError(f"pandoc could not turn {source} into {target}: {done.stderr.decode().strip()}")
    return done.stdout.decode()


def parse(text: str, source: str = MARKDOWN) -> dict[str, Any]:
    """Return a text, by default of markdown, as pandoc's document tree."""
    return json.loads(convert(text, source, "json"))


@cache
def references(bibliography: Path) -> dict[str, Any]:
    """Return a BibLaTeX file's entries as ``references`` of pandoc's metadata."""
    return {"references": parse(bibliography.read_text(encoding="utf-8"), "biblatex")["meta"]["references"]}


FITS = 90  # letters that need no division of the line
LINE = 115  # letters on a line of the PDF
BETWEEN = 3  # the space between columns, in letters
WORD = re.compile(r"[\u2e80-\uffff]{1,4}|[^\s\u2e80-\uffff]+")  # kept whole: four Chinese characters, a Latin word


def column_widths(rows: Sequence[Sequence[str]]) -> list[float]:
    """Return shares of the line for the columns of a table, zeros where every row fits on a line as it is.

    Parameters
    ----------
    rows : sequence of rows of texts
        The heads first.

    Examples
    --------
    >>> column_widths([["id", "n"], ["H01", "12"]])
    [0.0, 0.0]
    >>> [round(width, 2) for width in column_widths([["id", "text"], ["H01", "a word " * 20]])]
    [0.1, 0.9]
    """
    columns = list(zip(*rows, strict=True))
    natural = [max(map(_length, column)) for column in columns]
    if sum(natural) <= FITS:
        return [0.0] * len(natural)
    least = [max(_length(word) for cell in column for word in WORD.findall(cell) or [""]) for column in columns]
    wanted = [max(min(n, 10 + 3.5 * max(n - 10, 0) ** 0.5), low) for n, low in zip(natural, least, strict=True)]
    room = max(LINE - sum(least) - BETWEEN * len(columns), 0)
    share = min(room / ((sum(wanted) - sum(least)) or 1), 1)
    widths = [low + share * (want - low) + BETWEEN for want, low in zip(wanted, least, strict=True)]
    return [round(width / sum(widths), 4) for width in widths]


def _length(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
