"""A small mode to try things on: a rumour that spreads from mouth to mouth and is forgotten (SIRS)."""

from __future__ import annotations

from stockflow.mode import Flow, Mode, Parameter, State

RUMOUR = Mode(
    "rumour",
    states=(State("U", "susceptible"), State("S", "carrying"), State("R", "other")),
    parameters=(
        Parameter("beta", "β", 0.3, "1/day", 0.1, 0.6),
        Parameter("gamma", "γ", 0.1, "1/day", 0.05, 0.2),
        Parameter("omega", "ω", 0.0, "1/day", 0.0, 0.02),
    ),
    flows=(Flow("U", "S", "beta*contact(S)", enters=True), Flow("S", "R", "gamma"), Flow("R", "U", "omega")),
    carrier_free={"U": 1.0},
)
"""Unaware, spreading, retired. R0 = beta / gamma; with omega > 0 a share 1 - 1/R0 of those not retired spreads on."""
