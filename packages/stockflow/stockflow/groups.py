"""Form groups person by person: who opens one, whom it invites, who gets a seat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockflow.draws import GOLDEN, GROUPS, mix, poisson_table, unit
from stockflow.networks import Network


@dataclass(frozen=True)
class Groups:
    """Which states and parameters of a mode play which part when groups form.

    Attributes
    ----------
    opens : mapping
        For each state whose members open groups, the parameter that holds the rate (1/day).
    size : str
        Parameter of the group size, the opener counted.
    friends, strangers : (str, str, str)
        Parameters of the mean number invited and of the chance to accept, and the state those who join enter.
    joins : str
        The state whose members are newcomers.
    capped : bool
        A group closes when full; otherwise everybody who accepted gets in once it is full.
    anyone : bool
        Whether those who have bought before may fill seats.
    """

    opens: Mapping[str, str]
    size: str
    friends: tuple[str, str, str]
    strangers: tuple[str, str, str]
    joins: str
    capped: bool = True
    anyone: bool = False


@dataclass(frozen=True)
class Invitations:
    """The groups of a mode with its parameters put in, and whom an invitation can reach.

    Attributes
    ----------
    opening : dict
        For each opening state (position) the cumulative Poisson distribution of groups opened in a step.
    accepting : ndarray
        Cumulative Poisson distribution of those a group invites who would accept; a share `friendly` are friends.
    seats : int
    network : Network, optional
        Friends are drawn along ties of acquaintance; strangers along ties with strangers, or from everybody where the
        network has none. Without a network all are drawn from everybody, friends with chance proportional to `pull`.
    pull : ndarray, optional
        Running sum of the persons' degrees, shape (n,).
    """

    groups: Groups
    opening: dict[int, np.ndarray]
    accepting: np.ndarray
    friendly: float
    seats: int
    member: int
    into: np.ndarray
    network: Network | None = None
    pull: np.ndarray | None = None

    @classmethod
    def of(cls, groups: Groups, index: Mapping, p: Mapping, dt: float, *where: Any) -> Invitations:
        """Put a mode's parameters into its groups; `where` are network and pull."""
        rates = [float(p[m]) * float(p[q]) for m, q, _ in (groups.friends, groups.strangers)]
        opening = {index[state]: poisson_table(float(p[rate]) * dt) for state, rate in groups.opens.items()}
        into = np.array([index[groups.strangers[2]], index[groups.friends[2]]], dtype=np.uint8)
        whole, seats, member = sum(rates), int(p[groups.size]) - 1, index[groups.joins]
        friendly = rates[0] / whole if whole else 0.0
        return cls(groups, opening, poisson_table(whole), friendly, seats, member, into, *where)


def joins(state: np.ndarray, key: np.uint64, step: int, plan: Invitations) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let everybody open groups for one step, and return persons, moments and new states of those who get a seat.

    A person who gets several seats is returned with the earliest; the moment is in [0, 1), in steps. Nothing here
    depends on the order in which persons are looked at: every group and invitation has its own number.
    """
    with np.errstate(over="ignore"):
        step_key = mix(mix(key + np.uint64(step + 1) * GOLDEN) ^ GROUPS)
        opener, group = _opened(state, step_key, plan)
        moment = unit(mix(group + GOLDEN))
        accepted = np.searchsorted(plan.accepting, unit(mix(group + np.uint64(2) * GOLDEN)), side="right")
        g, k = _numbered(accepted)
        turn = group[g] + np.uint64(2) * k.astype(np.uint64) * GOLDEN
        friend = unit(mix(turn + np.uint64(3) * GOLDEN)) < plan.friendly
        person = _invited(unit(mix(turn + np.uint64(4) * GOLDEN)), opener[g], friend, len(state), plan)
    open_to = person >= 0
    if not plan.groups.anyone:
        open_to &= state[person] == plan.member
    seated = _seated(g, person, open_to, len(group), len(state), plan)
    seated = seated[state[person[seated]] == plan.member]
    seated = seated[np.lexsort((moment[g[seated]], person[seated]))]
    who, first = np.unique(person[seated], return_index=True)
    chosen = seated[first]
    return who, moment[g[chosen]], plan.into[friend[chosen].astype(int)]


def _opened(state: np.ndarray, key: np.uint64, plan: Invitations) -> tuple[np.ndarray, np.ndarray]:
    """Return opener and number of every group opened in a step."""
    openers, counts = [], []
    for s, table in plan.opening.items():
        mine = np.flatnonzero(state == s)
        opened = np.searchsorted(table, unit(mix(key + mine.astype(np.uint64) * GOLDEN)), side="right")
        openers.append(mine[opened > 0])
        counts.append(opened[opened > 0])
    opener, count = np.concatenate(openers), np.concatenate(counts)
    at, k = _numbered(count)
    opener = opener[at]
    return opener, mix(mix(key + opener.astype(np.uint64) * GOLDEN) + (k + 1).astype(np.uint64) * GOLDEN)


def _numbered(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for items that come in lots, the number of the lot and the number within it."""
    lot = np.repeat(np.arange(len(counts)), counts)
    return lot, np.arange(len(lot)) - np.repeat(np.cumsum(counts) - counts, counts)


def _invited(u: np.ndarray, opener: np.ndarray, friend: np.ndarray, n: int, plan: Invitations) -> np.ndarray:
    """Return who receives each invitation, -1 where the opener has nobody to send it to."""
    anybody = (u * n).astype(np.int64)
    if plan.network is None:
        if plan.pull is None:
            return anybody
        return np.where(friend, np.searchsorted(plan.pull, u * plan.pull[-1], side="right"), anybody)
    network = plan.network
    begin = np.where(friend, network.indptr[opener], network.split[opener])
    choice = np.where(friend, network.split[opener], network.indptr[opener + 1]) - begin
    at = np.minimum(begin + (u * choice).astype(np.int64), len(network.indices) - 1)
    tied = np.where(choice > 0, network.indices[at], -1)
    return tied if network.strangers is not None else np.where(friend, tied, anybody)


def _seated(
    g: np.ndarray, person: np.ndarray, open_to: np.ndarray, groups: int, n: int, plan: Invitations
) -> np.ndarray:
    """Return the invitations that lead to a seat in a group that fills."""
    at = np.flatnonzero(open_to)
    _, first = np.unique(g[at] * n + person[at], return_index=True)
    at = at[np.sort(first)]  # nobody sits twice in a group; in order of group, then of invitation
    taken = np.bincount(g[at], minlength=groups)
    _, rank = _numbered(taken)
    keep = taken[g[at]] >= plan.seats
    if plan.groups.capped:
        keep &= rank < plan.seats
    return at[keep]
