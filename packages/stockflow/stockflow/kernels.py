"""Run the loops that are worth compiling: they take a mode as arrays of coefficients, so one compiled form serves all.

numba compiles them on first use and keeps the result beside this file; without numba they are ordinary Python.
"""

from __future__ import annotations

import numpy as np

from stockflow import draws
from stockflow.draws import COARSE, FINE, GOLDEN, TERMS

try:
    from numba import njit
except ImportError:  # the same results, slowly
    COMPILED = False

    def compiled(function, **options):
        return function

    def inlined(function):
        return function

    def ask(array, at):
        """Do nothing: only the compiled loops are fast enough to wait for memory."""
else:
    from numba.core import types
    from numba.core.cgutils import ir
    from numba.extending import intrinsic

    COMPILED = True

    @intrinsic
    def ask(typing, array, at):
        """Have the memory at a flat position of an array on its way while other work goes on."""

        def code(context, builder, signature, given):
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            place = builder.gep(context.make_array(array)(context, builder, given[0]).data, [given[1]])
            act = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
            builder.call(act, [builder.bitcast(place, byte), number(0), number(3), number(1)])
            return context.get_dummy_value()

        return types.none(array, at), code

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
AHEAD = 16  # newcomers whose draws are looked up beforehand
TIES = 2048  # worked on together
CROWD = 512  # persons decided together, and told together


@compiled
def attach(n, m, key, targets, indptr):
    """Draw whom the newcomers of a Barabasi-Albert network are tied to, and add to ``indptr[i + 1]`` the ties of i.

    Tie e is one of newcomer m + e // m with ``targets[e]``, so that half of the urn need not be held.
    """
    for k in range(m):
        targets[k] = k
        indptr[k + 1] += 1
    tie, counted, drawn = m, m, np.uint64(0)
    while tie < len(targets):
        urn = 2 * tie
        for k in range(m):  # what is going to be drawn, should no draw be in vain until then
            later = int(unit(mix(key + (drawn + np.uint64(AHEAD * m + k + 1)) * GOLDEN)) * (urn + 2 * AHEAD * m))
            ask(targets, later >> 1)
        while tie < urn // 2 + m:
            new = False
            while not new:
                drawn += ONE
                end = int(unit(mix(key + drawn * GOLDEN)) * urn)
                target = targets[end >> 1] if end & 1 else m + (end >> 1) // m
                new = True
                for earlier in range(urn >> 1, tie):
                    new = new and targets[earlier] != target
            targets[tie] = target
            ask(indptr, target + 1)
            tie += 1
        if tie - counted >= TIES or tie == len(targets):
            for e in range(counted, tie):
                indptr[targets[e] + 1] += 1
            counted = tie
    for i in range(n):
        indptr[i + 1] += indptr[i] + (m if i >= m else 0)


@compiled
def lay(n, m, targets, indptr, indices):
    """Lay the ties of `attach` down in rows, each in the order in which it grew."""
    place = np.empty(TIES, np.int64)
    for first in range(0, len(targets), TIES):
        size = min(TIES, len(targets) - first)
        for k in range(size):
            ask(indptr, targets[first + k])
        for k in range(size):
            newcomer, target = m + (first + k) // m, targets[first + k]
            indices[indptr[newcomer]] = target
            indptr[newcomer] += 1
            place[k] = indptr[target]
            indptr[target] += 1
            ask(indices, place[k])
        for k in range(size):
            indices[place[k]] = m + (first + k) // m
    for i in range(n, 0, -1):  # each row's place has moved on to the next row's begin
        indptr[i] = indptr[i - 1]
    indptr[0] = 0


@inlined
def hazard(c, alone, weight, seen):
    """Return a hazard of the person of row c: `alone`, and ``weight[k]`` times the share of contacts in column k."""
    more = 0.0
    for k in range(len(weight)):
        more = more + weight[k] * seen[c, k]
    return alone + more / max(seen[c, len(weight)], 1) if len(weight) else alone


@inlined
def first_bits(x):
    """Return the highest first 16 bits of a draw that may be below x, or below what rounding makes of x."""
    return np.uint16(min(x * (ROOM * 65536.0), 65535.0))


