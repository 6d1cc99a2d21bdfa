"""What a notebook says, draws and lists, in every language there is a catalogue for.

``say`` prints a sentence and keeps every number in it for the file of results; ``figure`` and ``table`` add a caption
with n, basis and source taken from the data they rest on (``of=``). Run in JupyterLab, by nbconvert or by papermill,
the notebook shows finished prose, in the one language of the page; run by the builder it leaves all of them.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from numbers import Integral, Real
from typing import Any, ClassVar

from IPython import get_ipython
from IPython.display import display

from nbproof.errors import MissingExtraError, ParameterError, UnknownNameError
from nbproof.look import captioned, html_table
from nbproof.look import words as spoken
from nbproof.machine import hold_to_one_thread
from nbproof.parameters import parameters_of
from nbproof.project import project
from nbproof.results import LANGUAGES, MIME, format_number, reported, text_table
from nbproof.translation import FIELD, LETTERS, Catalogue, catalogue, digits_of, filled, listed, signed, words

PROBABILITY = re.compile(r"q|p(_\w+)?|(\w_)?p_?value(\.\w+)?")  # names of columns of p values


@dataclass(frozen=True)
class Evidence:
    """What something rests on: how many observations, which kinds of evidence, from where.

    ``n`` counts observations and nothing else: None where there are none, as of a model.
    """

    n: int | None
    basis: tuple[str, ...]
    source: str

    def __or__(self, other: str) -> Evidence:
        """Add a kind of evidence, which numbers then carry: ``evidence | "model"``."""
        return Evidence(self.n, tuple(dict.fromkeys((other, *self.basis))), self.source)


@dataclass
class Page:
    """Tell what a notebook found, and hold its process to one thread, as the builder does.

    A subclass may name the ``bases``, the kinds of evidence that are allowed, and draw otherwise (`draw`).

    Parameters
    ----------
    name : str
        The notebook's name; it names the catalogue and the file of results.
    language : str
        Of sentences, tables and figures as they are shown; the builder makes all.

    Raises
    ------
    UnknownNameError
        For a language the project has not.
    """

    name: str
    language: str = "en"
    placed: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)  # a cell run again keeps its number

    bases: ClassVar[Collection[str] | None] = None
    kinds: ClassVar[Mapping[str, str]] = {}
    """Kind of evidence by what a column ``basis`` of a table calls it."""

    def __post_init__(self) -> None:
        if self.language not in self.known():
            raise UnknownNameError("language", self.language, self.known())
        hold_to_one_thread()
        given = getattr(get_ipython(), "user_ns", {})
        notebook = project().path(project().notebooks) / f"{self.name}.ipynb"
        if given and notebook.is_file():  # parameters get their types, or the reader hears which was given otherwise
            given |= {p.name: p.read(given[p.name]) for p in parameters_of(notebook).values() if p.name in given}

    @staticmethod
    def known() -> tuple[str, ...]:
        """Return every language of the project; the first is the one notebooks are written in."""
        return project().languages

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages to make, the one shown first."""
        asked = os.environ.get(LANGUAGES, self.language).split(",")
        return tuple(sorted(asked, key=lambda each: each != self.language))

    @property
    def shown(self) -> str:
        """The language that a reader of the notebook sees: the page's own, if it is made."""
        return self.languages[0]

    def fonts(self, language: str) -> list[str]:
        """Return the font families of a figure's texts; none to leave them as drawn."""
        return []

    words = staticmethod(words)
    listed = staticmethod(listed)

    def speak(self, words: Mapping[str, Mapping[str, str]]) -> None:
        """Take texts that come with the data, and their translations; in a language without one they stay as they are.

        Figures, tables and the fields of sentences show them in the language of the page, before what catalogues say.

        Parameters
        ----------
        words : mapping of text to {language: text}
            Such as a questionnaire's: ``{"Trust": {"de": "Vertrauen"}, "TRU1": {}}``.
        """
        for language in self.known():
            self._translate(language).update({text: said.get(language, text) for text, said in words.items()})

    def say(self, template: str, *, of: Any, **values: Any) -> None:
        """Print a sentence; ``{name:,.1f}`` is the variable of that name, kept as a result with one decimal.

        Names are looked up as in an f-string: in ``values``, then where the call stands. Formats are ``:,.1f``,
        ``:+.1f`` with its sign, ``:.3g`` significant digits, ``:,`` a count, ``:d`` a year or another number written
        plain, and ``:p`` a p value with ``=`` or ``<`` before it. A text goes without a format and is translated.

        Parameters
        ----------
        template : str
            One or more sentences of markdown.
        of : DataFrame or Evidence
            What the numbers rest on.

        Raises
        ------
        ParameterError
            When a name is unknown, a number is not finite, or the translation does not hold the same fields.
        """
        evidence, values = self.evidence(of), _values(template, values, sys._getframe(1))
        numbers: dict[str, dict[str, Any]] = {}
        texts: dict[str, dict[str, str]] = {}
        for match in FIELD.finditer(template):
            name, spec, value = match[1], match[2] or "", values[match[1]]
            if isinstance(value, str) or spec in ("d", "p"):  # the whole field is a word of each language
                texts[name] = {each: filled(match[0], values, each, self._translate(each)) for each in self.languages}
            else:
                digits = digits_of(value, spec)
                exact = isinstance(value, Integral) and digits == 0
                numbers[name] = {"value": _kept(value, digits), "digits": digits}
                numbers[name] |= {"tolerance": 0.0 if exact else 10.0**-digits / 10, "basis": evidence.basis[0]}
        told = {each: self._template(each, template) for each in self.languages}
        prose = {each: _linked(text, values) for each, text in told.items()}
        text = filled(told[self.shown], values, self.shown, self._translate(self.shown))
        _show_both(text, {"kind": "say", "numbers": numbers, "texts": texts, "prose": prose, **self._untranslated()})

    def figure(
        self,
        name: str,
        plot: Any,
        caption: str,
        *,
        of: Any,
        alt: str,
        n: int | None = None,
        note: str = "",
        explorer: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> None:
        """Show axes, a seaborn grid or a figure with its caption; texts, alt and note may hold fields as in `say`.

        Parameters
        ----------
        name : str
            An identifier, unique among the notebook's figures and tables.
        plot : Axes, Figure, an array of axes, or a grid of seaborn's
            Drawn in the language the notebook is written in; its texts are translated.
        caption, alt, note : str
            What it shows, what somebody who cannot see it should know, and what to mind.
        of : DataFrame or Evidence
            What it rests on.
        n : int, optional
            Observations, where they are fewer than those of ``of``.
        explorer : mapping, optional
            What runs in the page in place of the drawing, as the project's look knows it (`nbproof.Look.script`); the
            texts under its key ``words`` are translated. JupyterLab and the PDF keep the drawing.
        """
        values = _values(caption + alt + note, values, sys._getframe(1))
        from matplotlib import pyplot

        figure = _figure_of(plot)
        pyplot.close(figure)  # lest the notebook show it a second time
        for language in self.languages:
            translate = self._translate(language)
            svg = self.draw(translated, figure, translate, self.fonts(language), language=language)
            payload = {"kind": "figure", "name": name, **self._caption_of(language, caption, of, n, note, values)}
            payload["alt"] = self._said(language, alt, values)
            if explorer is not None:
                payload["explorer"] = {**explorer, "words": _all_said(explorer["words"], translate)}
            shown = {"image/svg+xml": svg, "text/plain": f"[{name}] {payload['alt']}"}
            if language != self.shown:
                payload["image/svg+xml"], shown = svg, {}
            self._leave(payload, shown)
        below = self._caption_of(self.shown, caption, of, n, note, values)  # shown where no builder sets it
        _show_both(f"**{self._label('figure', name)}**\u2002{captioned(below)}", {"kind": "caption"})

    def table(
        self,
        name: str,
        frame: Any,
        caption: str,
        *,
        of: Any,
        digits: int | Mapping[str, int] | None = None,
        heads: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
        n: int | None = None,
        note: str = "",
        **values: Any,
    ) -> None:
        """Show a data frame with its caption; its numbers are kept as results.

        Parameters
        ----------
        frame : DataFrame, or list of mappings
            Columns, and an index that has a name, are shown in order; texts in it are translated.
        digits : int or mapping of column to int, optional
            Decimals of the columns with fractions.
        heads : mapping of column to str, optional
            The columns to show, in order, with their heads; by default all, under their own names.
        links : mapping of column to column, optional
            The column that says where each cell of a column leads, as ``page.html#anchor``; it is not shown. Where the
            first column is ``id``, each row has the anchor ``table-NAME-ID``.
        """
        values = _values(caption + note, values, sys._getframe(1))
        if hasattr(frame, "to_dict"):
            frame = (frame.reset_index() if frame.index.names[0] else frame).to_dict("records")
        links = links or {}
        columns = [column for column in (frame[0] if frame else ()) if column not in links.values()]
        heads = dict(heads or {str(column): str(column) for column in columns})
        rows = [
            [self._leading(line[key], line[links[key]]) if key in links else _plain(line[key]) for key in heads]
            for line in frame
        ]
        fractions = [key for at, key in enumerate(heads) if any(isinstance(row[at], float) for row in rows)]
        digits = dict.fromkeys(fractions, digits) if isinstance(digits, int) else dict(digits or {})
        if lacking := [key for key in fractions if key not in digits]:
            raise ParameterError(
                f"table {name}: column {lacking[0]} holds fractions; say in `digits` how many decimals to print."
            )
        cells = [[(value, digits.get(key), key) for key, value in zip(heads, row, strict=True)] for row in rows]
        told: dict[str, Any] = {"kind": "table", "name": name, "columns": list(heads)}
        told["digits"] = {key: digits[key] for key in heads if key in digits}
        told["values"] = [[self._cell_kept(value, decimals) for value, decimals, _ in row] for row in cells]
        told["numeric"] = [any(map(_is_number, column)) for column in zip(*rows, strict=True)] or [False] * len(heads)
        if links:
            told["links"] = [[line.get(links.get(key)) for key in heads] for line in frame]
        for language in self.languages:
            translate = self._translate(language)
            payload = {**told, **self._caption_of(language, caption, of, n, note, values)}
            payload["rows"] = [[_cell(*cell, translate) for cell in row] for row in cells]
            payload["heads"] = list(map(translate, heads.values()))
            shown = {}
            if language == self.shown:
                text = text_table([payload["heads"], *payload["rows"]], str.rjust)
                shown = {"text/plain": text, "text/html": html_table(payload, self._label("table", name))}
            self._leave(payload, shown)

    @staticmethod
    def draw(plot: Callable[..., Any], *results: Any, language: str, **options: Any) -> str:
        """Draw a figure of matplotlib as SVG text, the same bytes in every run.

        Raises
        ------
        MissingExtraError
            When matplotlib is not installed.
        """
        try:
            from matplotlib import pyplot, rc_context, rcParams
            from matplotlib.backends.backend_svg import FigureCanvasSVG
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"this needs {error.name}, which is not installed; nbproof[figures] brings it.", name=error.name
            ) from error

        with StringIO() as made, rc_context({"svg.hashsalt": "nbproof"}):
            figure = _figure_of(plot(*results, language=language, **options))
            asked: dict[str, Any] = {"dpi": rcParams["savefig.dpi"]}
            asked |= {"facecolor": rcParams["savefig.facecolor"], "edgecolor": rcParams["savefig.edgecolor"]}
            dpi = figure.dpi
            figure.set(**{name: value for name, value in asked.items() if value not in ("figure", "auto")})
            if rcParams["savefig.bbox"] or rcParams["savefig.transparent"]:
                figure.savefig(made, format="svg", metadata={"Date": None})
            else:  # drawn once; savefig does it twice
                FigureCanvasSVG(figure).print_svg(made, metadata={"Date": None})
            figure.dpi = dpi
            pyplot.close(figure)
            return made.getvalue()

    def evidence(self, of: Any, n: int | None = None) -> Evidence:
        """Read n, kinds of evidence and source off a table that was loaded with them, or take them as given.

        A table carries them in ``attrs`` (basis, source); a column ``basis`` says it value by value.
        """
        attrs = getattr(of, "attrs", {})
        if isinstance(of, Evidence):
            found = of if n is None else Evidence(n, of.basis, of.source)
        elif "source" not in attrs:
            raise ParameterError(
                f"of= names what a result rests on, a table with its origin or Evidence(n, basis, "
                f"source); got a {type(of).__name__} without one (merge and concat lose it: give the "
                "table as it was loaded, and n=)."
            )
        else:
            given = list(dict.fromkeys(of["basis"])) if "basis" in of else [attrs["basis"]]
            kinds = tuple(dict.fromkeys(self.kinds.get(each, each) for each in given))
            found = Evidence(len(of) if n is None else n, kinds, attrs["source"])
        for kind in found.basis:
            if self.bases is not None and kind not in self.bases:
                raise UnknownNameError("basis", kind, self.bases)
        return found

    def _translate(self, language: str) -> Catalogue:
        return catalogue(self.name, language)

    def _template(self, language: str, template: str) -> str:
        told = self._translate(language)(template)
        if sorted(FIELD.findall(told)) != sorted(FIELD.findall(template)):
            raise ParameterError(
                f"the translation of {template[:50]!r} into {language} does not hold the same fields: {told[:50]!r}."
            )
        return told

    def _said(self, language: str, text: str, values: Mapping[str, Any]) -> str:
        return text and filled(self._template(language, text), values, language, self._translate(language))

    def _in_each(self, text: str) -> dict[str, str]:
        return {each: self._translate(each)(text) for each in self.languages}

    def _cell_kept(self, value: Any, digits: int | None) -> Any:
        """A cell as the results keep it, a text by language where there are several."""
        if isinstance(value, float) and digits is not None:
            return _kept(value, digits)
        said = self._in_each(value) if isinstance(value, str) else {}
        return said if len({*said.values()}) > 1 else value

    def _leading(self, text: str, address: str) -> dict[str, str]:
        """A cell that leads to another report: its text by language, the report's name and the anchor in it."""
        page, _, anchor = address.partition(".html#")
        return {**self._in_each(text), "page": page, "anchor": anchor}

    def _caption_of(
        self, language: str, caption: str, of: Any, n: int | None, note: str, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        evidence = self.evidence(of, n)
        return {
            "language": language,
            "caption": self._said(language, caption, values),
            "n": "" if evidence.n is None else f"{evidence.n:,}",
            "basis": list(evidence.basis),
            "source": self._translate(language)(evidence.source),
            "note": self._said(language, note, values),
        }

    def _untranslated(self) -> dict[str, list[str]]:
        """What lacked a translation so far, so that a test can see that nothing does."""
        return {
            f"untranslated {each}": list(missing)
            for each in self.languages
            if each != self.known()[0] and (missing := self._translate(each).missing)
        }

    def _label(self, kind: str, name: str) -> str:
        number = self.placed.setdefault((kind, name), 1 + sum(each == kind for each, _ in self.placed))
        return spoken(self.shown)[kind].format(number)

    def _leave(self, payload: dict[str, Any], shown: Mapping[str, str]) -> None:
        """Display what a reader sees, with what the builder makes of it."""
        payload |= self._untranslated()
        display({**shown, MIME: payload}, raw=True, metadata={"language": payload["language"]})


def _show_both(text: str, payload: Mapping[str, Any]) -> None:
    display({"text/markdown": text, "text/plain": text, MIME: payload}, raw=True)


def _linked(template: str, values: Mapping[str, Any]) -> str:
    """Write ``{{name}}`` for each field, by which the builder fills in what was kept."""

    def one(match: re.Match[str]) -> str:
        value, spec = values[match[1]], match[2] or ""
        sign = "" if isinstance(value, str) or spec in ("d", "p") else signed(value, spec)
        return f"{sign}{{{{{match[1]}}}}}"

    return FIELD.sub(one, template)


def _values(template: str, given: Mapping[str, Any], frame: Any) -> dict[str, Any]:
    """The variables that a template names: texts, or numbers of Python's own that can be printed."""
    places, found = [given], {}
    while frame is not None:
        places += [frame.f_locals, frame.f_globals]
        inside = frame.f_code.co_name in ("<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")
        frame = frame.f_back if inside else None  # before Python 3.12 a comprehension is a frame of its own
    for name, _ in FIELD.findall(template):
        if (place := next((each for each in places if name in each), None)) is None:
            raise ParameterError(f"the sentence speaks of {{{name}}}, and there is no variable of that name.")
        value = place[name].item() if hasattr(place[name], "item") else place[name]
        if not isinstance(value, str) and not (isinstance(value, Real) and math.isfinite(value)):
            raise ParameterError(
                f"{{{name}}} must be a text or a finite number; got {value!r}. Say it otherwise "
                "behind an `if` where it can be missing."
            )
        found[name] = value
    return found


def _all_said(words: Any, translate: Catalogue) -> Any:
    """Translate a text, or every text of a mapping of them."""
    return (
        translate(words) if isinstance(words, str) else {key: _all_said(each, translate) for key, each in words.items()}
    )


def _figure_of(plot: Any) -> Any:
    """Return the figure of axes, of an array of axes, of a grid of seaborn's, or itself."""
    if hasattr(plot, "savefig") and hasattr(plot, "findobj"):
        return plot
    first = plot.flat[0] if hasattr(plot, "flat") else plot
    return first.figure if hasattr(first, "figure") else first.get_figure()


def translated(figure: Any, translate: Catalogue, fonts: Sequence[str], *, language: str) -> Any:
    """Write a drawn figure's texts in a language, from those it was drawn with.

    A text that was broken into lines where there was little room keeps the whole as its artist's label.

    Parameters
    ----------
    figure : matplotlib Figure
        It is changed, and returned.
    translate : Catalogue
        Of the language.
    fonts : sequence of str
        Families to set the texts in; empty for those it was drawn with.
    """
    from matplotlib.text import Text

    if not hasattr(figure, "_nbproof_drawn"):  # which gives its ticks their texts
        figure.draw_without_rendering()
        figure._nbproof_drawn = True
    for ax in figure.axes:
        _translate_ticks(ax, translate)
    for text in figure.findobj(Text):
        original = getattr(text, "_nbproof_original", None) or text.get_label() or text.get_text()
        text._nbproof_original = original
        if original.strip():
            text.set_text(_by_lines(original, translate))
        if fonts:
            text.set_fontfamily(list(fonts))
    return figure


def _by_lines(text: str, translate: Catalogue) -> str:
    return translate(text) if text in translate else "\n".join(map(translate, text.split("\n")))


def _translate_ticks(ax: Any, translate: Catalogue) -> None:
    """Fix the labels of an axis that names things, so that drawing does not write them anew."""
    from matplotlib.ticker import FixedFormatter, FixedLocator

    for axis in (ax.xaxis, ax.yaxis):
        if not hasattr(axis, "_nbproof_original"):
            places, labels = axis.get_majorticklocs(), [each.get_text() for each in axis.get_ticklabels()]
            named = len(places) == len(labels) and any(LETTERS.search(each) for each in labels)
            axis._nbproof_original = (places, labels) if named else None
        if axis._nbproof_original:
            places, labels = axis._nbproof_original
            axis.set_major_locator(FixedLocator(places))
            axis.set_major_formatter(FixedFormatter([_by_lines(each, translate) for each in labels]))


def _kept(value: float, digits: int) -> float | int:
    """What the results file holds: a whole number as it is, else what :func:`reported` leaves."""
    return int(value) if isinstance(value, Integral) else reported(float(value), digits)


def _plain(value: Any) -> Any:
    """Turn numpy scalars into Python's own, and every kind of missing into None."""
    value = value.item() if hasattr(value, "item") else value
    missing = value is None or (isinstance(value, float) and not math.isfinite(value)) or str(value) in ("<NA>", "NaT")
    return None if missing else value


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _cell(value: Any, digits: int | None, column: str, translate: Catalogue) -> str:
    """Write a cell; a p value that would print as zero is said to lie below the last digit, a year has no comma."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return translate(value)
    if not _is_number(value):
        return str(value[translate.language] if isinstance(value, Mapping) else value)
    if digits is None:
        return f"{value:,}" if isinstance(value, int) and abs(value) > 9999 else str(value)
    if PROBABILITY.fullmatch(column) and 0 <= float(value) < 0.5 * 10.0**-digits:
        return f"<{format_number(10.0**-digits, digits)}"
    return format_number(float(value), digits)
