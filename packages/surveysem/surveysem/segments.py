"""Whether respondents fall into kinds by their scores on some constructs: latent profiles, and how firm these are.

A mixture of normals (Vermunt & Magidson 2002, in Hagenaars & McCutcheon, Applied latent class analysis, 89-106).
Classes of unrelated scores also fit one population whose scores merely correlate: they cut the continuum into low,
middle and high (Bauer & Curran 2004, doi:10.1037/1082-989X.9.1.3). So such populations, and classes within which scores
correlate, stand among the candidates. Skewed scores may still pass for classes (Bauer & Curran 2003,
doi:10.1037/1082-989X.8.3.338), and what classes differ in describes them; it tests nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from surveysem.effects import NotTestable, untestable
from surveysem.errors import ParameterError
from surveysem.study import Study, mean_scores

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

Array = np.ndarray
MOST, LEAST = 6, 0.05  # classes tried; share of respondents that the smallest may hold
REFITS = 2  # starts of the chosen mixture in a resample; the best likelihood counts
PROFILE = ["class", "share", "construct", "role", "mean", "low", "high"]
LARGEST = 3000  # respondents: of more, a random part
ADDED = 0.01  # to variances within a class, of standardised scores: no class shrinks to a single answer

WITHIN = {"diag": "unrelated", "tied": "related alike in every class", "factor": "related through one factor"}
"""What is supposed of the scores within a class."""
MARKS = ((0.9, "excellent"), (0.8, "good"), (0.65, "moderate"), (-np.inf, "poor"))
"""From which adjusted Rand index on agreement is called so: Steinley (2004), doi:10.1037/1082-989X.9.3.386."""


@dataclass(frozen=True)
class Segments:
    """The classes chosen, largest first, and how firm they are.

    Parameters
    ----------
    candidates : DataFrame
        classes, within (a key of ``WITHIN``), parameters, log_likelihood, bic, smallest (share), entropy, allowed,
        chosen.
    shares : array, shape (K,)
        Of the classes in the population, summing to 1.
    probabilities : DataFrame, N rows of the answers and K columns
        Of belonging to each class.
    entropy : float
        1 where every respondent's class is certain, 0 where it is anybody's guess; nan for one class.
    agreement : array, shape (resamples,)
        Adjusted Rand index of the solution with that found in each resample, both applied to all respondents.
    profiles : DataFrame
        class, share, construct, role ("forms the classes", "outcome"), mean, low, high: in standard deviations from
        all respondents' mean, with percentile intervals; empty where no segments are found.
    nobs, dropped : int
        Respondents the classes were sought among, and those left out: without all scores, or beyond ``LARGEST``.
    """

    candidates: pd.DataFrame
    shares: Array
    probabilities: pd.DataFrame
    entropy: float
    agreement: Array
    profiles: pd.DataFrame
    nobs: int
    dropped: int

    @property
    def classes(self) -> int:
        """Number of classes chosen."""
        return len(self.shares)

    @property
    def stability(self) -> float:
        """Median adjusted Rand index over the resamples; nan for one class."""
        return float(np.median(self.agreement)) if len(self.agreement) else np.nan

    @property
    def firmness(self) -> str:
        """How good the agreement over resamples is, by ``MARKS``."""
        return next(name for mark, name in MARKS if self.stability >= mark)


def segments(study: Study, *, resamples: int = 50, starts: int = 5) -> Segments | NotTestable:
    """Look for classes of respondents in the scores of the strategy constructs.

    Candidates are 1 to ``MOST`` classes within which scores are unrelated, or related alike in every class, and one
    class related through one factor. Of those whose classes each hold at least ``LEAST`` of the respondents, the one
    with the least BIC is chosen.

    The scores are means of items, standardised. Means of the constructs that form the classes are those of the mixture.
    Outcomes do not form them: their means by class allow for respondents put into the wrong class by the weights of
    Bolck, Croon & Hagenaars (2004, doi:10.1093/pan/mph001; Vermunt 2010, doi:10.1093/pan/mpq025). Every interval is
    over resamples in which the classes are found anew and matched to the first by the respondents they share, so that
    it holds the doubt about the classes too, given their number.

    Parameters
    ----------
    resamples : int
        At least 20.
    starts : int
        Of every candidate, from 1; the best likelihood counts.

    References
    ----------
    BIC for the number of classes: Nylund, Asparouhov & Muthén (2007), doi:10.1080/10705510701575396; resampled
    agreement: Hennig (2007), doi:10.1016/j.csda.2006.11.025; adjusted Rand index: Hubert & Arabie (1985),
    doi:10.1007/BF01908075.
    """
    if resamples < 20 or starts < 1:
        raise ParameterError(f"resamples={resamples!r}, starts={starts!r}; allowed: 20 or more, 1 or more.")
    forming, outcomes = study.strategies, [name for name in study.outcomes if name not in study.strategies]
    if len(forming) < 2:
        return untestable("profiles", count=len(forming))
    scores = mean_scores(study.codebook, study.answers, [*forming, *outcomes]).dropna()
    scores = scores if len(scores) <= LARGEST else scores.sample(LARGEST, random_state=study.seed).sort_index()
    if len(scores) < 2 or (scores.std() == 0).any():
        return NotTestable("A score does not vary, or nobody has all of them.")
    Z = ((scores - scores.mean()) / scores.std(ddof=0)).to_numpy()
    X, Y = Z[:, : len(forming)], Z[:, len(forming) :]
    rng = np.random.default_rng(study.seed)
    candidates, model = _choose(X, int(rng.integers(2**31)), starts)
    P, shares, profiles, agreement = np.ones((len(X), 1)), np.ones(1), pd.DataFrame(columns=PROFILE), ()
    if model is not None:
        order = np.argsort(-model.weights_, kind="stable")
        P, shares = model.predict_proba(X)[:, order], model.weights_[order]
        means = np.column_stack([model.means_[order], _outcome_means(P, Y)])
        agreement, redone = zip(*_resampled(model, X, Y, P, rng, resamples), strict=True)
        profiles = _profiles(shares, means, np.array(redone), forming, outcomes)
    members = pd.DataFrame(P, scores.index, range(1, len(shares) + 1))
    left_out = study.nobs - len(X)
    return Segments(candidates, shares, members, entropy(P), np.array(agreement), profiles, len(X), left_out)


def entropy(P: Array) -> float:
    """Return 1 + sum p log p / (N log K) of membership probabilities, shape (N, K); nan for one class.

    References
    ----------
    Ramaswamy, DeSarbo, Reibstein & Robinson (1993), doi:10.1287/mksc.12.1.103.

    Examples
    --------
    >>> entropy(np.eye(2)), entropy(np.full((3, 2), 0.5))
    (1.0, 0.0)
    """
    from scipy.special import xlogy

    return float(1 + xlogy(P, P).sum() / (len(P) * np.log(P.shape[1]))) if P.shape[1] > 1 else np.nan


def _choose(X: Array, seed: int, starts: int) -> tuple[pd.DataFrame, GaussianMixture | None]:
    """Return all candidates, and the mixture the rule chooses; None for one class."""
    from sklearn.decomposition import FactorAnalysis

    n, p = X.shape
    ways = [(k, within) for within in ("diag", "tied") for k in range(1, min(MOST, n - 1) + 1)]
    fitted = [_mixture(X, *way, seed, starts) for way in ways]
    spread = {"diag": lambda k: k * p, "tied": lambda _: p * (p + 1) // 2}
    lines = [
        {"classes": k, "within": within, "parameters": k - 1 + k * p + spread[within](k),
         "log_likelihood": n * model.score(X), "smallest": float(model.weights_.min()),
         "entropy": entropy(model.predict_proba(X)), "converged": model.converged_}
        for (k, within), model in zip(ways, fitted, strict=True)
    ]  # fmt: skip
    factor = n * FactorAnalysis(1, svd_method="lapack", tol=1e-8, max_iter=10_000).fit(X).score(X)
    whole = {"classes": 1, "within": "factor", "parameters": 3 * p, "log_likelihood": factor, "smallest": 1.0}
    lines.append(whole | {"entropy": np.nan, "converged": True})
    table = pd.DataFrame(lines)
    table["bic"] = table["parameters"] * np.log(n) - 2 * table["log_likelihood"]
    table["allowed"] = table.pop("converged") & (table["smallest"] >= LEAST)
    best = int(table.loc[table["allowed"], "bic"].idxmin())
    return table.assign(chosen=table.index == best), fitted[best] if table.at[best, "classes"] > 1 else None


def _mixture(X: Array, classes: int, within: str, seed: int, starts: int) -> GaussianMixture:
    """Fit by EM from several k-means starts."""
    from sklearn.mixture import GaussianMixture  # heavy: only where segments are looked for

    often = {"n_init": 1 if classes == 1 else starts, "tol": 1e-5, "max_iter": 1000, "reg_covar": ADDED}
    return GaussianMixture(classes, covariance_type=within, random_state=seed, **often).fit(X)


def _resampled(
    model: GaussianMixture, X: Array, Y: Array, P: Array, rng: np.random.Generator, resamples: int
) -> Iterator[tuple[float, Array]]:
    """Yield agreement with the solution, and means by class in its order, of each resample of respondents."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score

    for _ in range(resamples):
        rows = rng.integers(0, len(X), len(X))
        again = _mixture(X[rows], P.shape[1], model.covariance_type, int(rng.integers(2**31)), REFITS)
        Q = again.predict_proba(X)
        match = linear_sum_assignment(P.T @ Q, maximize=True)[1]
        means = np.column_stack([again.means_[match] - X[rows].mean(0), _outcome_means(Q[rows][:, match], Y[rows])])
        yield float(adjusted_rand_score(P.argmax(1), Q.argmax(1))), means


def _outcome_means(P: Array, Y: Array) -> Array:
    """Return the classes' means of variables that did not form them, from the mean of all, shape (K, m).

    With D[t, s] the probability that a member of t is put into s, the weights of respondents for t are the column of
    inv(D) that belongs to the class each was put into: over all respondents they undo the misplacement.
    """
    placed = np.eye(P.shape[1])[P.argmax(1)]
    D = (P.T @ placed) / P.sum(0)[:, None]
    W = placed @ np.linalg.pinv(D)
    return W.T @ Y / W.sum(0)[:, None] - Y.mean(0)


def _profiles(
    shares: Array, means: Array, redone: Array, forming: Sequence[str], outcomes: Sequence[str]
) -> pd.DataFrame:
    """Return one line a class and construct, with percentile intervals of the means redone (resamples, K, all)."""
    names = [(name, "forms the classes") for name in forming] + [(name, "outcome") for name in outcomes]
    lines = []
    for k, share in enumerate(shares):
        low, high = np.quantile(redone[:, k], [0.025, 0.975], axis=0)
        lines += [(k + 1, share, *name, *found) for name, *found in zip(names, means[k], low, high, strict=True)]
    return pd.DataFrame(lines, columns=PROFILE)