@compiled
def look(persons, state, pulled, column, ties, begin, seen):
    """Count, in a row for each of these persons, contacts in every state that has a column, then all contacts.

    Left out are those in states that contacts do not move. Each look at memory has a loop of its own, which asks for
    what the next will need, so that none waits for the one before it.
    """
    (indptr, indices), whole = ties, seen.shape[1] - 2
    for c in range(len(persons)):
        i = persons[c]
        begin[c] = seen[c, whole] = 0
        if pulled[state[i]]:
            begin[c], seen[c, whole] = indptr[i], indptr[i + 1] - indptr[i]
            ask(indices, begin[c])
            ask(indices, indptr[i + 1] - 1)
    for c in range(len(persons)):
        for at in range(begin[c], begin[c] + seen[c, whole]):
            ask(state, indices[at])
    for c in range(len(persons)):
        for k in range(whole):
            seen[c, k] = 0
        for at in range(begin[c], begin[c] + seen[c, whole]):
            seen[c, column[state[np.uint32(indices[at])]]] += 1


@compiled
def bounds(flows, share, now, alone, pull):
    """Fill in what holds for everybody in a step.

    ``now[f]`` is the hazard of a flow without what contacts add, ``alone[s]`` that of leaving a state, ``pull[s, k]``
    what the share of contacts in column k adds to it.
    """
    start, _, base, near, far = flows
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
def cover(alone, assumed, state, dt, limit):
    """Keep the hazards without contacts under their roofs, and not far under; shift all limits where that moves one."""
    good = True
    for s in range(len(assumed)):
        good = good and 0.85 * assumed[s] <= alone[s] <= assumed[s]
    if not good:
        shift = np.ceil((alone * 1.0625 - assumed) * (dt * ROOM * 65536.0))
        assumed[:] = alone * 1.0625
        for i in range(len(state)):
            if limit[i] < 65535:  # else it may have been cut off there, and is found anew at the next draw
                limit[i] = min(limit[i] + shift[state[i]], 65535.0)


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
def way_of(c, s, part, start, now, near, seen):
    """Return the flow in whose stretch of the running sum of hazards `part` lies."""
    running, last = 0.0, start[s + 1] - 1
    for f in range(start[s], last):
        running += hazard(c, now[f], near[f], seen)
        if part < running:
            return f
    return last


@compiled
def leavers(found, keys, state, dt, flows, now, summed, seen, work, limit, movers, ways):
    """Add to movers those found whose draw u is below 1 - exp(-x), x their hazard times dt; return how many.

    Limits are found anew on the occasion, but for movers whom contacts move, as these may be moving themselves: that
    is for the next step to see.
    """
    (coarse_key, fine_key), (start, target, _, near, _), (alone, assumed, pull, pulled) = keys, flows, summed
    draw, pace, chance = work[0, : len(found)], work[1, : len(found)], work[2, : len(found)]
    for c in range(len(found)):
        i = np.uint64(found[c])
        coarse = mix(coarse_key + (i >> TWO) * GOLDEN) >> ((i & THREE) << FOUR) & SIXTEEN
        draw[c] = refined(coarse, mix(fine_key + i * GOLDEN))
    for c in range(len(found)):
        s = state[found[c]]
        pace[c] = hazard(c, alone[s], pull[s], seen) * dt
    chances(pace, chance)
    count = 0
    for c in range(len(found)):
        i, u, p = found[c], draw[c], chance[c]
        s = state[i]
        if u < p:
            f = way_of(c, s, u / p * (pace[c] / dt), start, now, near, seen)
            movers[count], ways[count] = i, f
            count += 1
            limit[i] = 65535 if pulled[target[f]] else first_bits(assumed[target[f]] * dt)
        else:
            limit[i] = first_bits(hazard(c, assumed[s], pull[s], seen) * dt)
    return count


@compiled
def raise_limits(persons, state, pull, dt, column, ties, who, begin, limit):
    """Raise the limits of those whom it moves that these contacts of theirs are in the states they are in.

    That contacts leave a state is not told: a limit is loose then, until a look in vain finds it anew.
    """
    (indptr, indices), told = ties, 0
    for i in persons:
        if column[state[i]] < pull.shape[1]:
            who[told], begin[told] = i, indptr[i]
            ask(indices, begin[told])
            told += 1
    for c in range(told):
        for at in range(begin[c], indptr[who[c] + 1]):
            ask(state, indices[at])
            ask(indptr, indices[at])
            ask(limit, indices[at])
    for c in range(told):
        k = column[state[who[c]]]
        for at in range(begin[c], indptr[who[c] + 1]):
            j = np.uint32(indices[at])
            weight = pull[state[j], k]
            if weight > 0:
                more = int(first_bits(weight / (indptr[j + 1] - indptr[j]) * dt)) + 1
                limit[j] = min(int(limit[j]) + more, 65535)


