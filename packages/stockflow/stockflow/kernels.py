"""Run the loops that are worth compiling: they take a mode as arrays of coefficients, so one compiled form serves all.

numba compiles them on first use and keeps the result beside this file; without numba they are ordinary Python.
"""

from __future__ import annotations

import numpy as np

from stockflow import draws
from stockflow.draws import COARSE, FINE, GOLDEN, TERMS, key_of

__all__ = ["COMPILED", "advance", "attach", "count_neighbours", "key_of", "spread"]

try:
    from numba import njit
except ImportError:  # the same results, slowly
    COMPILED = False

    def compiled(function, **options):
        return function

    def inlined(function):
        return function
else:
    COMPILED = True

    def compiled(function, **options):
        options |= {"nogil": True, "error_model": "numpy"}
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # no folder can be written to: compiled anew in each process
            return njit(**options)(function)

    def inlined(function):
        return compiled(function, inline="always")

# numba renews what it keeps when this file changes, not when draws.py does: touch this one after a change there
mix, unit, refined = map(compiled, (draws.mix, draws.unit, draws.refined))
ROOM = 1 + 1e-12  # above the rounding of a sum of hazards
ONE, TWO, THREE, FOUR, SIXTEEN = (np.uint64(k) for k in (1, 2, 3, 4, 0xFFFF))
TIES = 2048  # whose coins are tossed together


@compiled
def attach(n, m, key, ends):
    """Fill the 2 m (n - m) ends of the ties of a Barabasi-Albert network, newcomer and target in turn."""
    for k in range(m):
        ends[2 * k], ends[2 * k + 1] = m, k
    filled, drawn = 2 * m, np.uint64(0)
    for newcomer in range(m + 1, n):
        urn = filled
        for k in range(m):
            new = False
            while not new:
                drawn += ONE
                target = ends[int(unit(mix(key + drawn * GOLDEN)) * urn)]
                new = True
                for earlier in range(k):
                    new = new and ends[urn + 2 * earlier + 1] != target
            ends[filled], ends[filled + 1] = newcomer, target
            filled += 2


@inlined
def hazard(i, alone, weight, neighbours):
    """Return a hazard of person i: `alone`, and ``weight[k]`` times the share of contacts in the state of column k."""
    more = 0.0
    for k in range(len(weight)):
        more = more + weight[k] * neighbours[i, k]
    return alone + more / max(neighbours[i, len(weight)], 1) if len(weight) else alone


@inlined
def ceiling(i, s, assumed, pull, dt, neighbours):
    """Return the highest first 16 bits of a draw with which person i may leave state s: those of x at its highest."""
    return np.uint16(min(hazard(i, assumed[s], pull[s], neighbours) * (dt * ROOM * 65536.0), 65535.0))


@compiled
def count_neighbours(state, column, indptr, indices, neighbours):
    """Count each person's contacts in every state that has a column in `neighbours`; the last counts them all."""
    neighbours[:] = 0
    for i in range(len(neighbours)):
        neighbours[i, -1] = indptr[i + 1] - indptr[i]
        c = column[state[i]]
        if c >= 0:
            for at in range(indptr[i], indptr[i + 1]):
                neighbours[np.uint32(indices[at]), c] += 1


@compiled
def bounds(start, base, near, far, share, now, alone, pull):
    """Fill in what holds for everybody in a step.

    ``now[f]`` is the hazard of a flow without what contacts add, ``alone[s]`` that of leaving a state, ``pull[s, k]``
    what the share of contacts in column k adds to it.
    """
    S = len(start) - 1
    for s in range(S):
        alone[s] = 0.0
        for f in range(start[s], start[s + 1]):
            now[f] = base[f]
            for r in range(S):
                now[f] = now[f] + far[f, r] * share[r]
            alone[s] += now[f]
        for k in range(near.shape[1]):
            pull[s, k] = 0.0
            for f in range(start[s], start[s + 1]):
                pull[s, k] += near[f, k]


@compiled
def cover(alone, assumed, state, pull, dt, neighbours, limit):
    """Keep the hazards without contacts under their roofs, and not far under; renew all limits where that moves one."""
    good = True
    for s in range(len(assumed)):
        good = good and 0.85 * assumed[s] <= alone[s] <= assumed[s]
    if not good:
        assumed[:] = alone * 1.0625
        for i in range(len(state)):
            limit[i] = ceiling(i, state[i], assumed, pull, dt, neighbours)


