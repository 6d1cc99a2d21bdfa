"""Pages with code say what the code shows, and the tutorial's survey gives what lavaan gives."""

from __future__ import annotations

import ast
import re

import numpy as np
import pandas as pd
import pytest

import semfit
from docs import blocks
from socialcommerce import data
from socialcommerce.project import root

PAGES = ["docs/sem.md", "docs/pls.md", "docs/coming-from-lavaan.md", "docs/coming-from-amos-and-smartpls.md"]
REFERENCE = "packages/semfit/tests/reference/migration"
FOREIGN = {("fit", "measures")}  # an argument of R
MODEL = (
    "\n".join(f"{c} =~ {c}1 + {c}2 + {c}3" for c in ("PAR", "INT", "HED", "CON", "URG"))
    + "\nURG ~ PAR + INT + HED + CON"
)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_block_and_number_of_a_page_is_what_its_code_shows(page):
    text = (root() / page).read_text(encoding="utf-8")
    assert text.count("```python") > 3
    assert blocks.filled(text) == text, f"run `python docs/blocks.py {page}`"


@pytest.mark.parametrize(("page", "tables"), [("lavaan", 5), ("amos-and-smartpls", 1)])
def test_the_pages_for_users_of_other_programs_hold_what_lavaan_said(page, tables):
    """Every table of both answers agrees to more digits than it shows; every R block is a piece of the script."""
    text, compared, names = (root() / "docs" / f"coming-from-{page}.md").read_text(encoding="utf-8"), 0, {}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        tree = ast.parse(code)
        last = tree.body[-1]
        exec(code, names)
        value = eval(ast.unparse(last.value), names) if isinstance(last, ast.Expr) else None
        if isinstance(value, pd.DataFrame) and {"lavaan", "semfit"} <= set(value.columns):
            np.testing.assert_allclose(value["semfit"], value["lavaan"], rtol=1e-5, atol=1e-5)
            compared += 1
    assert compared == tables
    assert set(pd.read_csv(root() / f"{REFERENCE}.csv")["lavaan"]) == {"0.6.14"}
    script = (root() / f"{REFERENCE}.R").read_text(encoding="utf-8")
    assert [block for block in re.findall(r"```r\n(.*?)```", text, re.DOTALL) if block not in script] == []


def test_a_changed_output_and_a_changed_number_are_noticed():
    page = "```python\nx = 2\nx + 1\n```\n\n```text\n4\n```\n\nIt is <!--x-->9<!--/-->.\n"
    assert blocks.filled(page) == page.replace("\n4\n", "\n3\n").replace(">9<", ">2<")
    with pytest.raises(NameError):
        blocks.filled("```python\nabsent\n```\n")


@pytest.mark.parametrize(
    ("sample", "nobs", "chisq", "cfi", "paths"),
    [("all", 272, 189.193, 0.933, [0.490, -0.229, 0.331, 0.105]), ("distinct", 256, 169.367, 0.937, None)],
)
def test_the_survey_in_hanoi_gives_what_lavaan_gives(sample, nobs, chisq, cfi, paths):
    """lavaan 0.6-14: sem(model, sample.cov = S, sample.nobs = N), printed to three decimals."""
    rows = data.load("hanoi_moments").query("sample == @sample").set_index("item")
    fit = semfit.fit(MODEL, moments=semfit.Moments(rows[rows.index], rows["mean"], int(rows["nobs"].iloc[0])))
    shown = fit.fit_measures.round(3)
    assert (fit.nobs, shown["chisq"], shown["df"], shown["cfi"]) == (nobs, chisq, 80, cfi)
    if paths:
        assert fit.estimates.query("op == '~'")["std_all"].round(3).tolist() == paths


def test_printed_results_of_seminr():
    """Comments of the R script beside the survey: github.com/ThuHaMAI/impulse-buying-behavior-analysis at c479a62c4b93,
    "Impluse buying behavior of consumers.R"; mode B causes, path weighting.
    """
    rows = data.load("hanoi_moments").query("sample == 'all'").set_index("item")
    moments = semfit.Moments(rows[rows.index], rows["mean"], int(rows["nobs"].iloc[0]))
    fit = semfit.pls(f"{MODEL}\nHED ~ CON", moments=moments, modes=dict.fromkeys(("PAR", "INT", "HED", "CON"), "B"))
    assert fit.paths["est"].round(3).tolist() == [0.306, 0.043, 0.276, 0.128, 0.311]
    assert fit.paths["f2"].round(3)[[0, 1, 4]].tolist() == [0.112, 0.002, 0.107]
    assert round(100 * fit.r2.loc["HED", "r2"], 1) == 9.7


@pytest.mark.parametrize(("page", "least"), [("sem", 10), ("pls", 10), ("coming-from-lavaan", 8)])
def test_every_call_a_page_names_exists(page, least):
    text = (root() / "docs" / f"{page}.md").read_text(encoding="utf-8")
    rows = semfit.simulate("y ~ 0.5*x; x ~~ 1*x; y ~~ 1*y", 50, seed=1)
    known = {"semfit": semfit, "fit": semfit.pls("y ~ x", rows) if page == "pls" else semfit.fit("y ~ x", rows)}
    named = {(kind, name) for kind, name in re.findall(r"\b(semfit|fit)\.([a-z]\w*)", text)} - FOREIGN
    assert len(named) >= least
    assert {(kind, name) for kind, name in named if not hasattr(known[kind], name)} == set()
