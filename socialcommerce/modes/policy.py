"""The strategies of section 4 as changes of parameters with costs, ranked while every parameter runs over its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
from scipy.stats import qmc

from nbproof import read_toml, words
from socialcommerce.errors import PaperError, ParameterError, UnknownNameError
from socialcommerce.modes import content, forms, sharing
from socialcommerce.modes.optima import best_contact
from socialcommerce.project import root
from stockflow import Mode, Parameter, Values, elasticity

__all__ = [
    "ECONOMICS",
    "NAMES",
    "OUTCOMES",
    "STRATEGIES",
    "apply",
    "draw",
    "outcomes",
    "rank",
    "rank_elasticities",
    "rank_table",
    "strategy_table",
]

OUTCOMES = ("r0", "purchases", "profit")


@dataclass(frozen=True)
class Strategy:
    """What a firm does, as a change of parameters.

    Attributes
    ----------
    words : str
        What it is called.
    places : tuple of (section, paragraph, sentence)
        Where the paper proposes it; sentences are counted by their full stops.
    effects : mapping
        Relative change by parameter: of a rate itself, of the odds of a probability.
    best_contact : bool
        Whether contact becomes as frequent as is best, given all other parameters.
    haste : float
        Loss of satisfaction by day of delivery (1/day, of the logarithm of s), where ``effects`` make it faster.
    cost, per
        Yuan a day, and by what it is counted: ``"person"`` of the population, ``"member"`` of the pool and the
        customers, ``"order"`` bought.
    """

    name: str
    words: str
    places: tuple[tuple[str, int, int], ...]
    effects: Mapping[str, float]
    cost: float
    per: str
    haste: float = 0.0
    best_contact: bool = False


_LISTED = read_toml(root() / "paper" / "strategies.toml", PaperError)["strategy"]
_AS_LISTED = {"name", "cost", "per", "haste", "best_contact"}
NAMES = {one["name"]: one["en"] for one in _LISTED}
"""What each strategy is called, by its name."""
STRATEGIES: dict[str, tuple[Strategy, ...]] = {
    mode: tuple(
        Strategy(
            words=one["en"],
            places=tuple(map(tuple, one["places"])),
            effects=one[mode],
            **{key: value for key, value in one.items() if key in _AS_LISTED},
        )
        for one in _LISTED
        if mode in one
    )
    for mode in ("content", "sharing")
}
"""The strategies by mode, from ``paper/strategies.toml``."""

ECONOMICS = (
    Parameter("margin", "v", 10.0, "yuan", 4.0, 20.0, kind="weight"),
    Parameter("message", "cn", 0.002, "yuan", 0.0, 0.01, kind="weight"),
)
"""What profit needs beside the mode: margin of an order, cost of a promotion shown to a person; illustrative."""
COSTS = {
    "order": "{yuan:.1g} per order",
    "member": "{yuan:.1g} per member and day",
    "person": "{yuan:.1g} per person and day",
}


def strategy_table() -> pd.DataFrame:
    """Return one row a strategy: name, place in the paper, change of parameters in either mode, cost in yuan; as text.

    Examples
    --------
    >>> strategy_table().iloc[6].to_list()[1:]
    ['§4.2 par. 1 s. 2; §4.2 par. 1 s. 3', 'δ0 −10%', 'γN −5%, γF −5%', '0.0002 per person and day']
    """
    by = {mode: {one.name: one for one in listed} for mode, listed in STRATEGIES.items()}
    rows = []
    for name, described in NAMES.items():
        found = {mode: listed.get(name) for mode, listed in by.items()}
        one = next(filter(None, found.values()))
        where = [words("§{section} par. {p:d} s. {s:d}", section=section, p=p, s=s) for section, p, s in one.places]
        cost = words(COSTS[one.per], yuan=one.cost) if one.cost else "none"
        changes = {mode: _changes(mode, each) if each else None for mode, each in found.items()}
        rows.append({"strategy": described, "place": _joined("; ", where), **changes, "cost": cost})
    return pd.DataFrame(rows)


def _changes(mode: str, one: Strategy) -> str:
    known = (content.CONTENT if mode == "content" else sharing.SHARING).parameter
    said = [
        words("{symbol} {change:+.0f}%", symbol=known[name].symbol, change=100 * effect)
        for name, effect in one.effects.items()
    ]
    if one.haste and "kappa" in one.effects:
        said.append(words("{symbol} {change:+.0f}% per day saved", symbol="s", change=100 * one.haste))
    if one.best_contact:
        said.append(words("{symbol} at its optimum", symbol=known["n"].symbol))
    return _joined(", ", said)


def _joined(mark: str, said: list[str]) -> str:
    """Join texts so that a translation may join them by a mark of its own."""
    return reduce(lambda first, rest: words("{first}" + mark + "{rest}", first=first, rest=rest), said)


def apply(strategy: Strategy, p: Values, size: np.ndarray | float = 1.0) -> Values:
    """Return the parameters once a strategy is in force, ``size`` times as strongly as declared.

    Examples
    --------
    >>> p = content.CONTENT.values({"s": 0.9})
    >>> after = apply(STRATEGIES["content"][0], p)
    >>> round(float(after["s"]), 4), round(float(after["gammaC"]), 4)
    (0.9153, 0.018)
    """
    after = dict(p)
    for name, effect in strategy.effects.items():
        factor = 1 + np.asarray(size) * effect
        chance = name in ("s", "qA", "qB")  # a factor of the odds keeps a probability one
        after[name] = p[name] * factor / (1 + p[name] * (factor - 1)) if chance else p[name] * factor
    if "kappa" in strategy.effects:
        after["s"] = np.minimum(after["s"] * np.exp(strategy.haste * (1 / p["kappa"] - 1 / after["kappa"])), 1.0)
    if strategy.best_contact:
        rates = (p[name] for name in ("pi0", "b1", "delta0", "delta1"))
        after["n"] = forms.best_frequency(p) if "annoyance" in p else best_contact(*rates)
    return after


def outcomes(
    mode: Mode,
    p: Values,
    economics: Mapping[str, np.ndarray],
    strategy: Strategy | None = None,
    cost: np.ndarray | float = 0.0,
) -> dict[str, np.ndarray]:
    """Return R0, members (a person), purchases and profit (yuan; a day and person) where the mode stands still.

    Parameters
    ----------
    mode, p : Mode, mapping
        The mode, and its parameters with a strategy in force, from :func:`apply`.
    economics : mapping
        ``margin`` and ``message``, yuan; see ``ECONOMICS``.
    strategy, cost : Strategy, array
        Whose cost is taken off, yuan a day and what it is counted by.
    """
    p = forms.put(p)
    if mode.name == "content":
        a, state = content.parts(p), content.equilibrium(p)
        r0, bought = content.reproduction(p), a["pi"] * state[1]
        members, shown = state[1:5].sum(axis=0), p["n"] * state[1]
    else:
        variant = _variant(mode)
        state = sharing.equilibrium(p, variant)
        r0, bought = sharing.reproduction(p, variant), sharing.steady_flow(p, variant)
        members, shown = state[1:4].sum(axis=0), 0.0
    base = {"order": bought, "member": members, "person": np.ones_like(members)}
    spent = cost * base[strategy.per] if strategy else 0.0
    profit = economics["margin"] * bought - economics["message"] * shown - spent
    return {"r0": r0, "members": members, "purchases": bought, "profit": profit}


def _variant(mode: Mode) -> str:
    """Return which declaration of the interaction mode it is."""
    declared = {variant: sharing.declare(variant) for variant in sharing.VARIANTS}
    for variant, one in declared.items():
        if one == mode:
            return variant
    raise UnknownNameError("mode", mode.name, ["content", *(one.name for one in declared.values())])


def draw(parameters: tuple[Parameter, ...], count: int, seed: int) -> Values:
    """Draw a Latin hypercube of ``count`` >= 2 sets over the declared ranges, shape (count,) by name.

    ``pi1`` is left at zero, since the closed forms need it there. One draw alone raises ParameterError.

    References
    ----------
    McKay, Beckman & Conover (1979), doi:10.1080/00401706.1979.10489755.
    """
    if count < 2:
        raise ParameterError(f"uncertainty needs several draws; got {count}; allowed is at least 2.")
    cells = qmc.LatinHypercube(len(parameters), rng=np.random.default_rng(seed)).random(count).T
    return {one.name: _spread(one, u) for one, u in zip(parameters, cells, strict=True)}


def _spread(one: Parameter, u: np.ndarray) -> np.ndarray:
    """Return values of a parameter over its range, from shares of it in [0, 1)."""
    if one.kind == "group":
        return one.lower + np.floor(u * (one.upper - one.lower + 1))
    return one.lower + u * (one.upper - one.lower) if one.name != "pi1" else np.zeros(len(u))


def rank(mode: Mode, draws: int = 1000, seed: int = 1, drawn: Values | None = None) -> pd.DataFrame:
    """Return the effect of every strategy on R0, purchases and profit, each parameter drawn from its range.

    Sizes of effects and costs are drawn too, so that no order rests on one base case. ``drawn`` are forms of the
    content mode, from `socialcommerce.modes.forms.draw`; the declared ones where left out.

    Returns
    -------
    DataFrame
        draw, strategy, outcome, effect: per cent of R0 and of purchases, yuan a day and 1000 persons of profit.
    """
    strategies = STRATEGIES["content" if mode.name == "content" else "sharing"]
    p, economics = draw(mode.parameters, draws, seed) | (drawn or {}), draw(ECONOMICS, draws, seed + 1)
    cells = qmc.LatinHypercube(2 * len(strategies), rng=np.random.default_rng(seed + 2)).random(draws).T
    before, rows = outcomes(mode, p, economics), []
    for k, strategy in enumerate(strategies):
        size, cost = 0.5 + cells[2 * k], strategy.cost * 4.0 ** (cells[2 * k + 1] - 0.5)
        after = outcomes(mode, apply(strategy, p, size), economics, strategy, cost)
        for outcome in OUTCOMES:
            change = after[outcome] - before[outcome]
            effect = 1000 * change if outcome == "profit" else 100 * change / before[outcome]
            row = {"draw": np.arange(draws), "strategy": strategy.name, "outcome": outcome, "effect": effect}
            rows.append(pd.DataFrame(row))
    return pd.concat(rows, ignore_index=True)


def rank_table(effects: pd.DataFrame) -> pd.DataFrame:
    """Return one row an outcome and strategy: low, median, high (5 and 95 per cent), share of draws it is first.

    Examples
    --------
    >>> rank_table(rank(content.CONTENT, 200)).query("outcome == 'r0'")["strategy"].iloc[-1]
    'delivery'
    """
    grouped = effects.groupby(["outcome", "strategy"], sort=False)["effect"]
    table = grouped.quantile([0.05, 0.5, 0.95]).unstack().set_axis(["low", "median", "high"], axis=1)
    best = effects.loc[effects.groupby(["outcome", "draw"])["effect"].idxmax()]
    first = best.groupby(["outcome", "strategy"]).size() / effects["draw"].nunique()
    table["first"] = first.reindex(table.index).fillna(0.0)
    ranked = table.sort_values("median", ascending=False, kind="stable")
    return ranked.reindex(OUTCOMES, level="outcome").reset_index()


def rank_elasticities(mode: Mode, draws: int = 1000, seed: int = 1) -> pd.DataFrame:
    """Rank the parameters of a mode by the size of R0's elasticity over their ranges.

    Returns
    -------
    DataFrame
        parameter, symbol, median, low, high (5 and 95 per cent) and ``first``, the share of draws in which it is the
        largest in size; ties count for every one of them.
    """
    p = draw(tuple(one for one in mode.parameters if one.name not in mode.external), draws, seed)
    p |= mode.values(dict.fromkeys(mode.external, 0.0)) | p

    def of(values: Values) -> np.ndarray:
        return content.reproduction(values) if mode.name == "content" else sharing.reproduction(values, _variant(mode))

    names = [one.name for one in mode.parameters if one.kind != "group" and np.all(p[one.name] > 0)]
    sizes = np.array([elasticity(of, p, name) for name in names])
    first = np.mean(np.abs(sizes) >= np.abs(sizes).max(axis=0) - 1e-9, axis=1)
    low, median, high = np.quantile(sizes, [0.05, 0.5, 0.95], axis=1)
    symbols = [mode.parameter[name].symbol for name in names]
    columns = {"parameter": names, "symbol": symbols, "median": median, "low": low, "high": high, "first": first}
    table = pd.DataFrame(columns)
    return table.sort_values("median", key=lambda s: -s.abs(), ignore_index=True)
