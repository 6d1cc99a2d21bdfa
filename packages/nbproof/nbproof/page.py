"""What a notebook tells its reader: numbers, words, tables and figures, each in every language.

Every call displays something a reader of JupyterLab can use and, beside it, a payload under the type ``MIME`` that the
report builder turns into numbered figures, captioned tables, and the numbers that ``{{name}}`` stands for in the prose.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import StringIO
from numbers import Integral, Real
from typing import Any, ClassVar

from IPython.display import display

from nbproof.errors import ParameterError, UnknownNameError, extra
from nbproof.machine import hold_to_one_thread
from nbproof.numbers import format_number, reported
from nbproof.project import project
from nbproof.results import MIME

__all__ = ["Page"]

PROBABILITY = re.compile(r"q|p(_\w+)?|(\w_)?p_?value(\.\w+)?")  # names of columns of p values

Words = str | Mapping[str, str]  # one text for all, or {"en": ..., "zh": ...}


def say(words: Words, language: str) -> str:
    """Return the text of one language."""
    return words if isinstance(words, str) else words[language]


@dataclass
class Page:
    """Collect and display what one notebook tells, and hold its process to one thread, as the builder does.

    A subclass may name the ``bases``, the kinds of evidence that are allowed, and draw otherwise (`draw`).

    Parameters
    ----------
    name : str
        The notebook's name; it names the file of results.
    language : str
        Whose figures, tables and words to make; "all" for those of the project. Numbers have no language.

    Raises
    ------
    UnknownNameError
        For any other language.
    """

    name: str
    language: str = "all"
    _seen: set[str] = field(default_factory=set, repr=False)

    bases: ClassVar[Collection[str] | None] = None
    every: ClassVar[str] = "all"

    def __post_init__(self) -> None:
        if self.language not in (allowed := (*self.known(), self.every)):
            raise UnknownNameError("language", self.language, allowed)
        hold_to_one_thread()

    @staticmethod
    def known() -> tuple[str, ...]:
        """Return every language of the project, in the order shown."""
        return project().languages or ("en",)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages to make, in the order shown."""
        return self.known() if self.language == self.every else (self.language,)

    def number(
        self,
        name: str,
        value: float,
        digits: int,
        *,
        unit: str = "",
        basis: str = "",
        interval: tuple[float, float] | None = None,
        tolerance: float | None = None,
    ) -> None:
        """Keep a number for the results file and for ``{{name}}`` in the prose.

        Parameters
        ----------
        name : str
            An identifier, unique in the notebook. With an interval, ``{{name.low}}`` and ``{{name.high}}`` exist too.
        value : float
            The number; finite. Per cent are given as per cent: 19.7, not 0.197.
        digits : int
            Decimals printed.
        unit : str
            Its unit, for the results file and JupyterLab; the prose says it in words.
        basis : str
            The kind of evidence.
        interval : (float, float), optional
            Lower and upper end.
        tolerance : float, optional
            How far a recomputed value may lie from the committed one: 0 for exact (the default for whole numbers
            printed without decimals), else a tenth of the last printed digit; always below half of it.
        """
        last = 10.0**-digits
        exact = isinstance(value, Integral) and digits == 0
        tolerance = (0.0 if exact else last / 10) if tolerance is None else tolerance
        self._claim(name)
        if not 0 <= tolerance < last / 2:
            raise ParameterError(f"tolerance of {name} must be in [0, {last / 2:g}); got {tolerance!r}.")
        ends = interval if interval is not None else ()
        if not all(isinstance(v, Real) and math.isfinite(v) for v in (value, *ends)):
            raise ParameterError(f"number {name} must be finite; got {value!r} {ends or ''}.")
        payload: dict[str, Any] = {"kind": "number", "name": name, "value": _kept(value, digits), "digits": digits,
                   "tolerance": tolerance, "unit": unit, "basis": self._known_basis(basis)}
        if ends:
            payload["interval"] = [_kept(v, digits) for v in ends]
        shown = " ".join(filter(None, [f"{name} = {format_number(value, digits)}", unit]))
        if ends:
            shown += f" [{format_number(ends[0], digits)}, {format_number(ends[1], digits)}]"
        _show(payload, shown)

    def text(self, name: str, words: Words) -> None:
        """Keep a word or a phrase that the analysis decided, for ``{{name}}`` in the prose: an outcome, a winner."""
        self._claim(name)
        said = {language: say(words, language) for language in self.known()}
        _show({"kind": "text", "name": name, "words": said}, f"{name} = {' / '.join(dict.fromkeys(said.values()))}")

    def table(
        self,
        name: str,
        frame: Any,
        *,
        labels: Mapping[str, Words],
        caption: Words,
        n: int | str = "",
        basis: str | Sequence[str] = (),
        source: Words = "",
        digits: Mapping[str, int] | None = None,
        note: Words = "",
    ) -> None:
        """Show a table with a caption that says n, basis and source; keep its numbers for the results file.

        Parameters
        ----------
        name : str
            An identifier, unique in the notebook; the prose refers to the table by ``{{name}}``.
        frame : pandas.DataFrame, or list of mappings
            One row a line. Cells are numbers, texts, texts by language or missing. A text with a ``page`` (a
            notebook's name) and an ``anchor`` in it links there; where the first column is ``id``, each row has the
            anchor ``table-NAME-ID``.
        labels : mapping of column to words
            The columns to show, in order, with their heads.
        caption, source, note : str, or one by language
            What the table shows, where its numbers come from, and what to mind.
        n : int or str
            Number of observations behind it.
        basis : str or list of str
            Kinds of evidence.
        digits : mapping of column to int, optional
            Decimals of each column with fractions; a whole number without an entry is shown plain (years, counts).
        """
        self._claim(name)
        digits = dict(digits or {})
        lines = frame.to_dict("records") if hasattr(frame, "to_dict") else frame
        cells = [[_plain(row[key]) for key in labels] for row in lines]
        for column, key in enumerate(labels):
            if key not in digits and any(isinstance(row[column], float) for row in cells):
                raise ParameterError(f"table {name}: column {key} holds fractions; "
                                     "say in `digits` how many decimals to print.")
        values = [[_kept(v, digits[k]) if isinstance(v, float) else v for k, v in zip(labels, row, strict=True)]
                  for row in cells]
        for language in self.languages:
            heads = [say(words, language) for words in labels.values()]
            rows = [[_cell(v, digits.get(k), language, k) for k, v in zip(labels, row, strict=True)] for row in cells]
            numeric = [any(isinstance(row[i], Real) for row in cells) for i in range(len(heads))]
            payload = {"kind": "table", "name": name, "language": language, "heads": heads, "rows": rows,
                       "numeric": numeric, "columns": list(labels), "values": values,
                       "digits": {k: digits[k] for k in labels if k in digits},
                       **self._caption(language, caption, n, basis, source, note)}
            if any(map(any, links := [[_address(v) for v in row] for row in cells])):
                payload["links"] = links
            _show(payload, _text_table(heads, rows), {"text/html": _html_table(payload)})

    def figure(
        self,
        name: str,
        plot: Callable[..., Any],
        *results: Any,
        caption: Words,
        alt: Words,
        n: int | str = "",
        basis: str | Sequence[str] = (),
        source: Words = "",
        note: Words = "",
        explorer: Mapping[str, Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        """Draw a figure in each language with a caption that says n, basis and source.

        Parameters
        ----------
        name : str
            An identifier, unique in the notebook; the prose refers to the figure by ``{{name}}``.
        plot : callable
            ``plot(*results, language=..., **options)`` returns matplotlib axes or a figure.
        alt : str, or one by language
            What somebody who cannot see the figure should know.
        caption, n, basis, source, note
            As in :meth:`table`.
        explorer : mapping of language to specification, optional
            What runs in the page in place of the drawing, as the project's look knows it (`nbproof.Look.script`);
            JupyterLab and the PDF keep the drawing.
        """
        self._claim(name)
        for language in self.languages:
            svg = self.draw(plot, *results, language=language, **options)
            payload = {"kind": "figure", "name": name, "language": language, "alt": say(alt, language),
                       **self._caption(language, caption, n, basis, source, note)}
            if explorer is not None:
                payload["explorer"] = dict(explorer[language])
            _show(payload, f"[{name}] {payload['alt']}", {"image/svg+xml": svg})

    @staticmethod
    def draw(plot: Callable[..., Any], *results: Any, language: str, **options: Any) -> str:
        """Draw a figure of matplotlib as SVG text, the same bytes in every run."""
        with extra("figures"):
            import matplotlib
            from matplotlib import pyplot

        made = StringIO()
        with matplotlib.rc_context({"svg.hashsalt": "nbproof"}):
            drawn = plot(*results, language=language, **options)
            figure = drawn if hasattr(drawn, "savefig") else drawn.get_figure()
            figure.savefig(made, format="svg", metadata={"Date": None})
            pyplot.close(figure)
        return made.getvalue()

    def _claim(self, name: str) -> None:
        """Take a name once."""
        if not name.isidentifier():
            raise ParameterError(f"a result's name must be an identifier such as size_2023; got {name!r}.")
        if name in self._seen:
            raise ParameterError(f"the name {name!r} is taken in notebook {self.name}; every result needs its own.")
        self._seen.add(name)

    def _caption(self, language: str, caption: Words, n: int | str, basis: str | Sequence[str], source: Words,
                 note: Words) -> dict[str, Any]:
        kinds = [basis] if isinstance(basis, str) else list(basis)
        return {"caption": say(caption, language), "n": str(n), "basis": [self._known_basis(kind) for kind in kinds],
                "source": say(source, language), "note": say(note, language)}

    def _known_basis(self, basis: str) -> str:
        if self.bases is not None and basis not in self.bases:
            raise UnknownNameError("basis", basis, self.bases)
        return basis


def _show(payload: dict[str, Any], plain: str, more: Mapping[str, str] | None = None) -> None:
    language = payload.get("language")
    metadata = {"language": language} if language else {}
    display({"text/plain": plain, **(more or {}), MIME: payload}, raw=True, metadata=metadata)


def _kept(value: float, digits: int) -> float | int:
    """What the results file holds: a whole number as it is, else what :func:`reported` leaves."""
    return int(value) if isinstance(value, Integral) else reported(float(value), digits)


def _plain(value: Any) -> Any:
    """Turn numpy scalars into Python's own, and every kind of missing into None."""
    value = value.item() if hasattr(value, "item") else value
    missing = value is None or (isinstance(value, float) and not math.isfinite(value)) or str(value) in ("<NA>", "NaT")
    return None if missing else value


def _cell(value: Any, digits: int | None, language: str, column: str = "") -> str:
    """Write a cell; a p value that would print as zero is said to lie below the last digit."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, Real):
        return say(value, language) if isinstance(value, Mapping) else str(value)
    if digits is None:
        return str(value)
    if PROBABILITY.fullmatch(column) and 0 <= float(value) < 0.5 * 10.0**-digits:
        return f"<{format_number(10.0**-digits, digits)}"
    return format_number(float(value), digits)


def _address(value: Any) -> str | None:
    """Where a cell leads to in the reports."""
    return f"{value['page']}.html#{value['anchor']}" if isinstance(value, Mapping) and "page" in value else None


def _text_table(heads: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return "\n".join("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in [heads, *rows])


def _html_table(payload: dict[str, Any], label: str = "") -> str:
    from nbproof.document import closed, provenance

    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    head, body = line(payload["heads"], "th"), "".join(line(row, "td") for row in payload["rows"])
    told = (label, closed(payload["caption"], payload["language"]), provenance(payload), payload["note"])
    caption = escape(" ".join(filter(None, told)))
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"
