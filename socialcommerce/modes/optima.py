"""Where more of a good thing stops paying: contact, personalisation, segments, group offers; and breaches of data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from socialcommerce.errors import ParameterError
from socialcommerce.modes import content, sharing
from stockflow import Mode, Values, integrate

__all__ = [
    "Quality",
    "best_contact",
    "best_personalisation",
    "best_promotion",
    "breaches",
    "group_offers",
    "members_of",
    "promotion",
    "purchase_chance",
    "segment_gains",
    "struck",
]

Given = np.ndarray | float


def purchase_chance(n: Given, b0: Given, b1: Given, delta0: Given, delta1: Given) -> np.ndarray:
    """Return the probability that a member of the pool buys before leaving, at n promotions a day.

    ``(b0 + b1 n) / (b0 + b1 n + delta0 + delta1 n^2)``: b0 unprompted purchases, b1 purchases per promotion, delta0
    exits without and delta1 n^2 exits by annoyance (all 1/day).
    """
    buy = np.asarray(b0 + b1 * n)
    return buy / (buy + delta0 + delta1 * n**2)


def best_contact(b0: Given, b1: Given, delta0: Given, delta1: Given) -> np.ndarray:
    """Return the promotions a day at which most of the pool buys: n* = -b0/b1 + sqrt((b0/b1)^2 + delta0/delta1).

    At n* the hazards of buying and of leaving have the same elasticity; without unprompted purchases that is
    n delta'(n) = delta(n), so n* = sqrt(delta0/delta1), where b1 / (b1 + 2 sqrt(delta0 delta1)) of the pool buys.

    References
    ----------
    Godfrey, Seiders & Voss (2011), doi:10.1509/jmkg.75.4.94, find such an ideal level in data on customers; Dorfman &
    Steiner (1954), American Economic Review 44, 826-836, for rules in elasticities.

    Examples
    --------
    >>> float(best_contact(0.0, 0.02, 0.005, 0.02))
    0.5
    """
    ratio = np.asarray(b0) / b1
    return -ratio + np.sqrt(ratio**2 + np.asarray(delta0) / delta1)


def best_personalisation(a: float, b: float, c: float, delta0: float, annoyance: float) -> float:
    """Return the depth z of personalisation, in [0, 1], at which most of the pool buys.

    Purchases gain as (1 + a z), annoyance (delta1 n^2) falls as (1 - b z), and exits for privacy rise as
    delta0 (1 + c z^2). The optimum is the positive root of a c delta0 z^2 + 2 c delta0 z = a (annoyance + delta0) +
    b annoyance, or 1 where that lies beyond.

    Examples
    --------
    >>> round(best_personalisation(0.3, 0.5, 4.0, 0.005, 0.005), 3)
    0.135
    """
    gain = a * (annoyance + delta0) + b * annoyance
    if c * delta0 == 0:
        return 1.0 if gain > 0 else 0.0
    drag = c * delta0
    z = gain / (2 * drag) if a == 0 else (-drag + np.sqrt(drag**2 + a * drag * gain)) / (a * drag)
    return float(min(z, 1.0))


def segment_gains(
    people: pd.DataFrame,
    most: int,
    value: float = 0.0,
    cost: float = 0.0,
    chance: Callable = purchase_chance,
    best: Callable = best_contact,
    least: int = 2,
) -> pd.DataFrame:
    """Return what it brings to contact k classes of people each at its own best frequency.

    Parameters
    ----------
    people : DataFrame
        One row a person with b0, b1, delta0, delta1.
    most, least : int
        Most and, beside one, fewest classes; people are cut into classes of equal size by the frequency best for them.
    value, cost : float
        Yuan of one buyer per person contacted, and of keeping one class.
    chance, best : callable
        Chance to buy at a frequency, and the best one, of the four columns.

    Returns
    -------
    DataFrame
        classes, chance (mean probability to buy), gain over one class, profit = value * gain - cost * (classes - 1).
        ``chance`` tends to the mean of the optima; at one class it is the optimum of the mean.

    Raises
    ------
    ParameterError
        For fewer classes than one, or more than people.
    """
    if not 1 <= most <= len(people):
        raise ParameterError(
            f"classes hold people; got up to {most} classes of {len(people)}; allowed is 1 to {len(people)}."
        )
    who = [people[name].to_numpy(float) for name in ("b0", "b1", "delta0", "delta1")]
    order = np.argsort(best(*who), kind="stable")
    who = [column[order] for column in who]
    rows = []
    for k in (1, *range(least, most + 1)):
        cuts = np.array_split(np.arange(len(people)), k)
        total = sum(_best_of_class([column[cut] for column in who], chance, best) for cut in cuts)
        rows.append({"classes": k, "chance": total / len(people)})
    table = pd.DataFrame(rows)
    table["gain"] = table["chance"] - table["chance"][0]
    return table.assign(profit=value * table["gain"] - cost * (table["classes"] - 1))


def _best_of_class(who: Sequence[np.ndarray], chance: Callable, best: Callable) -> float:
    """Largest summed probability to buy at one frequency for all: a grid between the members' optima, refined twice."""
    own = best(*who)
    low, high = own.min(), own.max()
    for _ in range(3):
        grid = np.linspace(low, high, 41)
        total = chance(grid[:, None], *who).sum(axis=1)
        top = int(np.argmax(total))
        low, high = grid[max(top - 1, 0)], grid[min(top + 1, 40)]
    return float(total[top])


