"""The likelihood of incomplete rows by what they lack: missing values predicted, and how uncertain the prediction is.

With K = Sigma^-1 and m what a pattern lacks, G = (K_mm)^-1 is the covariance of the missing values given the others;
bordered by zeros, the inverse of what the pattern holds of Sigma is K - K G K, and it turns a row into K y with the
missing values of y predicted. All a pattern costs is thus the size of its holes, however many patterns there are.

References: Little & Rubin (2019), Statistical analysis with missing data, doi:10.1002/9781119482260, ch. 11; Savalei
(2010), doi:10.1348/000711009X449771.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semfit.columns import correlation
from semfit.model import Array, Block, Implied, bordered

SLICE = 1024  # rows whose scores are formed together, so that they stay in the processor's cache
ENTRIES = 4_000_000  # of any array that grows with rows or patterns
COMBINED, ALONE, MEMORY = 300, 200, 30  # steps of EM at most, combined or not, and how many a step is combined with


@dataclass(frozen=True)
class Patterns:
    """Moments of the rows that share a pattern of missing values, zeros where nothing is observed.

    ``nobs`` (..., P), ``covariance`` (..., P, p, p) divided by the pattern's nobs, ``mean`` (..., P, p), ``mask`` (P,
    p).
    """

    nobs: Array
    covariance: Array
    mean: Array
    mask: Array

    @cached_property
    def both(self) -> Array | None:
        """Which pairs of variables each pattern holds, (P, p, p); None where nothing is missing."""
        return None if self.mask.all() else self.mask[:, :, None] & self.mask[:, None, :]

    def held(self, covariance: Array) -> Array:
        """Return what each pattern holds of (..., P or 1, p, p), bordered by ones on the diagonal."""
        return covariance if self.both is None else np.where(self.both, covariance, self._blank)

    @cached_property
    def _blank(self) -> Array:
        return np.eye(self.mask.shape[1]) * ~self.mask[:, :, None]

    @cached_property
    def by_variable(self) -> tuple[Array, Array]:
        """Each variable's mean and variance (divisor n) from the rows that hold it."""
        n = self.nobs[:, None]
        count = self.nobs @ self.mask
        mean = (n * self.mean).sum(0) / count
        within = np.einsum("k,kii->i", self.nobs, self.covariance)
        return mean, (within + (n * self.mask * (self.mean - mean) ** 2).sum(0)) / count

    def expected(self, now: Array) -> Array:
        """Return what EM makes of the mean above the covariance; LinAlgError where that is not definite."""
        mean, covariance = now[0], now[1:]
        np.linalg.cholesky(covariance)
        share = self.nobs / self.nobs.sum()
        W = np.linalg.inv(self.held(covariance)) * self.mask[:, None, :]
        e = (W @ (self.mean - mean)[..., None])[..., 0]
        gap = W @ self.covariance @ W - W
        gap = (share @ gap.reshape(len(share), -1)).reshape(covariance.shape) + (e.T * share) @ e
        return _moved(mean, covariance @ (share @ e), covariance + covariance @ gap @ covariance)

    @classmethod
    def whole(cls, nobs: float, covariance: Array, mean: Array) -> Patterns:
        """Return moments of rows that lack nothing."""
        return cls(np.array([float(nobs)]), covariance[None], mean[None], np.ones((1, len(mean)), dtype=bool))


