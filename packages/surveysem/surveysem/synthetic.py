"""Drawn respondents: answers from a stated truth, kept beside the sample, with defects planted and recorded.

They prove that a method recovers what was put in, never anything about people: the table says "synthetic sample".
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from nbproof import read_toml, write_whole
from nbproof.shapes import COUNT, NUMBER, TABLE, TEXT, Field, check
from surveysem.codebook import Codebook, Contact, Item
from surveysem.errors import DataError, ParameterError, named, require
from surveysem.responses import Responses, responses_of
from surveysem.tables import RawTable, write_csv
from surveysem.truth import ContactCurve, Truth, factors

PLANTED = ["row", "defect", "item", "value"]
FIRST_ROW = 2  # of a file whose heading is row 1
BASIS = "synthetic sample"
Array = np.ndarray
Generator = np.random.Generator


@dataclass(frozen=True)
class Defects:
    """How much to plant: cells emptied, and respondents who answer straight, too fast, fail a check, ...

    A respondent has one defect at most. A duplicate repeats an earlier respondent in every answer.
    """

    missing_cells: int = 0
    straight_liners: int = 0
    speeders: int = 0
    failed_checks: int = 0
    duplicates: int = 0
    out_of_range: int = 0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            require(isinstance(value, int) and value >= 0, f"defect {each.name}", value, "a whole number from 0")


def _plant(answers: Array, duration: Array, book: Codebook, defects: Defects, rng: Generator) -> pd.DataFrame:
    """Change answers (respondents x questions) and seconds in place, and return a line for each defect."""
    at = {item.code: k for k, item in enumerate(book.questions)}
    columns = [at[code] for code in book.items]
    checks = [item for item in book.questions if item.role == "check"]
    if defects.failed_checks and not checks:
        raise ParameterError(f"defect failed_checks is {defects.failed_checks}; allowed: 0, there is no check.")
    counts = (defects.straight_liners, defects.speeders, defects.failed_checks, defects.out_of_range)
    needed = sum(counts) + 2 * defects.duplicates
    if needed > len(answers):
        raise ParameterError(f"the defects need {needed} respondents; got {len(answers)}.")
    order = rng.permutation(len(answers))
    straight, fast, failing, outside, pairs, clean = np.split(order, np.cumsum([*counts, 2 * defects.duplicates]))
    if defects.missing_cells > len(clean) * len(columns):
        raise ParameterError(f"{defects.missing_cells} missing cells; allowed: up to {len(clean) * len(columns)}.")
    lines = []
    low = max(item.scale.low for item in book.questions if item.role == "item")
    high = min(item.scale.high for item in book.questions if item.role == "item")
    for row, value in zip(straight, rng.integers(low, high + 1, len(straight)), strict=True):
        answers[row, columns] = value
        lines.append((row, "straight-liner", "", value))
    duration[fast] = np.round(0.5 * len(book.questions) * rng.uniform(0.5, 1.5, len(fast)), 1)
    lines += [(row, "speeder", "", duration[row]) for row in fast]
    for row in failing:
        item = checks[rng.integers(len(checks))]
        wrong = [code for code in range(item.scale.low, item.scale.high + 1) if code != item.expected]
        lines.append((row, "failed check", item.code, rng.choice(wrong)))
    for row in outside:
        item = book.by_code[book.items[rng.integers(len(columns))]]
        lines.append((row, "out of range", item.code, item.scale.high + rng.integers(1, 4)))
    for first, again in np.sort(pairs.reshape(-1, 2)):
        answers[again] = answers[first]
        lines.append((again, "duplicate", "", first + FIRST_ROW))
    for cell in rng.choice(len(clean) * len(columns), defects.missing_cells, replace=False):
        lines.append((clean[cell // len(columns)], "missing cell", book.items[cell % len(columns)], np.nan))
    for row, _, code, value in lines:
        if code:
            answers[row, at[code]] = value
    frame = pd.DataFrame(lines, columns=PLANTED).astype({"row": int, "value": float})
    frame["row"] += FIRST_ROW
    return frame.sort_values(["row", "item"], ignore_index=True)


@dataclass(frozen=True)
class Departures:
    """How the answers depart from the model that is fitted to them; by default they do not.

    Parameters
    ----------
    skew : float
        Every latent answer is cut so many standard deviations lower, so that answers pile up at the top.
    cross_loading : float
        Of the first item of every construct on the next construct of the codebook.
    method : float
        Loading of every answer, as given before reverse-keyed items are turned, on a method factor of its own.
    missing : float
        Share of the items' cells that are empty, from 0 to below 1.
    missing_slope : float
        Of the probit of an empty cell on its latent answer: 0 is at random, above 0 high answers go missing.
    careless : float
        Chance that a respondent answers all items at random, from 0 to 1; checks are passed and time is taken, so
        that screening does not see it.
    """

    skew: float = 0.0
    cross_loading: float = 0.0
    method: float = 0.0
    missing: float = 0.0
    missing_slope: float = 0.0
    careless: float = 0.0

    def __post_init__(self) -> None:
        for each in fields(self):
            require(np.isfinite(getattr(self, each.name)), f"departure {each.name}", getattr(self, each.name),
                    "a finite number")  # fmt: skip
        require(0 <= self.missing < 1, "departure missing", self.missing, "a share from 0 to 1")
        require(0 <= self.careless <= 1, "departure careless", self.careless, "a share from 0 to 1")


@dataclass(frozen=True)
class Sample:
    """Drawn respondents, the truth they came from and what was planted.

    ``cells`` is the table as a file would hold it, out-of-range codes and durations included. ``planted`` has one line
    a defect: row (as in ``Responses``), defect, item, value. ``responses`` is ``cells`` read like any file.
    """

    cells: pd.DataFrame
    truth: Truth
    planted: pd.DataFrame
    seed: int | None
    departures: Departures = Departures()

    @cached_property
    def responses(self) -> Responses:
        """The sample as `read_responses` would return it, wrong answers recorded."""
        table = RawTable(
            "synthetic.csv", tuple(self.cells.columns), tuple(self.cells.index),
            tuple(self.cells[name].to_numpy(object, na_value=None) for name in self.cells), "utf-8",
        )  # fmt: skip
        return responses_of(table, self.truth.codebook, invalid="record")

    def write(self, folder: str | Path) -> list[Path]:
        """Write sample.csv, planted.csv and truth.json side by side."""
        folder, truth = Path(folder), self.truth
        stated = {"basis": BASIS, "codebook": truth.codebook.name, "seed": self.seed, "nobs": len(self.cells),
                  "loading": truth.loading, "correlation": truth.correlation, "spread": truth.spread,
                  "seconds": truth.seconds, "paths": truth.paths, "moderations": truth.moderations,
                  "differences": truth.differences, "contact": truth.contact and asdict(truth.contact),
                  "departures": asdict(self.departures), "population": truth.population().split("\n")}  # fmt: skip
        text = json.dumps(stated, indent=1, ensure_ascii=False) + "\n"
        return [
            write_csv(self.cells, folder / "sample.csv"),
            write_csv(self.planted, folder / "planted.csv"),
            write_whole(folder / "truth.json", text.encode()),
        ]


def draw_respondents(
    truth: Truth,
    nobs: int,
    *,
    departures: Departures | None = None,
    defects: Defects | None = None,
    seed: int | None = None,
) -> Sample:
    """Draw respondents from a stated truth.

    Items are cut from normal latent answers; checks are passed; controls are drawn evenly over their labels, counted
    numbers from a Poisson distribution with a twentieth of the scale's highest code as its mean, both apart from the
    constructs unless the truth states a contact curve.

    Parameters
    ----------
    truth : Truth
        Loadings, paths and cuts to draw from.
    nobs : int
        Respondents.
    departures, defects : optional
        How the answers depart from the truth's model, and what careless respondents do; by default neither.
    seed : int, optional
        Of the draws.

    Raises
    ------
    ParameterError
        When there are fewer respondents or cells than the defects need, no check to fail, or an item without variance.

    Examples
    --------
    >>> from surveysem import TEMPLATE, load_codebook
    >>> sample = draw_respondents(Truth(load_codebook(TEMPLATE)), 80, defects=Defects(speeders=2), seed=1)
    >>> sample.cells.attrs["basis"], len(sample.planted)
    ('synthetic sample', 2)
    """
    book = truth.codebook
    departures, defects = departures or Departures(), defects or Defects()
    require(isinstance(nobs, int) and nobs > 0, "nobs", nobs, "a whole number from 1")
    require(seed is None or seed >= 0, "seed", seed, "a whole number from 0")
    book.needs_ranges()
    rng = np.random.default_rng(seed)
    answers = np.empty((nobs, len(book.questions)))
    at = {item.code: k for k, item in enumerate(book.questions)}
    for item in book.questions:
        if item.role != "item":
            answers[:, at[item.code]] = item.expected if item.role == "check" else _control(item, nobs, rng)
    group = answers[:, at[book.group]] - book.by_code[book.group].scale.low if book.group else np.zeros(nobs)
    constructs = draw_constructs(truth, group, rng)
    answers[:, [at[code] for code in book.items]] = _items(truth, departures, constructs, rng)
    if truth.contact and (codes := book.contact):
        answers[:, [at[codes.frequency], at[codes.outcome]]] = _contacts(truth.contact, book, codes, constructs, rng)
    duration = np.round(len(book.questions) * truth.seconds * np.exp(0.2 * rng.standard_normal(nobs)), 1)
    planted = _plant(answers, duration, book, defects, rng)
    return Sample(_cells(answers, duration, book), truth, planted, seed, departures)


def draw_constructs(truth: Truth, group: Array, rng: Generator) -> dict[str, Array]:
    """Draw the constructs in causal order, each from its terms and a disturbance.

    Parameters
    ----------
    group : array, shape (N,)
        Number of each respondent's group, from 0; only read where groups differ.
    """
    first = truth.structures[0]
    names = [name for name in truth.codebook.scales if name not in first.terms]
    r, common = truth.correlation, rng.standard_normal(len(group))
    drawn = {name: np.sqrt(r) * common + np.sqrt(1 - r) * rng.standard_normal(len(group)) for name in names}
    for outcome in first.terms:
        drawn[outcome] = rng.standard_normal(len(group))
        for k, structure in enumerate(truth.structures):
            rows = group == k if len(truth.structures) > 1 else slice(None)
            explained = sum(b * _term(term, drawn, structure.covariance, rows)
                            for term, b in structure.terms[outcome].items())  # fmt: skip
            drawn[outcome][rows] = explained + np.sqrt(structure.disturbances[outcome]) * drawn[outcome][rows]
    return drawn


def _term(term: str, drawn: dict[str, Array], S: pd.DataFrame, rows: Array | slice) -> Array:
    """Return a construct, or a product about its mean, which is the covariance of its factors."""
    if "*" not in term:
        return drawn[term][rows]
    a, b = factors(term)
    return drawn[a][rows] * drawn[b][rows] - S.at[a, b]


def _items(truth: Truth, departures: Departures, constructs: dict[str, Array], rng: Generator) -> Array:
    """Return the answers to the items: latent answers of variance 1, cut, some of them lost."""
    items = [item for item in truth.codebook.questions if item.role == "item"]
    L, names = _loadings(truth, departures), list(truth.codebook.scales)
    S = truth.pooled.covariance.loc[names, names].to_numpy()
    left = 1 - ((L @ S) * L).sum(1) - departures.method**2
    if left.min() < 0:  # zero is what a single item stated to be without error leaves
        raise ParameterError(f"the departures explain all the variance of {items[left.argmin()].code}; "
                             "allowed: loadings that leave some.")  # fmt: skip
    F = np.column_stack([constructs[name] for name in names])
    errors = rng.standard_normal((len(F), len(items)))
    for name in truth.codebook.composites:  # the sum of its items has no error
        own = [k for k, item in enumerate(items) if item.construct == name]
        errors[:, own] -= errors[:, own].mean(1, keepdims=True)
        errors[:, own] *= np.sqrt(len(own) / (len(own) - 1))
    latent = F @ L.T + np.sqrt(left) * errors
    if departures.method:
        turn = np.array([-1.0 if item.reverse else 1.0 for item in items])
        latent += departures.method * turn * rng.standard_normal((len(F), 1))
    codes = np.column_stack([_cut(latent[:, k], item, truth.spread, departures.skew) for k, item in enumerate(items)])
    if departures.careless:
        careless = rng.random(len(F)) < departures.careless
        low, high = ([getattr(item.scale, end) for item in items] for end in ("low", "high"))
        codes[careless] = rng.integers(low, np.add(high, 1), (careless.sum(), len(items)))
    if departures.missing:
        slope = departures.missing_slope
        tendency = (slope * latent + rng.standard_normal(latent.shape)) / np.sqrt(1 + slope**2)
        codes[tendency > special.ndtri(1 - departures.missing)] = np.nan
    return codes


def _loadings(truth: Truth, departures: Departures) -> Array:
    """Return the loadings of every item, in the order asked, on every construct."""
    book = truth.codebook
    at, firsts = list(book.scales), {codes[0] for codes in book.scales.values()}
    L = np.zeros((len(book.items), len(at)))
    for row, code in zip(L, book.items, strict=True):
        own = at.index(book.by_code[code].construct)
        row[own] = truth.loadings[at[own]]
        row[(own + 1) % len(at)] += departures.cross_loading * (code in firsts)
    return L


def _cut(latent: Array, item: Item, spread: float, skew: float) -> Array:
    low, high = item.scale.low, item.scale.high
    cuts = np.linspace(-spread, spread, high - low) if high - low > 1 else np.zeros(1)
    codes = low + np.searchsorted(cuts - skew, latent)
    return (low + high - codes if item.reverse else codes).astype(float)


def _control(item: Item, nobs: int, rng: Generator) -> Array:
    low, high = item.scale.low, item.scale.high
    return rng.integers(low, high + 1, nobs) if item.scale.en else np.clip(rng.poisson(high / 20, nobs), low, high)


def _contacts(
    curve: ContactCurve, book: Codebook, codes: Contact, constructs: dict[str, Array], rng: Generator
) -> Array:
    """Return contacts and orders, shape (N, 2)."""
    nobs = len(next(iter(constructs.values())))
    contacts = _bounded(_counts(np.full(nobs, curve.contacts), curve.overdispersion, rng), book, codes.frequency)
    rate = np.exp(curve.log_rate(contacts, constructs[curve.driver] if curve.driver else 0.0))
    return np.column_stack([contacts, _bounded(_counts(rate, curve.dispersion, rng), book, codes.outcome)])


def _counts(rate: Array, dispersion: float, rng: Generator) -> Array:
    """Draw counts of variance rate + dispersion rate^2: a Poisson whose rate is itself gamma."""
    return rng.poisson(rate * rng.gamma(1 / dispersion, dispersion, len(rate)) if dispersion else rate)


def _bounded(counts: Array, book: Codebook, code: str) -> Array:
    return np.clip(counts, book.by_code[code].scale.low, book.by_code[code].scale.high)


def _cells(answers: Array, duration: Array, book: Codebook) -> pd.DataFrame:
    empty = np.isnan(answers)
    whole = np.where(empty, 0, answers).astype(np.int64)
    columns = {item.code: pd.arrays.IntegerArray(whole[:, k].copy(), empty[:, k].copy())
               for k, item in enumerate(book.questions)}  # fmt: skip
    index = pd.RangeIndex(FIRST_ROW, FIRST_ROW + len(answers), name="row")
    cells = pd.DataFrame({**columns, "duration": duration, "basis": BASIS}, index=index)
    cells.attrs["basis"] = BASIS
    return cells


FROM_ZERO = Field(lambda value: type(value) is int and value >= 0, "a whole number from 0")
SHAPE = {"nobs": COUNT, "seed": FROM_ZERO, "measurement": TABLE, "paths": TABLE}
MORE = dict.fromkeys(("moderation", "differences", "contact", "defects"), TABLE)
MEASUREMENT = dict.fromkeys(("loading", "correlation", "spread", "seconds"), NUMBER)
CONTACT = {each.name: TEXT if each.name == "driver" else NUMBER for each in fields(ContactCurve)}
DEFECTS = {each.name: FROM_ZERO for each in fields(Defects)}
EFFECTS = Field(
    lambda value: isinstance(value, dict) and all(map(NUMBER.holds, value.values())),
    "a table of numbers, one a predictor",
)


def read_truth(path: str | Path, codebook: Codebook) -> Truth:
    """Return what a toml file states to be true of respondents to a codebook.

    Its tables are ``measurement``, ``paths``, and optionally ``moderation``, ``differences`` and ``contact``, with the
    names of :class:`Truth` and :class:`ContactCurve`.

    Raises
    ------
    DataError
        When the file cannot be read or breaks this form.
    ParameterError, UnknownNameError
        When what it states cannot be true of the codebook.
    """
    raw = _stated(path)
    return Truth(
        codebook,
        raw["paths"],
        **raw["measurement"],
        moderations=raw.get("moderation", {}),
        differences=raw.get("differences", {}),
        contact=ContactCurve(**raw["contact"]) if "contact" in raw else None,
    )


def draw_stated(path: str | Path, codebook: Codebook, *, nobs: int | None = None, seed: int | None = None) -> Sample:
    """Draw the respondents that a toml file states; see :func:`read_truth`.

    Parameters
    ----------
    nobs, seed : int, optional
        In place of those stated. The table ``defects`` says what to plant, with the names of :class:`Defects`.
    """
    raw = _stated(path)
    return draw_respondents(
        read_truth(path, codebook),
        raw["nobs"] if nobs is None else nobs,
        defects=Defects(**raw.get("defects", {})),
        seed=raw["seed"] if seed is None else seed,
    )


def _stated(path: str | Path) -> dict[str, Any]:
    """Return the file's tables, each of the form declared."""
    name = f"truth {named(Path(path).name)}"
    raw = check(DataError, name, read_toml(path, DataError), SHAPE, MORE)
    for key, known in (("measurement", MEASUREMENT), ("contact", CONTACT), ("defects", DEFECTS)):
        check(DataError, f"{name}, {key}", raw.get(key, {}), {}, known)
    for key in ("paths", "moderation", "differences"):
        check(DataError, f"{name}, {key}", table := raw.get(key, {}), {}, dict.fromkeys(table, EFFECTS))
    return raw
