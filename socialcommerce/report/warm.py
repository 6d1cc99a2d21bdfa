"""Import once what every notebook and page needs: the fork server loads this module, each report is a fork of it."""

import sys

# jsonschema loads this optional grammar where JupyterLab is installed; it costs over a second and checks nothing here.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import IPython.core.completer  # noqa: E402, F401
import IPython.core.magics  # noqa: E402, F401
import IPython.core.pylabtools  # noqa: E402, F401
import matplotlib.backends.backend_agg  # noqa: E402, F401
import matplotlib.backends.backend_svg  # noqa: E402, F401
import matplotlib.pyplot  # noqa: E402, F401
import nbformat.v4  # noqa: E402
import pandas.io.formats.html  # noqa: E402, F401
import pandas.io.formats.string  # noqa: E402, F401
import pandas.io.formats.style  # noqa: E402, F401
import papermill  # noqa: E402, F401
import PIL.PngImagePlugin  # noqa: E402, F401
import psutil  # noqa: E402, F401
import scipy.optimize  # noqa: E402, F401
import scipy.stats  # noqa: E402, F401
import seaborn  # noqa: E402, F401
import statsmodels.api  # noqa: E402, F401
import statsmodels.formula.api  # noqa: E402, F401
import typst  # noqa: E402, F401

from socialcommerce.report import engine, normal, reads, render, results, run  # noqa: E402, F401

# compiles the schema: 0.4 s that every report would pay
nbformat.reads(nbformat.writes(nbformat.v4.new_notebook()), as_version=4)
