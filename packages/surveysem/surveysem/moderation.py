"""Whether a path between constructs depends on a third, and with it what goes through the path: latent products."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

import semfit
from nbproof import processors, words
from semfit import SemFit, jacobian
from surveysem.codebook import Codebook, Labelled, Moderation
from surveysem.effects import Effect, NotTestable, untestable
from surveysem.measurement import HEADS
from surveysem.paths import Indirect, resampled
from surveysem.study import Study, counting

Array = np.ndarray
PRODUCT = "product"  # of a factor; a construct of that name gets a longer one beside it
PILOT, FAILING = 100, 0.05  # resamples tried first, and the share of them that may have no solution
SLOPES_AT = (-1.0, 0.0, 1.0)  # standard deviations of the moderator
MEDIATED = ("index of moderated mediation", "indirect effect, mean \N{MINUS SIGN} SD", "indirect effect, mean",
            "indirect effect, mean + SD")  # fmt: skip


@dataclass(frozen=True)
class Moderated:
    """One moderation: the standardised coefficients of predictor and product, (2,), and their covariances, (2, 2)."""

    moderation: Moderation
    fit: SemFit = field(repr=False)
    coefficients: Array
    covariance: Array

    @property
    def effect(self) -> Effect:
        """The product's standardised coefficient: how much one SD of the moderator adds to the standardised path."""
        return Effect(float(self.coefficients[1]), float(np.sqrt(self.covariance[1, 1])), self.fit.nobs)

    def slope(self, at: float) -> Effect:
        """Return the standardised path where the moderator is ``at`` standard deviations from its mean."""
        weight = np.array([1.0, at])
        error = np.sqrt(weight @ self.covariance @ weight)
        return Effect(float(weight @ self.coefficients), float(error), self.fit.nobs)


@dataclass(frozen=True)
class Moderations:
    """Every moderation a codebook states, each tested on its own, or the reason why it cannot be.

    ``mediated`` holds, for each hypothesis of moderated mediation, what :func:`moderated_mediation` returned.
    """

    parts: Mapping[Moderation, Moderated | NotTestable]
    mediated: Mapping[Labelled, Indirect | NotTestable] = field(default_factory=dict)

    @cached_property
    def tested(self) -> list[Moderated]:
        """Those with a result."""
        return [part for part in self.parts.values() if isinstance(part, Moderated)]

    def summary(self) -> pd.DataFrame:
        """One row a moderation: names, direction, estimate, estimate_se, std, std_se, low, high, p, n; or the reason.

        Interval and p are those of ``std``.
        """
        rows = []
        for key, part in self.parts.items():
            if isinstance(part, Moderated):
                raw = part.fit.estimates.query("op == '~'").iloc[-1]  # the product comes last
                own = {"estimate": raw["est"], "estimate_se": raw["se"], **part.effect.cells(("std", "std_se"))}
                rows.append({**vars(key), **own, "n": part.fit.nobs})
            else:
                rows.append({**vars(key), "reason": part.reason})
        table = pd.DataFrame(rows)
        return table.reindex(columns=[*dict.fromkeys([*table, *HEADS["moderation"]])])

    def slopes(self) -> pd.DataFrame:
        """One row a test and value at -1, 0 and 1 SD: outcome, predictor, moderator, at, slope, se, low, high, p."""
        rows = [
            {**vars(one.moderation), "at": at, **one.slope(at).cells(("slope", "se"))}
            for one in self.tested
            for at in SLOPES_AT
        ]
        return pd.DataFrame(rows)


def moderations(study: Study) -> Moderations | NotTestable:
    """Test every moderation of the study's codebook, and every hypothesis of moderated mediation."""
    if not study.codebook.moderations:
        return NotTestable("The codebook states no moderation.")
    both = [one for one in study.codebook.hypotheses if one.mediator and one.moderator]
    parts = {entry: moderation(study, entry) for entry in study.codebook.moderations}
    return Moderations(parts, {one: moderated_mediation(study, one) for one in both})


