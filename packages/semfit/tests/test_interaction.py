"""Products of items and simple slopes: semTools' numbers, a hand computation, and a simulated interaction recovered."""

import json

import numpy as np
import pandas as pd
import parity
import pytest

import semfit
from semfit.errors import DataError, ParameterError, UnknownNameError

SEMTOOLS = json.loads((parity.HERE / "interaction.json").read_text())
FIRST, SECOND = ["x1", "x2", "x3"], ["x4", "x5", "x6"]
MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\nspeed ~ visual + textual + product\n"


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")


@pytest.fixture(scope="module")
def fit(data):
    made = semfit.products(data, FIRST, SECOND)
    return semfit.fit(MODEL + made.model, made.data, estimator="MLR", mean_structure=True)


@pytest.mark.parametrize(
    ("name", "options"), [("matched", {}), ("matched_once", {"double_centre": False}), ("all", {"match": False})]
)
def test_products_are_those_of_semtools(data, name, options):
    made = semfit.products(data, FIRST, SECOND, **options).data
    for column, values in SEMTOOLS["products"][name].items():
        assert made[column].to_numpy()[:20] == pytest.approx(values, abs=1e-12)


def test_simple_slopes_are_those_of_semtools(fit):
    theirs = SEMTOOLS["slopes"]
    ours = semfit.simple_slopes(fit, "speed", "visual", "textual", at=theirs["textual"])
    assert fit.fit_measures["chisq"] == pytest.approx(SEMTOOLS["chisq"], rel=1e-8)
    assert ours["slope"].to_numpy() == pytest.approx(theirs["est"], abs=1e-5)  # lavaan stops at a gradient of 1e-6
    assert ours["se"].to_numpy() == pytest.approx(theirs["se"], abs=1e-5)
    assert ours["pvalue"].to_numpy() == pytest.approx(theirs["pvalue"], abs=1e-5)


def test_simple_slopes_by_hand(fit):
    est = fit.estimates.set_index(["lhs", "op", "rhs"])["est"]
    low, mean, high = semfit.simple_slopes(fit, "speed", "visual", "textual").to_dict("records")
    deviation = np.sqrt(est["textual", "~~", "textual"])
    assert mean["slope"] == pytest.approx(est["speed", "~", "visual"], abs=1e-12)
    assert high["moderator"] == pytest.approx(deviation)
    assert high["slope"] - low["slope"] == pytest.approx(2 * deviation * est["speed", "~", "product"])


def test_all_pairs_correlate_where_they_share_an_item(data):
    lines = semfit.products(data, FIRST[:2], SECOND[:2], match=False, name="vt").model.splitlines()
    assert lines[0] == "vt =~ x1.x4 + x1.x5 + x2.x4 + x2.x5"
    assert lines[1:] == ["x1.x4 ~~ x1.x5", "x1.x4 ~~ x2.x4", "x1.x5 ~~ x2.x5", "x2.x4 ~~ x2.x5"]


def test_a_simulated_interaction_is_recovered():
    rng = np.random.default_rng(5)
    X, Z = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], 4000).T
    Y = 0.4 * X + 0.3 * Z + 0.25 * X * Z + rng.normal(0, 0.7, 4000)
    rows = pd.DataFrame(
        {f"{n}{k}": f + rng.normal(0, 0.6, 4000) for n, f in zip("xzy", (X, Z, Y), strict=True) for k in (1, 2, 3)}
    )
    made = semfit.products(rows, ["x1", "x2", "x3"], ["z1", "z2", "z3"], name="XZ")
    model = "X =~ x1 + x2 + x3; Z =~ z1 + z2 + z3; Y =~ y1 + y2 + y3; Y ~ X + Z + XZ\n" + made.model
    fit = semfit.fit(model, made.data, estimator="MLR")
    slopes = semfit.simple_slopes(fit, "Y", "X", "Z", "XZ", at=[-1, 0, 1])
    assert (np.abs(slopes["slope"] - [0.15, 0.4, 0.65]) < 3 * slopes["se"]).all()
    assert slopes["se"].max() < 0.06


def test_misuse_is_named(data, fit):
    with pytest.raises(UnknownNameError, match="unknown item 'x10'"):
        semfit.products(data, ["x10"], ["x4"])
    with pytest.raises(ParameterError, match="3 items cannot be matched with 2"):
        semfit.products(data, FIRST, SECOND[:2])
    with pytest.raises(DataError, match="item school is of type"):
        semfit.products(data, ["school"], ["x4"])
    with pytest.raises(ParameterError, match=r"column x1\.x4 is in the data already"):
        semfit.products(data.assign(**{"x1.x4": 0}), ["x1"], ["x4"])
    with pytest.raises(UnknownNameError, match="unknown predictor of speed 'visua'"):
        semfit.simple_slopes(fit, "speed", "visua", "textual")
    with pytest.raises(UnknownNameError, match="unknown moderator 'text'"):
        semfit.simple_slopes(fit, "speed", "visual", "text")
