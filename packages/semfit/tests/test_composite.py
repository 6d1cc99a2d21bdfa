"""Composites among latent variables: against lavaan's fit of the specification written out, and stated weights."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import ParameterError, psychometrics

VISUAL, SPEED = semfit.composite("visual", ["x1", "x2", "x3"]), semfit.composite("speed", ["x9", "x7", "x8"])
REFERENCE = Path(__file__).parent / "reference"
PATHS = "textual =~ x4 + x5 + x6\ntextual ~ visual\nspeed ~ textual + visual"


@pytest.fixture(scope="module")
def tests_of_1939() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / "holzinger_swineford.csv")


def made(fit: semfit.SemFit, what: str = "weight") -> dict[str, list[float]]:
    """Standardised weights or loadings of composites with their standard errors, by item."""
    rows = fit.standardized.query("op == ':='").set_index("lhs")[["std_all", "se"]]
    return {name.removeprefix(f"{what}_"): row.tolist() for name, row in rows.iterrows() if name.startswith(what)}


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_it_is_the_specification_with_excrescent_variables_that_lavaan_fits(estimator, tests_of_1939):
    theirs = json.loads((REFERENCE / "composite.json").read_text(encoding="utf-8"))[estimator]
    fit = semfit.fit("\n".join([VISUAL, SPEED, PATHS]), tests_of_1939, estimator=estimator)
    measures = {
        "df": fit.test.df,
        "npar": fit.npar,
        "chisq": fit.fit_measures["chisq"],
        "logl": fit.fit_measures["logl"],
    }
    assert {name: theirs["fit"][name] for name in measures} == pytest.approx(measures, rel=1e-8)
    weights = np.array([made(fit)[item] for item in theirs["items"]]).T
    assert weights == pytest.approx(np.array([theirs["weights"], theirs["se"]]), abs=1e-7)
    rows = fit.standardized.set_index(["lhs", "op", "rhs"])[["std_all", "se"]]
    loaded = made(fit, "loading")
    for lhs, op, rhs, std, se in zip(*theirs["std"].values(), strict=True):
        ours = loaded[rhs] if rhs in loaded else rows.loc[(lhs, op, rhs)].tolist()
        assert ours == pytest.approx([std, se], abs=1e-7)


def test_which_item_the_lines_begin_with_does_not_matter_but_for_the_sign(tests_of_1939):
    turned = semfit.composite("speed", ["x9", "x7", "x8"], "x7")  # whose first weight is the smallest, and not positive
    one, other = (semfit.fit("\n".join([VISUAL, text, PATHS]), tests_of_1939) for text in (SPEED, turned))
    assert one.fit_measures["chisq"] == pytest.approx(other.fit_measures["chisq"], abs=1e-8)
    for item in ("x7", "x8", "x9"):
        assert made(one)[item][0] == pytest.approx(-made(other)[item][0], abs=1e-6)
        assert made(one)[item][1] == pytest.approx(made(other)[item][1], abs=1e-6)


def test_stated_weights_are_found():
    """Two of three items act alike, and the third only as it covaries with them: c is the mean of the two."""
    truth = (
        "y ~ 0.5*x1 + 0.5*x2 + 0*x3; x1 ~~ 0.5*x2 + 0.2*x3; x2 ~~ 0.2*x3; y ~~ 0.4*y; z ~ 0.3*x1 + 0.3*x2; z ~~ 0.7*z"
    )
    truth += "; x1 ~~ 1*x1; x2 ~~ 1*x2; x3 ~~ 1*x3"
    model = semfit.composite("c", ["x1", "x2", "x3"]) + "\ny ~ c\nz ~ c\ny ~~ 0*z"
    fit = semfit.population_fit(truth, model)
    assert fit.test.df == 3
    assert [value for value, _ in made(fit).values()] == pytest.approx([3**-0.5, 3**-0.5, 0], abs=1e-6)
    assert made(fit, "loading")["x3"][0] == pytest.approx(0.4 * 3**-0.5, abs=1e-6)


def test_what_only_factors_have_is_left_out_with_the_reason(tests_of_1939):
    fit = semfit.fit("\n".join([VISUAL, SPEED, PATHS]), tests_of_1939)
    table = psychometrics.measurement_quality(fit).frame.set_index("construct")
    assert table.loc["visual", "estimate"].isna().all()
    assert set(table.loc["visual", "reason"]) == {"it is made of its items, which have no error of measurement"}
    assert table.loc["textual", "estimate"].notna().all()
    larcker = psychometrics.fornell_larcker(fit)
    assert np.isnan(larcker.matrix.loc["speed", "speed"])
    assert larcker.matrix.loc["speed", "visual"] == pytest.approx(0.444906, abs=1e-5)


def test_arrows_lead_from_the_items_to_their_composite(tests_of_1939):
    fit = semfit.fit("\n".join([VISUAL, SPEED, PATHS]), tests_of_1939)
    ax = fit.plot()
    assert {f"{made(fit)[item][0]:.2f}" for item in ("x1", "x2", "x9")} <= {text.get_text() for text in ax.texts}
    places = {text.get_text().split("\n")[0]: text.get_position()[0] for text in ax.texts}
    assert places["x1"] < places["visual"] < places["speed"]
    assert places["textual"] < places["x4"]
    plt.close(ax.figure)
    assert not {"x1", "x4"} & {text.get_text() for text in fit.plot(items=False).texts}
    plt.close("all")


def test_a_composite_of_one_item_or_without_a_tie_is_refused_or_named(tests_of_1939):
    with pytest.raises(ParameterError, match="composite c is made of 1 item; two or more are needed"):
        semfit.composite("c", ["x1"])
    with pytest.warns(semfit.FitWarning, match="c is made of its items and related to nothing else: let it predict"):
        semfit.fit(semfit.composite("c", ["x1", "x2", "x3"]), tests_of_1939)
