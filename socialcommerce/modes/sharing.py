"""The "Commerce + Social" mode: buyers open groups, invite friends and strangers, and full groups bring new buyers.

Every closed form takes ``parameters`` as those of :mod:`socialcommerce.modes.content` do, and ``variant`` as
:func:`declare`, which raises UnknownNameError for others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

from socialcommerce.errors import UnknownNameError
from socialcommerce.modes.content import DECLARED, Given, declared, need
from stockflow import Groups, Mode, bisect, evaluate, helpers, minimal_root

__all__ = [
    "BUYING",
    "COUNTED",
    "SHARING",
    "SLIDERS",
    "declare",
    "equilibrium",
    "extinction",
    "final_size",
    "joiners",
    "parts",
    "reproduction",
    "steady_flow",
]

tail, safediv = helpers()["poisson_tail"], helpers()["safediv"]

VARIANTS = {"capped": "(g - 1)*safediv(poisson_tail(g - 1, x), x)", "open": "poisson_tail(g - 2, x)"}
"""The share of accepted invitations that is seated: a group closes when full, or anyone may still join."""


@cache
def declare(variant: str = "capped") -> Mode:
    """Declare the mode (section 3.2; the paper gives no values, every default is illustrative). U + A + B + F + Z = N.

    A group of size g sends Poisson numbers of invitations to friends and to strangers; it completes with g - 1 joiners.
    Seats are for people who have not bought before.

    Parameters
    ----------
    variant : {"capped", "open"}
        Capped groups close when full (expected joiners (g - 1) P(X >= g - 1)); open ones seat everybody who accepts
        once complete (x P(X >= g - 2)).

    Examples
    --------
    >>> declare("open").name
    'sharing (open)'
    """
    return declared("sharing", f"sharing ({variant})", variant=_law(variant))


def _law(variant: str) -> str:
    if variant not in VARIANTS:
        raise UnknownNameError("variant of a group", variant, VARIANTS)
    return VARIANTS[variant]


SHARING = declare()
"""The default declaration: capped groups."""
BUYING = Groups({"A": "thetaN", "B": "thetaN", "F": "thetaF"}, "g", ("mA", "qA", "A"), ("mB", "qB", "B"), "U")
"""How buyers open groups person by person: capped, seats for new buyers only."""
COUNTED = {"flows": (("U", "A"), ("U", "B")), "starters": "F"}
"""What a series of purchases counts, and who is active at its start: for :func:`stockflow.fit_mode`."""
SLIDERS = DECLARED["sharing"]["sliders"]
"""What a reader may move where the mode runs in a page, and in which steps: for :func:`stockflow.explorer`."""


def joiners(u: np.ndarray | float, a: Mapping, variant: str = "capped") -> np.ndarray:
    """Return new buyers per opened group while a share ``u`` is untapped: G(lambda u).

    Parameters
    ----------
    u : array
        In [0, 1], of the shape of what ``a`` holds.
    a : mapping
        With ``lam`` (accepted invitations per group where everybody is untapped) and ``g``.
    """
    x = a["lam"] * u
    return x * evaluate(_law(variant), {"g": a["g"], "x": x})


def parts(parameters: Given = None) -> dict[str, np.ndarray]:
    """Return what every closed form is made of, and the parameters themselves.

    Returns
    -------
    dict
        ``lam`` accepted invitations per group, ``aA`` and ``aB`` shares through friends and strangers, ``tA`` and
        ``tB`` days as a new customer, ``fA`` and ``fB`` shares who become fans, ``ThetaA`` and ``ThetaB`` groups opened
        in a lifetime, ``Theta`` their mean over joiners.
    """
    p = SHARING.values(parameters)
    friends, strangers = p["mA"] * p["qA"], p["mB"] * p["qB"]
    lam = friends + strangers
    aA = safediv(friends, lam)
    tA, tB = 1 / (p["psiA"] + p["gammaN"]), 1 / (p["psiB"] + p["gammaN"])
    fA, fB, fan = p["psiA"] * tA, p["psiB"] * tB, p["thetaF"] / p["gammaF"]
    ThetaA, ThetaB = p["thetaN"] * tA + fA * fan, p["thetaN"] * tB + fB * fan
    found = {"lam": lam, "aA": aA, "aB": 1 - aA, "tA": tA, "tB": tB, "fA": fA, "fB": fB, "fan": fan}
    return p | found | {"ThetaA": ThetaA, "ThetaB": ThetaB, "Theta": aA * ThetaA + (1 - aA) * ThetaB}


def reproduction(parameters: Given = None, variant: str = "capped") -> np.ndarray:
    """Return the K-factor, R0 = G(lambda) Theta: new buyers that one joiner brings, before the untapped run out.

    A threshold only where nobody buys from ordinary traffic (``epsilon = 0``), and in a well-mixed population: on a
    fixed network of friends fewer are left to invite. The textbook K, invitations times acceptance, is the open
    variant at g = 2.

    Examples
    --------
    >>> [round(float(reproduction({"g": g}, "open")), 2) for g in (2, 3, 4, 5)]
    [2.0, 1.14, 0.41, 0.11]
    """
    a = parts(parameters)
    return joiners(1.0, a, variant) * a["Theta"]


def _steady(a: Mapping, variant: str) -> tuple[np.ndarray, np.ndarray]:
    """The untapped share and the joiners a day at which the mode stands still; the solution is unique."""
    need(a, "omega", a["omega"] > 0, "above 0 where a steady flow is meant")
    days = {kind: a[f"t{kind}"] + a[f"f{kind}"] / a["gammaF"] + 1 / a["omega"] for kind in "AB"}
    joined = a["aA"] * days["A"] + a["aB"] * days["B"]
    most = 1 / (1 + a["epsilon"] * days["B"])

    def excess(u: np.ndarray) -> np.ndarray:
        g = joiners(u, a, variant)
        return (1 - u / most) / joined * (1 - a["Theta"] * g) - a["ThetaB"] * a["epsilon"] * u * g

    u = bisect(excess, np.zeros(np.broadcast_shapes(*map(np.shape, a.values()))), most)
    return u, (1 - u / most) / joined


def steady_flow(parameters: Given = None, variant: str = "capped") -> np.ndarray:
    """Return the new buyers a day, per person of the population, at which the mode stands still."""
    a = parts(parameters)
    u, n = _steady(a, variant)
    return n + a["epsilon"] * u


def equilibrium(parameters: Given = None, variant: str = "capped") -> np.ndarray:
    """Return the shares in U, A, B, F, Z at which the mode stands still, shape (5,) or (5, sets)."""
    a = parts(parameters)
    u, n = _steady(a, variant)
    alone = a["epsilon"] * u
    friends, others = a["aA"] * n * a["tA"], (a["aB"] * n + alone) * a["tB"]
    fans = (a["psiA"] * friends + a["psiB"] * others) / a["gammaF"]
    return np.stack(np.broadcast_arrays(u, friends, others, fans, (n + alone) / a["omega"]))


def final_size(
    parameters: Mapping | None = None, initial: Mapping[str, float] | None = None, variant: str = "capped"
) -> float:
    """Return the share of the population never reached, after everything has run out.

    Solves int_u^u0 dv / G(lambda v) = Theta (u0 - u) + Y0 with Y0 the groups that those placed by ``initial`` (shares
    by state) will open; one set at a time.

    Raises
    ------
    ParameterError
        Where people return (``omega``) or buy alone (``epsilon``).
    """
    a = parts({"omega": 0.0, "epsilon": 0.0} | dict(parameters or {}))
    for name in ("omega", "epsilon"):
        need(a, name, a[name] == 0, "0 where a final size is meant")
    u0, friends, others, fans, _ = SHARING.start(initial)
    opened = friends * a["ThetaA"] + others * a["ThetaB"] + fans * a["fan"]
    if not (opened > 0 and u0 > 0):
        return float(u0)

    def per_step(log_v: float) -> np.ndarray:
        return np.exp(log_v) / joiners(np.exp(log_v), a, variant)

    def gap(log_u: float) -> float:
        area, _ = quad(per_step, log_u, np.log(u0), epsabs=1e-12, epsrel=1e-12, limit=200)
        return area - a["Theta"] * (u0 - np.exp(log_u)) - opened

    low = np.log(u0) - 1
    while gap(low) < 0:
        low -= 1
    return float(np.exp(brentq(gap, low, np.log(u0), xtol=1e-14)))


def extinction(parameters: Given = None, variant: str = "capped") -> dict[str, np.ndarray]:
    """Return the probability that the line of one customer dies out in a large population.

    Groups bring joiners in batches: with b(z) the generating function of a batch, z the mean over kinds of joiners,
    zF = gammaF / (gammaF + thetaF (1 - b)) and zA = (gammaN + psiA zF) / (psiA + gammaN + thetaN (1 - b)), likewise zB.

    Returns
    -------
    dict
        ``joiner`` (a new one, friend or stranger), ``A``, ``B`` and ``F``.
    """
    a = parts(parameters)
    need = a["g"] - 1
    full = tail(need, a["lam"])

    def batch(z: np.ndarray) -> np.ndarray:
        if variant == "capped":
            return 1 - full + full * z**need
        return 1 - full + np.exp(-a["lam"] * (1 - z)) * tail(need, a["lam"] * z)

    def lines(z: np.ndarray) -> dict[str, np.ndarray]:
        lost = 1 - batch(z)
        fan = a["gammaF"] / (a["gammaF"] + a["thetaF"] * lost)
        kinds = {
            k: (a["gammaN"] + a[f"psi{k}"] * fan) / (a["gammaN"] + a[f"psi{k}"] + a["thetaN"] * lost) for k in "AB"
        }
        return {"joiner": a["aA"] * kinds["A"] + a["aB"] * kinds["B"], **kinds, "F": fan}

    z = minimal_root(lambda z: lines(z)["joiner"], joiners(1.0, a, variant) * a["Theta"])
    return lines(z)
