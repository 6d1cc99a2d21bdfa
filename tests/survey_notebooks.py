"""Two small notebooks with the parameters of the project's own, for tests of the report on somebody's survey."""

from __future__ import annotations

from pathlib import Path

from small_project import write_notebook

PARAMETERS = ("parameters", """answers: str = ""  # csv, xlsx or sav
codebook: str = ""  # toml
screening: str = "drop"  # drop or report-only
estimator: str = "MLR"  # MLR, ML or WLSMV
draws: int = 5000  # bootstrap resamples
language: str = "both"  # language of the outputs
reading: str = ""  # how the file is read, as JSON""")
STUDY = ("", """import json
from socialcommerce import page
from socialcommerce.strategies.study import read_study
study = read_study(answers, codebook, screening=screening, estimator=estimator, draws=draws, **json.loads(reading))
told = page.Page("{}", language=language)""")
ITEMS = ("", """from socialcommerce.strategies.measurement import Measurement
from socialcommerce.strategies.readings import ITEM_LABELS
from socialcommerce.strategies.readings import source_of
told.table("items", Measurement(study).loadings(), labels=ITEM_LABELS, n=study.nobs, basis=study.basis,
           digits=dict.fromkeys(ITEM_LABELS, 3), caption={"en": "Loadings of the items.", "zh": "题项载荷。"},
           source=source_of(study), note={"en": "See {{items}}.", "zh": "见{{items}}。"})""")
FIT = ("", """from socialcommerce.strategies.measurement import fit_table
from socialcommerce.strategies.readings import FIT_DIGITS, FIT_LABELS
from socialcommerce.strategies.readings import source_of
told.table("fit_table", fit_table(study), labels=FIT_LABELS, digits=FIT_DIGITS, n=study.nobs, basis=study.basis,
           caption={"en": "Fit.", "zh": "拟合。"}, source=source_of(study))
told.text("invariance_reading", {"en": "Loadings are equal.", "zh": "载荷等值。"})""")
QUESTIONS = ("", """import pandas as pd
asked = pd.DataFrame({"code": study.items, "en": [study.codebook.by_code[code].en for code in study.items]})
told.table("asked", asked, labels={"code": "code", "en": "=HYPERLINK(1)"}, n=study.nobs, basis=study.basis,
           caption={"en": "What was asked.", "zh": "所问问题。"}, source=source_of(study),
           note="; ".join(study.responses.invalid["given"]))""")
PATHS = ("", """from socialcommerce.strategies.paths import path_table
from socialcommerce.strategies.readings import PATH_LABELS
from socialcommerce.strategies.readings import TONES, path_lines, source_of
lines = path_lines(path_table(study), study)
told.table("paths", lines, labels=PATH_LABELS, n=study.nobs, basis=study.basis, source=source_of(study),
           digits=dict.fromkeys(PATH_LABELS, 3), caption={"en": "Paths.", "zh": "路径。"})
told.number("chisq", study.structural.fit_measures["chisq"], 3, basis=study.basis)""")
FIGURE = ("", """from socialcommerce.figures.forest import plot_forest
told.figure("forest", plot_forest, lines.assign(estimate=lines["std"]), axis="std", tones=TONES, n=study.nobs,
            caption={"en": "Paths.", "zh": "路径。"}, alt={"en": "Paths", "zh": "路径"}, basis=study.basis,
            source=source_of(study))""")


def write_both(folder: Path) -> tuple[str, str]:
    """Write them below a folder; return their paths."""
    def study(name: str) -> tuple[str, str]:
        return STUDY[0], STUDY[1].replace("{}", name)

    first = write_notebook(folder / "one.ipynb", [("en", "# Items"), ("zh", "# 题项"), PARAMETERS, study("one"), ITEMS,
                                                  FIT, QUESTIONS,
                                                  ("en", "See {{asked}}."), ("zh", "见{{asked}}。")])
    second = write_notebook(folder / "two.ipynb", [("en", "# Paths"), ("zh", "# 路径"), PARAMETERS, study("two"), PATHS,
                                                   FIGURE, ("md", "{{chisq}}")])
    return str(first), str(second)
