"""What a survey's items must show before its constructs are used: reliability, validity, method bias.

>>> from socialcommerce import sem, survey
>>> data = sem.simulate("f =~ 1*x1 + 1*x2 + 1*x3; f ~~ 1*f; x1 ~~ 1*x1; x2 ~~ 1*x2; x3 ~~ 1*x3", 500, seed=1)
>>> 0.7 < survey.alpha(data, ["x1", "x2", "x3"]).estimate < 0.8
True
"""

from socialcommerce.survey.bias import CommonFactor, SingleFactor, common_factor, single_factor
from socialcommerce.survey.composites import MeasurementQuality, measurement_quality
from socialcommerce.survey.items import Factorability, describe, factorability
from socialcommerce.survey.marker import MarkerCorrelations, MarkerModels, marker_correlations, marker_models
from socialcommerce.survey.reliability import Alpha, alpha
from socialcommerce.survey.validity import FornellLarcker, HeterotraitMonotrait, fornell_larcker, htmt

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
    "describe",
    "factorability",
    "fornell_larcker",
    "htmt",
    "marker_correlations",
    "marker_models",
    "measurement_quality",
    "single_factor",
]
