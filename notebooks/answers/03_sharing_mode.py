"""Answers to the exercises of 03_sharing_mode."""

import numpy as np
from scipy.optimize import brentq

from socialcommerce.modes import sharing

# 1. With groups of three many acceptances are lost in groups that never fill, so acceptance must rise by more than
#    the joiners do.
p = sharing.SHARING.parameter
pair = sharing.reproduction({"g": 2})


def missing(factor):
    return sharing.reproduction({"g": 3, "qA": factor * p["qA"].default, "qB": factor * p["qB"].default}) - pair


factor = brentq(missing, 1.0, 3.0)
print(f"groups of three reach K = {pair:.2f} once acceptance is {factor:.2f} times as high")
assert factor > 1

# 2. Both need the same joiners to fill, so large groups of either kind hardly ever do. Open groups of two lose nobody,
#    capped ones turn away all but the first: open ones start higher and fall by the larger factor.
sizes = np.array([2, 5])
falls = {rule: np.divide(*sharing.reproduction({"g": sizes}, rule)) for rule in ("capped", "open")}
print(f"from groups of two to groups of five K falls by {falls['capped']:.0f} (capped) and {falls['open']:.0f} (open)")
assert falls["open"] > falls["capped"]

# 3. Below the threshold ordinary traffic is all that keeps the mode from dying out; above it the mode stands by itself.
for g in (2, 3):
    alone, fed = (1 - sharing.equilibrium({"g": g, "epsilon": epsilon})[0] for epsilon in (0.0, p["epsilon"].default))
    print(f"groups of {g}: {alone:.1%} of the population are reached without ordinary traffic, {fed:.1%} with it")
    assert (alone > 0.01) == (sharing.reproduction({"g": g}) > 1)
