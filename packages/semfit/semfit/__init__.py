"""Fit structural equation models in lavaan's language and with its numbers.

>>> import semfit
>>> data = semfit.simulate("y ~ 0.5*x; x ~~ 1*x; y ~~ 0.75*y", 400, seed=1)
>>> fit = semfit.fit("y ~ b*x", data)
>>> fit.converged, fit.identified, round(float(fit.r2["y"]), 1)
(True, True, 0.2)
"""

from semfit.comparison import HypothesisStatistic, difference, wald
from semfit.constructs import composite, products, simple_slopes
from semfit.equivalence import equivalence
from semfit.errors import DataError, FitWarning, NotTestable, ParameterError, SemfitError, UnknownNameError
from semfit.expressions import jacobian
from semfit.fit import fit
from semfit.groups import Invariance, PartialInvariance, invariance, partial_invariance
from semfit.inference import delta_errors
from semfit.ladders import level_model, wave_model
from semfit.moments import Moments
from semfit.plsfit import PlsFit, pls
from semfit.plsgroups import PlsGroups, pls_groups
from semfit.plspredict import PlsPrediction, pls_predict
from semfit.pooling import fit_imputed, pool
from semfit.power import (
    chisq_power,
    population_fit,
    population_moments,
    power,
    rmsea_power,
    rmsea_sample_size,
    simulate,
)
from semfit.resampling import Bootstrap, bootstrap, weighted_refit
from semfit.result import SemFit
from semfit.syntax import parse

__version__ = "0.1.0"

__all__ = [
    "Bootstrap",
    "DataError",
    "FitWarning",
    "HypothesisStatistic",
    "Invariance",
    "Moments",
    "NotTestable",
    "ParameterError",
    "PartialInvariance",
    "PlsFit",
    "PlsGroups",
    "PlsPrediction",
    "SemFit",
    "SemfitError",
    "UnknownNameError",
    "__version__",
    "bootstrap",
    "chisq_power",
    "composite",
    "delta_errors",
    "difference",
    "equivalence",
    "fit",
    "fit_imputed",
    "invariance",
    "jacobian",
    "level_model",
    "parse",
    "partial_invariance",
    "pls",
    "pls_groups",
    "pls_predict",
    "pool",
    "population_fit",
    "population_moments",
    "power",
    "products",
    "rmsea_power",
    "rmsea_sample_size",
    "simple_slopes",
    "simulate",
    "wald",
    "wave_model",
    "weighted_refit",
]