@dataclass(frozen=True)
class MissingPatterns:
    """Rows by pattern of missing values.

    Parameters
    ----------
    nobs : array, shape (P,)
        Rows of each pattern, or the sum of their weights.
    mask : array of bool, shape (P, p)
        What it holds.
    rows : array, shape (n, p + 1)
        Deviations from ``centre``, zero where missing, and a constant, both times the root of the row's weight. The
        rows of a pattern that has more than p + 1 are replaced by as few with the same sums of products.
    of : array of int, shape (n,)
        Which pattern each of ``rows`` has.
    centre : array, shape (p,)
    """

    nobs: Array
    mask: Array
    rows: Array
    of: Array
    centre: Array

    @cached_property
    def sizes(self) -> tuple[tuple[Array, Array], ...]:
        """The patterns that lack 1, 2, ... values, (k,), and which variables those are, (k, m)."""
        lacks = (~self.mask).sum(1)
        found = [np.flatnonzero(lacks == m) for m in np.unique(lacks[lacks > 0])]
        return tuple((mine, np.nonzero(~self.mask[mine])[1].reshape(len(mine), -1)) for mine in found)

    @cached_property
    def place(self) -> tuple[Array, Array]:
        """Of each pattern, which of ``sizes`` it stands in (-1: complete), and where."""
        size, place = np.full(len(self.mask), -1), np.zeros(len(self.mask), dtype=int)
        for k, (mine, _) in enumerate(self.sizes):
            size[mine], place[mine] = k, np.arange(len(mine))
        return size, place

    @cached_property
    def by_variable(self) -> tuple[Array, Array]:
        """Each variable's mean and variance (divisor n) from the rows that hold it."""
        count, d, constant = self.nobs @ self.mask, self.rows[:, :-1], self.rows[:, -1:]
        shift = (d * constant).sum(0) / count
        held = (constant * shift) * self.mask[self.of]
        return self.centre + shift, ((d - held) ** 2).sum(0) / count

    def expected(self, now: Array) -> Array:
        """Return what EM makes of the mean above the covariance; LinAlgError where that is not definite."""
        point = Expectation.at(self, now[1:], now[0])
        products = (point.moments + point.uncertainty) / self.nobs.sum()
        return _moved(now[0], products[:-1, -1], products[:-1, :-1])

    def holes(self, of: Array, width: int) -> Iterator[tuple[int, Array, Array]]:
        """Yield, for rows of given patterns, which of ``sizes``, what rows, and their places in it; a slice at a time.

        A slice holds at most ``ENTRIES`` numbers where a pair of missing values takes ``width`` of them.
        """
        size, place = self.place
        own = size[of]
        for k, (_, columns) in enumerate(self.sizes):
            rows, step = np.flatnonzero(own == k), max(1, ENTRIES // (columns.shape[1] ** 2 * width))
            for at in range(0, len(rows), step):
                yield k, rows[at : at + step], place[of[rows[at : at + step]]]


def _moved(mean: Array, step: Array, products: Array) -> Array:
    """Return a mean one step on above the covariance, from the products of deviations from the old mean."""
    new = products - np.outer(step, step)
    return np.vstack([mean + step, (new + new.T) / 2])


def missing_patterns(values: Array, mask: Array, pattern_of: Array, weights: Array | None) -> MissingPatterns:
    """Lay out rows (N, p), nan where missing, by their patterns."""
    p, weight = values.shape[1], np.ones(len(values)) if weights is None else weights
    nobs, count = (np.bincount(pattern_of, w, minlength=len(mask)).astype(float) for w in (weight, None))
    centre = np.nanmean(values, 0)
    often = np.flatnonzero(count > p + 1)
    few = ~np.isin(pattern_of, often)
    deviations = np.column_stack([np.nan_to_num(values[few] - centre), np.ones(few.sum())])
    rows, of = [deviations * np.sqrt(weight[few])[:, None]], [pattern_of[few]]
    order, ends = np.argsort(pattern_of, kind="stable"), np.cumsum(count).astype(int)
    for k in often:
        mine = order[ends[k] - int(count[k]) : ends[k]]
        rows.append(_condensed(np.nan_to_num(values[mine] - centre), weight[mine]))
        of.append(np.full(len(rows[-1]), k))
    return MissingPatterns(nobs, mask, np.concatenate(rows), np.concatenate(of), centre)


def _condensed(rows: Array, weight: Array) -> Array:
    """Return rows, with their constant, that have the same sums and sums of products as weighted rows."""
    total = weight.sum()
    mean = weight @ rows / total
    d = (rows - mean) * np.sqrt(weight)[:, None]
    values, vectors = np.linalg.eigh(d.T @ d)
    kept = values > 0
    apart = np.sqrt(values[kept])[:, None] * vectors.T[kept]
    return np.vstack([np.append(mean, 1.0) * np.sqrt(total), np.column_stack([apart, np.zeros(len(apart))])])


def _root(G: Array) -> Array:
    """Return L' with G = L L' of covariances (k, m, m), where rounding may have left one hardly definite."""
    try:
        return np.linalg.cholesky(G).swapaxes(1, 2)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(G)
        return (vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]).swapaxes(1, 2)


