"""Two small notebooks with the parameters of surveysem's own, for tests of the report on somebody's survey."""

from __future__ import annotations

from pathlib import Path

from small_project import write_notebook

PARAMETERS = (
    "parameters",
    """answers: str = ""  # csv, xlsx or sav
codebook: str = ""  # toml
screening: str = "drop"  # drop or report-only
estimator: str = "MLR"  # MLR, ML or WLSMV
draws: int = 5000  # bootstrap resamples
language: str = "en"  # language of the outputs
reading: str = ""  # how the file is read, as JSON""",
)
STUDY = (
    "",
    """import json
import pandas as pd
from surveysem.notebook import Evidence, Page
from surveysem.report import study_of
study = study_of(answers, codebook, screening=screening, estimator=estimator, draws=draws, **json.loads(reading))
page = Page("{}", language=language)
page.speak(study.words | {"Loadings of the items": {"zh": "题项载荷"}, "SE": {"zh": "标准误"}})
evidence, called = Evidence(study.nobs, (study.basis,), study.source), study.codebook.called""",
)
ITEMS = (
    "",
    """
found = study.measurement.standardized.query("op == '=~'")
found = found.rename(columns={"rhs": "item", "std_all": "loading"})
found["construct"] = found["lhs"].map(called)
page.table("items", found, "Loadings of the items", of=evidence, digits=3,
           heads={"construct": "construct", "item": "item", "loading": "loading", "se": "SE"})""",
)
FIT = (
    "",
    """from surveysem import measurement
fits = measurement.fit_table({"measurement model": study.measurement, "structural model": study.structural})
page.table("fit_table", fits, "Fit", of=evidence, digits=measurement.FIT_DIGITS)
page.say("By the fit indices {invariance} holds.", of=evidence, invariance="metric invariance")""",
)
QUESTIONS = (
    "",
    """
asked = pd.DataFrame({"code": study.items, "en": [study.codebook.by_code[code].en for code in study.items]})
page.table("asked", asked, "What was asked", of=evidence, heads={"code": "code", "en": "=HYPERLINK(1)"},
           note="Off the scale: {given}.", given="; ".join(study.responses.invalid["given"]))""",
)
PATHS = (
    "",
    """found = study.structural.standardized.query("op == '~'")
lines = pd.DataFrame({"outcome": found["lhs"].map(called), "predictor": found["rhs"].map(called),
                      "std": found["std_all"], "se": found["se"], "p": found["pvalue"]})
page.table("paths", lines, "Paths", of=evidence, digits=3)
chisq = study.structural.fit_measures["chisq"]
page.say("The structural model has χ² = {chisq:.3f}.", of=evidence)""",
)
FIGURE = (
    "",
    """import seaborn as sns
page.figure("forest", sns.scatterplot(lines, x="std", y="predictor"), "Paths", of=evidence, alt="Paths")""",
)


def write_both(folder: Path) -> tuple[str, str]:
    """Write them below a folder; return their paths."""

    def study(name: str) -> tuple[str, str]:
        return STUDY[0], STUDY[1].replace("{}", name)

    first = write_notebook(folder / "one.ipynb", [("md", "# Items"), PARAMETERS, study("one"), ITEMS, FIT, QUESTIONS])
    second = write_notebook(folder / "two.ipynb", [("md", "# Paths"), PARAMETERS, study("two"), PATHS, FIGURE])
    return str(first), str(second)
