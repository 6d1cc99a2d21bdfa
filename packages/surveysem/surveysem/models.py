"""Read a model in lavaan's language as the tables of a codebook, so that whoever has a model needs no codebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import semfit
from nbproof import read_bytes
from semfit import ParameterError
from surveysem.errors import DataError

LARGEST = 2**20  # bytes


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
    if model.constraints:
        raise DataError(f"model {file.name}: constraints on parameters are not carried over; leave them out.")
    return _Tables(file.name, model).filled()


class _Tables:
    """What a parsed model says, sorted into a codebook's tables."""

    def __init__(self, file: str, model: Any) -> None:
        self.file, self.model = file, model
        self.constructs: dict[str, list[str]] = {}
        self.paths: dict[str, list[str]] = {}
        self.alone: dict[str, list[str]] = {}
        self.labelled: dict[str, tuple[str, str]] = {}

    def filled(self) -> dict[str, Any]:
        for term in self.model.terms:
            if term.op not in ("=~", "<~", "~", "~~") or not term.rhs:
                raise self.wrong(term, "means, thresholds and scales are not carried over", "=~, <~, ~, ~~, :=")
            if len(term.fixed) > 1:
                raise self.wrong(term, f"{term.rhs} carries a value for each group", "one value for all")
            if term.op in ("=~", "<~"):
                self.constructs.setdefault(term.lhs, []).append(term.rhs)
        for term in self.model.terms:
            fixed = None if term.fixed[0] != term.fixed[0] else term.fixed[0]  # nan is NA*, free
            another_scale = fixed == 1 and (term.op in ("=~", "<~") or term.lhs == term.rhs in self.constructs)
            if fixed is not None and not another_scale:
                allowed = "parameters that are estimated; a codebook states the reliability of a single item"
                raise self.wrong(term, f"{term.lhs} {term.op} {term.rhs} is fixed", allowed)
            if term.op == "~":
                self.path(term)
        constructs: dict[str, Any] = self.constructs | self.alone
        for name in {term.lhs for term in self.model.terms if term.op == "<~"}:
            constructs[name] = {"items": self.constructs[name], "kind": "composite"}
        tables: dict[str, Any] = {"constructs": constructs, "paths": self.paths}
        tables["covariances"] = [line for term in self.model.terms if term.op == "~~" for line in self.covariance(term)]
        tables["leave_out"] = ["*"]  # a model says nothing of other columns
        asked = [ends for name in self.model.defined for ends in self.asked(name)]
        for key, found in zip(("strategies", "outcomes"), zip(*asked, strict=True), strict=False):
            tables[key] = list(dict.fromkeys(found))
        return tables

    def wrong(self, term: Any, what: str, allowed: str) -> DataError:
        return DataError(f"model {self.file}, line {term.line}: {what}; allowed: {allowed}.")

    def construct(self, name: str) -> str:
        """Return the construct of a variable in a regression."""
        if name not in self.constructs:
            self.alone[f"{name}_"] = [name]
        return name if name in self.constructs else f"{name}_"

    def path(self, term: Any) -> None:
        outcome, predictor = self.construct(term.lhs), self.construct(term.rhs)
        if term.label[0]:
            self.labelled[term.label[0]] = (predictor, outcome)
        negative = term.start[0] is not None and term.start[0] < 0
        self.paths.setdefault(outcome, []).append("-" * negative + predictor)

    def covariance(self, term: Any) -> list[str]:
        """Return a covariance of errors or disturbances; none where the model holds it anyway."""
        pair = {term.lhs, term.rhs}
        if not pair <= {code for codes in self.constructs.values() for code in codes}:
            pair = {self.construct(name) for name in pair}
        depending = {*self.paths, *(name for names in self.constructs.values() for name in names)}
        free = pair <= {*self.constructs, *self.alone} and not pair & depending  # of causes that depend on none
        return [] if len(pair) == 1 or free else [" ~~ ".join(sorted(pair))]

    def asked(self, name: str) -> list[tuple[str, str]]:
        """Return where each product of paths in a definition starts and where it leads."""
        found, text = [], self.model.defined[name].text.replace("(", "").replace(")", "")
        for product in text.split("+"):
            labels = [label.strip() for label in product.split("*")]
            if len(labels) == 1 and labels[0] in self.model.defined:
                continue
            ends = _ends([self.labelled.get(label, ("", "")) for label in labels])
            if ends is None:
                raise DataError(
                    f"model {self.file}: {name} := {text} is no sum of products of labelled paths, each "
                    "leading on from the one before; leave it out."
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