def group_offers(
    sizes: Sequence[int] = range(2, 9),
    discounts: Sequence[float] = (0.0, 0.1, 0.2, 0.3),
    appeal: float = 8.0,
    margin: float = 0.4,
) -> pd.DataFrame:
    """Return what follows from every size of a capped group at every discount.

    A discount d multiplies the odds that an invitation is accepted by exp(appeal d) and takes d of the price from the
    margin. Where many accept, a group loses those it has no seat for, so that the best size lies inside.

    Parameters
    ----------
    sizes, discounts : sequence of int, sequence of float
        Group sizes, the opener counted; shares of the price, in [0, 1], else ParameterError is raised.
    margin : float
        Share of the price earned without a discount.

    Returns
    -------
    DataFrame
        discount, g, r0, purchases (a day and person), margin, profit (prices a day and person). Illustrative.
    """
    off, g = (grid.ravel() for grid in np.meshgrid(np.asarray(discounts, float), np.asarray(sizes), indexing="ij"))
    if not np.all((off >= 0) & (off <= 1)):
        raise ParameterError(f"a discount is a share of price; got {off.min():g}, {off.max():g}; allowed is [0, 1].")
    p, lift = sharing.SHARING.values(), np.exp(appeal * off)
    given = {name: p[name] * lift / (1 + p[name] * (lift - 1)) for name in ("qA", "qB")} | {"g": g}
    r0, flow, left = sharing.reproduction(given), sharing.steady_flow(given), margin - off
    columns = {"discount": off, "g": g, "r0": r0, "purchases": flow, "margin": left, "profit": flow * left}
    return pd.DataFrame(columns)


