"""Answers to the exercises of 06_open_questions: run as it stands, or paste a part into the notebook."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from socialcommerce.modes import content, optima

usual = content.CONTENT.values()
b1, delta0, delta1 = (float(usual[name]) for name in ("b1", "delta0", "delta1"))

# 1. Without unprompted purchases n* = sqrt(delta0 / delta1), where b1 / (b1 + 2 sqrt(delta0 delta1)) of the pool buys.
simple = np.sqrt(delta0 / delta1), b1 / (b1 + 2 * np.sqrt(delta0 * delta1))
best = optima.best_contact(0.0, b1, delta0, delta1)
print(f"by hand {simple[0]:.4f} a day, {simple[1]:.4f} buy; "
      f"by the library {best:.4f} a day, {optima.purchase_chance(best, 0.0, b1, delta0, delta1):.4f} buy")

# 2. The derivative of (c0 + c1 q^theta) / q is zero at q = (c0 / (c1 (theta - 1)))^(1 / theta). A finite audience asks
# for less: whom better content would reach has often been reached already, so the last step of quality draws fewer.
plain = optima.Quality(r=0.0)
by_hand = (plain.c0 / (plain.c1 * (plain.theta - 1))) ** (1 / plain.theta)
print(f"unlimited audience {by_hand:.4f} by hand, {plain.without_virality:.4f} by the library; "
      f"finite audience {minimize_scalar(plain.finite, bounds=(0.001, 1000)).x:.4f}")

# 3. Half the margin halves what a class gains and leaves its cost, so no cost supports more classes than before.
rng = np.random.default_rng(20240531)
people = pd.DataFrame({column: usual[name] * rng.lognormal(0, 0.5, 400) for column, name in
                       (("b0", "pi0"), ("b1", "b1"), ("delta0", "delta0"), ("delta1", "delta1"))})
for margin in (10.0, 5.0):
    for cost in (0.002, 0.01, 0.05):
        table = optima.segment_gains(people, 6, margin, cost)
        print(f"margin {margin:g}, cost {cost:g}: {table.loc[table['profit'].idxmax(), 'classes']} classes")