@dataclass(frozen=True)
class Expectation:
    """What a normal distribution predicts of the values that are missing.

    Parameters
    ----------
    patterns : MissingPatterns
    covariance, precision : array, shape (p + 1, p + 1)
        Sigma and K, bordered for the constant, whose own is 1.
    mean : array, shape (p,)
    unsure : tuple of arrays, shape (k, m, m)
        G, by the sizes of the patterns.
    rows : array, shape (n, p + 1)
        Deviations of the patterns' rows from the mean, the missing ones predicted, and their constant.
    value : float
        Minus twice the log likelihood without its constant; nan where Sigma is not positive definite.
    """

    patterns: MissingPatterns
    covariance: Array
    precision: Array
    mean: Array
    unsure: tuple[Array, ...]
    rows: Array
    value: float

    @classmethod
    def at(cls, patterns: MissingPatterns, covariance: Array, mean: Array) -> Expectation:
        """Return the expectation at a covariance (p, p) and mean (p,); LinAlgError where that is not definite."""
        root = np.linalg.cholesky(covariance)
        K = np.linalg.inv(covariance)
        inner = [K[at[:, :, None], at[:, None, :]] for _, at in patterns.sizes]
        logdet = 2 * patterns.nobs.sum() * np.log(np.diag(root)).sum()
        for (mine, _), one in zip(patterns.sizes, inner, strict=True):
            logdet += patterns.nobs[mine] @ np.linalg.slogdet(one)[1]
        unsure = tuple(np.linalg.inv(one) for one in inner)
        rows = patterns.rows.copy()
        rows[:, :-1] -= rows[:, -1:] * (mean - patterns.centre)
        rows[:, :-1][~patterns.mask[patterns.of]] = 0.0
        one = np.zeros_like(mean)  # the constant is related to nothing
        made = cls(patterns, bordered(covariance, one), bordered(K, one), mean, unsure, rows, np.nan)
        form = made.predict(rows[:, :-1], patterns.of)
        return cls(patterns, made.covariance, made.precision, mean, unsure, rows, float(logdet + form))

    def predict(self, rows: Array, of: Array) -> float:
        """Fill deviations from the mean, zero where missing, in place; return the sum of the rows' quadratic forms."""
        z = rows @ self.precision[:-1, :-1]
        form = np.einsum("ni,ni->", z, rows)
        for k, mine, place in self.patterns.holes(of, len(self.mean)):
            at = (mine[:, None], self.patterns.sizes[k][1][place])
            found = (self.unsure[k][place] @ z[at][..., None])[..., 0]
            form -= np.vdot(z[at], found)
            rows[at] = -found
        return float(form)

    @cached_property
    def moments(self) -> Array:
        """The sum of the products of the completed rows, constant included."""
        return self.rows.T @ self.rows

    @cached_property
    def uncertainty(self) -> Array:
        """The sum of G over rows, bordered like the covariance."""
        size = len(self.covariance)
        out = np.zeros(size * size)
        for (mine, at), G in zip(self.patterns.sizes, self.unsure, strict=True):
            cells = at[:, :, None] * size + at[:, None, :]
            out += np.bincount(cells.ravel(), (self.patterns.nobs[mine, None, None] * G).ravel(), size * size)
        return out.reshape(size, size)

    @property
    def gap(self) -> Array:
        """What the covariance exceeds the expected products of deviations by, summed over rows."""
        return self.patterns.nobs.sum() * self.covariance - self.uncertainty - self.moments

    def derivatives(self, block: Block, implied: Implied, observed: bool) -> tuple[Array, Array]:
        """Return the gradient (m,) and Hessian (m, m) of half ``value`` by the cells of a model.

        With D~ = K D K of the derivative D of Sigma by a cell, the Hessian of a row is tr(C D~ X D~') / 2, where
        C = Sigma - G and X = 2 y y' - C, or C itself in expectation; what it has beside the model's second derivatives.
        """
        N, Sigma, G = self.patterns.nobs.sum(), self.covariance, self.uncertainty
        F = self.precision @ block.columns(implied)
        gap = F.T @ self.gap @ F
        Q = F.T @ Sigma @ F
        X = F.T @ (2 * (self.moments + G) - N * Sigma if observed else N * Sigma - 2 * G) @ F
        hessian = block.curvature(Q, X)
        hessian += (-1 if observed else 1) * self._twice(block, F)
        if observed:
            hessian += block.bending(gap, implied) - self._once(block, F)
        return block.gradient(gap), hessian

    @cached_property
    def roots(self) -> tuple[Array, ...]:
        """L' with G = L L', by the sizes of the patterns; any such L does."""
        return tuple(map(_root, self.unsure))

    def _twice(self, block: Block, F: Array) -> Array:
        """Return the sum over rows of tr(G D~ G D~') / 2 by pairs of cells: products of the entries of L' D~ L."""
        out = np.zeros((len(block.c), len(block.c)))
        for k, mine, place in self.patterns.holes(np.arange(len(self.patterns.mask)), len(block.c)):
            i, j = np.triu_indices(self.roots[k].shape[1])
            a = self.roots[k][place] @ F[self.patterns.sizes[k][1][place]]
            u, v = a[..., block.row], a[..., block.v]
            L = (u[:, i] * v[:, j] + u[:, j] * v[:, i]) * (block.c * np.where(i == j, 1.0, np.sqrt(2))[:, None])
            L = (L * np.sqrt(self.patterns.nobs[mine] / 2)[:, None, None]).reshape(-1, len(block.c))
            out += L.T @ L
        return out

    def _once(self, block: Block, F: Array) -> Array:
        """Return the sum over rows of y' D~ G D~' y by pairs of cells: products of the entries of L' D~ y."""
        out = np.zeros((len(block.c), len(block.c)))
        for k, mine, place in self.patterns.holes(self.patterns.of, len(block.c)):
            a, y = self.roots[k][place] @ F[self.patterns.sizes[k][1][place]], (self.rows[mine] @ F)[:, None]
            L = (a[..., block.row] * y[..., block.v] + a[..., block.v] * y[..., block.row]) * block.c
            L = L.reshape(-1, len(block.c))
            out += L.T @ L
        return out

    def completed(self, values: Array, of: Array) -> Array:
        """Return rows (n, p), nan where missing, as ``rows`` are: deviations, predicted where missing, and a 1."""
        y = np.column_stack([np.nan_to_num(values - self.mean), np.ones(len(values))])
        self.predict(y[:, :-1], of)
        return y

    def scores(self, block: Block, implied: Implied, values: Array, of: Array) -> Array:
        """Return the derivatives of each row's log likelihood by the cells of a model, (n, m)."""
        F = self.precision @ block.columns(implied)
        left, right = F[:, block.row] * block.c, F[:, block.v]
        used, back = np.unique(of, return_inverse=True)
        expected = np.repeat((left * (self.covariance @ right)).sum(0)[None], len(used), 0)
        for k, mine, place in self.patterns.holes(used, len(block.c)):
            at = self.patterns.sizes[k][1][place]
            expected[mine] -= ((self.roots[k][place] @ left[at]) * (self.roots[k][place] @ right[at])).sum(1)
        out = np.empty((len(values), len(block.c)))
        for at in range(0, len(out), SLICE):
            own = slice(at, at + SLICE)
            y = self.completed(values[own], of[own])
            np.multiply(y @ left, y @ right, out=out[own])
            out[own] -= expected[back[own]]
        return out

    def length(self, D: Array, d: Array) -> float:
        """Return the sum over rows of tr(W D W D) / 2 + d' W d, with W the inverse of what each row holds of Sigma."""
        K, Sigma, N = (x[:-1, :-1] for x in (self.precision, self.covariance, self.uncertainty))
        n, E, e = self.patterns.nobs, K @ D @ K, K @ d
        out = n.sum() * (np.trace(Sigma @ E @ Sigma @ E) / 2 + d @ e) - np.trace(N @ E @ Sigma @ E) - e @ N @ e
        for (mine, at), G in zip(self.patterns.sizes, self.unsure, strict=True):
            inner = G @ E[at[:, :, None], at[:, None, :]]
            out += n[mine] @ (inner * inner.swapaxes(1, 2)).sum((1, 2)) / 2
        return float(out)


