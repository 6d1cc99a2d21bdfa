"""What is told before any model: who answered, how each item was answered, how many factors the items hold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from surveysem.effects import NotTestable, untestable
from surveysem.errors import require
from surveysem.study import Study

Array = np.ndarray
ROWS = 1000  # respondents at a time
LEAST = 0.005  # of an item's variance that is its own
FEW = 7  # codes at most of a question without labels whose answers are counted one by one
QUANTILE = 0.95  # of the eigenvalues of answers without a factor


def respondents(study: Study) -> pd.DataFrame:
    """Return how often each answer to each question on background was given: question, answer, n, share in per cent.

    Of those kept. Answers stand in the order of the scale, each once where nobody gave it; who gave none comes last.
    """
    rows = []
    for item in _background(study, labelled=True):
        given = study.answers[item.code]
        labels = dict(enumerate(item.scale.en or map(str, range(item.scale.low, item.scale.high + 1)), item.scale.low))
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
    asked = [item for item in study.codebook.questions if item.role == "control"]
    return [item for item in asked if (bool(item.scale.en) or item.scale.high - item.scale.low < FEW) == labelled]


def items_as_answered(study: Study) -> pd.DataFrame:
    """Return one row an item of the models, reverse-keyed ones turned round.

    construct, item, mean, sd, skew and kurtosis (excess; both the unbiased ones that SPSS prints), missing, floor and
    ceiling (per cent of the respondents kept: no answer, and of those given the lowest and the highest of the scale).
    """
    rows = []
    for name, codes in study.scales.items():
        for code in codes:
            given, scale = study.answers[code].astype(float), study.codebook.by_code[code].scale
            ends = [100 * (given.dropna() == end).mean() for end in (scale.low, scale.high)]
            moments = given.mean(), given.std(), given.skew(), given.kurt()
            rows.append((study.codebook.called[name], code, *moments, 100 * given.isna().mean(), *ends))
    columns = ["construct", "item", "mean", "sd", "skew", "kurtosis", "missing", "floor", "ceiling"]
    return pd.DataFrame(rows, columns=columns)


def _whole(study: Study) -> pd.DataFrame | NotTestable:
    """Return the answers of those who answered every item, if their covariances have an inverse."""
    rows = study.answers[study.items].dropna().astype(float)
    if np.linalg.matrix_rank(rows.cov().fillna(0.0).to_numpy()) == len(study.items):
        return rows
    return untestable("few_whole", whole=len(rows), items=len(study.items))


@dataclass(frozen=True)
class Normality:
    """Mardia's coefficients of several items together, each with the p value of what normal answers would give."""

    skew: float
    p_skew: float
    kurtosis: float
    p_kurtosis: float
    nobs: int


