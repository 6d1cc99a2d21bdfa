"""Notebooks in other languages: one gettext catalogue for each, keyed by the text as it was written first.

A notebook is written once. What it says stands in its markdown cells and in the calls of ``page``: `messages` lists
it, ``LOCALE/NAME.LANGUAGE.po`` translates it, and `localised` makes the notebook of another language. What figures and
tables say besides, and what several notebooks share, stands in ``LOCALE/common.LANGUAGE.po``, and what a package says
in a folder of catalogues of its own.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from nbproof.errors import NotebookError, ParameterError
from nbproof.look import words as spoken
from nbproof.project import project
from nbproof.results import format_number

FIELD = re.compile(r"\{([^\W\d]\w*)(?::([^{}]*))?\}")  # the names in a template, with their formats
SPEC = re.compile(r"(?P<sign>\+?),?(?:\.(?P<digits>\d+))?(?P<kind>[fg]?)")
SPOKEN = {"say": (0,), "figure": (2,), "table": (2,), "words": (0,)}  # method of page -> places of its texts
NAMED = ("alt", "caption", "note")
WORDLESS = re.compile(rf"\$+[^$]*\$+|{FIELD.pattern}")  # mathematics, and the fields of a template
LETTERS = re.compile(r"[^\W\d_Α-Ωα-ω]{2}")  # of a word: γC is a symbol
_made: dict[str, Callable[[Catalogue], str]] = {}  # a text made by `words` or `listed` -> how in another language


class Catalogue(dict[str, str]):
    """Translations by the text they translate; ``missing`` holds what was asked for and is not there."""

    def __init__(self, language: str, *files: Path) -> None:
        super().__init__()
        self.language = language
        self.missing: dict[str, None] = {}
        for file in filter(Path.is_file, files):
            self.update((m.id, m.string) for m in _read(file, language) if m.id and m.string and not m.fuzzy)

    def __call__(self, text: str) -> str:
        """Translate a text, or what a template made; numbers and mathematics stay as they are."""
        if text in self:
            return self[text]
        if text in _made:
            return _made[text](self)
        # what stands in capitals alone is a code, as an item has
        if LETTERS.search(WORDLESS.sub("", text)) and not text.isupper() and text not in self.values():
            self.missing[text] = None
        return text

    def markdown(self, source: str) -> str:
        """Translate markdown, block by block."""
        return "\n\n".join(map(self, blocks(source)))


@cache
def catalogue(name: str, language: str) -> Catalogue:
    """Return the catalogue of a notebook: its own texts, before those that all share, before those of packages."""
    own, *others = (project().path(folder) for folder in project().locales)
    shared = [file for folder in others for file in sorted(folder.glob(f"*.{language}.po"))]
    return Catalogue(language, *shared, own / f"common.{language}.po", own / f"{name}.{language}.po")


def words(template: str, **values: Any) -> str:
    """Make a text with values in it that can still be translated, for a label or a head (``page.words``).

    Examples
    --------
    >>> words("{n:d} years ahead", n=2)
    '2 years ahead'
    """
    text = filled(template, values)
    if text != template:  # else it is looked up as it is
        _made[text] = lambda translate: filled(translate(template), values, translate.language, translate)
    return text


def listed(texts: Iterable[str]) -> str:
    """Make one text of several, each of which can still be translated, for a field of a sentence (``page.listed``).

    Examples
    --------
    >>> listed(["trust", "care"])
    'trust, care'
    """
    several = tuple(texts)
    text = ", ".join(several)  # as a notebook is written
    if len(several) > 1:
        _made[text] = lambda translate: spoken(translate.language)["list"].join(map(translate, several))
    return text


def filled(
    template: str, values: Mapping[str, Any], language: str = "en", translate: Callable[[str], str] | None = None
) -> str:
    """Fill a template's fields as they are printed in a language.

    Parameters
    ----------
    values : mapping of str to float or str
        What each field names; formats are those of `nbproof.Page.say`.
    translate : callable, optional
        Translates the values that are texts.

    Examples
    --------
    >>> filled("{share:.1f} % of {n:,}, {change:+.2f} since {year:d}, *p* {p:p}",
    ...        {"share": 12.34, "n": 5120, "change": -0.5, "year": 2023, "p": 0.0004})
    '12.3 % of 5,120, −0.50 since 2023, *p* < .001'
    """

    def one(match: re.Match[str]) -> str:
        value, spec = values[match[1]], match[2] or ""
        if isinstance(value, str):
            return translate(value) if translate else value
        if spec in ("d", "p"):
            return plain(value, spec, language)
        return signed(value, spec) + format_number(value, digits_of(value, spec))

    return FIELD.sub(one, template)


def plain(value: float, spec: str, language: str) -> str:
    """Write a year or a count (``d``), or a p value with its sign (``p``), which have a form rather than digits."""
    if spec == "d":
        return str(int(value)).replace("-", "−")
    text = "< 0.001" if value < 0.0005 else f"= {format_number(value, 3)}"
    return text.replace(" 0.", " .") if language == "en" else text


def signed(value: float, spec: str) -> str:
    """The plus sign that a field asks for."""
    return "+" if spec.startswith("+") and value >= 0 else ""


def digits_of(value: float, spec: str) -> int:
    """Return the decimals that a field prints; ``.3g`` gives as many as three significant digits need, without zeros.

    Examples
    --------
    >>> digits_of(0.01234, ".3g"), digits_of(34165.8, ".6g"), digits_of(2.5, ".6g"), digits_of(2.5, "+.2f")
    (4, 1, 1, 2)
    """
    found = SPEC.fullmatch(spec)
    if not found:
        raise ParameterError(f"a number is written as :,.1f, :+.1f, :.3g, :, :d or :p; got :{spec}.")
    digits = int(found["digits"] or 0)
    if found["kind"] != "g":
        return digits
    exponent = int(f"{value:.{max(digits - 1, 0)}e}".partition("e")[2])
    most = min(max(digits - 1 - exponent, 0), 12)
    return next(fewer for fewer in range(most + 1) if round(value, fewer) == round(value, most))


def blocks(markdown: str) -> list[str]:
    """Cut markdown into the blocks that are translated one by one."""
    return [block for block in re.split(r"\n{2,}", markdown.strip("\n")) if block.strip()]


def literals(source: str) -> list[ast.Constant]:
    """Return the texts that a code cell speaks, as nodes with their places."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in SPOKEN
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "page"
        ):
            found += [node.args[i] for i in SPOKEN[node.func.attr] if i < len(node.args)]
            found += [k.value for k in node.keywords if k.arg in NAMED]
            heads = [k.value for k in node.keywords if k.arg == "heads" and isinstance(k.value, ast.Dict)]
            found += [head for each in heads for head in each.values]
    texts = [t for t in found if isinstance(t, ast.Constant) and isinstance(t.value, str)]
    return sorted(texts, key=lambda t: (t.lineno, t.col_offset))


