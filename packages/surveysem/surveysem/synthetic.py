"""Drawn respondents: answers from a truth stated before anyone is drawn, with defects planted and recorded.

The truth is a structural model, kept beside the sample, and says what a test should find. Drawn respondents prove that
a method recovers what was put in, never anything about people: the table says "synthetic sample".
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from nbproof import read_toml, write_whole
from nbproof.shapes import COUNT, NUMBER, TABLE, TEXT, Field, check
from surveysem.codebook import Codebook, Item
from surveysem.errors import DataError, ParameterError, named, require, require_known
from surveysem.responses import Responses, responses_of
from surveysem.tables import RawTable, write_csv

PLANTED = ["row", "defect", "item", "value"]
FIRST_ROW = 2  # of a file whose heading is row 1
BASIS = "synthetic sample"
Array = np.ndarray
Generator = np.random.Generator
ENDS = (0.05, 0.95)  # of the contacts, where the slopes are read
Effects = Mapping[str, Mapping[str, float]]


def factors(term: str) -> list[str]:
    """Return the constructs a term multiplies.

    >>> factors("welcome * age"), factors("welcome")
    (['welcome', 'age'], ['welcome'])
    """
    return [name.strip() for name in term.split("*")]


@dataclass(frozen=True)
class ContactCurve:
    """How orders depend on contacts: log rate = log(orders) - drop ((contacts - peak) / SD)^2 + slope driver.

    Parameters
    ----------
    contacts : float
        Mean number of contacts a week, above 0.
    overdispersion : float
        Of the contacts, from 0 (Poisson): SD^2 = contacts + overdispersion contacts^2.
    peak : float
        Contacts at which orders peak; beyond their range the curve only rises or only falls.
    drop : float
        Fall of the log rate one standard deviation of the contacts away from the peak; 0 is flat.
    orders : float
        Rate at the peak where the driver is at its mean, above 0.
    dispersion : float
        Of the orders, from 0 (Poisson): variance = rate + dispersion rate^2.
    driver : str
        A construct that the orders depend on too.
    slope : float
        Change of the log rate with a standard deviation of the driver.
    """

    contacts: float = 8.0
    overdispersion: float = 0.2
    peak: float = 8.0
    drop: float = 0.25
    orders: float = 4.0
    dispersion: float = 0.2
    driver: str = ""
    slope: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            require(name == "driver" or np.isfinite(value), f"contact {name}", value, "a finite number")
            require(name not in ("contacts", "orders") or value > 0, f"contact {name}", value, "a number above 0")
            require("dispersion" not in name or value >= 0, f"contact {name}", value, "a number from 0")

    @property
    def sd(self) -> float:
        """Standard deviation of the contacts."""
        return float(np.sqrt(self.contacts + self.overdispersion * self.contacts**2))

    def log_rate(self, contacts: np.ndarray, driver: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the log of the expected orders."""
        return np.log(self.orders) - self.drop * ((contacts - self.peak) / self.sd) ** 2 + self.slope * driver


@dataclass(frozen=True)
class Structure:
    """The model of one group: each outcome's terms and what they leave of its variance, in causal order.

    ``covariance`` is that of the constructs, all of variance 1, and of the products among the terms.
    """

    terms: dict[str, dict[str, float]]
    disturbances: dict[str, float]
    covariance: pd.DataFrame


