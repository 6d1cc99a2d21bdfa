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
data <- read.csv("{data}", fileEncoding = "UTF-8-BOM", check.names = FALSE)
"""
ENDING = """cat("\\n{title}: fit\\n")
print(fitMeasures(fit))
cat("\\n{title}: standardised\\n")
print(standardizedSolution(fit))
{name} <- fit
"""


def lavaan_script(study: Study) -> str:
    """Return R code that fits both models of a study and prints their fit, estimates and standardised estimates.

    After it has run, R holds the fits as ``measurement`` and ``structural``.
    """
    title = "".join(character for character in study.codebook.name if character.isprintable())
    parts = [HEAD.format(title=title, version=__version__, nobs=study.nobs, data=DATA)]
    for name in ("measurement", "structural"):
        code = getattr(study, name).to_lavaan()
        parts.append(f"\n# {name.capitalize()} model\n" + code + ENDING.format(title=name.capitalize(), name=name))
    return "".join(parts)


def script_data(study: Study) -> pd.DataFrame:
    """Return the answers that the script reads: the codebook's items, scored, of those kept; whole numbers or missing.

    Nothing else of the file is in it: no check, no control, no column outside the codebook.
    """
    return study.answers[study.codebook.items].astype("Int64")
