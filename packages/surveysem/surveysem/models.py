"""Read a model in lavaan's language as the tables of a codebook, so that whoever has a model needs no codebook."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import semfit
from nbproof import read_bytes
from semfit import ParameterError
from surveysem.errors import DataError

__all__ = ["tables_of"]

LARGEST = 2**20  # bytes
FORMS = {
    "<~": "composites",
    "|": "thresholds, which come from the answers",
    "~*~": "scales of answers, which come from the answers",
    "~1": "means, which the report does not need",
}


def tables_of(file: Path) -> dict[str, Any]:
    """Return what a codebook of the model would hold: constructs, paths, covariances, indirect effects asked for.

    An observed variable in a regression becomes a construct of one item, named with an underscore behind it. Labels
    serve only the defined effects: sums of products along paths, which the report gives anyway. A negative direction is
    expected where a path carries a negative ``start()``.

    Raises
    ------
    DataError
        Where the text is no model, or says more than a codebook can hold, naming the line.
    """
    try:
        model = semfit.parse(read_bytes(file, DataError, LARGEST).decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        raise DataError(f"model {file.name} is not in UTF-8: byte {wrong.start + 1}; a text is needed.") from wrong
    except ParameterError as wrong:
        raise DataError(f"model {file.name}, {wrong}") from wrong
    return _Tables(file.name, model.terms).filled(model)


class _Tables:
    """What a parsed model says, sorted into a codebook's tables."""

    def __init__(self, file: str, terms: Iterable[Any]) -> None:
        self.file, self.terms = file, tuple(terms)
        self.constructs: dict[str, list[str]] = {}
        self.paths: dict[str, list[str]] = {}
        self.alone: dict[str, str] = {}
        self.labelled: dict[str, tuple[str, str]] = {}

    def wrong(self, line: int, what: str, allowed: str) -> DataError:
        return DataError(f"model {self.file}, line {line}: {what}; allowed: {allowed}.")

    def filled(self, model: Any) -> dict[str, Any]:
        for term in self.terms:
            if term.op in FORMS or (term.op == "~" and not term.rhs):
                raise self.wrong(term.line, f"{FORMS.get(term.op, FORMS['~1'])} are not carried over", "=~, ~, ~~, :=")
            if len(term.fixed) > 1:
                raise self.wrong(term.line, f"{term.rhs} carries a value for each group", "one value for all")
        for term in (term for term in self.terms if term.op == "=~"):
            items = self.constructs.setdefault(term.lhs, [])
            if term.fixed[0] not in (None, 1.0) and term.fixed[0] == term.fixed[0]:  # nan is NA*, free
                raise self.wrong(term.line, f"the loading of {term.rhs} is fixed", "loadings that are estimated")
            items.append(term.rhs)
        for term in (term for term in self.terms if term.op == "=~"):
            if term.rhs in self.constructs:
                raise self.wrong(term.line, f"{term.lhs} is measured by the construct {term.rhs}", "items")
        for term in (term for term in self.terms if term.op == "~"):
            self.path(term)
        covariances = [pair for term in self.terms if term.op == "~~" for pair in self.covariance(term)]
        if model.constraints:
            raise DataError(f"model {self.file}: constraints on parameters are not carried over; leave them out.")
        constructs: dict[str, object] = {**self.constructs, **{name: [code] for code, name in self.alone.items()}}
        asked = [self.asked(each, {other.name for other in model.defined}) for each in model.defined]
        tables: dict[str, Any] = {"constructs": constructs, "paths": self.paths, "covariances": covariances}
        tables["leave_out"] = ["*"]  # a model says nothing of other columns
        starts, ends = (list(dict.fromkeys(pair[k] for pairs in asked for pair in pairs)) for k in (0, 1))
        return tables | ({"strategies": starts, "outcomes": ends} if starts else {})

    def construct(self, name: str) -> str:
        """Return the construct of a variable in a regression."""
        if name in self.constructs:
            return name
        return self.alone.setdefault(name, f"{name}_")

    def path(self, term: Any) -> None:
        if term.fixed[0] is not None and term.fixed[0] == term.fixed[0]:
            raise self.wrong(term.line, f"the path from {term.rhs} is fixed", "paths that are estimated")
        outcome, predictor = self.construct(term.lhs), self.construct(term.rhs)
        if term.label[0]:
            self.labelled[term.label[0]] = (predictor, outcome)
        negative = term.start[0] is not None and term.start[0] < 0
        self.paths.setdefault(outcome, []).append("-" * negative + predictor)

    def covariance(self, term: Any) -> list[str]:
        """Return a covariance between errors or disturbances, none for what the model holds anyway."""
        fixed = term.fixed[0] if term.fixed[0] == term.fixed[0] else None
        one, other = term.lhs, term.rhs
        if one == other:
            if fixed is None or (fixed == 1 and one in self.constructs):  # another way to set a construct's scale
                return []
            raise self.wrong(
                term.line,
                f"the variance of {one} is fixed",
                "in a codebook, a construct of one item with a reliability",
            )
        if fixed is not None:
            raise self.wrong(term.line, f"the covariance of {one} and {other} is fixed", "one that is estimated")
        items = {code for codes in self.constructs.values() for code in codes}
        if not ({one, other} <= items):
            one, other = self.construct(one), self.construct(other)
            if one not in self.paths and other not in self.paths:
                return []
        return [f"{one} ~~ {other}"]

    def asked(self, defined: Any, others: set[str]) -> list[tuple[str, str]]:
        """Return where each product of paths in a definition starts and where it leads."""
        found = []
        for product in defined.expression.text.replace("(", "").replace(")", "").split("+"):
            labels = [label.strip() for label in product.split("*")]
            if len(labels) == 1 and labels[0] in others:
                continue
            ends = _ends([self.labelled.get(label, ("", "")) for label in labels])
            if ends is None:
                raise DataError(
                    f"model {self.file}: {defined.name} := {defined.expression.text.strip()} is no sum of products of "
                    "labelled paths, each leading on from the one before; leave it out."
                )
            found += [ends] * (len(labels) > 1)
        return found


def _ends(paths: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Return the ends of a chain of paths (from, to), in whatever order they are given; None for what is no chain."""
    leads = dict(paths)
    starts = leads.keys() - leads.values()
    if len(leads) < len(paths) or len(starts) != 1 or "" in leads:
        return None
    at, steps = min(starts), 0
    while at in leads:
        at, steps = leads[at], steps + 1
    return (min(starts), at) if steps == len(paths) else None