def breaches(
    mode: Mode, rate: float = 1 / 365, share: float = 0.3, days: int = 7300, replicates: int = 200, seed: int = 1
) -> pd.DataFrame:
    """Let breaches strike at random (``rate`` a day), each driving ``share`` of the members away.

    Members are the carrying states but orders on their way; they move to the mode's last state, whence people return.
    Of each of ``replicates`` runs of ``days`` the strikes are drawn by ``seed``.

    Returns
    -------
    DataFrame
        A row each for none, the same mean loss spread evenly over all days, and shocks: case, members (share of the
        population over the second half of a run), low and high (5 and 95 per cent of replicates), spread in time.

    Raises
    ------
    ParameterError
        For a negative rate, a share outside [0, 1], or fewer than two replicates.
    """
    if not (rate >= 0 and 0 <= share <= 1 and replicates >= 2):
        raise ParameterError(
            f"a breach has a rate, a share and replicates; got {rate:g}, {share:g}, {replicates}; "
            "allowed are rate >= 0, 0 <= share <= 1, replicates >= 2."
        )
    p, rng = mode.values(), np.random.default_rng(seed)
    leaders = mode.states[members_of(mode)[-1]].name
    start = integrate(mode, None, days, "map", initial={leaders: 0.01}, every=days).values[-1]
    y = np.repeat(start[:, None], replicates + 2, axis=1)  # the first without breaches, the second with an even loss
    even = -np.expm1(-rate * share)
    lost = (np.concatenate([[0.0, even], 1 - (1 - share) ** rng.poisson(rate, replicates)]) for _ in range(days))
    seen = struck(mode, p, y, lost)[days // 2 :]
    shocks = seen[:, 2:].mean(axis=0)
    calm, even = map(float, seen[-1, :2])
    rows = [
        ("none", calm, calm, calm, 0.0),
        ("even", even, even, even, 0.0),
        ("shocks", shocks.mean(), *np.quantile(shocks, [0.05, 0.95]), seen[:, 2:].std(axis=0).mean()),
    ]
    return pd.DataFrame(rows, columns=["case", "members", "low", "high", "spread"])


def struck(mode: Mode, p: Values, y: np.ndarray, lost: Iterable[np.ndarray]) -> np.ndarray:
    """Return the members, share of the population, after each day, of which ``lost`` holds the share that leaves.

    Shapes are (states, sets) of ``y``, where the mode starts, and (sets,) of each day's share.
    """
    members, seen = members_of(mode), []
    for share in lost:
        y = y + mode.derivative(y, p)
        gone = y[members] * share
        y[members] -= gone
        y[-1] += gone.sum(axis=0)
        seen.append(y[members].sum(axis=0))
    return np.array(seen)


def members_of(mode: Mode) -> list[int]:
    """Return the places of the states that members are in: those that carry, but orders on their way."""
    return [i for i in mode.carrying if mode.states[i].name != "O"]


@dataclass(frozen=True)
class Quality:
    """Section 5, paragraph 1, sentence 4, first half: at what quality q of content is traffic cheapest?

    A day's content costs ``c0 + c1 q^theta`` yuan per person of the audience and draws ``rho q`` of it a day into the
    pool; better content is also passed on more, ``beta = beta_1 q^r`` with beta_1 the value among ``parameters``.

    Attributes
    ----------
    c0, c1, theta : float
        Cost; theta above 1 means that each further step of quality costs more than the last.
    rho : float
        Reach, 1/day at quality 1.
    r : float
        Elasticity of virality by quality; 0 where quality only draws and is not passed on.

    Notes
    -----
    All defaults are illustrative.
    """

    c0: float = 0.0004
    c1: float = 0.0004
    theta: float = 2.0
    rho: float = 0.0005
    r: float = 0.2
    parameters: Mapping[str, Given] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("c0", "c1", "rho"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} is positive; got {getattr(self, name):g}; allowed is above 0.")
        if not self.theta > 1 or not self.r >= 0:
            raise ParameterError(
                f"quality costs more the higher it is; got theta={self.theta:g}, r={self.r:g}; "
                "allowed is theta > 1 and r >= 0."
            )

    def cost(self, q: Given) -> np.ndarray:
        """Return yuan a day and person."""
        return self.c0 + self.c1 * np.asarray(q, float) ** self.theta

    def _given(self, q: Given) -> dict:
        q = np.asarray(q, float)
        beta = float(content.CONTENT.values(self.parameters)["beta"])
        return dict(self.parameters) | {"beta": beta * q**self.r, "lambda0": self.rho * q}

    def successors(self, q: Given) -> np.ndarray:
        """Return R0 at quality q."""
        return content.reproduction(self._given(q))

    def infinite(self, q: Given) -> np.ndarray:
        """Return yuan per entrant in an audience that never runs out: cost (1 - R0) / (rho q); nan from R0 = 1."""
        r0 = self.successors(q)
        return np.where(r0 < 1, self.cost(q) * (1 - r0) / (self.rho * np.asarray(q)), np.nan)

    def finite(self, q: Given) -> np.ndarray:
        """Return yuan per entrant where the finite audience stands still: cost / j*."""
        return self.cost(q) / self.flow(q)

    def flow(self, q: Given) -> np.ndarray:
        """Return the entrants a day and person where the finite audience stands still."""
        return content.steady_flow(self._given(q))

    @property
    def without_virality(self) -> float:
        """The cheapest quality where nothing is passed on and nobody runs out: (c0 / (c1 (theta - 1)))^(1/theta)."""
        return (self.c0 / (self.c1 * (self.theta - 1))) ** (1 / self.theta)


def promotion(
    f: Given, n: Given, rho: float = 0.001, parameters: Mapping | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Section 5, paragraph 1, sentence 4, second half: what share of messages promotes, and how often to write?

    Of n messages a day and person a share f promotes. Promotion sells, ``pi = b0 + b1 f n``; the rest draws,
    ``lambda0 = rho (1 - f) n``; every message can annoy, ``delta = delta0 + delta1 n^2``. The audience is finite. At an
    inner optimum neither a larger share nor more messages sell more: what either adds to the chance of a purchase it
    takes from the inflow.

    Parameters
    ----------
    f, n : float or array, shape (sets,)
        Share that promotes, and messages a day.
    rho : float
        Draw of a creative message (its unit: 1). Illustrative.
    parameters
        As in :mod:`socialcommerce.modes.content`.

    Returns
    -------
    purchases, leave : ndarray, shape () or (sets,)
        Orders a day and person of the audience where the mode stands still; the share of the pool that leaves unsold.
    """
    p = content.CONTENT.values(parameters)
    # the declaration knows one frequency: b1 carries the share that promotes
    given = p | {"b1": p["b1"] * f, "n": n, "lambda0": rho * (1 - np.asarray(f)) * n}
    chance = content.parts(given)["pM"]
    return chance * content.steady_flow(given), 1 - chance


def best_promotion() -> np.ndarray:
    """Return the share of promotion and the messages a day at which most is sold, shape (2,), at the default values."""
    edges, fine = [(0, 1), (0.01, 20)], {"xatol": 1e-9, "fatol": 1e-15}
    return minimize(lambda at: -promotion(*at)[0], (0.1, 0.5), method="Nelder-Mead", bounds=edges, options=fine).x
