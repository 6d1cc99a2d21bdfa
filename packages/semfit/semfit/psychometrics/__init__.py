"""Say how well items measure: reliability, validity, common-method bias, item statistics.

Equal to psych, semTools and lavaan where these give the number; an interval where one can be given, a reason where a
number is undefined.

>>> import semfit
>>> from semfit import psychometrics
>>> data = semfit.simulate("f =~ 1*x1 + 1*x2 + 1*x3; f ~~ 1*f; x1 ~~ 1*x1; x2 ~~ 1*x2; x3 ~~ 1*x3", 500, seed=1)
>>> 0.7 < psychometrics.alpha(data, ["x1", "x2", "x3"]).estimate < 0.8
True
"""

from semfit.psychometrics.bias import (
    CommonFactor,
    MarkerCorrelations,
    MarkerModels,
    SingleFactor,
    common_factor,
    marker_correlations,
    marker_models,
    single_factor,
)
from semfit.psychometrics.reliability import Alpha, MeasurementQuality, alpha, measurement_quality
from semfit.psychometrics.validity import (
    Factorability,
    FornellLarcker,
    HeterotraitMonotrait,
    factorability,
    fornell_larcker,
    htmt,
)

__all__ = [
    "Alpha",
    "CommonFactor",
    "Factorability",
    "FornellLarcker",
    "HeterotraitMonotrait",
    "MarkerCorrelations",
    "MarkerModels",
    "MeasurementQuality",
    "SingleFactor",
    "alpha",
    "common_factor",
    "factorability",
    "fornell_larcker",
    "htmt",
    "marker_correlations",
    "marker_models",
    "measurement_quality",
    "single_factor",
]