@compiled
def coarse_draws(key, first, words):
    """Fill words with the draws of persons 4 first, ...: 16 bits for each person."""
    for w in range(len(words)):
        words[w] = mix(key + np.uint64(first + w) * GOLDEN)


@compiled
def screened(begin, coarse, limit, passed, hot, found, count):
    """Add to `found` those whose first 16 bits leave it open that they move; most eights of persons hold none."""
    for k in range(len(limit)):
        passed[k] = coarse[k] <= limit[k]
    passed[len(limit) :] = False
    eights, some = passed.view(np.uint64), 0
    for w in range(len(eights)):
        hot[some] = 8 * w
        some += int(eights[w] != 0)
    for h in hot[:some]:
        for k in range(h, h + 8):
            found[count] = begin + k
            count += int(passed[k])
    return count


@compiled
def chances(pace, chance):
    """Turn each x into 1 - exp(-x) as `draws.leaving` does; term by term, so that the compiler does several at once."""
    chance[:] = 1.0
    for inverse in TERMS:
        for c in range(len(chance)):
            chance[c] = 1.0 - pace[c] * inverse * chance[c]
    for c in range(len(chance)):
        chance[c] = pace[c] * chance[c]


@compiled
def way_of(i, s, part, start, now, near, neighbours):
    """Return the flow in whose stretch of the running sum of hazards `part` lies."""
    running, last = 0.0, start[s + 1] - 1
    for f in range(start[s], last):
        running += hazard(i, now[f], near[f], neighbours)
        if part < running:
            return f
    return last


@compiled
def leavers(found, coarse_key, fine_key, state, dt, start, now, near, alone, pull, neighbours, ways):
    """Keep those found whose draw u is below 1 - exp(-x), x their hazard times dt, and note their ways; count them."""
    draw, pace, chance = np.empty(len(found)), np.empty(len(found)), np.empty(len(found))
    for c in range(len(found)):
        i = np.uint64(found[c])
        coarse = mix(coarse_key + (i >> TWO) * GOLDEN) >> ((i & THREE) << FOUR) & SIXTEEN
        draw[c] = refined(coarse, mix(fine_key + i * GOLDEN))
    for c in range(len(found)):
        i = found[c]
        pace[c] = hazard(i, alone[state[i]], pull[state[i]], neighbours) * dt
    chances(pace, chance)
    kept = 0
    for c in range(len(found)):
        i, u, p = found[c], draw[c], chance[c]
        if u < p:
            ways[kept] = way_of(i, state[i], u / p * (pace[c] / dt), start, now, near, neighbours)
            found[kept] = i
            kept += 1
    return kept


@compiled
def update_neighbours(movers, ways, column, change, state, assumed, pull, dt, indptr, indices, neighbours, limit):
    """Let the contacts of those movers whose way has a column know, and renew the limits of their draws.

    Each look at memory has a loop of its own, so that none waits for the one before it to come back.
    """
    who, begin, end = np.empty(len(movers), np.int64), np.empty(len(movers), np.int64), np.empty(len(movers), np.int64)
    told = 0
    for c in range(len(movers)):
        who[told] = c
        told += int(column[ways[c]] >= 0)
    for c in range(told):
        i = movers[who[c]]
        begin[c], end[c] = indptr[i], indptr[i + 1]
    for c in range(told):
        k = column[ways[who[c]]]
        for at in range(begin[c], end[c]):
            neighbours[np.uint32(indices[at]), k] += change
    for c in range(told):
        for at in range(begin[c], end[c]):
            j = np.uint32(indices[at])
            limit[j] = ceiling(j, state[j], assumed, pull, dt, neighbours)


