"""Partial least squares path models: composites of items as proxies for constructs, corrected for noise by PLSc.

A model's text is read into constructs, modes and paths; an iteration finds the weights of a batch of samples.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from semfit.columns import Array, correlation
from semfit.errors import ParameterError, one_of
from semfit.moments import Moments, from_moments, read
from semfit.resampling import acceleration, counted, interval_ends, left_out, streams, weighted_moments
from semfit.syntax import parse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pair = tuple[str, str]
SCHEMES = ("path", "factorial", "centroid")
TOLERANCE, LIMIT = 1e-13, 3000  # of the largest change of a weight; iterations
CLOSE = 1e-10  # how still the weights of a resample stand, where those of the sample stand at 1e-13
BATCH = 100  # resamples solved together; part of the definition of the random streams
LEVEL = 0.95


@dataclass(frozen=True)
class PlsModel:
    """Constructs by name, their modes, their items in the order written, and paths (cause, effect)."""

    constructs: tuple[str, ...]
    modes: tuple[str, ...]
    owned: tuple[Pair, ...]
    paths: tuple[Pair, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """All items, block after block."""
        return tuple(item for _, item in self.owned)

    @cached_property
    def mask(self) -> Array:
        """Which item (row) belongs to which construct (column)."""
        return np.array([[of == name for name in self.constructs] for of, _ in self.owned])

    @cached_property
    def noisy(self) -> Array:
        """Which constructs are of mode A and several items, so that there is noise to correct for."""
        return (np.array(self.modes) == "A") & (self.mask.sum(0) > 1)

    @property
    def path_cells(self) -> tuple[list[int], list[int]]:
        """Positions of the causes and of the effects of all paths."""
        return self.at(*(cause for cause, _ in self.paths)), self.at(*(effect for _, effect in self.paths))

    @property
    def explained(self) -> list[str]:
        """Constructs that have causes."""
        return [name for name in self.constructs if self.causes(name)]

    @cached_property
    def effects(self) -> list[Pair]:
        """Pairs (cause, effect) that a chain of arrows joins."""
        reach = self._reach
        return [(a, b) for i, a in enumerate(self.constructs) for j, b in enumerate(self.constructs) if reach[j, i]]

    @cached_property
    def _reach(self) -> Array:
        step = np.zeros((len(self.constructs),) * 2, dtype=bool)
        step[self.path_cells[::-1]] = True
        return step @ np.linalg.matrix_power(step | np.eye(len(step), dtype=bool), len(step))

    def at(self, *names: str) -> list[int]:
        """Positions of constructs."""
        return [self.constructs.index(name) for name in names]

    def block(self, name: str) -> list[int]:
        """Positions of a construct's items."""
        return [k for k, (of, _) in enumerate(self.owned) if of == name]

    def causes(self, name: str) -> list[str]:
        """Constructs with an arrow to this one."""
        return [a for a, b in self.paths if b == name]


def read_model(text: str, modes: Mapping[str, str]) -> PlsModel:
    """Read a model text into constructs and paths.

    Raises
    ------
    ParameterError
        Where the text holds what PLS does not have, an item twice, a loop, or a construct without paths.
    """
    parsed = parse(text)
    for t in parsed.terms:
        if t.op not in ("=~", "<~", "~"):
            raise ParameterError(f"line {t.line}: a PLS model has no {t.op!r}; allowed are =~, <~ and ~.")
        if any(v is not None for v in (*t.fixed, *t.start)) or any(t.label):
            raise ParameterError(f"line {t.line}: {t.lhs} {t.op} {t.rhs} has a modifier; PLS fixes and labels nothing.")
    if parsed.defined or parsed.constraints:
        raise ParameterError("a PLS model has no ':=' and no '=='; indirect effects are in `effects`.")
    measured = [(t.lhs, t.rhs) for t in parsed.terms if t.op != "~"]
    mode = {t.lhs: "A" if t.op == "=~" else "B" for t in parsed.terms if t.op != "~"}
    paths = tuple((t.rhs, t.lhs) for t in parsed.terms if t.op == "~")
    singles = [name for name in dict.fromkeys(n for a, b in paths for n in (b, a)) if name not in mode]
    constructs = (*dict.fromkeys(of for of, _ in measured), *singles)
    owned = tuple((n, item) for n in constructs for of, item in [*measured, *((s, s) for s in singles)] if of == n)
    for name, given in modes.items():
        one_of("construct", name, constructs)
        if given not in ("A", "B"):
            raise ParameterError(f"mode of {name} is {given!r}; allowed are 'A' and 'B'.")
    found = PlsModel(constructs, tuple(modes.get(n, mode.get(n, "A")) for n in constructs), owned, paths)
    _check(found)
    return found


