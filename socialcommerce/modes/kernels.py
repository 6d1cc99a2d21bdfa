"""Know the loops that are worth compiling: they take a mode as arrays of coefficients, so one compiled form serves all.

numba compiles them on first use and keeps the result beside this file; without numba they are ordinary Python.
"""

from __future__ import annotations

import numpy as np

from socialcommerce.modes import draws
from socialcommerce.modes.draws import COARSE, FINE, GOLDEN, key_of

__all__ = ["COMPILED", "advance", "attach", "key_of", "spread"]

try:
    from numba import njit
except ImportError:  # the same results, slowly
    COMPILED = False

    def compiled(function):
        return function
else:
    COMPILED = True
    compiled = njit(cache=True, nogil=True, error_model="numpy")

mix, unit, refined, leaving = map(compiled, (draws.mix, draws.unit, draws.refined, draws.leaving))
ROOM = 1 + 1e-12  # above the rounding of a sum of hazards
ONE, EIGHT, BYTE = np.uint64(1), np.uint64(8), np.uint64(255)


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


@compiled
def tally(i, state, indptr, indices, share):
    """Put into `share` which part of a person's contacts is in each state."""
    begin, end = indptr[i], indptr[i + 1]
    share[:] = 0.0
    low = begin
    while low < end:  # eight counters of one byte each in one word, emptied before one can overflow
        high = min(low + 255, end)
        seen = np.uint64(0)
        for at in range(low, high):
            seen += ONE << (EIGHT * np.uint64(state[np.uint32(indices[at])]))
        for s in range(len(share)):
            share[s] += (seen >> (EIGHT * np.uint64(s))) & BYTE
        low = high
    whole = max(end - begin, 1)
    for s in range(len(share)):
        share[s] /= whole


@compiled
def bounds(start, base, near, far, share, dt, now, most):
    """Put hazards without what contacts add into `now`, and the most that hazard times dt can be into `most`."""
    S = len(start) - 1
    for s in range(S):
        highest = 0.0
        for r in range(S):
            height = 0.0
            for f in range(start[s], start[s + 1]):
                height += near[f, r]
            highest = max(highest, height)
        whole = 0.0
        for f in range(start[s], start[s + 1]):
            now[f] = base[f]
            for r in range(S):
                now[f] = now[f] + far[f, r] * share[r]
            whole += now[f]
        most[s] = (whole + highest) * dt * ROOM


@compiled
def coarse_draws(key, first, words):
    """Fill words with the draws of persons 4 first, ...: 16 bits for each person."""
    for w in range(len(words)):
        words[w] = mix(key + np.uint64(first + w) * GOLDEN)


@compiled
def candidates(begin, coarse, state, limit, found):
    """List those whose first 16 bits leave it open that they move; no branch, for most do not."""
    count = 0
    for k in range(len(state)):
        found[count] = begin + k
        count += int(np.uint32(coarse[k]) < limit[state[k]])
    return count


@compiled
def advance(state, key, first, steps, dt, start, target, base, near, far, indptr, indices, counts, moves, block):
    """Move all persons `steps` steps on; persons by state after each step go into `counts`, moves by flow into `moves`.

    Flows are sorted by the state they leave, whose first is ``start[s]``. The hazard of flow f is ``base[f]``, and
    ``near[f, r]`` times the share of one's contacts, ``far[f, r]`` times that of everybody, in each state r.
    """
    n, S, F = len(state), len(start) - 1, len(base)
    persons = np.bincount(state, minlength=S)
    share, now, hazard, most = np.zeros(S), np.zeros(F), np.zeros(F), np.zeros(S)
    limit, looks = np.zeros(S, np.uint32), np.zeros(S, np.bool_)
    words, found = np.empty(block // 4, np.uint64), np.empty(block + 1, np.int64)
    coarse = words.view(np.uint16)
    movers, ways = np.empty(n, np.int32), np.empty(n, np.uint8)
    for s in range(S):
        looks[s] = near[start[s] : start[s + 1]].any()
    for t in range(steps):
        step_key = mix(key + np.uint64(first + t + 1) * GOLDEN)
        coarse_key, fine_key = mix(step_key ^ COARSE), mix(step_key ^ FINE)
        bounds(start, base, near, far, persons / n, dt, now, most)
        for s in range(S):
            limit[s] = np.uint32(np.ceil(most[s] * 65536.0))
        moved = 0
        for begin in range(0, n, block):
            size = min(block, n - begin)
            coarse_draws(coarse_key, begin // 4, words[: (size + 3) // 4])
            count = candidates(begin, coarse[:size], state[begin : begin + size], limit, found)
            for c in range(count):
                i = found[c]
                s = state[i]
                u = refined(np.uint64(coarse[i - begin]), mix(fine_key + np.uint64(i) * GOLDEN))
                if u >= most[s]:
                    continue
                low, high = start[s], start[s + 1]
                if looks[s]:
                    tally(i, state, indptr, indices, share)
                whole = 0.0
                for f in range(low, high):
                    h = now[f]
                    if looks[s]:
                        for r in range(S):
                            h = h + near[f, r] * share[r]
                    whole += h
                    hazard[f] = whole
                x = whole * dt
                if u >= x:
                    continue
                p = leaving(x)
                if u >= p:
                    continue
                f = low
                while f < high - 1 and u / p * whole >= hazard[f]:
                    f += 1
                movers[moved], ways[moved] = i, f
                moved += 1
        for f in range(F):
            moves[t, f] = 0
        for c in range(moved):
            i, f = movers[c], ways[c]
            persons[state[i]] -= 1
            persons[target[f]] += 1
            state[i] = target[f]
            moves[t, f] += 1
        counts[t] = persons


@compiled
def spread(indptr, indices, seeds, p, key, reached, queue):
    """Let every newly reached person try each contact once with probability p; return how many are reached in all.

    The coin of a tie is drawn before its far end is looked at: most coins fail, and the draw is cheaper than the look.
    """
    limit = np.uint64(p * 2.0**53)
    tail = 0
    for s in seeds:
        if not reached[s]:
            reached[s] = True
            queue[tail] = s
            tail += 1
    head = 0
    while head < tail:
        i = queue[head]
        head += 1
        for at in range(indptr[i], indptr[i + 1]):
            if (mix(key + np.uint64(at) * GOLDEN) >> np.uint64(11)) < limit:
                j = indices[at]
                if not reached[j]:
                    reached[j] = True
                    queue[tail] = j
                    tail += 1
    return tail