@dataclass(frozen=True)
class Truth:
    """A standardised population: constructs and latent answers have mean 0 and variance 1, in every group.

    Parameters
    ----------
    effects : mapping
        Outcome -> predictor -> standardised path; by default .25 in the direction of every path of the codebook.
    loading : float
        Of every item on its construct, and of a dimension on its construct of second order, in (0, 1).
    correlation : float
        Between constructs that depend on none, in [0, 1).
    spread : float
        Latent answers are cut at equal distances between -spread and spread standard deviations.
    seconds : float
        Median time a question; durations are lognormal with a standard deviation of .2 on the log scale.
    moderations : mapping
        Outcome -> "predictor * moderator" -> by how much the path grows with a standard deviation of the moderator.
        Neither factor may depend on a moderated outcome.
    differences : mapping
        Outcome -> predictor -> by how much the path is larger in every group but the first of the codebook's.
    contact : ContactCurve, optional
        Of the codebook's contacts and orders; without it both are drawn apart from everything.
    """

    codebook: Codebook
    effects: Effects | None = None
    loading: float = 0.75
    correlation: float = 0.3
    spread: float = 1.5
    seconds: float = 6.0
    moderations: Effects = field(default_factory=dict)
    differences: Effects = field(default_factory=dict)
    contact: ContactCurve | None = None

    def __post_init__(self) -> None:
        require(0 < self.loading < 1, "loading", self.loading, "a number between 0 and 1")
        require(0 <= self.correlation < 1, "correlation", self.correlation, "a number from 0 to below 1")
        for name in ("spread", "seconds"):
            require(0 < getattr(self, name) < np.inf, name, getattr(self, name), "a finite number above 0")
        constructs = self.codebook.scales
        for outcome, predictors in self.paths.items():
            require_known("construct", constructs, outcome, *predictors)
        for outcome, products in self.moderations.items():
            for term in products:
                require_known("construct", constructs, outcome, *factors(term))
                apart = len({outcome, *factors(term)}) == 3
                require(apart, f"moderation of {outcome}", term, "'predictor * moderator'")
        for outcome, more in self.differences.items():
            require_known(f"path to {outcome}", self.paths.get(outcome, {}), *more)
        if any(self.differences.values()) and not self.codebook.group:
            raise ParameterError("groups differ, but the codebook names no group; allowed: no difference.")
        if self.contact and not self.codebook.contact:
            raise ParameterError("a contact curve is given, but the codebook names no contact; allowed: none.")
        if self.contact and self.contact.driver:
            require_known("construct", constructs, self.contact.driver)
        for left in (structure.disturbances for structure in self.structures):
            least = min(left, key=left.__getitem__, default="")
            if least and left[least] <= 0:
                said = f"the effects on {least} explain all its variance"
                raise ParameterError(f"{said}; allowed: effects that leave some.")

    @cached_property
    def loadings(self) -> dict[str, float]:
        """Of every construct's items: as stated, of a single item the root of its reliability."""
        return {
            each.name: self.loading if len(each.items) != 1 else float(np.sqrt(each.reliability))
            for each in self.codebook.constructs
        }

    @cached_property
    def dimensions(self) -> dict[str, dict[str, float]]:
        """What a dimension is of its construct of second order: dimension -> construct -> loading."""
        second = self.codebook.second_order
        return {part: {name: self.loading} for name, parts in second.items() for part in parts}

    @cached_property
    def paths(self) -> dict[str, dict[str, float]]:
        """The paths in force, with groups those of the first."""
        if self.effects is not None:
            return {outcome: dict(predictors) for outcome, predictors in self.effects.items()}
        paths: dict[str, dict[str, float]] = {}
        for path in self.codebook.paths:
            paths.setdefault(path.outcome, {})[path.predictor] = 0.25 * path.direction
        return paths

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        """The model of every group; a single one where groups do not differ."""
        first = self._structure(self.paths)
        if not any(self.differences.values()):
            return (first,)
        scale = self.codebook.by_code[self.codebook.group].scale
        others = {
            outcome: {name: b + self.differences.get(outcome, {}).get(name, 0.0) for name, b in predictors.items()}
            for outcome, predictors in self.paths.items()
        }
        return (first, *[self._structure(others)] * (scale.high - scale.low))

    def _structure(self, paths: Effects) -> Structure:
        """Extend the covariance matrix by one outcome after the other, and between them by the products."""
        paths = {**paths, **self.dimensions}
        terms = {outcome: {**paths.get(outcome, {}), **self.moderations.get(outcome, {})}
                 for outcome in dict.fromkeys([*paths, *self.moderations])}  # fmt: skip
        outside = [name for name in self.codebook.scales if name not in terms]
        r = self.correlation
        S = pd.DataFrame(r + (1 - r) * np.eye(len(outside)), outside, outside)
        normal, moderated = self._order(terms)
        left: dict[str, float] = {}
        products = [term for outcome in moderated for term in self.moderations.get(outcome, {})]
        for outcome in [*normal, *moderated]:
            S = _with_products(S, products) if outcome in moderated[:1] else S
            S, left[outcome] = _with_outcome(S, outcome, terms[outcome])
        return Structure({outcome: terms[outcome] for outcome in left}, left, S)

    def _order(self, terms: Effects) -> tuple[list[str], list[str]]:
        """Return outcomes in causal order: the normal ones, then those a product leads to, straight or round about."""
        causes = {outcome: {name for term in given for name in factors(term)} for outcome, given in terms.items()}
        try:
            order = [name for name in TopologicalSorter(causes).static_order() if name in terms]
        except CycleError as circle:
            through = ", ".join(name for name in terms if name in circle.args[1])
            raise ParameterError(f"the effects run in a circle through {through}; allowed: no circle.") from None
        moderated: list[str] = []
        for outcome in order:
            products = {name for term in self.moderations.get(outcome, {}) for name in factors(term)}
            if products & set(moderated):
                raise ParameterError(f"moderation of {outcome}: {min(products & set(moderated))} is moderated itself; "
                                     "allowed: factors that are not.")  # fmt: skip
            if products or causes[outcome] & set(moderated):
                moderated.append(outcome)
        return [outcome for outcome in order if outcome not in moderated], moderated

    @cached_property
    def pooled(self) -> Structure:
        """The model that holds over all respondents, groups of equal size taken together.

        With groups that differ, its paths are the least-squares weights at the mean of the groups' covariances.
        """
        first = self.structures[0]
        if len(self.structures) == 1:
            return first
        S = sum(structure.covariance for structure in self.structures) / len(self.structures)
        terms, left = {}, {}
        for outcome, given in first.terms.items():
            names = list(given)
            b = np.linalg.solve(S.loc[names, names], S.loc[names, outcome])
            terms[outcome] = dict(zip(names, b.tolist(), strict=True))
            left[outcome] = float(1 - b @ S.loc[names, outcome])
        return Structure(terms, left, S)

    def draw_items(self, constructs: Mapping[str, Array], rng: Generator) -> Array:
        """Draw the answers to the items, shape (N, items): latent answers of variance 1, cut.

        What draws respondents calls this: answers that depart from the model are those of a truth that overrides it.
        """
        own = [self.codebook.by_code[code].construct for code in self.codebook.items]
        loadings = np.array([self.loadings[name] for name in own])
        F = np.column_stack([constructs[name] for name in own])
        return cut_answers(self, loadings * F + np.sqrt(1 - loadings**2) * draw_errors(self, len(F), rng))

    def population(self) -> str:
        """Return the model of the latent answers as `sem.simulate` reads it, a number before every variable.

        It has no products: what they explain stands among the disturbances. With groups it is that of the first.
        """
        S, lines = self.structures[0].covariance, []
        for construct in self.codebook.constructs:
            name, loading = construct.name, self.loadings[construct.name]
            measures = construct.dimensions or construct.codes
            lines.append(f"{name} =~ {' + '.join(f'{loading!r}*{code}' for code in measures)}")
            lines += [f"{code} ~~ {1 - loading**2!r}*{code}" for code in construct.codes]
            if construct.kind == "composite":  # the sum of whose items holds no error: these add up to zero
                shared = (loading**2 - 1) / (len(construct.codes) - 1)
                lines += [f"{one} ~~ {shared!r}*{other}" for one, other in combinations(construct.codes, 2)]
            b = pd.Series({**self.paths, **self.dimensions}.get(name, {}), dtype=float)
            lines.append(f"{name} ~~ {float(1 - b @ S.loc[b.index, b.index] @ b)!r}*{name}")
        outside = [name for name in self.codebook.scales if name not in self.structures[0].terms]
        for k, name in enumerate(outside):
            lines += [f"{name} ~~ {self.correlation!r}*{other}" for other in outside[k + 1 :]]
        for outcome, predictors in self.paths.items():
            lines.append(f"{outcome} ~ {' + '.join(f'{float(b)!r}*{name}' for name, b in predictors.items())}")
        return "\n".join(lines)