def _check(model: PlsModel) -> None:
    items = model.items
    twice = [item for item in items if items.count(item) > 1]
    nested = [item for name, item in model.owned if item in model.constructs and item != name]
    if twice or nested:
        raise ParameterError(
            f"{(twice or nested)[0]} stands in two blocks or is a construct itself; in PLS an item "
            "belongs to one construct."
        )
    joined = {name for pair in model.paths for name in pair}
    if alone := [name for name in model.constructs if name not in joined]:
        raise ParameterError(f"construct {alone[0]} has no path; PLS finds weights from the paths, so each needs one.")
    if loop := [name for name, there in zip(model.constructs, np.diag(model._reach), strict=True) if there]:
        raise ParameterError(f"the paths run in a loop through {', '.join(loop)}; PLS needs paths without loops.")


def outer_weights(model: PlsModel, R: Array, scheme: str, still: float = TOLERANCE) -> tuple[Array, Array, Array]:
    """Return weights, iterations and whether they converged, for a batch of correlation matrices.

    Parameters
    ----------
    R : array, shape (batch, p, p)
        Correlations of the items.
    still : float
        How little the weights move at the end.

    Returns
    -------
    weights : array, shape (batch, p, J)
        Composites have variance 1.
    iterations, converged : arrays, shape (batch,)
    """
    mask = model.mask
    W, RW = _scaled(np.broadcast_to(mask.astype(float), (len(R), *mask.shape)), R)
    formative = mask @ np.array([mode == "B" for mode in model.modes])
    inverse = None
    if formative.any():
        inverse = np.linalg.inv(np.where((mask @ mask.T) & formative[:, None], R, np.eye(len(mask))))  # mode A: itself
    iterations, moving = np.zeros(len(R), dtype=int), np.ones(len(R), dtype=bool)
    for _ in range(LIMIT):
        at = np.flatnonzero(moving)
        if not len(at):
            break
        proxies = np.where(mask, RW[at] @ _inner(model, W[at].swapaxes(1, 2) @ RW[at], scheme), 0.0)
        new, image = _scaled(proxies if inverse is None else np.where(mask, inverse[at] @ proxies, 0.0), R[at])
        change = np.abs(np.abs(new) - np.abs(W[at])).max((1, 2))  # signs may turn together without end
        W[at], RW[at] = new, image
        iterations[at] += 1
        moving[at] = change >= still  # not so where it is not a number
    return W, iterations, ~moving & np.isfinite(W).all((1, 2))


def _scaled(W: Array, R: Array) -> tuple[Array, Array]:
    """Give every composite variance 1; return with the weights W also R W, the items' covariances with them."""
    RW = R @ W
    size = np.sqrt((W * RW).sum(1))[:, None, :]
    return W / size, RW / size


def _inner(model: PlsModel, C: Array, scheme: str) -> Array:
    """Return how much each construct (row) counts in the proxy of each (column)."""
    a, b = model.path_cells
    joined = np.zeros(C.shape[1:], dtype=bool)
    joined[a, b] = joined[b, a] = True
    E = np.where(joined, np.sign(C) if scheme == "centroid" else C, 0.0)
    if scheme == "path":
        E[:, a, b] = structure(model, C)[:, b, a]
    return E


