"""What an analysis of drawn respondents should find: the truth of every hypothesis, in the unit its test reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from socialcommerce.errors import UnknownNameError
from socialcommerce.survey.truth import ContactCurve, Truth, factors

__all__ = ["contact_truth", "null_truth", "total_effects", "true_values"]

NULLS = ("a", "b", "both")
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
    >>> from socialcommerce.survey import load_codebook
    >>> found = true_values(Truth(load_codebook())).set_index(["kind", "outcome", "predictor"])["value"]
    >>> float(found["indirect", "sharing", "brand"])  # brand -> trust -> sharing
    0.0625
    """
    book, pooled, lines = truth.codebook, truth.pooled, []
    moderations = {(m.outcome, m.predictor, m.moderator): 0.0 for m in book.moderations}
    for outcome, terms in pooled.terms.items():
        for term, b in terms.items():
            predictor, *moderator = factors(term)
            if moderator:
                moderations[outcome, predictor, *moderator] = b
            else:
                lines.append(("path", outcome, predictor, "", b))
    effects = total_effects(pooled.terms)
    for outcome in book.outcomes:
        for strategy in book.strategies:
            straight = pooled.terms.get(outcome, {}).get(strategy, 0.0)
            total = effects.at[outcome, strategy] if {strategy, outcome} <= set(effects) else 0.0
            lines.append(("indirect", outcome, strategy, "", total - straight))
    lines += [("moderation", *names, value) for names, value in moderations.items()]
    if book.group:
        for outcome, predictors in truth.paths.items():
            more = truth.differences.get(outcome, {})
            lines += [("difference", outcome, name, "", more.get(name, 0.0)) for name in predictors]
    if truth.contact:
        codes = book.contact
        contacts = None if answers is None else answers[codes.frequency].to_numpy(float)
        lines.append(("contact", codes.outcome, codes.frequency, "", contact_truth(truth.contact, contacts)))
    return pd.DataFrame(lines, columns=["kind", "outcome", "predictor", "moderator", "value"])


def total_effects(paths: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Return the total effect of every construct (columns) on every other (rows): (I - B)^-1 - I, products left out.

    References
    ----------
    Bollen (1987), doi:10.2307/271028.

    Examples
    --------
    >>> float(total_effects({"y": {"m": 0.5, "x": 0.25}, "m": {"x": 0.5}}).at["y", "x"])
    0.5
    """
    linear = {(o, name): b for o, terms in paths.items() for name, b in terms.items() if "*" not in name}
    names = list(dict.fromkeys(name for pair in linear for name in pair))
    B = pd.DataFrame(0.0, names, names)
    for pair, b in linear.items():
        B.loc[pair] = b
    unit = np.eye(len(names))
    return pd.DataFrame(np.linalg.inv(unit - B.to_numpy()) - unit, names, names)


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
        low, high = _distribution(curve).ppf(ENDS)
        sd = curve.sd
    else:
        given = np.asarray(contacts, dtype=float)
        given = given[np.isfinite(given)]
        (low, high), sd = np.quantile(given, ENDS), given.std(ddof=1)
    first, last = (-2 * curve.drop * (end - curve.peak) / curve.sd**2 * sd for end in (low, high))
    return float(min(first, -last))


def _distribution(curve: ContactCurve) -> stats.rv_discrete:
    if curve.overdispersion == 0:
        return stats.poisson(curve.contacts)
    return stats.nbinom(1 / curve.overdispersion, 1 / (1 + curve.overdispersion * curve.contacts))


def null_truth(truth: Truth, where: str, strategies: Iterable[str] | None = None) -> Truth:
    """Return a truth in which strategies have no indirect effect.

    Parameters
    ----------
    where : {"a", "b", "both"}
        The paths that are zero: from the strategies ("a"), from the constructs they lead to ("b"), or both.
    strategies : iterable of str, optional
        By default all that the codebook names.
    """
    if where not in NULLS:
        raise UnknownNameError("place of the zero", where, NULLS)
    first = set(truth.codebook.strategies if strategies is None else strategies)
    then = {outcome for outcome, predictors in truth.paths.items() if first & set(predictors)}
    zero = {"a": first, "b": then, "both": first | then}[where]
    effects = {outcome: {name: 0.0 if name in zero else b for name, b in predictors.items()}
               for outcome, predictors in truth.paths.items()}  # fmt: skip
    return replace(truth, effects=effects)
