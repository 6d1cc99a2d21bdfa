"""Drawn respondents: answers from a stated truth, kept beside the sample, with defects planted and recorded.

They prove that a method recovers what was put in, never anything about people: the table says "synthetic sample".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.sem import simulate
from socialcommerce.survey.codebook import Codebook, Item
from socialcommerce.survey.export import write_csv, write_whole
from socialcommerce.survey.matching import match
from socialcommerce.survey.responses import Responses, responses_of
from socialcommerce.survey.tables import RawTable

__all__ = ["Defects", "Sample", "Truth", "draw_respondents"]

BASIS = "synthetic sample"
PLANTED = ["row", "defect", "item", "value"]
Generator = np.random.Generator


@dataclass(frozen=True)
class Truth:
    """A standardised population: constructs and latent answers have variance 1.

    Parameters
    ----------
    effects : mapping
        Outcome -> predictor -> standardised path; by default .25 in the direction of every path of the codebook.
    loading : float
        Of every item on its construct, in (0, 1).
    correlation : float
        Between constructs that depend on none, in [0, 1).
    spread : float
        Latent answers are cut at equal distances between -spread and spread standard deviations.
    seconds : float
        Median time a question; durations are lognormal with a standard deviation of .2 on the log scale.
    """

    codebook: Codebook
    effects: Mapping[str, Mapping[str, float]] | None = None
    loading: float = 0.75
    correlation: float = 0.3
    spread: float = 1.5
    seconds: float = 6.0

    def __post_init__(self) -> None:
        if not 0 < self.loading < 1:
            raise ParameterError(f"loading is {self.loading!r}; allowed: a number between 0 and 1.")
        if not 0 <= self.correlation < 1:
            raise ParameterError(f"correlation is {self.correlation!r}; allowed: a number from 0 to below 1.")
        for name in ("spread", "seconds"):
            if not 0 < getattr(self, name) < np.inf:
                raise ParameterError(f"{name} is {getattr(self, name)!r}; allowed: a finite number above 0.")
        for outcome, predictors in self.paths.items():
            for name in (outcome, *predictors):
                if name not in self.codebook.scales:
                    raise UnknownNameError("construct", name, self.codebook.scales)
        if self.disturbances and min(self.disturbances.values()) <= 0:
            least = min(self.disturbances, key=self.disturbances.get)
            raise ParameterError(f"the effects on {least} explain all its variance; allowed: effects that leave some.")

    @cached_property
    def paths(self) -> dict[str, dict[str, float]]:
        """The effects in force."""
        if self.effects is not None:
            return {outcome: dict(predictors) for outcome, predictors in self.effects.items()}
        paths: dict[str, dict[str, float]] = {}
        for path in self.codebook.paths:
            paths.setdefault(path.outcome, {})[path.predictor] = 0.25 * path.direction
        return paths

    @cached_property
    def disturbances(self) -> dict[str, float]:
        """What each outcome's predictors leave of its variance: 1 - b' R b, R their correlations."""
        names = [name for name in self.codebook.scales if name not in self.paths]
        r, k = self.correlation, len(names)
        R = pd.DataFrame(r + (1 - r) * np.eye(k), names, names)
        waiting, left = dict(self.paths), {}
        while waiting:
            ready = [outcome for outcome, predictors in waiting.items() if set(predictors) <= set(R)]
            if not ready:
                raise ParameterError(f"the effects run in a circle through {', '.join(waiting)}; allowed: no circle.")
            b = pd.Series(waiting.pop(ready[0]), dtype=float)
            with_others = R[b.index] @ b
            left[ready[0]] = float(1 - b @ with_others[b.index])
            R[ready[0]] = with_others
            R.loc[ready[0]] = [*with_others, 1.0]
        return left

    def population(self) -> str:
        """Return the model of the latent answers as `sem.simulate` reads it, a number before every variable."""
        lines, outside = [], [name for name in self.codebook.scales if name not in self.paths]
        for name, codes in self.codebook.scales.items():
            lines.append(f"{name} =~ {' + '.join(f'{self.loading!r}*{code}' for code in codes)}")
            lines += [f"{code} ~~ {1 - self.loading**2!r}*{code}" for code in codes]
            lines.append(f"{name} ~~ {self.disturbances.get(name, 1.0)!r}*{name}")
        for k, name in enumerate(outside):
            lines += [f"{name} ~~ {self.correlation!r}*{other}" for other in outside[k + 1 :]]
        for outcome, predictors in self.paths.items():
            lines.append(f"{outcome} ~ {' + '.join(f'{float(b)!r}*{name}' for name, b in predictors.items())}")
        return "\n".join(lines)


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
            if not isinstance(value := getattr(self, each.name), int) or value < 0:
                raise ParameterError(f"defect {each.name} is {value!r}; allowed: a whole number from 0.")


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

    @cached_property
    def responses(self) -> Responses:
        """The sample as `read_responses` would return it, wrong answers recorded."""
        table = RawTable(
            "synthetic.csv", tuple(self.cells.columns), tuple(self.cells.index),
            tuple(self.cells[name].to_numpy(object, na_value=None) for name in self.cells), "csv", "utf-8",
        )  # fmt: skip
        return responses_of(table, self.truth.codebook, match(self.truth.codebook, table.headings), invalid="record")

    def write(self, folder: str | Path) -> list[Path]:
        """Write sample.csv, planted.csv and truth.json side by side."""
        folder = Path(folder)
        stated = {"basis": BASIS, "codebook": self.truth.codebook.name, "seed": self.seed, "nobs": len(self.cells),
                  "loading": self.truth.loading, "correlation": self.truth.correlation, "spread": self.truth.spread,
                  "seconds": self.truth.seconds, "paths": self.truth.paths,
                  "population": self.truth.population().split("\n")}  # fmt: skip
        text = json.dumps(stated, indent=1, ensure_ascii=False) + "\n"
        return [
            write_csv(self.cells, folder / "sample.csv"),
            write_csv(self.planted, folder / "planted.csv"),
            write_whole(folder / "truth.json", lambda path: path.write_text(text, encoding="utf-8")),
        ]


def draw_respondents(truth: Truth, nobs: int, *, defects: Defects | None = None, seed: int | None = None) -> Sample:
    """Draw respondents from a stated truth.

    Items are cut from normal latent answers; checks are passed; controls are drawn evenly over their labels, counted
    numbers from a Poisson distribution with a twentieth of the scale's highest code as its mean, both apart from the
    constructs.

    Raises
    ------
    ParameterError
        When there are fewer respondents than the defects need.

    Examples
    --------
    >>> from socialcommerce.survey import load_codebook
    >>> sample = draw_respondents(Truth(load_codebook()), 80, defects=Defects(speeders=2), seed=1)
    >>> sample.cells.attrs["basis"], len(sample.planted)
    ('synthetic sample', 2)
    """
    book, defects = truth.codebook, defects or Defects()
    if not isinstance(nobs, int) or nobs < 1:
        raise ParameterError(f"nobs is {nobs!r}; allowed: a whole number from 1.")
    latent_seed, seed_here = np.random.SeedSequence(seed).spawn(2)
    rng = np.random.default_rng(seed_here)
    latent = simulate(truth.population(), nobs, seed=latent_seed)
    columns = {item.code: _answers(item, latent, truth, nobs, rng) for item in book.questions}
    cells = pd.DataFrame(columns, index=pd.RangeIndex(2, nobs + 2, name="row")).astype("Int64")
    cells["duration"] = np.round(len(book.questions) * truth.seconds * np.exp(0.2 * rng.standard_normal(nobs)), 1)
    planted = _plant(cells, book, defects, rng)
    cells["basis"] = BASIS
    cells.attrs["basis"] = BASIS
    return Sample(cells, truth, planted, seed)


def _answers(item: Item, latent: pd.DataFrame, truth: Truth, nobs: int, rng: Generator) -> np.ndarray:
    low, high = item.scale.low, item.scale.high
    if item.role == "check":
        return np.full(nobs, item.expected)
    if item.role == "control":
        return rng.integers(low, high + 1, nobs) if item.scale.en else np.clip(rng.poisson(high / 20, nobs), low, high)
    cuts = np.linspace(-truth.spread, truth.spread, high - low) if high - low > 1 else [0.0]
    codes = low + np.searchsorted(cuts, latent[item.code])
    return low + high - codes if item.reverse else codes


def _plant(cells: pd.DataFrame, book: Codebook, defects: Defects, rng: Generator) -> pd.DataFrame:
    """Change the cells in place and return what was changed."""
    checks = [item for item in book.questions if item.role == "check"]
    if defects.failed_checks and not checks:
        raise ParameterError(f"defect failed_checks is {defects.failed_checks}; allowed: 0, there is no check.")
    counts = (defects.straight_liners, defects.speeders, defects.failed_checks, defects.out_of_range)
    needed = sum(counts) + 2 * defects.duplicates
    if needed > len(cells):
        raise ParameterError(f"the defects need {needed} respondents; got {len(cells)}.")
    order = rng.permutation(cells.index)
    straight, fast, failing, outside, pairs, clean = np.split(order, np.cumsum([*counts, 2 * defects.duplicates]))
    items, lines = book.items, []
    low = max(book.by_code[code].scale.low for code in items)
    high = min(book.by_code[code].scale.high for code in items)
    for row in straight:
        value = int(rng.integers(low, high + 1))
        cells.loc[row, items] = value
        lines.append((row, "straight-liner", "", value))
    for row in fast:
        cells.loc[row, "duration"] = round(0.5 * len(book.questions) * rng.uniform(0.5, 1.5), 1)
        lines.append((row, "speeder", "", cells.loc[row, "duration"]))
    for row in failing:
        item = checks[rng.integers(len(checks))]
        wrong = [code for code in range(item.scale.low, item.scale.high + 1) if code != item.expected]
        lines.append((row, "failed check", item.code, int(rng.choice(wrong))))
    for row in outside:
        item = book.by_code[items[rng.integers(len(items))]]
        lines.append((row, "out of range", item.code, item.scale.high + int(rng.integers(1, 4))))
    for pair in pairs.reshape(-1, 2):
        first, again = sorted(pair)
        cells.loc[again, list(book.by_code)] = cells.loc[first, list(book.by_code)]
        lines.append((again, "duplicate", "", first))
    if defects.missing_cells > len(clean) * len(items):
        raise ParameterError(f"{defects.missing_cells} missing cells; allowed: up to {len(clean) * len(items)}.")
    for cell in rng.choice(len(clean) * len(items), defects.missing_cells, replace=False):
        lines.append((clean[cell // len(items)], "missing cell", items[cell % len(items)], None))
    for row, _, code, value in lines:
        if code:
            cells.loc[row, code] = pd.NA if value is None else value
    frame = pd.DataFrame(lines, columns=PLANTED).astype({"row": int, "value": float})
    return frame.sort_values(["row", "item"], ignore_index=True)