def messages(notebook: Mapping[str, Any]) -> list[str]:
    """Return every text of a notebook that needs a translation, in order."""
    found: dict[str, None] = {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        prose = cell["cell_type"] == "markdown"
        found |= dict.fromkeys(blocks(source) if prose else [str(t.value) for t in literals(source)])
    return [text for text in found if re.search(r"[^\W\d_]", WORDLESS.sub("", text))]


def localised(notebook: Mapping[str, Any], translate: Catalogue) -> dict[str, Any]:
    """Return a notebook in another language: what it says is translated, its code stays.

    The parameter ``language`` gets that language as its default.
    """
    made = copy.deepcopy(dict(notebook))
    for cell in made["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = translate.markdown(source)
        elif "parameters" in cell["metadata"].get("tags", ()):
            cell["source"] = re.sub(r'^(language: str = )"\w*"', rf'\1"{translate.language}"', source)
        elif cell["cell_type"] == "code":
            lines = [line.encode() for line in source.splitlines(keepends=True)]  # columns are counted in bytes
            for text in reversed(literals(source)):
                first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
                said = json.dumps(translate(str(text.value)), ensure_ascii=False).encode()
                lines[first : last + 1] = [lines[first][: text.col_offset] + said + lines[last][text.end_col_offset :]]
            cell["source"] = b"".join(lines).decode()
    return made


def translate(names: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Bring the catalogues and notebooks of all languages up to date with the notebooks as they were written.

    New texts enter a catalogue without a translation, texts that are gone leave it, and so do those that the shared
    catalogues translate alike. The notebook of a language is written to the folder of its name beside the originals.

    Yields
    ------
    (str, str)
        Catalogue and text of each translation that is missing.
    """
    import nbformat

    from nbproof.plan import find_notebooks

    _, *others = project().languages
    for path in find_notebooks(names):
        notebook = nbformat.read(path, as_version=4)
        for language in others:
            file = project().path(project().locales[0]) / f"{path.stem}.{language}.po"
            yield from _update(file, messages(notebook), language, catalogue("common", language))
            catalogue.cache_clear()
            made = nbformat.from_dict(localised(notebook, catalogue(path.stem, language)))
            target = path.parent / language / path.name
            target.parent.mkdir(exist_ok=True)
            nbformat.write(made, target)


def _update(file: Path, wanted: list[str], language: str, shared: Catalogue) -> Iterator[tuple[str, str]]:
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    old = {m.id: m.string for m in _read(file, language)} if file.is_file() else {}
    new = Catalog(locale=language, fuzzy=False, header_comment="")
    for text in (each for each in wanted if each not in shared or old.get(each, shared[each]) != shared[each]):
        new.add(text, old.get(text, ""))
        if not old.get(text):
            yield file.name, text
    made = BytesIO()
    write_po(made, new, width=0, omit_header=True)
    head = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(head.encode() + made.getvalue())


def _read(file: Path, language: str) -> Any:
    from babel.messages.pofile import PoFileError, read_po

    try:
        with file.open("rb") as stream:
            return read_po(stream, locale=language, abort_invalid=True)
    except (PoFileError, UnicodeDecodeError) as wrong:
        raise NotebookError(f"{file.name} is no catalogue in UTF-8: {wrong}; correct it, or restore it.") from None