def moderation(study: Study, entry: Moderation) -> Moderated | NotTestable:
    """Test whether the path from predictor x to outcome y depends on moderator m.

    y = b1 x + b2 m + b3 x m + other predictors and products + disturbance. The product factor's indicators are
    products of items, each used once (Marsh, Wen & Hau 2004, doi:10.1037/1082-989X.9.3.275), centred before and after
    (Lin, Wen, Marsh & Lin 2010, doi:10.1080/10705511.2010.488999); of unequal scales the surplus items indicate their
    construct only. A product is missing where one of its items is, and full information maximum likelihood uses what
    is left; item means are those of the answers given, which shifts b1 a little if answers are missing for a reason.

    The standardised coefficient is b3 sd(x) sd(m) / sd(y), not b3 sd(x m) / sd(y) as programs print: it alone is the
    change of the standardised path by one standard deviation of m (Wen, Marsh & Hau 2010,
    doi:10.1080/10705510903438872). Errors by the delta method from MLR's covariances.

    Only the outcome's equation is fitted, its predictors correlated freely: without paths among them nothing about them
    can be misspecified, and the coefficients are those of the whole model where that holds.
    """
    fit = _fitted(*submodel(study, entry))
    if isinstance(fit, NotTestable):
        return fit
    own, product = _places(fit, (entry.outcome, entry.predictor)), _places(fit)

    def coefficients(theta: Array) -> Array:
        sd = _spreads(fit, theta)
        path, both = theta[..., own], theta[..., product] * sd[entry.moderator]
        return np.stack([path, both], -1) * (sd[entry.predictor] / sd[entry.outcome])[..., None]

    J = jacobian(coefficients, fit.theta)
    covariance = J @ fit.vcov @ J.T
    if not np.isfinite(covariance).all():
        return _unsolved(fit)
    return Moderated(entry, fit, coefficients(fit.theta), covariance)


def moderated_mediation(study: Study, one: Labelled) -> Indirect | NotTestable:
    """Test whether what goes from a predictor to an outcome by way of a mediator depends on a moderator of either path.

    Both equations are in one model. With a and b the standardised paths, to the mediator and on from it, and c the
    standardised coefficient of the product (as of :func:`moderation`), the indirect effect where the moderator is z
    standard deviations from its mean is (a + c z) b, or a (b + c z) for a moderator of the second path. It is linear in
    z, and its slope, c b or a c, is the index of moderated mediation (Hayes 2015, doi:10.1080/00273171.2014.962683).

    Returns
    -------
    Indirect
        Of the effects ``MEDIATED``, index first, with percentile intervals. Rows are resampled with their products,
        which are centred once: z counts from the means of all respondents. Each resample is refitted, or takes one
        scoring step where too many refits have no solution.
    """
    first, other = one.steps[::-1] if one.second else one.steps
    fit = _fitted(*submodel(study, entry_of(study.codebook, one), other[0]))
    if isinstance(fit, NotTestable):
        return fit
    own, product, far = _places(fit, first), _places(fit), _places(fit, other)

    def effects(theta: Array) -> Array:
        sd = _spreads(fit, theta)
        rest = theta[..., far] * sd[one.predictor] / sd[one.outcome]
        index = theta[..., product] * rest * sd[one.moderator]
        return np.stack([index, *(theta[..., own] * rest + at * index for at in SLOPES_AT)], -1)

    method = _method(study, fit)
    drawn = semfit.bootstrap(
        fit, study.draws, seed=study.seed, workers=processors(), method=method,
        progress=counting("resamples", study.draws),
    )  # fmt: skip
    found = resampled(drawn, effects, tuple((one.predictor, one.outcome, name) for name in MEDIATED))
    return replace(found, method=method)


def _method(study: Study, fit: SemFit) -> str:
    """Return how a model with products is resampled: as the study's, but refitted only where nearly all refits succeed.

    Products of weak items leave many resamples without a solution, and those that have one are no fair sample.
    """
    method = "one-step" if fit.options["missing"] == "fiml" else study.resampling
    if method != "refit":
        return method
    with suppress(semfit.ParameterError):  # fewer than two have a solution
        first = semfit.bootstrap(fit, PILOT, seed=study.seed, workers=processors())
        return "refit" if first.failed <= FAILING * PILOT else "one-step"
    return "one-step"


def entry_of(book: Codebook, one: Labelled) -> Moderation:
    """Return the moderation that a hypothesis with a moderator is about."""
    path = (*one.steps[one.second], one.moderator)
    return next(m for m in book.moderations if (m.outcome, m.predictor, m.moderator) == path)


