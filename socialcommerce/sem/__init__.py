"""Structural equation models that agree with lavaan; knows nothing of commerce.

>>> from socialcommerce import sem
>>> data = sem.simulate("y ~ 0.5*x; x ~~ 1*x; y ~~ 0.75*y", 400, seed=1)
>>> fit = sem.fit("y ~ b*x", data)
>>> fit.converged, fit.identified, round(float(fit.r2["y"]), 1)
(True, True, 0.2)
"""

from socialcommerce.sem.analytic_power import chisq_power, rmsea_power, rmsea_sample_size
from socialcommerce.sem.comparison import difference, wald
from socialcommerce.sem.equivalence import equivalence
from socialcommerce.sem.fit import fit
from socialcommerce.sem.groups import invariance
from socialcommerce.sem.interaction import products, simple_slopes
from socialcommerce.sem.moments import Moments
from socialcommerce.sem.pls import PlsFit, pls
from socialcommerce.sem.pooling import fit_imputed, pool
from socialcommerce.sem.power import power, simulate
from socialcommerce.sem.resampling import Bootstrap, bootstrap
from socialcommerce.sem.result import SemFit

__all__ = [
    "Bootstrap",
    "Moments",
    "PlsFit",
    "SemFit",
    "bootstrap",
    "chisq_power",
    "difference",
    "equivalence",
    "fit",
    "fit_imputed",
    "invariance",
    "pls",
    "pool",
    "power",
    "products",
    "rmsea_power",
    "rmsea_sample_size",
    "simple_slopes",
    "simulate",
    "wald",
]