@compiled
def advance(state, key, first, steps, dt, start, target, base, near, far, column, indptr, indices, neighbours, limit,
            assumed, counts, moves, block):
    """Move all persons `steps` steps on, and fill in `counts`, persons by state, and `moves`, persons by flow.

    ``counts[0]`` holds them as they are, ``counts[t + 1]`` and ``moves[t]`` are those of step t.
    Flows are sorted by the state they leave, whose first is ``start[s]``. The hazard of flow f is ``base[f]``, and
    ``far[f, r]`` times the share of everybody in each state r, and ``near[f, k]`` times the share of one's contacts in
    the state of column k. How many those are is kept in ``neighbours[:, k]``; ``column[r]`` is -1 where nobody looks.

    A person with hazard h moves if the draw u, uniform on the multiples of 2**-53 in [0, 1), is below
    p = 1 - exp(-h dt): with probability p, to 2**-53. The first 16 bits of u alone are drawn for everybody. They are a
    number c with c / 65536 <= u, and p <= h dt, so that nobody moves whose c is above h dt 65536; ``limit[i]`` is never
    below that, and the other 37 bits are drawn, and h is looked up, only for those whose c is not above it. However
    loose a limit is, nothing but time depends on it: u < p decides.
    """
    n, S, F = len(state), len(start) - 1, len(base)
    persons = counts[0].copy()
    source = np.repeat(np.arange(S), np.diff(start))
    left, entered = column[source], column[target]
    now, alone, pull = np.zeros(F), np.zeros(S), np.zeros((S, near.shape[1]))
    words, passed = np.empty(block // 4, np.uint64), np.zeros((block + 7) // 8 * 8, np.bool_)
    coarse, hot = words.view(np.uint16), np.empty(block // 8 + 2, np.int64)
    found, ways = np.empty(n + 1, np.int32), np.empty(n, np.uint8)
    for t in range(steps):
        step_key = mix(key + np.uint64(first + t + 1) * GOLDEN)
        coarse_key, fine_key = mix(step_key ^ COARSE), mix(step_key ^ FINE)
        bounds(start, base, near, far, persons / n, now, alone, pull)
        cover(alone, assumed, state, pull, dt, neighbours, limit)
        count = 0
        for begin in range(0, n, block):
            size = min(block, n - begin)
            coarse_draws(coarse_key, begin // 4, words[: (size + 3) // 4])
            count = screened(begin, coarse[:size], limit[begin : begin + size], passed, hot, found, count)
        count = leavers(found[:count], coarse_key, fine_key, state, dt, start, now, near, alone, pull, neighbours, ways)
        moves[t] = 0
        for c in range(count):
            i, f = found[c], ways[c]
            state[i] = target[f]
            limit[i] = ceiling(i, target[f], assumed, pull, dt, neighbours)
            moves[t, f] += 1
            persons[source[f]] -= 1
            persons[target[f]] += 1
        movers = found[:count]
        update_neighbours(movers, ways, left, -1, state, assumed, pull, dt, indptr, indices, neighbours, limit)
        update_neighbours(movers, ways, entered, 1, state, assumed, pull, dt, indptr, indices, neighbours, limit)
        counts[t + 1] = persons


@compiled
def tossed(key, limit, ties, coins):
    """Toss the coin of each tie; a loop of its own, so that the compiler tosses several at once."""
    for k in range(len(ties)):
        coins[k] = (mix(key + np.uint64(ties[k]) * GOLDEN) >> np.uint64(11)) < limit


@compiled
def spread(indptr, indices, seeds, p, key, reached, queue):
    """Let every newly reached person try each contact once with probability p; return how many are reached in all.

    Ties are taken from the queue by the thousand, and their coins are tossed before their far ends are looked at: most
    coins fail, and a toss is cheaper than a look.
    """
    limit = np.uint64(p * 2.0**53)
    ties, coins = np.empty(TIES, np.int64), np.empty(TIES, np.bool_)
    head, tail, at, end = 0, 0, 0, 0
    for s in seeds:
        if not reached[s]:
            reached[s] = True
            queue[tail] = s
            tail += 1
    while head < tail or at < end:
        filled = 0
        while filled < TIES and (head < tail or at < end):
            if at == end:
                at, end = indptr[queue[head]], indptr[queue[head] + 1]
                head += 1
            take = min(end - at, TIES - filled)
            for k in range(take):
                ties[filled + k] = at + k
            filled += take
            at += take
        tossed(key, limit, ties[:filled], coins)
        hits = 0
        for k in range(filled):
            ties[hits] = ties[k]
            hits += int(coins[k])
        for k in range(hits):
            j = indices[ties[k]]
            if not reached[j]:
                reached[j] = True
                queue[tail] = j
                tail += 1
    return tail
