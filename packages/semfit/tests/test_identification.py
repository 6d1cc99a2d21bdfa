"""What a model lacks to be identified is said by name, and what the message asks for makes it identified."""

import pandas as pd
import parity
import pytest

import semfit
from semfit.errors import ParameterError, UnknownNameError

F, G = "f =~ x1 + x2 + x3\n", "g =~ x4 + x5 + x6\n"
SAID = "say the same of the data: leave one out."
CASES = {
    "two indicators alone": (
        "f =~ x1 + x2",
        "Open are f=~x2, x1~~x1, x2~~x2, f~~f: f has two items and nothing else to tell their loadings by: add an item "
        "or a relation to another variable, or equate them, f =~ 1*x1 + 1*x2.",
        ["f =~ 1*x1 + 1*x2", "f =~ x1 + x2 + x3", "f =~ x1 + x2\nf ~ x9"],
    ),
    "two indicators beside an unrelated factor": (
        F + "g =~ x7 + x8\nf ~~ 0*g",
        "Open are g=~x8, x7~~x7, x8~~x8, g~~g: g has two items",
        [F + "g =~ x7 + x8"],
    ),
    "a factor of two factors": (
        F + G + "h =~ f + g",
        "h has two items",
        [F + G + "h =~ 1*f + 1*g", F + G + "h =~ f + g\nh ~ x7"],
    ),
    "no scale": (
        "f =~ NA*x1 + x2 + x3 + x4",
        "Open are f=~x1, f=~x2, f=~x3, f=~x4, f~~f: f has no scale: fix a loading, f =~ 1*x1 or its variance, "
        "f ~~ 1*f.",
        ["f =~ 1*x1 + x2 + x3 + x4", "f =~ NA*x1 + x2 + x3 + x4\nf ~~ 1*f"],
    ),
    "no scale of an outcome": (
        F + "g =~ NA*x4 + x5 + x6\ng ~ f",
        "g has no scale: fix a loading, g =~ 1*x4",
        [F + G + "g ~ f"],
    ),
    "no scale of a composite": (
        "C <~ NA*x1 + x2 + x3\nx4 ~ C\nx5 ~ C",
        "C has no scale: fix a weight, C <~ 1*x1.",
        ["C <~ 1*x1 + x2 + x3\nx4 ~ C\nx5 ~ C"],
    ),
    "a nonrecursive pair": (
        "x1 ~ x2\nx2 ~ x1",
        "Open are x1~x2, x2~x1, x1~~x1, x2~~x2: x1 and x2 drive each other: give each a cause that does not drive the "
        "other, or fix a path.",
        ["x1 ~ x2\nx2 ~ 0.1*x1", "x1 ~ x2 + x3\nx2 ~ x1 + x9"],
    ),
    "a nonrecursive pair of factors": (F + G + "f ~ g\ng ~ f", "f and g drive each other", [F + G + "g ~ f"]),
    "saturated and a residual covariance more": (
        "x1 ~ x2 + x3\nx1 ~~ x2",
        f"Open are x1~x2, x1~~x2, x1~~x1: x1 ~ x2 and x1 ~~ x2 {SAID}",
        ["x1 ~ x2 + x3"],
    ),
    "a path and a covariance of factors": (
        F + G + "g ~ f\ng ~~ f",
        f"g ~ f and g ~~ f {SAID}",
        [F + G + "g ~ f", F + G + "g ~~ f"],
    ),
    "three items and a residual covariance": (
        F + "x1 ~~ x2",
        "3 items of f leave nothing for x1~~x2: leave it out, or add an item.",
        [F, F + "f =~ x4\nx1 ~~ x2"],
    ),
    "an item whose error is free": (
        "f =~ x1\nx1 ~~ x1\n" + G + "g ~ f",
        "one item does not tell f from its error: fix that, x1 ~~ 0*x1.",
        ["f =~ x1\nx1 ~~ 0*x1\n" + G + "g ~ f"],
    ),
    "an empty latent variable": (
        "f =~ 0*x1 + 0*x2 + 0*x3\ng =~ x1 + x2 + x3 + x4\ng ~ f",
        "Open are g~f, f~~f: f moves none of its items: free a loading, as f =~ x1.",
        [F + G + "g ~ f"],
    ),
    "two factors of the same items": (
        "f =~ x1 + x2 + x3\ng =~ x1 + x2 + x3\nf ~~ 0*g",
        "and 1 more: f and g share x2, x3: each needs items of its own, leave out or fix some loadings.",
        ["f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"],
    ),
    "a mean beside all intercepts": (
        "f =~ x1 + x2 + x3 + x4\nf ~ 1",
        "the mean of f and its items' intercepts say the same: fix one, f ~ 0*1 or x1 ~ 0*1.",
        ["f =~ x1 + x2 + x3 + x4\nf ~ 0*1", "f =~ x1 + x2 + x3 + x4\nf ~ 1\nx1 ~ 0*1"],
    ),
    "residual covariances all around": (
        "x1 ~~ x2 + x3\nx2 ~~ x3\nf =~ x1\nf ~ x4\nx1 ~~ x1 + x4\nx4 ~~ x4",
        "one item does not tell f from its error",
        ["x1 ~~ x2 + x3 + x4\nx2 ~~ x3\nx4 ~~ x4"],
    ),
}


@pytest.fixture(scope="module")
def school():
    return pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")


@pytest.mark.parametrize("name", CASES)
def test_the_reason_is_said_and_its_remedy_identifies_the_model(name, school):
    model, message, remedies = CASES[name]
    with pytest.warns(semfit.FitWarning, match="The model is NOT identified"):
        fit = semfit.fit(model, school)
    assert message in fit.problems[0]
    for remedy in remedies:
        mended = semfit.fit(remedy, school)
        assert (mended.converged, mended.identified, mended.test.df >= 0) == (True, True, True), remedy


def test_groups_and_ordered_items_are_told_too(school):
    with pytest.warns(semfit.FitWarning, match=r"f~~f.g2: f has no scale"):
        semfit.fit("f =~ NA*x1 + x2 + x3", school, group="school")
    assert semfit.fit(F + "g =~ x4 + x5", school, group="school").identified
    coded = school[["x1", "x2", "x3"]].apply(lambda item: pd.cut(item, 3, labels=False))
    with pytest.warns(semfit.FitWarning, match=r"Open are f=~x2, f~~f: f has two items"):
        semfit.fit("f =~ x1 + x2", coded, estimator="WLSMV", ordered=True)
    with pytest.warns(semfit.FitWarning, match=r"the parameters outnumber the moments by 1: fix or equate as many"):
        semfit.fit("f =~ x1 + x2 + x3\nx1 ~*~ NA*x1", coded, estimator="WLSMV", ordered=True)


def test_latent_variables_without_items_and_paths_said_twice_are_named(school):
    with pytest.raises(UnknownNameError, match=r"unknown variable in the model 'f'; .*has items: f =~ item \+ item."):
        semfit.fit(G + "f ~ g", school)
    with pytest.raises(ParameterError, match=r"line 1, column 3: nothing stands right of '=~'; the form is"):
        semfit.fit("f =~\n" + G, school)
    with pytest.raises(ParameterError, match="expected a variable, found the end of the line"):
        semfit.fit(G + "f =~", school)
    with pytest.raises(ParameterError, match="x1 ~ x2 is given twice with different modifiers; say it once"):
        semfit.fit("x1 ~ a*x2 + b*x2", school)
    assert semfit.fit("x1 ~ x2\nx1 ~ x2", school).npar == 2
