"""The "Social + Commerce" mode: content draws a public audience into a pool that buys, and leaders draw the next.

Every closed form takes ``parameters``, by name what differs from the defaults: numbers, arrays of shape (sets,), or a
frame with a row a set; what it returns has the shape () or (sets,). Rates are 1/day, states shares of the population.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.special import lambertw

from nbproof import read_toml
from socialcommerce.errors import ParameterError
from stockflow import Auxiliary, Flow, Mode, Parameter, State, minimal_root

__all__ = [
    "CONTENT",
    "COUNTED",
    "DECLARED",
    "SLIDERS",
    "Given",
    "declared",
    "equilibrium",
    "extinction",
    "final_size",
    "need",
    "parts",
    "reproduction",
    "social_proof_limit",
    "steady_flow",
    "steady_leaders",
]

Given: TypeAlias = Mapping | pd.DataFrame | None
DECLARED = read_toml(Path(__file__).with_name("modes.toml"))


def declared(kind: str, name: str, **laws: str) -> Mode:
    """Return a mode of ``modes.toml`` under a name; ``laws`` stand where its auxiliaries name them in braces.

    Examples
    --------
    >>> [flow.hazard for flow in declared("content", "content").flows[:2]]
    ['lambda0 + Lambda', 'pi']
    """
    table = DECLARED[kind]
    return Mode(
        name,
        tuple(State(*row) for row in table["states"]),
        tuple(Parameter(*row) for row in table["parameters"]),
        tuple(Flow(*row) for row in table["flows"]),
        table["carrier_free"],
        tuple(Auxiliary(*(text.format(**laws) for text in row)) for row in table["auxiliaries"]),
        table["words"],
        tuple(table["external"]),
    )


CONTENT = declared("content", "content")
"""The declaration, of section 3.1."""
COUNTED = {"flows": (("M", "O"),), "starters": "L"}
"""What a series of purchases counts, and who is active at its start: for :func:`stockflow.fit_mode`."""
SLIDERS = DECLARED["content"]["sliders"]
"""What a reader may move where the mode runs in a page, and in which steps: for :func:`stockflow.explorer`."""


def need(a: Mapping, name: str, holds: np.ndarray, allowed: str) -> None:
    """Raise ParameterError where a closed form does not hold for a parameter, with a value for which it does not."""
    if not np.all(holds):
        given = np.broadcast_to(a[name], np.shape(holds))[~holds].flat[0]
        raise ParameterError(f"this closed form does not hold for {name}; got {given:g}; allowed is {allowed}.")


def parts(parameters: Given = None) -> dict[str, np.ndarray]:
    """Return what every closed form is made of, and the parameters themselves.

    Returns
    -------
    dict
        ``pi`` and ``delta`` (1/day, without social proof), ``pM`` share of the pool that buys, ``pphi`` share of
        customers who become leaders, ``tC`` and ``tL`` days as customer and leader, ``reach`` entrants per satisfied
        customer, ``T`` days from entry to return.
    """
    p = CONTENT.values(parameters)
    pi, delta = p["pi0"] + p["b1"] * p["n"], p["delta0"] + p["delta1"] * p["n"] ** 2
    tC, tL, pM = 1 / (p["phi"] + p["gammaC"]), 1 / p["gammaL"], pi / (pi + delta)
    pphi = p["phi"] * tC
    with np.errstate(divide="ignore"):
        T = 1 / (pi + delta) + pM / p["kappa"] + pM * p["s"] * (tC + pphi * tL) + 1 / p["omega"]
    reach = p["beta"] * (p["eta"] * tC + pphi * tL)
    return p | {"pi": pi, "delta": delta, "pM": pM, "pphi": pphi, "tC": tC, "tL": tL, "reach": reach, "T": T}


def reproduction(parameters: Given = None) -> np.ndarray:
    """Return R0 = beta pM s (eta tC + pphi tL): entrants that one entrant brings, before the audience runs out.

    A threshold only where nobody arrives from outside (``lambda0 = 0``). Below one, a bought entrant brings
    1 / (1 - R0) in all, counting itself.

    Examples
    --------
    >>> round(float(reproduction()), 3)
    0.864
    """
    a = parts(parameters)
    return a["pM"] * a["s"] * a["reach"]


def steady_flow(parameters: Given = None) -> np.ndarray:
    """Return the entrants a day, per person of the population, at which the mode stands still.

    The positive root of R0 T j^2 + (1 + lambda0 T - R0) j - lambda0 = 0.

    Raises
    ------
    ParameterError
        With social proof (``pi1 > 0``), for which this equation does not hold, or where nobody returns (``omega = 0``).
    """
    a = parts(parameters)
    need(a, "pi1", a["pi1"] == 0, "0 where a closed form is meant")
    need(a, "omega", a["omega"] > 0, "above 0 where a steady flow is meant")
    r0 = a["pM"] * a["s"] * a["reach"]
    b, c = 1 + a["lambda0"] * a["T"] - r0, 4 * r0 * a["T"] * a["lambda0"]
    root = np.sqrt(b**2 + c)
    low = 2 * a["lambda0"] / np.where(b > 0, b + root, 1.0)  # the same root, written so that nothing cancels
    return np.where(b > 0, low, (root - b) / np.where(r0 > 0, 2 * r0 * a["T"], 1.0))


def equilibrium(parameters: Given = None) -> np.ndarray:
    """Return the shares in P, M, O, C, L, D at the steady flow, shape (6,) or (6, sets)."""
    a, j = parts(parameters), steady_flow(parameters)
    m, o, c = j / (a["pi"] + a["delta"]), a["pM"] * j / a["kappa"], a["pM"] * a["s"] * j * a["tC"]
    lead, d = a["pphi"] * a["pM"] * a["s"] * j * a["tL"], j / a["omega"]
    return np.stack(np.broadcast_arrays(1 - j * a["T"], m, o, c, lead, d))


def final_size(parameters: Given = None, initial: Mapping[str, float] | None = None) -> np.ndarray:
    """Return the share of the population never drawn in, after everything has run out.

    ``u = -W(-R0 u0 exp(-dose - R0 u0)) / R0`` with u0 the public audience at the start and ``dose`` the cumulative
    draw of those placed by ``initial`` (shares by state), W Lambert's function.

    Raises
    ------
    ParameterError
        Where people return or keep arriving (``omega``, ``lambda0``) or social proof acts (``pi1``).

    References
    ----------
    Miller (2012), doi:10.1007/s11538-012-9749-6; Corless et al. (1996), doi:10.1007/BF02124750.
    """
    a = parts({"omega": 0.0, "lambda0": 0.0} | dict(parameters if parameters is not None else {}))
    for name in ("omega", "lambda0", "pi1"):
        need(a, name, a[name] == 0, "0 where a final size is meant")
    r0, (u0, m, o, c, lead, _) = a["pM"] * a["s"] * a["reach"], CONTENT.start(initial)
    dose = r0 * m + a["s"] * a["reach"] * o + a["reach"] * c + a["beta"] * a["tL"] * lead
    spread = -lambertw(-r0 * u0 * np.exp(-dose - r0 * u0)).real / np.where(r0 > 0, r0, 1.0)
    return np.where(r0 > 0, spread, u0 * np.exp(-dose))


def extinction(parameters: Given = None) -> np.ndarray:
    """Return the probability that the line of one entrant dies out in a large population.

    The smallest root of z = 1 - pM s + pM s hC(z), hL = gammaL / (gammaL + beta (1 - z)), hC = (gammaC + phi hL) /
    (phi + gammaC + eta beta (1 - z)).

    References
    ----------
    Harris (1963), The Theory of Branching Processes, Springer.
    """
    a = parts(parameters)

    def line(z: np.ndarray) -> np.ndarray:
        leader = a["gammaL"] / (a["gammaL"] + a["beta"] * (1 - z))
        customer = (a["gammaC"] + a["phi"] * leader) / (a["phi"] + a["gammaC"] + a["eta"] * a["beta"] * (1 - z))
        return 1 - a["pM"] * a["s"] * (1 - customer)

    return minimal_root(line, a["pM"] * a["s"] * a["reach"])


def social_proof_limit(parameters: Given = None) -> np.ndarray:
    """Return the social proof ``pi1`` above which a pool that starts big sustains itself below R0 = 1 (1/day).

    pi1* = T / (pM s pphi tL) * pi (pi + delta) / delta: there the gain in purchases from the first leaders offsets the
    loss of audience to the pool, and the branch of steady states turns backward.
    """
    a = parts(parameters)
    return a["T"] / (a["pM"] * a["s"] * a["pphi"] * a["tL"]) * a["pi"] * (a["pi"] + a["delta"]) / a["delta"]


def steady_leaders(parameters: Given = None) -> np.ndarray:
    """Return the share of leaders at every state in which the mode stands still with customers, social proof included.

    The positive roots of (lambda0 + rho l) q(l) = B l (pi + delta), where B = 1 / (s pphi tL), rho = s reach B,
    pi = pi0 + b1 n + pi1 l and q(l) = pi P: every other share follows from l, and purchases a day are B l.

    Returns
    -------
    ndarray, shape (3,) or (3, sets)
        In ascending order, NaN where there are fewer; with ``lambda0 = 0`` none means that the pool empties from
        every start.

    Examples
    --------
    >>> bool(abs(steady_leaders()[0] - equilibrium()[4]) < 1e-12)
    True
    """
    a = parts(parameters)
    need(a, "omega", a["omega"] > 0, "above 0 where a steady state is meant")
    need(a, "phi", a["phi"] > 0, "above 0 where leaders are meant")
    B = 1 / (a["s"] * a["pphi"] * a["tL"])
    rho, leave = a["s"] * a["reach"] * B, a["pi"] + a["delta"]
    days = 1 / a["kappa"] + a["s"] * (a["tC"] + a["pphi"] * a["tL"])
    q1 = a["pi1"] - B * (1 + a["pi"] * days + leave / a["omega"])
    q2 = -B * a["pi1"] * (days + 1 / a["omega"])
    q0, l0 = a["pi"], a["lambda0"]
    powers = np.stack(
        np.broadcast_arrays(rho * q2, l0 * q2 + rho * q1 - B * a["pi1"], l0 * q1 + rho * q0 - B * leave, l0 * q0)
    )
    shares = np.full((3, *powers.shape[1:]), np.nan)
    for at in np.ndindex(powers.shape[1:]):
        roots = np.roots(powers[:, *at])
        real = np.sort(roots[(abs(roots.imag) < 1e-9 * abs(roots)) & (roots.real > 0)].real)
        shares[: len(real), *at] = real
    return shares
