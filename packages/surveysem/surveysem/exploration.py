"""What is told before any model: who answered, how each item was answered, how many factors the items hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbproof import words
from surveysem.effects import NotTestable
from surveysem.errors import ParameterError
from surveysem.study import Study

__all__ = ["Exploration", "counted", "explore", "items_as_answered", "respondents"]

Array = np.ndarray
QUANTILE = 0.95  # of the eigenvalues of answers without a factor


def respondents(study: Study) -> pd.DataFrame:
    """Return how often each answer to each question on background was given: question, answer, n, share in per cent.

    Of those kept. Answers stand in the order of the scale, each once where nobody gave it; who gave none comes last.
    """
    rows = []
    for item in _background(study, labelled=True):
        given = study.answers[item.code]
        labels = dict(enumerate(item.scale.en, item.scale.low))
        counts = [(label, int((given == code).sum())) for code, label in labels.items()]
        counts += [("no answer", missing)] if (missing := int(given.isna().sum())) else []
        rows += [(item.en or item.code, label, n, 100 * n / len(given)) for label, n in counts]
    return pd.DataFrame(rows, columns=["question", "answer", "n", "share"])


def counted(study: Study) -> pd.DataFrame:
    """Return what was answered to each question on background that asks for a number: question, n, mean, sd, ends."""
    rows = []
    for item in _background(study, labelled=False):
        given = study.answers[item.code].dropna().astype(float)
        if len(given):
            rows.append((item.en or item.code, len(given), given.mean(), given.std(), given.min(), given.max()))
    return pd.DataFrame(rows, columns=["question", "n", "mean", "sd", "lowest", "highest"])


def _background(study: Study, *, labelled: bool) -> list:
    return [item for item in study.codebook.questions if item.role == "control" and bool(item.scale.en) == labelled]


def items_as_answered(study: Study) -> pd.DataFrame:
    """Return one row an item of the models, reverse-keyed ones turned round.

    construct, item, mean, sd, skew and kurtosis (excess; both the unbiased ones that SPSS prints), missing, floor and
    ceiling (per cent of the respondents kept: no answer, and of those given the lowest and the highest of the scale).
    """
    rows = []
    for name in study.constructs:
        for code in study.codebook.scales[name]:
            given, scale = study.answers[code].astype(float), study.codebook.by_code[code].scale
            ends = [100 * (given.dropna() == end).mean() for end in (scale.low, scale.high)]
            moments = given.mean(), given.std(), given.skew(), given.kurt()
            rows.append((study.codebook.called[name], code, *moments, 100 * given.isna().mean(), *ends))
    columns = ["construct", "item", "mean", "sd", "skew", "kurtosis", "missing", "floor", "ceiling"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class Exploration:
    """An exploratory factor analysis with as many factors as stand out of chance.

    Parameters
    ----------
    eigenvalues : DataFrame
        number, observed (of the items' correlations) and random (the 95 % quantile without any factor).
    factors : int
        Leading eigenvalues above chance.
    loadings : DataFrame, or NotTestable
        One row an item, a column a factor ("1", "2" ...) and communality; oblimin rotation of a maximum likelihood
        solution, factors by the squares of their loadings, most of which are positive.
    nobs : int
        Respondents without a missing item.
    """

    eigenvalues: pd.DataFrame
    factors: int
    loadings: pd.DataFrame | NotTestable
    nobs: int


def explore(study: Study, draws: int = 500) -> Exploration:
    """Find by parallel analysis how many factors the items hold, and how each item loads on them.

    Eigenvalues of the items' correlation matrix count as long as they exceed the 95 % quantile of those of as many
    unrelated normal answers (Horn 1965, doi:10.1007/BF02289447; Glorfeld 1995, doi:10.1177/0013164495055003002).

    Parameters
    ----------
    draws : int
        Of correlation matrices without a factor, from 20.
    """
    from scipy.stats import wishart
    from statsmodels.multivariate.factor import Factor

    if draws < 20:
        raise ParameterError(f"draws is {draws!r}; allowed: 20 or more.")
    rows = study.answers[study.items].dropna().astype(float)
    R, (n, p) = np.corrcoef(rows.to_numpy().T), rows.shape
    observed = np.linalg.eigvalsh(R)[::-1]
    S = wishart.rvs(n - 1, np.eye(p), size=draws, random_state=np.random.default_rng(study.seed)).reshape(draws, p, p)
    scale = np.sqrt(np.diagonal(S, axis1=1, axis2=2))
    drawn = np.linalg.eigvalsh(S / scale[:, :, None] / scale[:, None, :])[:, ::-1]
    random = np.quantile(drawn, QUANTILE, axis=0)
    table = pd.DataFrame({"number": np.arange(1, p + 1), "observed": observed, "random": random})
    factors = int(np.cumprod(observed > random).sum())
    if not factors or (p - factors) ** 2 < p + factors:
        why = words(
            "{factors:d} factors stand out of chance, which {items:d} items cannot be put on.", factors=factors, items=p
        )
        return Exploration(table, factors, NotTestable(why), n)
    try:
        fit = Factor(n_factor=factors, corr=R, nobs=n, method="ml").fit()
        if factors > 1:
            fit.rotate("oblimin")
        communality = np.asarray(fit.communality)
    except (np.linalg.LinAlgError, ValueError):
        return Exploration(table, factors, NotTestable("The factor analysis has no solution."), n)
    L = fit.loadings[:, np.argsort(-(fit.loadings**2).sum(0), kind="stable")]
    L = L * np.where(L.sum(0) < 0, -1, 1)
    loadings = pd.DataFrame(L, rows.columns, [str(k + 1) for k in range(factors)])
    return Exploration(table, factors, loadings.assign(communality=communality), n)