@compiled
def advance(state, key, first, steps, dt, flows, column, ties, limit, assumed, counts, moves, block):
    """Move all persons `steps` steps on, and fill in `counts`, persons by state, and `moves`, persons by flow.

    ``counts[0]`` holds them as they are, ``counts[t + 1]`` and ``moves[t]`` are those of step t.
    ``flows`` is (start, target, base, near, far), ``ties`` (indptr, indices).
    Flows are sorted by the state they leave, whose first is ``start[s]``. The hazard of flow f is ``base[f]``, and
    ``far[f, r]`` times the share of everybody in each state r, and ``near[f, k]`` times the share of one's contacts in
    the state of column k; ``column[r]`` is K + 1 where nobody looks, K the number of columns.

    A person with hazard h moves if the draw u, uniform on the multiples of 2**-53 in [0, 1), is below
    p = 1 - exp(-h dt): with probability p, to 2**-53. The first 16 bits of u alone are drawn for everybody. They are a
    number c with c / 65536 <= u, and p <= h dt, so that nobody moves whose c is above h dt 65536; ``limit[i]`` is never
    below that, and the other 37 bits are drawn, and h is looked up, only for those whose c is not above it. However
    loose a limit is, nothing but time depends on it: u < p decides.

    Nothing but the limit, two bytes, is read of those who stay. Those left open are decided some hundred at a time,
    while what is known of them is still in the cache; states change when all are decided.
    """
    start, target, _, near, _ = flows
    n, S, F, K = len(state), len(start) - 1, len(near), near.shape[1]
    persons = counts[0].copy()
    source = np.repeat(np.arange(S), np.diff(start))
    now, alone, pull = np.zeros(F), np.zeros(S), np.zeros((S, K))
    words, passed = np.empty(block // 4, np.uint64), np.zeros((block + 7) // 8 * 8, np.bool_)
    coarse, hot = words.view(np.uint16), np.empty(block // 8 + 2, np.int64)
    room = block + CROWD
    found, begin = np.empty(room + 1, np.int32), np.empty(room, np.int64)
    seen, work = np.empty((room, K + 2), np.int32), np.empty((3, room))
    movers, ways, who = np.empty(n, np.int32), np.empty(n, np.uint8), np.empty(CROWD, np.int32)
    for t in range(steps):
        step_key = mix(key + np.uint64(first + t + 1) * GOLDEN)
        keys = mix(step_key ^ COARSE), mix(step_key ^ FINE)
        bounds(flows, persons / n, now, alone, pull)
        pulled = pull.sum(axis=1) > 0
        summed = alone, assumed, pull, pulled
        if assumed[0] < 0:
            assumed[:], limit[:] = 0, 0
            for at in range(0, n if K else 0, CROWD):
                some = np.arange(at, min(at + CROWD, n)).astype(np.int32)
                raise_limits(some, state, pull, dt, column, ties, who, begin, limit)
        cover(alone, assumed, state, dt, limit)
        count = moved = 0
        for at in range(0, n, block):
            size = min(block, n - at)
            coarse_draws(keys[0], at // 4, words[: (size + 3) // 4])
            for k in range(at + block, at + 2 * block, 32):
                ask(limit, k)
            before = count
            count = screened(at, coarse[:size], limit[at : at + size], passed, hot, found, count)
            for k in range(before, count):
                ask(state, found[k])
                ask(ties[0], found[k] if K else 0)
            if count >= CROWD or at + size == n:
                some, there = found[:count], movers[moved:]
                look(some, state, pulled, column, ties, begin, seen)
                moved += leavers(some, keys, state, dt, flows, now, summed, seen, work, limit, there, ways[moved:])
                count = 0
        moves[t] = 0
        for c in range(moved):
            state[movers[c]] = target[ways[c]]
            moves[t, ways[c]] += 1
        for f in range(F):
            persons[source[f]] -= moves[t, f]
            persons[target[f]] += moves[t, f]
        for at in range(0, moved if K else 0, CROWD):
            some = movers[at : min(at + CROWD, moved)]
            raise_limits(some, state, pull, dt, column, ties, who, begin, limit)
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
