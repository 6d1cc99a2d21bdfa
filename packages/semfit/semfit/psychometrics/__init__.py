"""Say how well items measure: reliability, validity, common-method bias, item statistics.

Equal to psych, semTools and lavaan where these give the number; an interval where one can be given, a reason where a
number is undefined.
"""

from semfit.psychometrics.bias import CommonFactor as CommonFactor
from semfit.psychometrics.bias import MarkerCorrelations as MarkerCorrelations
from semfit.psychometrics.bias import MarkerModels as MarkerModels
from semfit.psychometrics.bias import SingleFactor as SingleFactor
from semfit.psychometrics.bias import common_factor as common_factor
from semfit.psychometrics.bias import marker_correlations as marker_correlations
from semfit.psychometrics.bias import marker_models as marker_models
from semfit.psychometrics.bias import single_factor as single_factor
from semfit.psychometrics.reliability import Alpha as Alpha
from semfit.psychometrics.reliability import MeasurementQuality as MeasurementQuality
from semfit.psychometrics.reliability import alpha as alpha
from semfit.psychometrics.reliability import measurement_quality as measurement_quality
from semfit.psychometrics.validity import Factorability as Factorability
from semfit.psychometrics.validity import FornellLarcker as FornellLarcker
from semfit.psychometrics.validity import HeterotraitMonotrait as HeterotraitMonotrait
from semfit.psychometrics.validity import factorability as factorability
from semfit.psychometrics.validity import fornell_larcker as fornell_larcker
from semfit.psychometrics.validity import htmt as htmt

__all__ = [name for name, given in globals().items() if getattr(given, "__module__", "").startswith(__name__)]