def _with_outcome(S: pd.DataFrame, outcome: str, terms: Mapping[str, float]) -> tuple[pd.DataFrame, float]:
    """Return the covariances with an outcome of variance 1, and what its terms leave: 1 - b' S b."""
    b = pd.Series(terms, dtype=float)
    with_others = S[b.index] @ b
    return _bordered(S, outcome, with_others.to_numpy(), 1.0), float(1 - b @ with_others[b.index])


def _with_products(S: pd.DataFrame, products: list[str]) -> pd.DataFrame:
    """Return the covariances with products of normal constructs about their mean.

    cov(ab, c) = 0 and cov(ab, cd) = cov(a, c) cov(b, d) + cov(a, d) cov(b, c): Isserlis (1918),
    doi:10.1093/biomet/12.1-2.134.
    """
    for term in dict.fromkeys(products):
        a, b = factors(term)
        others = np.zeros(len(S))
        for k, name in enumerate(S):
            if "*" in name:
                c, d = factors(name)
                others[k] = S.loc[a, c] * S.loc[b, d] + S.loc[a, d] * S.loc[b, c]
        S = _bordered(S, term, others, 1 + S.loc[a, b] ** 2)
    return S


def _bordered(S: pd.DataFrame, name: str, others: np.ndarray, own: float) -> pd.DataFrame:
    names = [*S.columns, name]
    return pd.DataFrame(np.block([[S.to_numpy(), others[:, None]], [others[None], np.array([[own]])]]), names, names)