def saturated(patterns: Patterns | MissingPatterns) -> tuple[Array, Array, bool]:
    """Return mean and covariance (divisor N) of the unrestricted normal model, and whether they are its maximum.

    In few rows the likelihood may have none but grow towards singular covariances; then what EM alone comes to, if that
    has an inverse (``LinAlgError`` if not).

    References
    ----------
    Dempster, Laird & Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x; its steps combined: Anderson (1965),
    doi:10.1145/321296.321305; Walker & Ni (2011), doi:10.1137/10078356X.
    """
    try:
        found, settled = _climb(patterns, COMBINED, MEMORY)
    except np.linalg.LinAlgError:
        settled = False
    if settled and np.linalg.eigvalsh(correlation(found[1:]))[0] > 1e-8:
        return found[0], found[1:], True
    found, settled = _climb(patterns, ALONE, 0)
    return found[0], found[1:], settled


def _climb(patterns: Patterns | MissingPatterns, limit: int, memory: int) -> tuple[Array, bool]:
    """Return the mean above the covariance, (p + 1, p), and whether EM leaves them as they are.

    Near the end EM is linear: what earlier changes of its step foretell of the next one is taken at once.
    """
    mean, variance = patterns.by_variable
    size = np.sqrt(variance)
    scale = np.vstack([size, np.outer(size, size)]).ravel()
    now = before = previous = np.vstack([mean, np.diag(variance)]).ravel()
    last = np.inf
    turns, gains = np.empty((2, 0, len(now)))  # changes of the step, made orthonormal, and of EM's answer with them
    for _ in range(limit):
        try:
            answer = patterns.expected(now.reshape(-1, len(mean))).ravel()
        except np.linalg.LinAlgError:
            if not len(turns):
                raise
            now, turns, gains, last = before, turns[:0], gains[:0], np.inf
            continue
        step = (answer - now) / scale
        change = np.abs(step).max()
        if change < 1e-12:
            break
        if change > 2 * last:
            turns, gains = turns[:0], gains[:0]
        elif memory and last < np.inf:
            turn, gain = step - previous, answer - before
            turn, gain = turn - (known := turns @ turn) @ turns, gain - known @ gains
            length = np.sqrt(turn @ turn)
            turns = np.vstack([turns[1 - memory :], turn / length])
            gains = np.vstack([gains[1 - memory :], gain / length])
        before, previous, last = answer, step, change
        now = answer - (turns @ step) @ gains
    return answer.reshape(-1, len(mean)), bool(change < 1e-12)
