"""Where more of a good thing stops paying: contact, personalisation, segments, group offers; and breaches of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from socialcommerce.errors import ParameterError
from socialcommerce.modes import sharing
from stockflow import Mode, integrate

__all__ = ["Breaches", "best_contact", "best_personalisation", "breaches", "group_offers", "purchase_chance",
           "segment_gains"]


Given = np.ndarray | float


def purchase_chance(n: Given, b0: Given, b1: Given, delta0: Given, delta1: Given) -> np.ndarray:
    """Return the probability that a member of the pool buys before leaving, at n promotions a day.

    ``(b0 + b1 n) / (b0 + b1 n + delta0 + delta1 n^2)``: b0 unprompted purchases, b1 purchases per promotion, delta0
    exits without and delta1 n^2 exits by annoyance (all 1/day).
    """
    buy = b0 + b1 * n
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


def segment_gains(people: pd.DataFrame, most: int, value: float = 0.0, cost: float = 0.0) -> pd.DataFrame:
    """Return what it brings to contact k classes of people each at its own best frequency.

    Parameters
    ----------
    people : DataFrame
        One row a person with b0, b1, delta0, delta1.
    most : int
        Largest number of classes; people are cut into classes of equal size by the frequency best for them.
    value, cost : float
        Yuan of one buyer per person contacted, and of keeping one class.

    Returns
    -------
    DataFrame
        classes, chance (mean probability to buy), gain over one class, profit = value * gain - cost * (classes - 1).
        ``chance`` tends to the mean of the optima; at one class it is the optimum of the mean.
    """
    if not 1 <= most <= len(people):
        raise ParameterError(f"classes hold people; got up to {most} classes of {len(people)}; allowed is 1 to "
                             f"{len(people)}.")
    who = [people[name].to_numpy(float) for name in ("b0", "b1", "delta0", "delta1")]
    order = np.argsort(best_contact(*who), kind="stable")
    who = [column[order] for column in who]
    rows = []
    for k in range(1, most + 1):
        cuts = np.array_split(np.arange(len(people)), k)
        total = sum(_best_of_class([column[cut] for column in who]) for cut in cuts)
        rows.append({"classes": k, "chance": total / len(people)})
    table = pd.DataFrame(rows)
    table["gain"] = table["chance"] - table["chance"][0]
    return table.assign(profit=value * table["gain"] - cost * (table["classes"] - 1))


def _best_of_class(who: Sequence[np.ndarray]) -> float:
    """Largest summed probability to buy at one frequency for all: a grid between the members' optima, refined twice."""
    own = best_contact(*who)
    low, high = own.min(), own.max()
    for _ in range(3):
        grid = np.linspace(low, high, 41)
        total = purchase_chance(grid[:, None], *who).sum(axis=1)
        top = int(np.argmax(total))
        low, high = grid[max(top - 1, 0)], grid[min(top + 1, 40)]
    return float(total[top])


def group_offers(
    parameters: Mapping | None = None,
    sizes: Sequence[int] = range(2, 9),
    discounts: Sequence[float] = (0.0, 0.1, 0.2, 0.3),
    appeal: float = 8.0,
    margin: float = 0.4,
    variant: str = "capped",
    seats: str = "new",
) -> pd.DataFrame:
    """Return what follows from every size of a group at every discount.

    A discount d multiplies the odds that an invitation is accepted by exp(appeal d) and takes d of the price from the
    margin. Where many accept, a capped group loses those it has no seat for, so that the best size lies inside.

    Parameters
    ----------
    discounts : sequence of float
        Shares of the price.
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
    p, lift = sharing.SHARING.values(parameters), np.exp(appeal * off)
    q = {name: p[name] * lift / (1 + p[name] * (lift - 1)) for name in ("qA", "qB")}
    given = dict(parameters or {}) | q | {"g": g}
    flow, left = sharing.steady_flow(given, variant, seats), margin - off
    return pd.DataFrame({"discount": off, "g": g, "r0": sharing.reproduction(given, variant, seats), "purchases": flow,
                         "margin": left, "profit": flow * left})


@dataclass(frozen=True, eq=False)
class Breaches:
    """Members through time under breaches of data: none, the same loss spread evenly, and shocks.

    Attributes
    ----------
    calm, even : float
        Members (share of the population) at the end without breaches, and with their mean loss spread over all days.
    shocks : ndarray, shape (replicates,)
        Members with breaches at random times, averaged over the second half of the run.
    spread : float
        Standard deviation of members over the second half, mean of the replicates.
    """

    calm: float
    even: float
    shocks: np.ndarray
    spread: float

    def summary(self) -> pd.DataFrame:
        """Return one row a case: case, members, low and high (5 and 95 per cent of replicates), spread in time."""
        low, high = np.quantile(self.shocks, [0.05, 0.95])
        return pd.DataFrame([
            {"case": "none", "members": self.calm, "low": self.calm, "high": self.calm, "spread": 0.0},
            {"case": "even", "members": self.even, "low": self.even, "high": self.even, "spread": 0.0},
            {"case": "shocks", "members": self.shocks.mean(), "low": low, "high": high, "spread": self.spread},
        ])


def breaches(
    mode: Mode,
    parameters: Mapping | None = None,
    rate: float = 1 / 365,
    share: float = 0.3,
    days: int = 7300,
    replicates: int = 200,
    seed: int = 1,
) -> Breaches:
    """Let breaches strike at random (``rate`` a day), each driving ``share`` of the members away.

    Members are the carrying states but orders on their way; they move to the mode's last state, whence people return.

    Raises
    ------
    ParameterError
        For a negative rate, a share outside [0, 1], or fewer than two replicates.
    """
    if not (rate >= 0 and 0 <= share <= 1 and replicates >= 2):
        raise ParameterError(f"a breach has a rate, a share and replicates; got {rate:g}, {share:g}, {replicates}; "
                             "allowed are rate >= 0, 0 <= share <= 1, replicates >= 2.")
    members = [i for i in mode.carrying if mode.states[i].name != "O"]
    p, rng = mode.values(parameters), np.random.default_rng(seed)
    leaders = mode.states[members[-1]].name
    start = integrate(mode, parameters, days, "map", initial={leaders: 0.01}, every=days).values[-1]
    y = np.repeat(start[:, None], replicates + 2, axis=1)  # the first without breaches, the second with an even loss
    seen = np.zeros((days - days // 2, replicates + 2))
    even = -np.expm1(-rate * share)
    for day in range(days):
        y = y + mode.derivative(y, p)
        lost = np.concatenate([[0.0, even], 1 - (1 - share) ** rng.poisson(rate, replicates)])
        gone = y[members] * lost
        y[members] -= gone
        y[-1] += gone.sum(axis=0)
        if day >= days // 2:
            seen[day - days // 2] = y[members].sum(axis=0)
    shocks = seen[:, 2:]
    return Breaches(float(seen[-1, 0]), float(seen[-1, 1]), shocks.mean(axis=0), float(shocks.std(axis=0).mean()))
