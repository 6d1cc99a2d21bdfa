"""Know the person-by-person step in numpy alone: slower than the compiled one, and the same to the bit."""

from __future__ import annotations

import numpy as np

from socialcommerce.modes.draws import COARSE, FINE, GOLDEN, leaving, mix, refined
from socialcommerce.modes.kernels import bounds

__all__ = ["advance", "draw", "spread"]


def draw(key: np.uint64, step: int, persons: np.ndarray) -> np.ndarray:
    """Return the number in [0, 1) that decides, in one step, whether and where each of these persons moves."""
    with np.errstate(over="ignore"):
        step_key = mix(key + np.uint64(step + 1) * GOLDEN)
        word = mix(mix(step_key ^ COARSE) + (persons // 4).astype(np.uint64) * GOLDEN)
        coarse = (word >> (np.uint64(16) * (persons % 4).astype(np.uint64))) & np.uint64(0xFFFF)
        return refined(coarse, mix(mix(step_key ^ FINE) + persons.astype(np.uint64) * GOLDEN))


def advance(state, key, first, steps, dt, start, target, base, near, far, indptr, indices, counts, moves, block):
    """Do what `kernels.advance` does, in chunks of `block` persons."""
    n, S, F = len(state), len(start) - 1, len(base)
    now, most = np.zeros(F), np.zeros(S)
    for t in range(steps):
        bounds(start, base, near, far, np.bincount(state, minlength=S) / n, dt, now, most)
        parts = []
        for begin in range(0, n, block):
            persons = np.arange(begin, min(begin + block, n))
            u = draw(key, first + t, persons)
            some = u < most[state[persons]]
            parts.append(_movers(state, persons[some], u[some], dt, start, now, near, indptr, indices))
        movers, ways = (np.concatenate(part) for part in zip(*parts, strict=True))
        state[movers] = target[ways]
        counts[t] = np.bincount(state, minlength=S)
        moves[t] = np.bincount(ways, minlength=F)


def _movers(state, persons, u, dt, start, now, near, indptr, indices):
    """Return who of the candidates moves, and along which flow."""
    who, ways = [], []
    for s in range(len(start) - 1):
        flows = range(start[s], start[s + 1])
        mine = persons[state[persons] == s]
        v = u[state[persons] == s]
        looks = near[start[s] : start[s + 1]].any()
        share = _shares(state, mine, indptr, indices, near.shape[1]) if looks else None
        running = np.zeros((len(flows) + 1, len(mine)))
        for k, f in enumerate(flows):
            h = np.full(len(mine), now[f])
            if looks:
                for r in range(near.shape[1]):
                    h = h + near[f, r] * share[:, r]
            running[k + 1] = running[k] + h
        x = running[-1] * dt
        p = leaving(x)
        moving = (v < x) & (v < p)
        part = v[moving] / p[moving] * running[-1, moving]
        last = max(len(flows) - 1, 0)
        who.append(mine[moving])
        ways.append(start[s] + (part >= running[1 : last + 1, moving]).cumprod(axis=0).sum(axis=0))
    return np.concatenate(who), np.concatenate(ways).astype(np.int64)


def _shares(state, persons, indptr, indices, S):
    """Return which part of each person's contacts is in each state, shape (persons, S)."""
    row, at = _ties(persons, indptr)
    degree = indptr[persons + 1] - indptr[persons]
    seen = np.bincount(row * S + state[indices[at]], minlength=len(persons) * S).reshape(-1, S)
    return seen / np.maximum(degree, 1)[:, None]


def spread(indptr, indices, seeds, p, key, reached, queue):
    """Do what `kernels.spread` does, one circle of newly reached persons after the other; `queue` is not needed."""
    limit = np.uint64(p * 2.0**53)
    circle = np.unique(seeds)
    reached[circle] = True
    while len(circle):
        _, at = _ties(circle, indptr)
        with np.errstate(over="ignore"):
            passed = mix(key + at.astype(np.uint64) * GOLDEN) >> np.uint64(11) < limit
        new = indices[at[passed]]
        circle = np.unique(new[~reached[new]])
        reached[circle] = True
    return int(reached.sum())


def _ties(persons, indptr):
    """Return, for every tie of these persons, the position of the person among them and that of the tie."""
    degree = indptr[persons + 1] - indptr[persons]
    row = np.repeat(np.arange(len(persons)), degree)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(degree) - degree - indptr[persons], degree)
