"""Whether a path between constructs depends on a third: the latent product, standardised, and its simple slopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

import semfit
from nbproof import words
from semfit import SemFit, jacobian
from surveysem.codebook import Moderation
from surveysem.effects import Effect, NotTestable
from surveysem.study import Study

Array = np.ndarray
HEADS = {
    "outcome": "outcome",
    "predictor": "predictor",
    "moderator": "moderator",
    "std": "β",
    "std_se": "SE (β)",
    "low": "95% CI LL",
    "high": "95% CI UL",
    "p": "p",
    "reason": "why not testable",
}
PRODUCT = "product"  # of a factor; a construct of that name gets a longer one beside it
SLOPES_AT = (-1.0, 0.0, 1.0)  # standard deviations of the moderator


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
        return Effect(
            float(weight @ self.coefficients), float(np.sqrt(weight @ self.covariance @ weight)), self.fit.nobs
        )

    def slopes(self, level: float = 0.95) -> pd.DataFrame:
        """One row each at -1, 0 and 1 SD: outcome, predictor, moderator, at, slope, se, low, high, p."""
        rows = []
        for at in SLOPES_AT:
            one = self.slope(at)
            low, high = one.interval(level)
            rows.append(
                {
                    **self._names,
                    "at": at,
                    "slope": one.estimate,
                    "se": one.standard_error,
                    "low": low,
                    "high": high,
                    "p": one.p_value,
                }
            )
        return pd.DataFrame(rows)

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """One row: names, direction, estimate, estimate_se, std, std_se, low, high, p, n; interval and p of ``std``."""
        raw = self.fit.estimates.query("op == '~'").iloc[-1]  # the product is the last predictor
        low, high = self.effect.interval(level)
        return pd.DataFrame(
            [
                {
                    **self._names,
                    "direction": self.moderation.direction,
                    "estimate": raw["est"],
                    "estimate_se": raw["se"],
                    "std": self.effect.estimate,
                    "std_se": self.effect.standard_error,
                    "low": low,
                    "high": high,
                    "p": self.effect.p_value,
                    "n": self.fit.nobs,
                }
            ]
        )

    @property
    def _names(self) -> dict[str, str]:
        return {name: getattr(self.moderation, name) for name in ("outcome", "predictor", "moderator")}


@dataclass(frozen=True)
class Moderations:
    """Every moderation a codebook states, each tested on its own, or the reason why it cannot be."""

    parts: Mapping[Moderation, Moderated | NotTestable]

    @cached_property
    def tested(self) -> list[Moderated]:
        """Those with a result."""
        return [part for part in self.parts.values() if isinstance(part, Moderated)]

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """One row a moderation, as of ``Moderated.summary``; ``reason`` where there is no result."""
        rows = [
            part.summary(level).assign(reason=None)
            if isinstance(part, Moderated)
            else pd.DataFrame(
                [
                    {
                        "outcome": key.outcome,
                        "predictor": key.predictor,
                        "moderator": key.moderator,
                        "direction": key.direction,
                        "reason": part.reason,
                    }
                ]
            )
            for key, part in self.parts.items()
        ]
        found = pd.concat(rows, ignore_index=True)
        return found.reindex(columns=[*dict.fromkeys([*found, *HEADS])])

    def slopes(self, level: float = 0.95) -> pd.DataFrame:
        """Simple slopes of all that were tested."""
        tables = [part.slopes(level) for part in self.tested]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def moderations(study: Study) -> Moderations | NotTestable:
    """Test every moderation of the study's codebook."""
    if not study.codebook.moderations:
        return NotTestable("The codebook states no moderation.")
    return Moderations({entry: moderation(study, entry) for entry in study.codebook.moderations})


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
    model, data, items = submodel(study, entry)
    counts = data[items].notna().sum()
    if data[items].nunique().min() < 2 or len(data) <= len(items):
        few = data[items].nunique().idxmin()
        return NotTestable(
            words(
                "{nobs:d} respondents with {values:d} values of {item} cannot carry {indicators:d} indicators.",
                nobs=len(data),
                values=counts[few],
                item=few,
                indicators=len(items),
            )
        )
    missing = "fiml" if data[items].isna().any(axis=None) else "listwise"
    fit = semfit.fit(model, data, estimator="MLR", missing=missing)
    coefficients, covariance = _standardised(fit, entry)
    if not (fit.converged and fit.identified and np.isfinite(covariance).all() and fit.nobs > fit.npar):
        numbers = {"npar": fit.npar, "nobs": fit.nobs}
        why = " ".join(fit.problems) or words("{npar:d} parameters from {nobs:d} respondents.", **numbers)
        return NotTestable(words("The model with the product has no proper solution. {why}", why=why, **numbers))
    return Moderated(entry, fit, coefficients, covariance)