def true_values(truth: Truth, answers: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the truth of every path, indirect effect, moderation, group difference and of the contact curve.

    Parameters
    ----------
    truth : Truth
        What the respondents were drawn from.
    answers : pandas.DataFrame, optional
        The respondents analysed: the contact curve is then read at their own percentiles, otherwise at those of all
        that could be drawn.

    Returns
    -------
    pandas.DataFrame
        kind, outcome, predictor, moderator, value. "path": standardised, over all groups. "indirect": of each
        strategy on each outcome of the codebook, sum over its ways of the products of their paths, less the path that
        leads there straight. "moderation": change of the path, in standard deviations of the outcome per one of the
        predictor, with one standard deviation of the moderator (Wen, Marsh & Hau 2010,
        doi:10.1080/10705510903438872); 0 where the truth states none. "difference": of a path between the other
        groups and the first. "contact": see `contact_truth`.

    Examples
    --------
    >>> from surveysem import TEMPLATE, load_codebook
    >>> found = true_values(Truth(load_codebook(TEMPLATE))).set_index(["kind", "outcome", "predictor"])["value"]
    >>> float(found["indirect", "revisit", "welcome"])  # welcome -> enjoyment -> revisit
    0.0625
    """
    book, pooled, lines = truth.codebook, truth.pooled, list[tuple[object, ...]]()
    moderations: dict[tuple[str, ...], float] = {(m.outcome, m.predictor, m.moderator): 0.0 for m in book.moderations}
    for outcome, terms in pooled.terms.items():
        for term, b in terms.items() if outcome not in truth.dimensions else ():
            predictor, *moderator = factors(term)
            if moderator:
                moderations[outcome, predictor, *moderator] = b
            else:
                lines.append(("path", outcome, predictor, "", b))
    names, unit = [*book.scales], np.eye(len(book.scales))
    B = pd.DataFrame(pooled.terms).T.reindex(index=names, columns=names).fillna(0.0)
    effects = pd.DataFrame(np.linalg.inv(unit - B) - unit, names, names)  # total ones: Bollen 1987, doi:10.2307/271028
    for outcome in book.outcomes:
        for strategy in book.strategies:
            straight = pooled.terms.get(outcome, {}).get(strategy, 0.0)
            lines.append(("indirect", outcome, strategy, "", effects.at[outcome, strategy] - straight))
    lines += [("moderation", *names, value) for names, value in moderations.items()]
    if book.group:
        for outcome, predictors in truth.paths.items():
            more = truth.differences.get(outcome, {})
            lines += [("difference", outcome, name, "", more.get(name, 0.0)) for name in predictors]
    if truth.contact and (codes := book.contact):
        contacts = None if answers is None else answers[codes.frequency].to_numpy(float)
        lines.append(("contact", codes.outcome, codes.frequency, "", contact_truth(truth.contact, contacts)))
    return pd.DataFrame(lines, columns=["kind", "outcome", "predictor", "moderator", "value"])


def contact_truth(curve: ContactCurve, contacts: np.ndarray | None = None) -> float:
    """Return the smaller of the slope at few contacts and minus the slope at many: above 0 for an inverted U.

    Slopes are those of the log rate, at the 5th and the 95th percentile of the contacts, each times one standard
    deviation of the contacts: what a Poisson or negative binomial regression of the orders on the contacts and their
    square estimates. What the orders depend on apart from the contacts does not change them.

    Parameters
    ----------
    contacts : array, optional
        Of the respondents analysed, nan where missing; otherwise percentiles and deviation are the distribution's.

    References
    ----------
    Lind & Mehlum (2010), doi:10.1111/j.1468-0084.2009.00569.x.

    Examples
    --------
    >>> contact_truth(ContactCurve(peak=5.0, drop=0.25), [1.0, 3.0, 5.0, 7.0, 9.0]) > 0
    True
    """
    if contacts is None:
        low, high = stats.poisson.ppf(ENDS, curve.contacts)
        if curve.overdispersion:
            spread = 1 + curve.overdispersion * curve.contacts
            low, high = stats.nbinom.ppf(ENDS, 1 / curve.overdispersion, 1 / spread)
        sd = curve.sd
    else:
        given = np.asarray(contacts, dtype=float)
        given = given[np.isfinite(given)]
        (low, high), sd = np.quantile(given, ENDS), given.std(ddof=1)
    first, last = (-2 * curve.drop * (end - curve.peak) / curve.sd**2 * sd for end in (low, high))
    return float(min(first, -last))


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
        for name, value in vars(self).items():
            require(isinstance(value, int) and value >= 0, f"defect {name}", value, "a whole number from 0")


def _plant(answers: Array, duration: Array, book: Codebook, defects: Defects, rng: Generator) -> pd.DataFrame:
    """Change answers (respondents x questions) and seconds in place, and return a line for each defect."""
    at = {item.code: k for k, item in enumerate(book.questions)}
    columns = [at[code] for code in book.items]
    checks = [item for item in book.questions if item.role == "check"]
    require(checks or not defects.failed_checks, "defect failed_checks", defects.failed_checks, "0, there is no check")
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
            tuple(self.cells[name].to_numpy(object, na_value=None) for name in self.cells), "utf-8",
        )  # fmt: skip
        return responses_of(table, self.truth.codebook, invalid="record")

    def write(self, folder: str | Path) -> list[Path]:
        """Write sample.csv, planted.csv and truth.json side by side."""
        folder, truth = Path(folder), self.truth
        stated: dict[str, Any] = {"basis": BASIS, "codebook": truth.codebook.name, "seed": self.seed}
        stated["nobs"] = len(self.cells)
        stated |= {name: getattr(truth, name) for name in (*MEASUREMENT, "paths", "moderations", "differences")}
        stated["contact"] = truth.contact and asdict(truth.contact)
        stated["population"] = truth.population().split("\n")
        text = json.dumps(stated, indent=1, ensure_ascii=False) + "\n"
        return [
            write_csv(self.cells, folder / "sample.csv"),
            write_csv(self.planted, folder / "planted.csv"),
            write_whole(folder / "truth.json", text.encode()),
        ]


def draw_respondents(truth: Truth, nobs: int, *, defects: Defects | None = None, seed: int | None = None) -> Sample:
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
    defects : Defects, optional
        What careless respondents do; by default nothing.
    seed : int, optional
        Of the draws.

    Raises
    ------
    ParameterError
        When there are fewer respondents or cells than the defects need, or no check to fail.

    Examples
    --------
    >>> from surveysem import TEMPLATE, load_codebook
    >>> sample = draw_respondents(Truth(load_codebook(TEMPLATE)), 80, defects=Defects(speeders=2), seed=1)
    >>> sample.cells.attrs["basis"], len(sample.planted)
    ('synthetic sample', 2)
    """
    book = truth.codebook
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
    answers[:, [at[code] for code in book.items]] = truth.draw_items(constructs, rng)
    if truth.contact and (codes := book.contact):
        counted = [book.by_code[code] for code in (codes.frequency, codes.outcome)]
        answers[:, [at[item.code] for item in counted]] = _contacts(truth.contact, counted, constructs, rng)
    duration = np.round(len(book.questions) * truth.seconds * np.exp(0.2 * rng.standard_normal(nobs)), 1)
    planted = _plant(answers, duration, book, defects or Defects(), rng)
    return Sample(_cells(answers, duration, book), truth, planted, seed)


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


def draw_errors(truth: Truth, nobs: int, rng: Generator) -> Array:
    """Draw the items' errors, of variance 1, shape (N, items); a composite's, the sum of its items, add up to zero."""
    book = truth.codebook
    errors = rng.standard_normal((nobs, len(book.items)))
    for name in book.composites:
        own = [k for k, code in enumerate(book.items) if book.by_code[code].construct == name]
        errors[:, own] -= errors[:, own].mean(1, keepdims=True)
        errors[:, own] *= np.sqrt(len(own) / (len(own) - 1))
    return errors


def cut_answers(truth: Truth, latent: Array) -> Array:
    """Return the codes of latent answers to the items, shape (N, items), reverse-scored ones as they are given."""
    codes = np.empty_like(latent)
    for k, code in enumerate(truth.codebook.items):
        item = truth.codebook.by_code[code]
        low, high = item.scale.low, item.scale.high
        cuts = np.linspace(-truth.spread, truth.spread, high - low) if high - low > 1 else np.zeros(1)
        codes[:, k] = low + np.searchsorted(cuts, latent[:, k])
        if item.reverse:
            codes[:, k] = low + high - codes[:, k]
    return codes


def _control(item: Item, nobs: int, rng: Generator) -> Array:
    low, high = item.scale.low, item.scale.high
    return rng.integers(low, high + 1, nobs) if item.scale.en else _counts(np.full(nobs, high / 20), 0.0, item, rng)


def _contacts(curve: ContactCurve, counted: list[Item], constructs: dict[str, Array], rng: Generator) -> Array:
    """Return contacts and orders, shape (N, 2)."""
    nobs, (frequency, outcome) = len(next(iter(constructs.values()))), counted
    contacts = _counts(np.full(nobs, curve.contacts), curve.overdispersion, frequency, rng)
    rate = np.exp(curve.log_rate(contacts, constructs[curve.driver] if curve.driver else 0.0))
    return np.column_stack([contacts, _counts(rate, curve.dispersion, outcome, rng)])


def _counts(rate: Array, dispersion: float, item: Item, rng: Generator) -> Array:
    """Draw counts of variance rate + dispersion rate^2, a Poisson whose rate is itself gamma, on an item's scale."""
    drawn = rng.poisson(rate * rng.gamma(1 / dispersion, dispersion, len(rate)) if dispersion else rate)
    return np.clip(drawn, item.scale.low, item.scale.high)


def _cells(answers: Array, duration: Array, book: Codebook) -> pd.DataFrame:
    index = pd.RangeIndex(FIRST_ROW, FIRST_ROW + len(answers), name="row")
    cells = pd.DataFrame(answers, index, [*book.by_code]).astype("Int64").assign(duration=duration, basis=BASIS)
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
