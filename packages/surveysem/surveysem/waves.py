"""Whether items measure the same at every wave of a panel, how latent means change, and how stable constructs are."""

import warnings
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pandas as pd

import semfit
from semfit import Invariance, PartialInvariance, SemFit
from surveysem.codebook import Codebook
from surveysem.effects import NotTestable
from surveysem.groups import ORDINAL_LEVELS, unless_withheld
from surveysem.study import Study, attempt

LEVELS = ("configural", "metric", "scalar", "strict")
MEANS = ("scalar", "intercepts")  # levels at which means can be compared
CHANGE = {"est": "change", "se": "se", "ci_low": "low", "ci_high": "high", "pvalue": "p"}
STABILITY = {"std_all": "r", "ci_low": "r_low", "ci_high": "r_high"}


def wave_models(study: Study, freed: pd.DataFrame | None = None) -> dict[str, str]:
    """Return the models of the ladder across waves, by level: all constructs that were asked again, and no other.

    Parameters
    ----------
    freed : DataFrame, optional
        What was let go, of `semfit.PartialInvariance`; an item stands there by its code at the first wave.

    Raises
    ------
    semfit.DataError, semfit.ParameterError
        Where an ordered item was not answered by the same categories, three or more, in every wave.
    """
    book, levels = study.codebook, ORDINAL_LEVELS if study.estimator == "WLSMV" else LEVELS
    model = book.model(book.wave_of, structural=False)
    waves = {each.name: each.constructs for each in book.waves}
    told: dict[str, Any] = {"freed": [*zip(freed["level"], freed["item"], strict=True)] if freed is not None else ()}
    if study.estimator == "WLSMV":
        answers = study.answers[[*chain(*asked_again(book))]].dropna()
        told["categories"] = answers.nunique().to_dict()
        for pair in chain.from_iterable(map(pairwise, asked_again(book))):
            one, other = (set(answers[code]) for code in pair)
            if one != other and len(one) == len(other):  # as many, but its thresholds would lie between others
                what = f"{pair[0]} is never {min(other - one):g}, {pair[1]} never {min(one - other):g}"
                raise semfit.DataError(f"{what}; the same categories are needed in every wave.")
    return {level: semfit.wave_model(model, waves, level, **told) for level in levels}


def fit_options(study: Study) -> dict[str, Any]:
    """Return what `semfit.fit` is told beside such a model: as the study says, means among what is modelled."""
    if study.estimator == "WLSMV":
        return {**study.options}
    holes = study.answers[[*chain(*asked_again(study.codebook))]].isna().any(axis=None)
    return {**study.options, "missing": "fiml" if holes else "listwise", "mean_structure": True}


def partially_again(study: Study) -> PartialInvariance | NotTestable:
    """Fit the ladder of measurement invariance across waves, within one group, letting single items go where need be.

    By the study's estimator: equal loadings (metric), intercepts (scalar) and residual variances (strict); for ordered
    answers equal thresholds, loadings and intercepts. It ends before a level that has no solution. Where equal loadings
    or intercepts do not hold, items go as by `groups.partially_alike`; one that goes is every wave's own. Strict
    invariance is tested without the items that went before, and lets none go. Of ordered answers, nothing goes.

    References
    ----------
    Widaman, Ferrer & Conger (2010), doi:10.1111/j.1750-8606.2009.00110.x; for ordered answers, in this order, Wu &
    Estabrook (2016), doi:10.1007/s11336-016-9506-0, across waves, with loadings first, Liu et al. (2017),
    doi:10.1037/met0000075.
    """
    if not study.codebook.waves:
        return NotTestable("The codebook names no constructs that were asked again.")
    why = "Measurement cannot be compared between the waves: {why}"  # other categories at one wave, too few answers
    ladder = unless_withheld(attempt(why, _ladder, study), "waves")
    if isinstance(ladder, NotTestable):
        return ladder
    if study.estimator == "WLSMV":
        return PartialInvariance(ladder, ladder)
    own = study.codebook.scales
    again = {items[0]: items for items in asked_again(study.codebook)}
    scales = {each.name: own[each.constructs[0]] for each in study.codebook.waves}
    return semfit.partial_invariance(
        ladder, scales, lambda level, freed: _fitted(study, wave_models(study, freed)[level]), again
    )


def _ladder(study: Study) -> Invariance | NotTestable:
    fits: dict[str, SemFit] = {}
    for level, model in wave_models(study).items():
        if (fit := _fitted(study, model)) is None:
            break
        fits[level] = fit
    none = NotTestable("The measurement model of the waves has no solution, even with nothing held equal.")
    return Invariance(fits) if fits else none


def changes(study: Study, again: PartialInvariance) -> pd.DataFrame:
    """Return stability and change, one row a pair of waves: each with the next, and the first with the last of several.

    earlier, later (constructs); change of the latent mean in standard deviations of the first wave, its se, low, high
    and two-sided p; r, the correlation, with r_low and r_high, from the configural model. Where equal intercepts do not
    hold, in part either, the columns of the change are missing: the items would account for it.
    """
    rows, stable = [], again.ladder.fits["configural"].standardized.query("op == '~~'")
    level = means_level(again)
    defined = again.ladder.fits[level].estimates.set_index("lhs") if level else None
    for each in study.codebook.waves:
        last = len(each.constructs)
        for one, other in [*pairwise(range(last)), *([(0, last - 1)] if last > 2 else [])]:
            pair = each.constructs[one], each.constructs[other]
            r = stable[[{row.lhs, row.rhs} == {*pair} for row in stable.itertuples()]].iloc[0]
            row = dict(zip(("earlier", "later"), pair, strict=True))
            if defined is not None:
                moved = defined.loc[f"change_{each.name}_{one + 1}_{other + 1}"]
                row |= {name: moved[key] for key, name in CHANGE.items()}
            rows.append(row | {name: r[key] for key, name in STABILITY.items()})
    return pd.DataFrame(rows)


def means_level(again: PartialInvariance) -> str:
    """Return the level whose model compares means, where that holds; empty where it does not."""
    fits = [*again.ladder.fits]
    held = fits[: fits.index(str(again.ladder.highest)) + 1]
    return next((level for level in MEANS if level in held), "")


def asked_again(book: Codebook) -> list[tuple[str, ...]]:
    """Return the codes of every item that was asked again, wave by wave."""
    return [
        codes for each in book.waves for codes in zip(*(book.scales[name] for name in each.constructs), strict=True)
    ]


def apart(book: Codebook, pairs: pd.DataFrame) -> pd.DataFrame:
    """Leave out pairs of one construct at two waves, whose correlation is stability and no lack of distinctness.

    Parameters
    ----------
    pairs : DataFrame
        With columns construct and other.
    """
    home = [[book.wave_of.get(name, name) for name in pairs[column]] for column in ("construct", "other")]
    return pairs[np.array(home[0], dtype=object) != np.array(home[1], dtype=object)]


def _fitted(study: Study, model: str) -> SemFit | None:
    """Fit a model to the answers; None if it has no solution."""
    with warnings.catch_warnings(action="ignore", category=semfit.FitWarning):
        fit = semfit.fit(model, study.answers[[*chain(*asked_again(study.codebook))]], **fit_options(study))
    return fit if fit.converged and fit.identified else None