def submodel(study: Study, entry: Moderation, other: str = "") -> tuple[str, pd.DataFrame, list[str]]:
    """Return the text of the outcome's equation with its products, the answers with them, and all indicators.

    Covariates are held constant as in `Study.model`.

    Every product that the codebook states for the outcome is in it, the one asked for last: moderators that correlate
    would else take over each other's part. Indicators of two products that share an item have correlated residuals.

    Parameters
    ----------
    entry : Moderation
        The one asked for.
    other : str
        A second outcome, whose equation stands before: of the two one is the other's predictor, and its disturbance
        may covary with what only the other depends on, so that here too nothing is said of how predictors come about.
    """
    book, data = study.codebook, study.answers
    taken, lines = {*book.scales, *data.columns}, list[str]()
    known, pairs, equations = dict[frozenset[str], str](), list[tuple[str, str]](), dict[str, list[str]]()
    for outcome in (other, entry.outcome) if other else (entry.outcome,):
        entries = [one for one in book.moderations if one.outcome == outcome and one != entry]
        entries += [entry] if outcome == entry.outcome else []
        for one in entries:
            both = frozenset((one.predictor, one.moderator))
            if both in known:
                continue
            name = PRODUCT + "_" * (PRODUCT in taken)
            known[both] = name = f"{name}{len(known)}" if known else name
            first, second = book.scales[one.predictor], book.scales[one.moderator]
            made = semfit.products(data, first[: len(second)], second[: len(first)], name=name)
            own = list(zip(first, second, strict=False))
            lines += [made.model, *(f"{a}.{b} ~~ {c}.{d}" for a, b in own for c, d in pairs if {a, b} & {c, d})]
            data, pairs = made.data, [*pairs, *own]
        named = book.causes[outcome] + [m.moderator for m in entries]
        equations[outcome] = [*dict.fromkeys(named), *(known[frozenset((m.predictor, m.moderator))] for m in entries)]
    causes = dict.fromkeys(name for terms in equations.values() for name in terms if name not in equations)
    constructs = [*reversed(equations), *(name for name in causes if name in book.scales)]
    items = [code for name in constructs for code in book.scales[name]]
    lines += [f"{outcome} ~ {' + '.join(terms)}" for outcome, terms in equations.items()]
    if study.covariates:
        lines = [f"{name} ~ {' + '.join(study.covariates)}" for name in (*equations, *causes)] + lines
        lines += [f"{one} ~~ {another}" for one, another in combinations(causes, 2)]
    if other:
        between = next(name for name in equations if any(name in terms for terms in equations.values()))
        lines += [f"{between} ~~ {name}" for name in causes if name not in equations[between]]
    text = "\n".join([book.model(constructs, structural=False), *lines])
    return text, data, [*items, *(f"{a}.{b}" for a, b in pairs)]


def _fitted(model: str, data: pd.DataFrame, items: list[str]) -> SemFit | NotTestable:
    """Fit a model with products to all respondents who answered something."""
    counts, few = data[items].notna().sum(), data[items].nunique().idxmin()
    if data[few].nunique() < 2 or len(data) <= len(items):
        return untestable("few_products", nobs=len(data), values=counts[few], item=few, indicators=len(items))
    missing = "fiml" if data[items].isna().any(axis=None) else "listwise"
    fit = semfit.fit(model, data, estimator="MLR", missing=missing)
    return fit if fit.converged and fit.identified and fit.nobs > fit.npar else _unsolved(fit)


def _unsolved(fit: SemFit) -> NotTestable:
    numbers = {"npar": fit.npar, "nobs": fit.nobs}
    why = " ".join(fit.problems) or words("{npar:d} parameters from {nobs:d} respondents.", **numbers)
    return untestable("unsolved_product", why=why, **numbers)


def _places(fit: SemFit, path: tuple[str, str] | None = None) -> int:
    """Return the place of a path (outcome, predictor) among the parameters; of the last, the product asked for."""
    rows = {(row.lhs, row.rhs): row.key for row in fit.rows if row.op == "~"}
    return fit.table.keys.index(rows[path] if path else [*rows.values()][-1])


def _spreads(fit: SemFit, theta: Array) -> dict[str, Array]:
    """Return the standard deviation that the model implies of every variable; nan where its variance is negative."""
    with np.errstate(invalid="ignore"):
        return {name: np.sqrt(variance) for name, variance in fit.variances_at(theta).items()}
