"""Power of every free parameter, with coverage and bias, by simulation; of tests of fit by noncentral chi-squares.

And equivalence tests of fit: the largest misfit the data do not rule out, beside cut-offs on the same scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from scipy import optimize, stats

from semfit.errors import ParameterError, probability, whole
from semfit.estimate import Likelihood, minimise
from semfit.fit import estimate
from semfit.inference import TestStatistic
from semfit.measures import noncentrality
from semfit.missing import Patterns
from semfit.model import Array, blocks
from semfit.moments import GroupSample, Sample
from semfit.result import SemFit
from semfit.syntax import parse
from semfit.table import build

BATCH = 100
CONVENTIONAL = {"excellent": (0.01, 0.99), "close": (0.05, 0.95), "fair": (0.08, 0.92), "mediocre": (0.10, 0.90)}


def population_moments(population: str) -> tuple[tuple[str, ...], Array, Array]:
    """Return names, mean and covariance of a model in which every parameter is a number.

    Parameters
    ----------
    population : str
        The model; latent variances left unsaid are 1, covariances and intercepts 0.

    Returns
    -------
    names : tuple of str
        The p observed variables.
    mean, covariance : arrays, shapes (p,) and (p, p)

    Raises
    ------
    ParameterError
        Naming a parameter without a number, or where the numbers give no covariance matrix.

    Examples
    --------
    >>> names, mean, covariance = population_moments("y ~ 0.5*x; x ~~ 1*x; y ~~ 0.75*y")
    >>> names, covariance.tolist()
    (('y', 'x'), [[1.0, 0.5], [0.5, 1.0]])
    """
    parsed = parse(population)
    table = build(parsed, fixed_x=False, std_lv=True)
    for row in table.rows:
        if row.free and not (row.op == "~1" or row.lhs != row.rhs and row.op == "~~" and not row.user):
            raise ParameterError(
                f"the population gives no number for {row.relation}; write it as {row.lhs} {row.op} 0.5*{row.rhs}."
            )
    (block,) = blocks(table)
    p = block.observed
    implied = block.implied(np.zeros(len(table.keys)), block.base(np.eye(p), np.zeros(p)))
    covariance = implied.covariance[:p, :p]
    if np.linalg.eigvalsh(covariance).min() <= 0:
        raise ParameterError("the population's numbers give a covariance matrix that is not positive definite.")
    return table.roles.observed, implied.mean[:p] if block.means else np.zeros(p), covariance


def simulate(population: str, nobs: int, *, seed: int | None = None) -> pd.DataFrame:
    """Draw normal rows from a model in which every parameter is a number.

    Parameters
    ----------
    population : str
        The model, with a number before every variable; latent variances left unsaid are 1.
    nobs : int
        Rows.
    seed : int, optional
        The same seed gives the same rows.

    Returns
    -------
    pandas.DataFrame
        One column per observed variable, in the model's units.

    Raises
    ------
    ParameterError
        Naming a parameter without a number, or where the numbers give no covariance matrix.

    Examples
    --------
    >>> simulate("y ~ 0.5*x; x ~~ 1*x; y ~~ 0.75*y", 3, seed=1).shape
    (3, 2)
    """
    names, mean, covariance = population_moments(population)
    whole("nobs", nobs, 1)
    rows = np.random.default_rng(seed).standard_normal((nobs, len(names))) @ np.linalg.cholesky(covariance).T + mean
    return pd.DataFrame(rows, columns=list(names))


def power(
    population: str | Callable[[float], str],
    model: str,
    nobs: Sequence[int],
    *,
    effects: Sequence[float] = (),
    draws: int = 1000,
    alpha: float = 0.05,
    seed: int | None = None,
    std_lv: bool = False,
) -> pd.DataFrame:
    """Return how often each free parameter's test rejects zero, by sample size and, where asked for, by effect.

    Parameters
    ----------
    population : str or callable
        The model the data come from, with a number before every variable; with ``effects``, a function from an effect
        to such a text.
    model : str
        The model that is fitted, by ML.
    nobs : sequence of int
        Sample sizes.
    effects : sequence of float
        Effects to put into the population, in its own units; the table then begins with a column effect.
    draws : int
        Data sets for each size and effect.
    alpha : float
        Level of the two-sided z test.
    seed : int, optional
        The same seed gives the same data sets.
    std_lv : bool
        Fix latent variances to 1 instead of first loadings.

    Returns
    -------
    pandas.DataFrame
        nobs, lhs, op, rhs, true (the parameter of the fitted model at the population's moments), mean, power, its
        Monte-Carlo standard error, coverage of the (1 - alpha) interval, and converged, the share of data sets with a
        solution.

    Raises
    ------
    ParameterError
        Where the population lacks a number or a variable, a size or ``draws`` is too small, or the model has
        constraints.

    References
    ----------
    Muthén & Muthén (2002), doi:10.1207/S15328007SEM0904_8.
    """
    if isinstance(population, str) == bool(effects):
        raise ParameterError("population is a text, or a function of an effect with effects=[...]; got one of the two.")
    if not isinstance(population, str):
        curve = []
        for effect, stream in zip(effects, np.random.SeedSequence(seed).generate_state(len(effects)), strict=True):
            one = power(population(effect), model, nobs, draws=draws, alpha=alpha, seed=int(stream), std_lv=std_lv)
            curve.append(one.assign(effect=float(effect)))
        return pd.concat(curve, ignore_index=True).pipe(lambda table: table[["effect", *table.columns[:-1]]])
    fit = population_fit(population, model, std_lv=std_lv)
    whole("draws", draws, 2)
    probability("alpha", alpha)
    sizes = [whole("nobs", size, len(fit.sample.names) + 1) for size in np.atleast_1d(nobs).tolist()]
    table, true = fit.table, fit.theta
    if table.constraints:
        raise ParameterError("the model has constraints (==, <, >), which power leaves out; use equal labels instead.")
    rows = {row.key: (row.lhs, row.op, row.rhs) for row in table.rows if row.free}  # in the order of table.keys
    relations = pd.DataFrame([*rows.values()], columns=["lhs", "op", "rhs"])
    frames = []
    for size, stream in zip(sizes, np.random.SeedSequence(seed).spawn(len(sizes)), strict=True):
        est, se = _draw(fit, size, draws, np.random.default_rng(stream))
        usable = np.isfinite(est).all(1) & np.isfinite(se).all(1)
        est, half = est[usable], stats.norm.ppf(1 - alpha / 2) * se[usable]
        share, coverage = (np.abs(est) > half).mean(0), (np.abs(est - true) <= half).mean(0)
        error = np.sqrt(share * (1 - share) / len(est))
        found = {"true": true, "mean": est.mean(0), "power": share, "power_se": error, "coverage": coverage}
        frames.append(relations.assign(**found, converged=usable.mean()))
        frames[-1].insert(0, "nobs", size)
    return pd.concat(frames, ignore_index=True)


def population_fit(population: str, model: str, *, std_lv: bool = False) -> SemFit:
    """Fit a model by ML to a population's own moments; its chi2 is what one observation adds.

    Parameters
    ----------
    population, model : str
        The model that holds, with a number before every variable, and the model that is fitted.
    std_lv : bool
        Fix latent variances to 1 instead of first loadings.

    Raises
    ------
    ParameterError
        Where the population lacks a variable of the model, or the model has no solution.
    """
    names, mean, covariance = population_moments(population)
    table = build(parse(model), std_lv=std_lv, fixed_x=False)
    missing = [n for n in table.roles.observed if n not in names]
    if missing:
        raise ParameterError(f"{missing[0]} is in the model but not in the population, which has {', '.join(names)}.")
    at = [names.index(n) for n in table.roles.observed]
    mean, covariance = mean[at], covariance[np.ix_(at, at)]
    group = GroupSample("", 1, Patterns.whole(1, covariance, mean), covariance, mean, None, None)
    sample = Sample(table.roles.observed, (group,), 0, False)
    fit = estimate(model, table, sample, "ML")
    if not fit.converged:
        raise ParameterError("the model has no solution at the population's own moments; is it identified?")
    return fit


def _draw(fit: SemFit, size: int, draws: int, rng: np.random.Generator) -> Array:
    """Return estimates and standard errors of every data set, (2, draws, q), nan where one has no solution."""
    (block,), (group,), q, found = fit.problem.blocks, fit.sample.groups, len(fit.theta), []
    root, mask = np.linalg.cholesky(group.covariance), np.ones((1, len(group.mean)), dtype=bool)
    for begin in range(0, draws, BATCH):
        rows = rng.standard_normal((min(BATCH, draws - begin), size, len(root))) @ root.T + group.mean
        m = rows.mean(1)
        rows -= m[:, None, :]
        S = rows.swapaxes(1, 2) @ rows / size
        patterns = Patterns(np.full((len(S), 1), float(size)), S[:, None], m[:, None], mask)
        problem = Likelihood((block,), (patterns,), (block.base(S, m),), q)
        solution = minimise(problem, np.broadcast_to(fit.theta, (len(S), q)), tolerance=1e-10)
        information = problem.derivatives(solution.theta)[1]
        bad = ~solution.converged | (np.linalg.cond(information) > 1e12)
        information[bad] = np.eye(q)
        variance = np.diagonal(np.linalg.inv(information), axis1=1, axis2=2) / size
        se = np.sqrt(np.where(variance > 0, variance, np.nan))
        found.append(np.where(bad[:, None], np.nan, (solution.theta, se)))
    return np.concatenate(found, 1)


def rmsea_power(
    df: int,
    nobs: float | Sequence[float],
    *,
    null: float = 0.05,
    true: float = 0.08,
    alpha: float = 0.05,
    groups: int = 1,
) -> Array:
    """Return the power to reject a model, or to accept it, by its RMSEA.

    Null hypothesis: RMSEA <= ``null`` where ``true`` is larger (a test of close fit; of exact fit with 0), and
    RMSEA >= ``null`` where ``true`` is smaller (a test of not-close fit, whose rejection speaks for the model).

    Parameters
    ----------
    df : int
        Degrees of freedom of the model, at least 1.
    nobs : float or sequence of float
        Observations in all groups, N; the noncentrality is (N - 1) df RMSEA^2 / groups, as in the source.
    null, true : float
        RMSEA, not negative, different.
    alpha : float
        Level of the test, in (0, 1).
    groups : int
        Number of groups.

    Returns
    -------
    array, of the shape of ``nobs``

    Raises
    ------
    ParameterError
        Where a number lies outside its range.

    References
    ----------
    MacCallum, Browne & Sugawara (1996), doi:10.1037/1082-989X.1.2.130.

    Examples
    --------
    >>> rmsea_power(100, [100, 200]).round(3).tolist()
    [0.65, 0.955]
    """
    whole("df", df, 1)
    probability("alpha", alpha)
    if min(null, true) < 0 or null == true:
        raise ParameterError(f"null={null!r}, true={true!r}; both RMSEA are not negative and differ.")
    scale = (np.asarray(nobs, dtype=float) - 1) * df / groups
    upper = true > null
    critical = stats.ncx2.ppf(1 - alpha if upper else alpha, df, scale * null**2)
    below = stats.ncx2.cdf(critical, df, scale * true**2)
    return 1 - below if upper else below


def rmsea_sample_size(
    df: int, *, power: float = 0.80, null: float = 0.05, true: float = 0.08, alpha: float = 0.05, groups: int = 1
) -> int:
    """Return the smallest number of observations with which ``rmsea_power`` reaches a power.

    Other parameters are those of :func:`rmsea_power`.

    Parameters
    ----------
    power : float
        Wanted, between ``alpha`` and 1.

    Raises
    ------
    ParameterError
        Where a number lies outside its range.

    Examples
    --------
    >>> rmsea_sample_size(100)
    132
    """
    if not alpha < power < 1:
        raise ParameterError(f"power is a probability between alpha = {alpha!r} and 1; got {power!r}.")

    def gap(nobs: float) -> float:
        return float(rmsea_power(df, nobs, null=null, true=true, alpha=alpha, groups=groups)) - power

    high = 10.0
    while gap(high) < 0:
        high *= 2
    return int(np.ceil(optimize.brentq(gap, 2.0, high, xtol=1e-6)))


@dataclass(frozen=True)
class Equivalence:
    """What is left of RMSEA and CFI when the test has to show that the misfit is small.

    Parameters
    ----------
    rmsea, cfi : float
        T-size: with confidence 1 - ``alpha`` the population's RMSEA is at most, its CFI at least this.
    cutoffs : pandas.DataFrame
        By verdict: the conventional cut-offs of RMSEA and CFI, and what they become for T-size values (``rmsea_t``,
        ``cfi_t``) with this many degrees of freedom and observations and this baseline.
    alpha : float
        Level of the test.
    """

    rmsea: float
    cfi: float
    cutoffs: pd.DataFrame
    alpha: float

    @property
    def rmsea_verdict(self) -> str:
        """The best verdict whose cut-off the T-size RMSEA stays under; "poor" if none."""
        return next((name for name, cut in self.cutoffs["rmsea_t"].items() if self.rmsea <= cut), "poor")

    @property
    def cfi_verdict(self) -> str:
        """The best verdict whose cut-off the T-size CFI reaches; "poor" if none."""
        return next((name for name, cut in self.cutoffs["cfi_t"].items() if self.cfi >= cut), "poor")


def equivalence(fit: SemFit, *, alpha: float = 0.05) -> Equivalence:
    """Test that the misfit is small, where the usual test rests on not rejecting that it is none.

    The null hypothesis is that the misfit exceeds some size; the T-size is the smallest size at which it is rejected.
    With d(p) the noncentrality under which the model's chi2 has cumulative probability p, and d0(p) the baseline's,
    T-size RMSEA = sqrt(d(alpha) G / (df N)) and T-size CFI = 1 - d(alpha / 2) / d0(1 - alpha / 2). An adjusted
    cut-off is the T-size value of a fit whose conventional index stands exactly at the conventional cut-off.

    Parameters
    ----------
    fit : SemFit
        Converged and identified, with degrees of freedom; by ML, MLM or MLR. The latter two, and incomplete data, enter
        by the statistics of their robust indices.
    alpha : float
        Level of the test, in (0, 0.5).

    Returns
    -------
    Equivalence

    Raises
    ------
    ParameterError
        Where the fit has no such statistic.

    Notes
    -----
    The noncentralities are exact. The authors approximate the cut-offs by regressions on N, df and the number of
    variables; those of RMSEA agree with the exact ones within about 0.003, those of CFI average over baselines.

    References
    ----------
    Yuan, Chan, Marcoulides & Bentler (2016), doi:10.1080/10705511.2015.1065414; verdicts: Marcoulides & Yuan (2017),
    doi:10.1080/10705511.2016.1225260.

    Examples
    --------
    >>> import semfit
    >>> data = semfit.simulate("f =~ 0.7*a + 0.7*b + 0.7*c + 0.7*d; f ~~ 1*f; "
    ...                     "a ~~ 0.5*a; b ~~ 0.5*b; c ~~ 0.5*c; d ~~ 0.5*d", 400, seed=1)
    >>> found = equivalence(semfit.fit("f =~ a + b + c + d", data))
    >>> bool(found.rmsea >= 0), list(found.cutoffs)
    (True, ['rmsea', 'rmsea_t', 'cfi', 'cfi_t'])
    """
    if not 0 < alpha < 0.5:
        raise ParameterError(f"alpha is {alpha!r}; the level of the test lies between 0 and 0.5.")
    if fit.ordinal or not (fit.converged and fit.identified) or fit.test.df <= 0:
        raise ParameterError(
            f"equivalence of a fit by {fit.estimator} with {fit.test.df} degrees of freedom; it takes a solution by "
            "ML, MLM or MLR with at least one."
        )
    test, base = fit.index_statistics
    if not all(np.isfinite(one.factor) for one in (test, base)):
        raise ParameterError("the scaled test of this fit does not exist, so its T-size does not; use estimator 'ML'.")
    unit = fit.table.groups / (test.df * fit.nobs)
    least = _noncentrality(base, 1 - alpha / 2)

    def rmsea(one: TestStatistic) -> float:
        return sqrt(_noncentrality(one, alpha) * unit)

    def cfi(one: TestStatistic) -> float:
        most = _noncentrality(one, alpha / 2)
        return 1 - most / max(most, least) if most > 0 else 1.0

    rows = {}
    for name, (r, c) in CONVENTIONAL.items():
        over = max(base.chisq - base.factor * base.df, 0.0)
        rows[name] = (r, rmsea(_at(test, r**2 / unit)), c, cfi(_at(test, (1 - c) * over)))
    cutoffs = pd.DataFrame.from_dict(rows, orient="index", columns=["rmsea", "rmsea_t", "cfi", "cfi_t"])
    return Equivalence(rmsea(test), cfi(test), cutoffs, alpha)


def _noncentrality(test: TestStatistic, probability: float) -> float:
    """Return the noncentrality of the unscaled statistic."""
    return test.factor * noncentrality(test.scaled, test.df, probability)


def _at(test: TestStatistic, misfit: float) -> TestStatistic:
    """Return the statistic whose estimated noncentrality is ``misfit``."""
    return TestStatistic(misfit + test.factor * test.df, test.df, test.scaling)
