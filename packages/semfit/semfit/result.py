"""Hold a fitted model and derive what is asked of it: estimates, fit measures, residuals, R2."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from semfit import comparison, identification, measures, prediction, report, residuals, robust, scores
from semfit.effects import path_effects
from semfit.errors import probability
from semfit.expressions import jacobian
from semfit.inference import TestStatistic, covariance, delta_errors, free_directions, z_tests
from semfit.least_squares import LeastSquares, ResponseBlock
from semfit.model import Array
from semfit.resampling import Bootstrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.95  # of all confidence intervals of estimates


@dataclass(frozen=True)
class SemFit(report.Shown):
    """A fitted structural equation model.

    Parameters
    ----------
    model, estimator, information, table, sample, problem, solution, curvature, vcov, test, baseline, saturated
        And options, active: as of ``semfit.solved.Solved``.
    draws : Bootstrap, optional
        Resamples, where they were asked for; standard errors and intervals are then theirs.
    """

    draws: Bootstrap | None = None

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """What is off about the solution, in sentences; empty when nothing is."""
        found = []
        if not self.converged:
            found.append(
                f"The estimation did NOT converge in {int(self.solution.iterations)} iterations "
                f"(gradient {float(self.solution.gradient):.1e}); there are no estimates.{self._running_off()}"
            )
        elif not self.identified:
            found.append(
                f"The model is NOT identified: the information matrix has rank {self.curvature.rank}, "
                f"{self.curvature.directions} are needed; the estimates are one of many solutions. "
                f"{identification.why_open(self)}"
            )
        if not self.sample.settled:
            found.append(
                "There is NO test of the model: no maximum was found of the likelihood that the rows have without "
                "a model (few rows hold the variables together); estimates and standard errors do not rest on it."
            )
        elif self.test.scaling is not None and np.isnan(self.test.scaling):
            found.append("The scaling factor of the test is not positive: there is no scaled test (too few rows).")
        return (*found, *self._inadmissible())

    def _running_off(self) -> str:
        """Name the residual variance that, without a minimum, has run far below zero."""
        share: list[tuple[float, str]] = []
        for block, base, group in zip(self.problem.blocks, self.problem.bases, self.sample.groups, strict=True):
            own = np.diag(block.matrices(self.solution.theta, base)[1])[: block.observed]
            share += zip(own / np.diag(group.covariance), block.names, strict=False)
        least, name = min(share)
        said = f" The residual variance of {name} runs to minus infinity (now {least:.3g} of the item's): no minimum."
        return said if least < -0.5 else ""

    def _inadmissible(self) -> list[str]:
        """Name negative variances and covariance matrices that are none."""
        found, theta = [], self.solution.theta
        for block, base, group in zip(self.problem.blocks, self.problem.bases, self.sample.groups, strict=True):
            S = block.matrices(theta, base)[1]
            where = f" in group {group.label}" if len(self.sample.groups) > 1 else ""
            negative = [name for i, name in enumerate(block.names) if S[i, i] < 0]
            found += [f"The variance of {name}{where} is negative (a Heywood case)." for name in negative]
            if isinstance(block, ResponseBlock):
                found += [f"The thresholds of {n}{where} do not increase." for n in block.disordered(theta)]
            first = block.observed + block.means
            latent = block.implied(theta, base).covariance[first:, first:]
            if not negative and len(latent) and np.linalg.eigvalsh(latent).min() < -1e-10:
                found.append(f"The covariance matrix of the latent variables{where} is not positive definite.")
            if not negative and np.linalg.eigvalsh(S).min() < -1e-10:
                found.append(f"The covariance matrix of the residuals{where} is not positive definite.")
        return found

    @cached_property
    def errors(self) -> Array:
        """Standard error of every row, then of every defined parameter; zero where nothing was estimated."""
        if self.draws is not None:
            return self.draws.intervals()["se"].to_numpy()
        own = np.sqrt(np.diag(self.vcov))
        free = [own[self.table.position[row.key]] if row.free else 0.0 for row in self.rows]
        if not self.table.defined:
            return np.array(free)
        J = jacobian(lambda theta: self.values_at(theta)[..., len(self.rows) :], self.theta)
        return np.concatenate([free, delta_errors(J, self.vcov)])

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One line per parameter: lhs, op, rhs, label, group, est, se, z, pvalue, ci_low, ci_high, std_all."""
        tests = self._tests(LEVEL)
        return self.frame(est=self.values, se=self.errors, **tests, std_all=self.standardized_at(self.theta))

    def variances_at(self, theta: Array, group: int = 1) -> dict[str, Array]:
        """Return the variance the model implies of every variable, latent ones too, at other parameters.

        Parameters
        ----------
        theta : array, shape (..., npar)
            As for :meth:`standardized_at`.
        group : int
            From 1.

        Returns
        -------
        dict of str to array, shape (...)
        """
        block, base = self.problem.blocks[group - 1], self.problem.bases[group - 1]
        variance = np.diagonal(block.implied(theta, base).covariance, axis1=-2, axis2=-1)
        return {name: variance[..., k] for k, name in enumerate(block.names)}

    def sandwich(self) -> Array:
        """Return the robust covariance matrix of the estimates that MLR gives, without its scaled tests.

        An ML fit to complete rows has so the errors of MLR in a fraction of the time.
        """
        H = self.problem.derivatives(self.theta[None], observed=True)[1][0]
        bread = covariance(H, free_directions(self.problem, self.theta)).inverse
        return bread @ robust.meat(self.problem, self.sample, self.theta) @ bread / self.nobs

    def _tests(self, level: float) -> dict[str, Array]:
        """Return z, p value and ends of the interval of every row and defined parameter; drawn ends where there are."""
        tests = z_tests(self.values, self.errors, level)
        if self.draws is not None:
            drawn = self.draws.intervals("percentile", level)
            tests |= {end: drawn[end].to_numpy() for end in ("ci_low", "ci_high")}
        return tests

    @cached_property
    def _named(self) -> dict[str, int]:
        """Which of ``estimates`` each estimated and each defined parameter is, by name; what is equal once."""
        first: dict[str, tuple[str, int]] = {}
        for k, row in enumerate(self.rows):
            if row.free:
                first.setdefault(row.key, (row.name, k))
        return dict(first.values()) | {name: len(self.rows) + k for k, name in enumerate(self.table.defined)}

    def _series(self, column: str) -> pd.Series:
        return pd.Series(self.estimates[column].to_numpy()[list(self._named.values())], [*self._named], name=column)

    @property
    def params(self) -> pd.Series:
        """Estimated and defined parameters by label, or as lavaan's ``coef`` names them: ``f=~x2``, ``y~x``, ``y~~y``.

        What is held equal stands there once; later groups have names like ``f=~x2.g2``. All rows, those that are fixed
        too, are in ``estimates``.
        """
        return self._series("est").rename("params")

    @property
    def bse(self) -> pd.Series:
        """Standard errors of ``params``."""
        return self._series("se").rename("bse")

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p values of ``params``, of the null hypothesis that each is 0."""
        return self._series("pvalue").rename("pvalues")

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return confidence intervals of ``params``: normal, or percentiles of the resamples where there are any.

        Parameters
        ----------
        alpha : float
            One less the coverage, in (0, 1).

        Returns
        -------
        pandas.DataFrame
            ``lower`` and ``upper`` by the names of ``params``.

        Examples
        --------
        >>> import semfit
        >>> fit = semfit.fit("y ~ b*x", semfit.simulate("y ~ 0.5*x; x ~~ 1*x; y ~~ 0.75*y", 400, seed=1))
        >>> fit.conf_int(alpha=0.1).loc["b"].round(2).tolist()
        [0.39, 0.53]
        """
        probability("alpha", alpha)
        at = list(self._named.values())
        ends = self._tests(1 - alpha)
        return pd.DataFrame({"lower": ends["ci_low"][at], "upper": ends["ci_high"][at]}, [*self._named])

    def predict(self, data: pd.DataFrame | None = None, method: str = "regression") -> pd.DataFrame:
        """Return factor scores by the regression method or Bartlett's, see :func:`semfit.prediction.factor_scores`.

        Examples
        --------
        >>> import semfit
        >>> items = semfit.simulate("f =~ 0.8*a + 0.7*b + 0.6*c; a ~~ 1*a; b ~~ 1*b; c ~~ 1*c", 300, seed=1)
        >>> scores = semfit.fit("f =~ a + b + c", items).predict()
        >>> scores.shape, bool(abs(scores["f"].mean()) < 1e-12)
        ((300, 1), True)
        """
        return prediction.factor_scores(self, data, method)

    @cached_property
    def standardized(self) -> pd.DataFrame:
        """The standardised solution with its own standard errors, tests and intervals."""
        est = self.standardized_at(self.theta)
        se = delta_errors(jacobian(self.standardized_at, self.theta), self.vcov)
        return self.frame(std_all=est, se=se, **z_tests(est, se, least=1e-12))

    @cached_property
    def fit_measures(self) -> pd.Series:
        """Fit measures by lavaan's names; without a solution that is identified, nan but for npar and df."""
        test, base, groups = self.test, self.baseline, self.table.groups
        out = {
            "npar": self.npar,
            "fmin": test.chisq / (2 * self.nobs),
            "chisq": test.chisq,
            "df": test.df,
            "pvalue": test.pvalue(),
            "baseline.chisq": base.chisq,
            "baseline.df": base.df,
            "baseline.pvalue": base.pvalue(),
        }
        out |= measures.comparative(test, base)
        if not self.ordinal:
            out |= measures.likelihood_measures(self)
        out |= measures.rmsea(test.chisq, test.df, self.divisor, groups)
        if isinstance(self.problem, LeastSquares):
            out |= measures.ordinal_residual_measures(self.problem, self.sample, self.solution.theta, test.df)
        else:
            out |= measures.residual_measures(self.problem, self.sample, self.solution.theta, test.df)
            out["ecvi"] = (test.chisq + 2 * self.npar) / self.nobs
        out["mfi"] = float(np.exp(-(test.chisq - test.df) / (2 * self.divisor)))
        if test.scaling is not None:
            out |= self._scaled_measures()
        if not (self.converged and self.identified):
            out = {k: v if k in ("npar", "df") else np.nan for k, v in out.items()}
        elif isinstance(self.problem, LeastSquares):
            if test.scaling is not None:
                out |= measures.ordinal_robust_measures(self.problem, self.sample, self.theta, self.curvature, test.df)
        elif self.index_statistics[0].scaling is not None:
            out |= measures.robust_indices(*self.index_statistics, self.nobs, groups)
        return pd.Series([*out.values()], [*out], dtype=float, name="fit measures")

    def _scaled_measures(self) -> dict[str, float]:
        test, base, groups = self.test, self.baseline, self.table.groups
        chisq, df = (test.scaled, test.df) if test.shift else (test.chisq, test.factor * test.df)
        scaled = measures.rmsea(chisq, df, self.divisor, groups)
        return {
            "chisq.scaled": test.scaled,
            "df.scaled": test.df,
            "pvalue.scaled": test.pvalue(scaled=True),
            "chisq.scaling.factor": test.factor,
            "baseline.chisq.scaled": base.scaled,
            "baseline.df.scaled": base.df,
            "baseline.chisq.scaling.factor": base.factor,
            **{f"{k}.scaled": v for k, v in scaled.items()},
        }

    @cached_property
    def index_statistics(self) -> tuple[TestStatistic, TestStatistic]:
        """The statistics of model and baseline that robust indices rest on: as if no value were missing."""
        if isinstance(self.problem, LeastSquares) or not (self.sample.missing and self.sample.settled):
            return self.test, self.baseline
        nonnormal, (base, theta) = self.test.scaling is not None, robust.baseline(self.problem, self.sample)
        free, every = self.curvature.basis, np.eye(len(theta))
        return (
            measures.corrected(self.problem, self.sample, self.theta, free, self.test.df, nonnormal),
            measures.corrected(base, self.sample, theta, every, self.baseline.df, nonnormal),
        )

    @cached_property
    def r2(self) -> pd.Series | pd.DataFrame:
        """Share of variance explained, by variable; a column per group where there are several."""
        if len(self.explained) == 1:
            return pd.Series(self.explained[0], name="r2")
        return pd.DataFrame({g.label: values for g, values in zip(self.sample.groups, self.explained, strict=True)})

    @cached_property
    def r2_intervals(self) -> pd.DataFrame:
        """R2 with standard error and 95 % interval, those of 1 less the standardised residual variance (delta method).

        lhs, group, r2, se, ci_low, ci_high; the interval is normal and may leave 0 to 1.
        """
        by_group, own = self.explained, self.standardized.query("op == '~~' and lhs == rhs")
        own = own[[name in by_group[group - 1] for name, group in zip(own["lhs"], own["group"], strict=True)]]
        ends = {"r2": 1 - own["std_all"], "se": own["se"], "ci_low": 1 - own["ci_high"], "ci_high": 1 - own["ci_low"]}
        return own[["lhs", "group"]].assign(**ends).reset_index(drop=True)

    # what others derive of a fit, under their own docstrings
    effects = cached_property(path_effects)
    residuals = cached_property(residuals.residuals)
    modification_indices = cached_property(scores.modification_indices)
    compare = comparison.compare
    summary = report.summary
    to_lavaan = report.to_lavaan

    def plot(
        self,
        ax: Axes | None = None,
        *,
        group: int = 1,
        standardized: bool = True,
        items: bool = True,
        names: Mapping[str, str] | None = None,
        without: Collection[str] = (),
    ) -> Axes:
        """Draw the path diagram; needs matplotlib, the extra ``plot``.

        Parameters
        ----------
        ax, group, standardized, items, names, without
            As in ``semfit.diagram.plot_paths``: where, which group (from 1), what numbers, items or not, and names.
        """
        from semfit.diagram import plot_paths

        return plot_paths(self, ax, group=group, standardized=standardized, items=items, names=names, without=without)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>"
