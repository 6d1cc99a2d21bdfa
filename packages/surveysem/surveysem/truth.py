"""What is true of drawn respondents: a structural model stated before anyone is drawn, and what a test should find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from surveysem.codebook import Codebook
from surveysem.errors import ParameterError, UnknownNameError, require

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
        for each in fields(self):
            value = getattr(self, each.name)
            require(each.name == "driver" or np.isfinite(value), f"contact {each.name}", value, "a finite number")
        for name in ("contacts", "orders"):
            require(getattr(self, name) > 0, f"contact {name}", getattr(self, name), "a number above 0")
        for name in ("overdispersion", "dispersion"):
            require(getattr(self, name) >= 0, f"contact {name}", getattr(self, name), "a number from 0")

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
        for outcome, predictors in self.paths.items():
            self._known(outcome, *predictors)
        for outcome, products in self.moderations.items():
            for term in products:
                self._known(outcome, *factors(term))
                apart = len({outcome, *factors(term)}) == 3
                require(apart, f"moderation of {outcome}", term, "'predictor * moderator'")
        for outcome, more in self.differences.items():
            for name in more:
                if name not in self.paths.get(outcome, {}):
                    raise UnknownNameError(f"path to {outcome}", name, self.paths.get(outcome, {}))
        if any(self.differences.values()) and not self.codebook.group:
            raise ParameterError("groups differ, but the codebook names no group; allowed: no difference.")
        if self.contact and not self.codebook.contact:
            raise ParameterError("a contact curve is given, but the codebook names no contact; allowed: none.")
        if self.contact and self.contact.driver:
            self._known(self.contact.driver)
        for structure in self.structures:
            if structure.disturbances and min(structure.disturbances.values()) <= 0:
                least = min(structure.disturbances, key=structure.disturbances.__getitem__)
                raise ParameterError(
                    f"the effects on {least} explain all its variance; allowed: effects that leave some."
                )

    def _known(self, *names: str) -> None:
        for name in names:
            if name not in self.codebook.scales:
                raise UnknownNameError("construct", name, self.codebook.scales)

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
        for outcome in normal:
            S, left[outcome] = _with_outcome(S, outcome, terms[outcome])
        S = _with_products(S, [term for outcome in moderated for term in self.moderations.get(outcome, {})])
        for outcome in moderated:
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


ENDS = (0.05, 0.95)  # of the contacts, where the slopes are read


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
    effects = _total_effects(pooled.terms, [*book.scales])
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


def _total_effects(paths: Effects, names: list[str]) -> pd.DataFrame:
    """Return what every construct (columns) does to every other (rows) in all: (I - B)^-1 - I, products left out.

    Bollen (1987), doi:10.2307/271028.
    """
    B, unit = pd.DataFrame(paths).T.reindex(index=names, columns=names).fillna(0.0), np.eye(len(names))
    return pd.DataFrame(np.linalg.inv(unit - B) - unit, names, names)


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
