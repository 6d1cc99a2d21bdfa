"""Take the person-by-person step in numpy alone: slower than the compiled one, and the same to the bit."""

from __future__ import annotations

import numpy as np

from stockflow.draws import COARSE, FINE, GOLDEN, leaving, mix, refined
from stockflow.kernels import ROOM, bounds


def draw(key: np.uint64, step: int, persons: np.ndarray) -> np.ndarray:
    """Return the number in [0, 1) that decides, in one step, whether and where each of these persons moves."""
    with np.errstate(over="ignore"):
        step_key = mix(key + np.uint64(step + 1) * GOLDEN)
        word = mix(mix(step_key ^ COARSE) + (persons // 4).astype(np.uint64) * GOLDEN)
        coarse = (word >> (np.uint64(16) * (persons % 4).astype(np.uint64))) & np.uint64(0xFFFF)
        return refined(coarse, mix(mix(step_key ^ FINE) + persons.astype(np.uint64) * GOLDEN))


def advance(state, key, first, steps, dt, flows, column, ties, limit, assumed, counts, moves, block):
    """Do what `kernels.advance` does, in chunks of `block` persons; limit and assumed are not kept."""
    start, target, _, near, _ = flows
    n, S, F = len(state), len(start) - 1, len(near)
    now, alone, pull = np.zeros(F), np.zeros(S), np.zeros((S, near.shape[1]))
    watched = np.flatnonzero(column < near.shape[1])
    for t in range(steps):
        bounds(flows, counts[t] / n, now, alone, pull)
        most = (alone + pull.max(axis=1, initial=0.0)) * dt * ROOM
        parts = []
        for begin in range(0, n, block):
            persons = np.arange(begin, min(begin + block, n))
            u = draw(key, first + t, persons)
            some = u < most[state[persons]]
            parts.append(_movers(state, persons[some], u[some], dt, (start, now, near, alone, pull), ties, watched))
        movers, ways = (np.concatenate(part) for part in zip(*parts, strict=True))
        state[movers] = target[ways]
        counts[t + 1] = np.bincount(state, minlength=S)
        moves[t] = np.bincount(ways, minlength=F)


def _movers(state, persons, u, dt, hazards, ties, watched):
    """Return who of the candidates moves, and along which flow."""
    start, now, near, alone, pull = hazards
    who, ways = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for s in range(len(alone)):
        chosen = state[persons] == s
        mine, v = persons[chosen], u[chosen]
        seen, degree = np.zeros((len(mine), len(watched)), np.int64), np.ones(len(mine), np.int64)
        if pull[s].any():
            seen, degree = _seen(state, mine, ties, watched), ties[0][mine + 1] - ties[0][mine]
        x = _hazard(alone[s], pull[s], seen, degree) * dt
        p = leaving(x)
        moving = v < p
        part = v[moving] / p[moving] * (x[moving] / dt)
        way, running = np.full(moving.sum(), start[s]), np.zeros(moving.sum())
        for f in range(start[s], start[s + 1] - 1):
            running = running + _hazard(now[f], near[f], seen[moving], degree[moving])
            way += part >= running
        who.append(mine[moving])
        ways.append(way)
    return np.concatenate(who), np.concatenate(ways)


def _hazard(alone, pull, seen, degree):
    """Return a hazard, contacts added column by column: the order of a sum is part of its last bit."""
    more = np.zeros(len(seen))
    for k in range(len(pull)):
        more = more + pull[k] * seen[:, k]
    return alone + more / np.maximum(degree, 1)


def _seen(state, persons, ties, watched):
    """Return how many of each person's contacts are in each watched state, shape (persons, watched)."""
    row, at = _ties(persons, ties[0])
    there = state[ties[1][at]]
    return np.column_stack([np.bincount(row[there == r], minlength=len(persons)) for r in watched])


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