def structure(model: PlsModel, C: Array) -> Array:
    """Return paths (batch, effect, cause), the regressions of each explained construct on its causes."""
    B = np.zeros_like(C)
    for name in model.explained:
        (y,), xs = model.at(name), model.at(*model.causes(name))
        B[:, y, xs] = np.linalg.solve(C[:, xs][:, :, xs], C[:, xs, y][..., None])[..., 0]
    return B


def reliabilities(model: PlsModel, R: Array, W: Array) -> Array:
    """Return rho_A of each composite, 1 for mode B and single items (Dijkstra & Henseler 2015, equation 3)."""
    square = W**2
    norm, off = square.sum(-2), (W * (R @ W)).sum(-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = norm**2 * (off - norm) / (norm**2 - (square**2).sum(-2))
    return np.where(model.noisy, rho, 1.0)


@dataclass(frozen=True)
class PlsFit:
    """An estimated PLS path model; all variables are standardised.

    Parameters
    ----------
    model : PlsModel
        Constructs with their items and modes, and the paths.
    scheme : str
        Inner weighting.
    consistent : bool
        Whether paths and loadings are corrected for the noise of mode A composites (PLSc).
    correlation : array, shape (p, p)
        Of the items.
    weights : array, shape (p, J)
        Of the items in the composites, which have variance 1.
    iterations : int
    converged : bool
    nobs, dropped : int
        Rows used, and rows left out for missing values.
    draws : array, shape (usable draws, values), optional
        ``values`` of every resample.
    failed : int
        Resamples without a solution; they are left out.
    acceleration : array, shape (values,), optional
        Of BCa intervals, in place of percentiles, see :meth:`accelerated`.
    """

    model: PlsModel
    scheme: str
    consistent: bool
    correlation: Array
    weights: Array
    iterations: int
    converged: bool
    nobs: int
    dropped: int = 0
    draws: Array | None = None
    failed: int = 0
    acceleration: Array | None = None

    @cached_property
    def values(self) -> Array:
        """Loadings, weights, paths, indirect and total effects, in the order of ``estimates`` and ``effects``."""
        return _values(self.model, self.correlation[None], self.weights[None], self.consistent)[0]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is off about the solution, in sentences; empty when nothing is."""
        found = [] if self.converged else [f"The weights did NOT converge in {self.iterations} iterations."]
        rho = self.reliability["rho_A"]
        found += [f"rho_A of {name} is {r:.3f}, outside 0 to 1." for name, r in rho.items() if not 0 < r <= 1]
        loadings = self.estimates.query("op == '=~' and (est > 1 or est < -1)")
        found += [f"The loading of {row.rhs} on {row.lhs} is {row.est:.3f}, beyond 1." for row in loadings.itertuples()]
        C = self.correlations.to_numpy()
        if not np.isfinite(C).all() or np.linalg.eigvalsh(C).min() <= 0:
            found.append("The correlations of the constructs are not positive definite; the paths mean nothing.")
        return tuple(found)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """Loadings (``=~``), weights (``<~``) and paths (``~``): lhs, op, rhs, est; with draws se, ci_low, ci_high."""
        m = self.model
        lines = [(name, "=~", item) for name, item in m.owned] + [(name, "<~", item) for name, item in m.owned]
        lines += [(b, "~", a) for a, b in m.paths]
        return pd.DataFrame(lines, columns=["lhs", "op", "rhs"]).join(self._drawn)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Every effect of one construct on another: direct, indirect and total; with draws error and interval of the
        indirect one (se, ci_low, ci_high) and of the total one (total_se, total_low, total_high)."""
        m, direct = self.model, dict(zip(self.model.paths, self.values[self.at_paths], strict=True))
        frame = pd.DataFrame([(b, a) for a, b in m.effects], columns=["lhs", "rhs"])
        frame["direct"] = [direct.get(pair, 0.0) for pair in m.effects]
        drawn = self._drawn[-2 * len(frame) :].reset_index(drop=True)
        names = {"est": "total", "se": "total_se", "ci_low": "total_low", "ci_high": "total_high"}
        total = drawn[len(frame) :].rename(columns=names).reset_index(drop=True)
        return frame.join(drawn.rename(columns={"est": "indirect"})).join(total)

    @cached_property
    def _drawn(self) -> pd.DataFrame:
        """The ``values`` (est) and, with draws, se, ci_low and ci_high."""
        found = pd.DataFrame({"est": self.values})
        if self.draws is None:
            return found
        kind, pull = ("percentile", 0.0) if self.acceleration is None else ("bca", self.acceleration)
        low, high = interval_ends(self.values, self.draws, LEVEL, kind, pull, "linear")
        return found.assign(se=self.draws.std(0, ddof=1), ci_low=low, ci_high=high)

    def accelerated(self, data: pd.DataFrame) -> PlsFit:
        """Return the fit with bias-corrected and accelerated (BCa) intervals, the acceleration by the jackknife.

        Parameters
        ----------
        data : pandas.DataFrame
            The rows that the fit is to, each of which is left out once.

        References
        ----------
        Efron (1987), doi:10.1080/01621459.1987.10478410.
        """
        X = read(data, self.model.items).groups[0].raw[0]
        values = [solutions(self, X, counts)[1] for counts in left_out(len(X), BATCH)]
        return replace(self, acceleration=acceleration(np.concatenate(values)))

    @property
    def at_paths(self) -> slice:
        """Where the paths stand in ``values``."""
        k = 2 * len(self.model.items)
        return slice(k, k + len(self.model.paths))

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """Correlations of the constructs; corrected for noise where ``consistent``."""
        C = _construct_correlations(self.model, self.correlation, self.weights, self.consistent)
        return pd.DataFrame(C, self.model.constructs, self.model.constructs)

    @cached_property
    def cross_loadings(self) -> pd.DataFrame:
        """Correlation of every item with every composite."""
        return pd.DataFrame(self.correlation @ self.weights, self.model.items, self.model.constructs)

    @cached_property
    def r2(self) -> pd.DataFrame:
        """R2 and adjusted R2 of every construct that has causes."""
        m, C = self.model, self.correlations.to_numpy()
        r2 = np.diag(structure(m, C[None])[0] @ C)[m.at(*m.explained)]
        causes = np.array([len(m.causes(name)) for name in m.explained])
        adjusted = 1 - (1 - r2) * (self.nobs - 1) / (self.nobs - causes - 1)
        return pd.DataFrame({"r2": r2, "r2_adjusted": adjusted}, m.explained)

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Paths with f2, what R2 loses without the cause as a share of what stays unexplained, and VIF of the cause."""
        m, C, est = self.model, self.correlations.to_numpy(), self.values[self.at_paths]
        inflation, (a, b) = np.empty_like(C), m.path_cells
        for name in m.explained:
            causes = m.at(*m.causes(name))
            inflation[m.at(name), causes] = _inflation(C, causes)
        found, vif = pd.DataFrame([(b, a) for a, b in m.paths], columns=["lhs", "rhs"]), inflation[b, a]
        left = 1 - self.r2["r2"][found["lhs"]].to_numpy()
        return found.assign(est=est, f2=est**2 / vif / left, vif=vif)

    @cached_property
    def item_vif(self) -> pd.Series:
        """Variance inflation of each item within its block; what threatens weights of mode B."""
        blocks = [self.model.block(name) for name in self.model.constructs]
        found = np.concatenate([_inflation(self.correlation, block) for block in blocks])
        return pd.Series(found, list(self.model.items), name="vif")

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """rho_A of every construct (1 for mode B and single items); alpha of the standardised items, rho_C and AVE of
        mode A blocks.

        Dijkstra & Henseler (2015) for rho_A; Fornell & Larcker (1981), doi:10.2307/3151312, for rho_C and AVE.
        """
        m, k = self.model, self.model.mask.sum(0)
        loadings = m.mask * self.values[: len(m.items), None]
        total, square = loadings.sum(0) ** 2, (loadings**2).sum(0)
        within = np.diag(m.mask.T @ self.correlation @ m.mask)
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = k / (k - 1) * (1 - k / within)
        found = pd.DataFrame({"rho_C": total / (total + k - square), "ave": square / k, "alpha": alpha}, m.constructs)
        found[~m.noisy] = np.nan
        found.insert(0, "rho_A", reliabilities(m, self.correlation, self.weights))
        return found

    def scores(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the composites of given rows, which are standardised by their own means and deviations."""
        X = read(data, self.model.items).groups[0].raw[0]
        return pd.DataFrame((X - X.mean(0)) / X.std(0) @ self.weights, columns=list(self.model.constructs))

    def importance(self, data: pd.DataFrame, target: str, ranges: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
        """Return importance and performance of what leads to a construct (IPMA).

        Items are brought to 0 to 100 by the ends of their scale and weighted by unstandardised weights of sum 1.
        ``performance`` is the mean of such a composite; ``importance`` its unstandardised total effect, points of the
        target a point of its own; ``total`` the standardised one.

        Parameters
        ----------
        data : pandas.DataFrame
            The rows that the fit is to.
        target : str
            An explained construct.
        ranges : mapping of item to (lowest, highest)
            Ends of the scales of all items of the model, in the items' unit.

        Returns
        -------
        DataFrame
            A row for each construct that leads to the target: construct, total, importance, performance (0 to 100).

        Raises
        ------
        UnknownNameError
            For a target that nothing leads to.
        ParameterError
            For an item without ends, or ends that are not in order.

        References
        ----------
        Ringle & Sarstedt (2016), doi:10.1108/IMDS-10-2015-0449.
        """
        m = self.model
        one_of("explained construct", target, m.explained)
        if wrong := [item for item in m.items if item not in ranges or not ranges[item][0] < ranges[item][1]]:
            given = ranges.get(wrong[0], "none")
            raise ParameterError(f"item {wrong[0]} has the ends {given}; needed are its lowest and its highest answer.")
        low, high = np.array([ranges[item] for item in m.items], dtype=float).T
        X = 100 * (read(data, m.items).groups[0].raw[0] - low) / (high - low)
        w = self.weights / X.std(0)[:, None]
        scores = pd.DataFrame(X @ (w / w.sum(0)), columns=list(m.constructs))
        found = self.effects.query("lhs == @target").set_index("rhs")[["total"]]
        spread = scores.std()
        found["importance"] = found["total"] * spread[target] / spread[found.index]
        return found.assign(performance=scores.mean()[found.index]).rename_axis("construct").reset_index()

    def plot(self, *, names: Mapping[str, str] | None = None, without: Collection[str] = ()) -> Axes:
        """Draw the paths between constructs, as ``SemFit.plot`` does; needs matplotlib, the extra ``plot``."""
        from semfit.diagram import plot_paths

        drawn = self.estimates.query("op == '=~' and lhs != rhs or op == '~'")
        ends = {} if self.draws is not None else {"ci_low": drawn["est"], "ci_high": drawn["est"]}
        shown: Any = SimpleNamespace(
            standardized=drawn.assign(std_all=drawn["est"], group=1, **ends), r2=self.r2["r2"], identified=True,
            converged=self.converged, problems=self.problems, table=SimpleNamespace(groups=1),
        )  # fmt: skip
        return plot_paths(shown, items=False, names=names, without=without)

    def summary(self) -> str:
        """Return problems first, then paths, R2, reliability and the items' loadings and weights as text."""
        lost = f"; {self.dropped} rows left out for missing values" if self.dropped else ""
        drawn = "" if self.draws is None else f"; {len(self.draws)} resamples, {self.failed} without a solution"
        head = [f"*** {problem}" for problem in self.problems]
        head += [
            f"{'PLSc' if self.consistent else 'PLS'}, {self.scheme} scheme, {self.iterations} iterations, "
            f"N = {self.nobs}{lost}{drawn}"
        ]
        items = pd.MultiIndex.from_tuples(self.model.owned, names=["lhs", "rhs"])
        loadings, weights = self.values[: 2 * len(items)].reshape(2, -1)
        tables = {
            "Paths": self.estimates.query("op == '~'").drop(columns="op").merge(self.paths.drop(columns="est")),
            "R2": self.r2,
            "Constructs": self.reliability.assign(mode=self.model.modes),
            "Items": pd.DataFrame({"loading": loadings, "weight": weights}, items),
        }
        look = {"float_format": "{:.3f}".format, "na_rep": ""}
        parts = [f"{title}:\n{table.to_string(**look)}" for title, table in tables.items()]
        return "\n\n".join(["\n".join(head), *parts]) + "\n"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>"


def pls(
    model: str,
    data: pd.DataFrame | None = None,
    *,
    moments: Moments | None = None,
    modes: Mapping[str, str] | None = None,
    scheme: str = "path",
    consistent: bool = False,
    bootstrap: int = 0,
    seed: int | None = None,
) -> PlsFit:
    """Estimate a path model between composites by partial least squares.

    Parameters
    ----------
    model : str
        ``=~`` names the items of a construct (mode A: weights are covariances with its proxy), ``<~`` those of a
        composite (mode B: weights are regression coefficients), ``~`` the paths, without loops. An observed variable in
        a path is a construct of one item.
    data : pandas.DataFrame, optional
        One row per observation, rows with holes left out; or give ``moments``.
    moments : Moments, optional
        Covariances and number of observations; they carry everything but the bootstrap and scores.
    modes : mapping, optional
        Construct to "A" or "B", where the model text says otherwise.
    scheme : {"path", "factorial", "centroid"}
        Inner weights: regression on causes and correlation with effects; correlations; their signs.
    consistent : bool
        Correct correlations and loadings of mode A blocks for the noise of the composites by rho_A (PLSc).
    bootstrap : int
        Resamples for standard errors and percentile intervals; the sign of each composite is turned to agree with the
        original one.
    seed : int, optional
        Of the resamples.

    Returns
    -------
    PlsFit

    Raises
    ------
    UnknownNameError, ParameterError, DataError
        Where the model, an option or the data cannot be used, by name.

    References
    ----------
    Wold (1982); Lohmöller (1989), doi:10.1007/978-3-642-52512-4; Dijkstra & Henseler (2015),
    doi:10.25300/MISQ/2015/39.2.02.

    Examples
    --------
    >>> import semfit
    >>> data = semfit.simulate("f =~ .8*a + .7*b + .6*c; g =~ .8*d + .7*e + .6*h; g ~ .5*f; g ~~ .75*g; a ~~ .36*a; "
    ...                     "b ~~ .51*b; c ~~ .64*c; d ~~ .36*d; e ~~ .51*e; h ~~ .64*h", 20_000, seed=1)
    >>> text = "f =~ a + b + c; g =~ d + e + h; g ~ f"
    >>> [round(float(pls(text, data, consistent=c).paths["est"].iloc[0]), 2) for c in (False, True)]
    [0.38, 0.5]
    """
    one_of("scheme", scheme, SCHEMES)
    if (data is None) == (moments is None):
        raise ParameterError("give either data or moments; got " + ("neither." if data is None else "both."))
    if bootstrap and (data is None or bootstrap < 2):
        from_what = " with moments" if data is None else ""
        raise ParameterError(f"bootstrap takes data and at least 2 draws; got {bootstrap!r}{from_what}.")
    known = read_model(model, modes or {})
    sample = read(data, known.items) if moments is None else from_moments(moments, known.items)
    R = correlation(sample.groups[0].covariance)
    W, steps, converged = outer_weights(known, R[None], scheme)
    W = W * np.where((R @ W[0]).sum(0, where=known.mask) < 0, -1.0, 1.0)
    fit = PlsFit(known, scheme, consistent, R, W[0], int(steps[0]), bool(converged[0]), sample.nobs, sample.dropped)
    if not bootstrap:
        return fit
    X = sample.groups[0].raw[0]
    parts = [solutions(fit, X, counted(rng, k, len(X)))[1] for k, rng in streams(bootstrap, BATCH, seed)]
    found = np.concatenate(parts)
    found = found[np.isfinite(found).all(1)]
    if len(found) < 2:
        raise ParameterError(f"none of {bootstrap} resamples has a solution; the model is too large for the data.")
    return replace(fit, draws=found, failed=bootstrap - len(found))


def solutions(fit: PlsFit, X: Array, counts: Array) -> tuple[Array, Array]:
    """Return what a fit is to rows X (N, p) that count so much (batch, N).

    Weights (batch, p, J) with the sign of every composite turned to agree with that of the fit, and values (batch,
    values); both are nan where there is no solution.
    """
    S = weighted_moments(X - X.mean(0), counts)[1]
    sound = np.diagonal(S, axis1=1, axis2=2).min(1) > 1e-12
    R = correlation(S[sound])
    full = np.linalg.eigvalsh(R)[:, 0] > 1e-12
    sound[sound], R = full, R[full]
    found, _, converged = outer_weights(fit.model, R, fit.scheme, CLOSE)
    found *= np.where((found * (R @ fit.weights)).sum(1, keepdims=True) < 0, -1.0, 1.0)
    sound[sound] = converged
    W, values = np.full((len(counts), *fit.weights.shape), np.nan), np.full((len(counts), len(fit.values)), np.nan)
    W[sound], values[sound] = found[converged], _values(fit.model, R, found, fit.consistent)[converged]
    return W, values


def _values(model: PlsModel, R: Array, W: Array, consistent: bool) -> Array:
    """Return loadings, weights, paths, indirect and total effects of each of a batch, shape (batch, values)."""
    at, of = np.arange(len(model.items)), model.mask.argmax(1)
    loadings, weights = (R @ W)[:, at, of], W[:, at, of]
    if consistent:
        with np.errstate(invalid="ignore"):
            corrected = weights * (np.sqrt(reliabilities(model, R, W)) / (W**2).sum(-2))[:, of]
        loadings = np.where(model.noisy[of], corrected, loadings)
    B, (a, b) = structure(model, _construct_correlations(model, R, W, consistent)), model.path_cells
    total = np.linalg.inv(np.eye(B.shape[-1]) - B) - np.eye(B.shape[-1])
    y, x = np.array([model.at(effect, cause) for cause, effect in model.effects]).T
    return np.concatenate([loadings, weights, B[:, b, a], (total - B)[:, y, x], total[:, y, x]], -1)


def _construct_correlations(model: PlsModel, R: Array, W: Array, consistent: bool) -> Array:
    C = W.swapaxes(-1, -2) @ R @ W
    if consistent:
        with np.errstate(invalid="ignore"):
            root = np.sqrt(reliabilities(model, R, W))
        C = C / (root[..., :, None] * root[..., None, :])
    return np.where(np.eye(C.shape[-1], dtype=bool), 1.0, C)


def _inflation(R: Array, at: list[int]) -> Array:
    """Return the variance inflation of each of some variables that are correlated R among all."""
    return np.diag(np.linalg.inv(R[np.ix_(at, at)]))