def submodel(study: Study, entry: Moderation) -> tuple[str, pd.DataFrame, list[str]]:
    """Return the text of the outcome's equation with its products, the answers with them, and all indicators.

    Covariates are held constant as in `Study.model`.

    Every product that the codebook states for the outcome is in it, the one asked for last: moderators that correlate
    would else take over each other's part. Indicators of two products that share an item have correlated residuals.
    """
    book, answers = study.codebook, study.answers
    entries = [one for one in book.moderations if one.outcome == entry.outcome and one != entry] + [entry]
    predictors = [path.predictor for path in book.paths if path.outcome == entry.outcome]
    predictors = list(
        dict.fromkeys([*predictors, *(one.predictor for one in entries), *(one.moderator for one in entries)])
    )
    taken, data, lines = {*book.scales, *answers.columns}, answers, list[str]()
    names, pairs = list[str](), list[tuple[str, str]]()
    for one in entries:
        name = PRODUCT + "_" * (PRODUCT in taken)
        name = name if name not in names else f"{name}{len(names)}"
        first, second = book.scales[one.predictor], book.scales[one.moderator]
        made = semfit.products(data, first[: len(second)], second[: len(first)], name=name)
        own = list(zip(first, second, strict=False))
        lines += [made.model, *(f"{a}.{b} ~~ {c}.{d}" for a, b in own for c, d in pairs if {a, b} & {c, d})]
        data, names, pairs = made.data, [*names, name], [*pairs, *own]
    measured = book.model([entry.outcome, *predictors], structural=False)
    items = [code for construct in (entry.outcome, *predictors) for code in book.scales[construct]]
    lines.append(f"{entry.outcome} ~ {' + '.join([*predictors, *names])}")
    if study.covariates:
        lines = [f"{name} ~ {' + '.join(study.covariates)}" for name in (entry.outcome, *predictors, *names)] + lines
        lines += [f"{one} ~~ {other}" for one, other in combinations([*predictors, *names], 2)]
    text = "\n".join([measured, *lines])
    return text, data, [*items, *(f"{a}.{b}" for a, b in pairs)]


def _standardised(fit: SemFit, entry: Moderation) -> tuple[Array, Array]:
    """Return the standardised coefficients of predictor and product with their covariances."""
    paths = {row.rhs: fit.table.keys.index(row.key) for row in fit.rows if row.op == "~"}
    first, last = paths[entry.predictor], list(paths.values())[-1]  # the product is the last predictor

    def coefficients(theta: Array) -> Array:
        variance = fit.variances_at(theta)
        path, both = theta[..., first], theta[..., last]
        with np.errstate(invalid="ignore"):  # a negative variance has no root: nan, and no result
            scale = np.sqrt(variance[entry.predictor] / variance[entry.outcome])
            return np.stack([path * scale, both * scale * np.sqrt(variance[entry.moderator])], -1)

    J = jacobian(coefficients, fit.theta)
    return coefficients(fit.theta), J @ fit.vcov @ J.T
