"""A PLS path model: its constructs, items, modes and paths, and the iteration that finds the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semfit.errors import ParameterError, UnknownNameError
from semfit.syntax import Term, parse

Array = np.ndarray
Pair = tuple[str, str]
SCHEMES = ("path", "factorial", "centroid")
TOLERANCE, LIMIT = 1e-13, 3000  # of the largest change of a weight; iterations


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
    for term in parsed.terms:
        _check_term(term)
    if parsed.defined or parsed.constraints:
        raise ParameterError("a PLS model has no ':=' and no '=='; indirect effects are in `effects`.")
    measured = [(t.lhs, t.rhs) for t in parsed.terms if t.op != "~"]
    mode = {t.lhs: "A" if t.op == "=~" else "B" for t in parsed.terms if t.op != "~"}
    paths = tuple((t.rhs, t.lhs) for t in parsed.terms if t.op == "~")
    singles = [name for name in dict.fromkeys(n for a, b in paths for n in (b, a)) if name not in mode]
    constructs = (*dict.fromkeys(of for of, _ in measured), *singles)
    owned = tuple((n, item) for n in constructs for of, item in [*measured, *((s, s) for s in singles)] if of == n)
    for name, given in modes.items():
        if name not in constructs:
            raise UnknownNameError("construct", name, constructs)
        if given not in ("A", "B"):
            raise ParameterError(f"mode of {name} is {given!r}; allowed are 'A' and 'B'.")
    found = PlsModel(constructs, tuple(modes.get(n, mode.get(n, "A")) for n in constructs), owned, paths)
    _check(found)
    return found


def _check_term(term: Term) -> None:
    if term.op not in ("=~", "<~", "~"):
        raise ParameterError(f"line {term.line}: a PLS model has no {term.op!r}; allowed are =~, <~ and ~.")
    if any(v is not None for v in (*term.fixed, *term.start)) or any(term.label):
        raise ParameterError(
            f"line {term.line}: {term.lhs} {term.op} {term.rhs} has a modifier; PLS fixes and labels nothing."
        )


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


def effects(model: PlsModel, B: Array) -> tuple[Array, Array]:
    """Return the indirect and the total effects of ``model.effects``, shape (batch, pairs) each."""
    total = np.linalg.inv(np.eye(B.shape[-1]) - B) - np.eye(B.shape[-1])
    y, x = np.array([model.at(b, a) for a, b in model.effects]).T
    return (total - B)[:, y, x], total[:, y, x]


def reliabilities(model: PlsModel, R: Array, W: Array) -> Array:
    """Return rho_A of each composite, 1 for mode B and single items (Dijkstra & Henseler 2015, equation 3)."""
    square = W**2
    norm, off = square.sum(-2), (W * (R @ W)).sum(-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = norm**2 * (off - norm) / (norm**2 - (square**2).sum(-2))
    return np.where(model.noisy, rho, 1.0)