def normality(study: Study) -> Normality | NotTestable:
    """Test whether the items of the models are jointly normal, by respondents without a missing item.

    With z the answers centred and decorrelated (covariances with divisor n), skew is the mean of (z_i' z_j)^3 over all
    pairs of respondents, and n skew / 6 is chi-square with p (p + 1) (p + 2) / 6 degrees of freedom; kurtosis is the
    mean of (z_i' z_i)^2, normal around p (p + 2) with variance 8 p (p + 2) / n (Mardia 1970,
    doi:10.1093/biomet/57.3.519).
    """
    whole = _whole(study)
    if isinstance(whole, NotTestable):
        return whole
    n, p = whole.shape
    x = (whole - whole.mean()).to_numpy()
    z = np.linalg.solve(np.linalg.cholesky(x.T @ x / n), x.T).T
    third = np.zeros((p * p, p))
    for rows in np.array_split(z, -(-n // ROWS)):  # sums over respondents: not all their products at a time
        third += np.einsum("ni,nj->nij", rows, rows).reshape(len(rows), -1).T @ rows
    skew, kurtosis = float(((third / n) ** 2).sum()), float(((z**2).sum(1) ** 2).mean())
    ratio = (kurtosis - p * (p + 2)) / np.sqrt(8 * p * (p + 2) / n)
    p_skew = stats.chi2.sf(n * skew / 6, p * (p + 1) * (p + 2) / 6)
    return Normality(skew, float(p_skew), kurtosis, float(2 * stats.norm.sf(abs(ratio))), n)


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


def explore(study: Study, draws: int = 500) -> Exploration | NotTestable:
    """Find by parallel analysis how many factors the items hold, and how each item loads on them.

    Eigenvalues of the items' correlation matrix count as long as they exceed the 95 % quantile of those of as many
    unrelated normal answers (Horn 1965, doi:10.1007/BF02289447; Glorfeld 1995, doi:10.1177/0013164495055003002).

    Parameters
    ----------
    draws : int
        Of correlation matrices without a factor, from 20.
    """
    require(draws >= 20, "draws", draws, "20 or more")
    rows = _whole(study)
    if isinstance(rows, NotTestable):
        return rows
    R, (n, p) = np.corrcoef(rows.to_numpy().T), rows.shape
    observed = np.linalg.eigvalsh(R)[::-1]
    S = stats.wishart.rvs(n - 1, np.eye(p), size=draws, random_state=np.random.default_rng(study.seed))
    S = S.reshape(draws, p, p)  # of one item, numbers
    scale = np.sqrt(np.diagonal(S, axis1=1, axis2=2))
    drawn = np.linalg.eigvalsh(S / scale[:, :, None] / scale[:, None, :])[:, ::-1]
    random = np.quantile(drawn, QUANTILE, axis=0)
    table = pd.DataFrame({"number": np.arange(1, p + 1), "observed": observed, "random": random})
    factors = int(np.cumprod(observed > random).sum())
    return Exploration(table, factors, _loadings(R, factors, rows.columns), n)


def _loadings(R: Array, factors: int, items: pd.Index) -> pd.DataFrame | NotTestable:
    from statsmodels.multivariate.factor_rotation import rotate_factors

    p = len(R)
    if not factors or (p - factors) ** 2 < p + factors:
        return untestable("factors", factors=factors, items=p)
    L = _unrotated(R, factors)
    if L is None:
        return NotTestable("The factor analysis has no solution.")
    communality = (L**2).sum(1)
    if factors > 1:
        L = rotate_factors(L, "quartimin")[0]  # as oblimin is by default
    L = L[:, np.argsort(-(L**2).sum(0), kind="stable")]
    L = L * np.where(L.sum(0) < 0, -1, 1)
    return pd.DataFrame(L, items, [str(k + 1) for k in range(factors)]).assign(communality=communality)


def _unrotated(R: Array, factors: int) -> Array | None:
    """Return loadings of maximum likelihood, shape (items, factors), or None where they cannot be found.

    The likelihood is maximised over the uniquenesses alone: given them, the loadings are the leading eigenvectors of
    the scaled correlations (Joreskog 1967, doi:10.1007/BF02289658). statsmodels' own, over all loadings, takes minutes
    for fifty items.
    """
    p = len(R)

    def scaled(unique: Array) -> tuple[Array, Array]:
        scale = unique**-0.5
        values, vectors = np.linalg.eigh(scale[:, None] * R * scale)
        return values[::-1], vectors[:, ::-1]

    def loadings(unique: Array) -> Array:
        values, vectors = scaled(unique)
        return np.sqrt(unique)[:, None] * vectors[:, :factors] * np.sqrt(np.maximum(values[:factors] - 1, 0))

    def misfit(unique: Array) -> tuple[float, Array]:
        left, L = scaled(unique)[0][factors:], loadings(unique)
        return float((left - np.log(left)).sum() - p + factors), ((L**2).sum(1) + unique - 1) / unique**2

    start = (1 - factors / (2 * p)) / np.diag(np.linalg.inv(R))
    found = optimize.minimize(misfit, start, jac=True, method="L-BFGS-B", bounds=[(LEAST, 1.0)] * p)
    return loadings(found.x) if found.success else None
