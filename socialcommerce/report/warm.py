"""Import once what every notebook imports; the fork server loads this module, each report starts as a fork of it."""

import sys

# jsonschema loads this optional grammar where JupyterLab is installed; it costs over a second and checks nothing here.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import matplotlib.pyplot  # noqa: E402, F401
import nbformat.v4  # noqa: E402, F401
import pandas  # noqa: E402, F401
import scipy.optimize  # noqa: E402, F401
import seaborn  # noqa: E402, F401
import statsmodels.api  # noqa: E402, F401
import statsmodels.formula.api  # noqa: E402, F401

from socialcommerce.report import run  # noqa: E402, F401
