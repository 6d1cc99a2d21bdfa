"""A study's models as an R script for lavaan, and the answers it reads: anybody can refit them without this package."""

from __future__ import annotations

import pandas as pd

from socialcommerce import __version__
from socialcommerce.strategies.study import Study

__all__ = ["DATA", "lavaan_script", "script_data"]

DATA = "data.csv"
HEAD = """# {title}: measurement and structural model, as socialcommerce {version} fitted them.
# {nobs} respondents; {data} holds their answers, reverse-keyed items turned round, an empty cell where there is none.
# Run in this folder, with R and lavaan (checked against 0.6-14): Rscript model.R
library(lavaan)
data <- read.csv("{data}", fileEncoding = "UTF-8-BOM", check.names = FALSE)
"""
FIT = """
# {title} model
model <- '
{model}
'
{name} <- sem(model, data = data, {options})
summary({name}, fit.measures = TRUE, standardized = TRUE)
cat("\\n{title}: fit\\n")
print(fitMeasures({name}))
cat("\\n{title}: standardised\\n")
print(standardizedSolution({name}))
"""


def lavaan_script(study: Study) -> str:
    """Return R code that fits both models of a study and prints their fit, estimates and standardised estimates.

    After it has run, R holds the fits as ``measurement`` and ``structural``.
    """
    options = ", ".join(f"{name} = {_r(value)}" for name, value in study.options.items() if value != "listwise")
    title = "".join(character for character in study.codebook.name if character.isprintable())
    parts = [HEAD.format(title=title, version=__version__, nobs=study.nobs, data=DATA)]
    for name in ("measurement", "structural"):
        model = study.codebook.model(study.constructs, structural=name == "structural")
        parts.append(FIT.format(title=name.capitalize(), name=name, model=model, options=options))
    return "".join(parts)


def _r(value: object) -> str:
    """A value as R writes it."""
    return str(value).upper() if isinstance(value, bool) else f'"{value}"'


def script_data(study: Study) -> pd.DataFrame:
    """Return the answers that the script reads: the codebook's items, scored, of those kept; whole numbers or missing.

    Nothing else of the file is in it: no check, no control, no column outside the codebook.
    """
    return study.answers[study.codebook.items].astype("Int64")
