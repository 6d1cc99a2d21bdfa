"""Answers to the exercises of 02_content_mode."""

import numpy as np

from socialcommerce.modes import content
from stockflow import integrate

# 1. R0 is proportional to s, so the threshold lies at s / R0: above one, which no share can be. With the other values
#    as assumed, satisfaction alone cannot make the mode sustain itself.
needed = content.CONTENT.parameter["s"].default / content.reproduction()
print(f"R0 is one at s = {needed:.2f}")
assert needed > 1

# 2. R0 depends on n through the share of entrants who buy. It is largest where one more promotion wins as many buyers
#    as it drives away: pi delta' = pi' delta.
n = np.linspace(0.01, 2, 200)
r0 = content.reproduction({"n": n})
print(f"R0 is largest, {r0.max():.2f}, at n = {n[r0.argmax()]:.2f}")
assert r0.max() > max(r0[0], r0[-1])

# 3. Below the threshold there are two states of rest with leaders. A start below the smaller one dies out, a start
#    above it comes to the larger one: R0 alone does not say which.
given = {"lambda0": 0.0, "beta": 0.068}
given["pi1"] = 2 * float(content.social_proof_limit(given))
small, large, _ = content.steady_leaders(given)
ends = [integrate(content.CONTENT, given, 20_000, "rk4", 2.0, {"L": leaders}).state("L")[-1] for leaders in (1e-4, 0.1)]
print(f"R0 = {content.reproduction(given):.2f}; at rest {small:.4f} or {large:.4f}; the runs end at "
      f"{ends[0]:.6f} and {ends[1]:.4f}")
assert content.reproduction(given) < 1
assert ends[0] < 1e-4
assert abs(ends[1] / large - 1) < 0.01
