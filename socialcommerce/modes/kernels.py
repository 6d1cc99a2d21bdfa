"""Know the loops that are worth compiling: they take a mode as arrays of coefficients, so one compiled form serves all.

numba compiles them on first use and keeps the result beside this file; without numba they are ordinary Python.
"""

from __future__ import annotations

import numpy as np

from socialcommerce.modes import draws
from socialcommerce.modes.draws import COARSE, FINE, GOLDEN, TERMS, key_of

__all__ = ["COMPILED", "advance", "attach", "key_of", "listen", "spread"]

try:
    from numba import njit
except ImportError:  # the same results, slowly
    COMPILED = False

    def compiled(function):
        return function
else:
    COMPILED = True
    compiled = njit(cache=True, nogil=True, error_model="numpy")

# numba renews what it keeps when this file changes, not when draws.py does: touch this one after a change there
mix, unit, refined = map(compiled, (draws.mix, draws.unit, draws.refined))
ROOM = 1 + 1e-12  # above the rounding of a sum of hazards
ONE = np.uint64(1)
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


@compiled
def listen(state, column, indptr, indices, heard):
    """Count, for every person, the contacts in each state that has a column in `heard`."""
    for i in range(len(state)):
        for at in range(indptr[i], indptr[i + 1]):
            c = column[state[np.uint32(indices[at])]]
            if c >= 0:
                heard[i, c] += 1


@compiled
def tell(i, c, change, indptr, indices, heard):
    """Let a person's contacts know that one more, or one less, of theirs is in the state of column c."""
    for at in range(indptr[i], indptr[i + 1]):
        heard[np.uint32(indices[at]), c] += change


@compiled
def bounds(start, base, near, far, share, dt, now, alone, pull, most):
    """Fill in what holds for everybody in a step: `now`, `alone`, `pull` and `most`.

    ``now[f]`` is the hazard of a flow without what contacts add, ``alone[s]`` that of leaving a state, ``pull[s, k]``
    what the share of contacts in column k adds to it, ``most[s]`` the largest that hazard times dt can be.
    """
    S = len(start) - 1
    for s in range(S):
        alone[s] = 0.0
        for f in range(start[s], start[s + 1]):
            now[f] = base[f]
            for r in range(S):
                now[f] = now[f] + far[f, r] * share[r]
            alone[s] += now[f]
        highest = 0.0
        for k in range(near.shape[1]):
            pull[s, k] = 0.0
            for f in range(start[s], start[s + 1]):
                pull[s, k] += near[f, k]
            highest = max(highest, pull[s, k])
        most[s] = (alone[s] + highest) * dt * ROOM


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
def leavers(begin, found, state, coarse, key, alone, pull, dt, indptr, heard, draw, pace):
    """Keep those candidates whose draw u is below x, their hazard times dt; note u and x."""
    open_yet = 0
    for c in range(len(found)):
        i = found[c]
        s = state[i]
        h = alone[s]
        if pull.shape[1]:  # written out here and below: a call that hands arrays over costs several times its work
            more = 0.0
            for k in range(pull.shape[1]):
                more = more + pull[s, k] * heard[i, k]
            h = h + more / max(indptr[i + 1] - indptr[i], 1)
        found[open_yet], pace[open_yet] = i, h * dt
        open_yet += int(coarse[i - begin] < h * dt * 65536.0)
    kept = 0
    for c in range(open_yet):
        i, x = found[c], pace[c]
        u = refined(np.uint64(coarse[i - begin]), mix(key + np.uint64(i) * GOLDEN))
        found[kept], draw[kept], pace[kept] = i, u, x
        kept += int(u < x)
    return kept


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
def way_of(i, s, part, start, now, near, indptr, heard):
    """Return the flow in whose stretch of the running sum of hazards `part` lies."""
    running, last = 0.0, start[s + 1] - 1
    for f in range(start[s], last):
        h = now[f]
        if near.shape[1]:
            more = 0.0
            for k in range(near.shape[1]):
                more = more + near[f, k] * heard[i, k]
            h = h + more / max(indptr[i + 1] - indptr[i], 1)
        running += h
        if part < running:
            return f
    return last


@compiled
def advance(state, key, first, steps, dt, start, target, base, near, far, column, indptr, indices, heard, counts, moves,
            block):
    """Move all persons `steps` steps on; persons by state after each step go into `counts`, moves by flow into `moves`.

    Flows are sorted by the state they leave, whose first is ``start[s]``. The hazard of flow f is ``base[f]``, and
    ``far[f, r]`` times the share of everybody in each state r, and ``near[f, k]`` times the share of one's contacts in
    the state of column k. How many those are is kept in ``heard[:, k]``; ``column[r]`` is -1 where nobody looks.
    """
    n, S, F = len(state), len(start) - 1, len(base)
    persons = np.bincount(state, minlength=S)
    now, alone, pull, most = np.zeros(F), np.zeros(S), np.zeros((S, near.shape[1])), np.zeros(S)
    limit = np.zeros(S, np.uint32)
    words, found = np.empty(block // 4, np.uint64), np.empty(block + 1, np.int64)
    coarse, draw, pace, chance = words.view(np.uint16), np.empty(block + 1), np.empty(block + 1), np.empty(block + 1)
    movers, ways = np.empty(n, np.int32), np.empty(n, np.uint8)
    for t in range(steps):
        step_key = mix(key + np.uint64(first + t + 1) * GOLDEN)
        coarse_key, fine_key = mix(step_key ^ COARSE), mix(step_key ^ FINE)
        bounds(start, base, near, far, persons / n, dt, now, alone, pull, most)
        for s in range(S):
            limit[s] = np.uint32(np.ceil(most[s] * 65536.0))
        moved = 0
        for begin in range(0, n, block):
            size = min(block, n - begin)
            coarse_draws(coarse_key, begin // 4, words[: (size + 3) // 4])
            count = candidates(begin, coarse[:size], state[begin : begin + size], limit, found)
            count = leavers(begin, found[:count], state, coarse, fine_key, alone, pull, dt, indptr, heard, draw, pace)
            chances(pace, chance[:count])
            for c in range(count):
                i, u, p = found[c], draw[c], chance[c]
                movers[moved] = i
                if u < p:
                    ways[moved] = way_of(i, state[i], u / p * (pace[c] / dt), start, now, near, indptr, heard)
                    moved += 1
        moves[t] = 0
        for c in range(moved):
            i, f = movers[c], ways[c]
            old, new = state[i], target[f]
            state[i] = new
            moves[t, f] += 1
            persons[old] -= 1
            persons[new] += 1
            if column[old] >= 0:
                tell(i, column[old], -1, indptr, indices, heard)
            if column[new] >= 0:
                tell(i, column[new], 1, indptr, indices, heard)
        counts[t] = persons


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
