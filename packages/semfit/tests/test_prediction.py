"""Factor scores against lavaan and its formula, and the results that go by the names statsmodels gives them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import parity
import pytest
from scipy.stats import norm

import semfit

HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
DEMOCRACY = parity.MODELS["democracy"]["model"]


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(parity.HERE / "data" / f"{name}.csv")


@pytest.fixture(scope="module")
def school():
    return table("holzinger_swineford")


def lisrel(fit: semfit.SemFit, group: int = 1) -> dict[str, pd.DataFrame]:
    """Loadings, paths, covariances, intercepts and means as the estimates tell them."""
    rows = fit.estimates.query("group == @group")
    latent = list(rows.query("op == '=~'")["lhs"].unique())
    square = rows.query("op == '~~'")
    both = pd.concat([square, square.rename(columns={"lhs": "rhs", "rhs": "lhs"})]).drop_duplicates(["lhs", "rhs"])

    def cells(frame: pd.DataFrame, left: list[str], right: list[str]) -> np.ndarray:
        return frame.pivot(index="lhs", columns="rhs", values="est").reindex(left, columns=right).fillna(0.0).to_numpy()

    items = list(fit.sample.names)
    constant = rows.query("op == '~1'").set_index("lhs")["est"]
    return {
        "names": latent,
        "Lambda": cells(rows.query("op == '=~'"), latent, items).T,
        "B": cells(rows.query("op == '~'"), latent, latent),
        "Psi": cells(both, latent, latent),
        "Theta": cells(both, items, items),
        "nu": constant.reindex(items).to_numpy(),
        "alpha": constant.reindex(latent).to_numpy(),
    }


def expected(m: dict, y: np.ndarray, mu: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """lavaan's lav_predict: FSC = VETA Lambda' Sigma^-1 of what a row holds, scores = E(eta) + FSC (y - mu)."""
    inverse = np.linalg.inv(np.eye(len(eta)) - m["B"])
    V = inverse @ m["Psi"] @ inverse.T
    seen = ~np.isnan(y)
    L = m["Lambda"][seen]
    Sigma = L @ V @ L.T + m["Theta"][np.ix_(seen, seen)]
    return eta + V @ L.T @ np.linalg.inv(Sigma) @ (y - mu)[seen]


def test_scores_of_the_first_pupils_are_those_that_r_prints(school):
    """Regression scores from lavaan, as nomo_scores(method = "regression") prints them in its documentation."""
    printed = [
        [-0.81767524, -0.13754501, 0.06150726],
        [0.04951940, -1.01272402, 0.62549360],
        [-0.76139670, -1.87228634, -0.84057276],
        [0.41934153, 0.01848569, -0.27133710],
        [-0.41590481, -0.12225009, 0.19432951],
        [0.02325632, -1.32981727, 0.70885348],
    ]
    found = semfit.fit(HS, school).predict()
    assert list(found) == ["visual", "textual", "speed"]
    np.testing.assert_allclose(found.head(6), printed, atol=1e-6)


def test_a_model_with_paths_is_scored_by_the_formula():
    data = table("political_democracy")
    fit = semfit.fit(DEMOCRACY, data)
    m, y = lisrel(fit), data[list(fit.sample.names)].to_numpy()
    mine = fit.predict(data)
    wanted = [expected(m, row, y.mean(0), np.zeros(len(m["names"]))) for row in y]
    np.testing.assert_allclose(mine[m["names"]], wanted, atol=1e-9)
    np.testing.assert_allclose(mine, fit.predict())


def test_rows_with_holes_are_scored_from_what_they_hold():
    data = table("hs_holes").set_index(np.arange(301)[::-1])
    fit = semfit.fit(HS, data, missing="fiml")
    m, y = lisrel(fit), data[list(fit.sample.names)].to_numpy()
    wanted = [expected(m, row, m["nu"], np.zeros(3)) for row in y]
    found = fit.predict(data)
    assert found.index.equals(data.index)
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    listwise = semfit.fit(HS, data).predict(data)
    assert listwise.isna().any(axis=1).tolist() == data[list(fit.sample.names)].isna().any(axis=1).tolist()


def test_groups_have_their_own_means_and_come_back_in_the_order_of_the_rows(school):
    mixed = school.sample(frac=1, random_state=1)
    fit = semfit.fit(HS, mixed, group="school", group_equal=("loadings", "intercepts"))
    found = fit.predict(mixed)
    for k, group in enumerate(fit.sample.groups, start=1):
        m, rows = lisrel(fit, k), mixed[mixed["school"].map(str) == group.label]
        y, mu = rows[list(fit.sample.names)].to_numpy(), m["nu"] + m["Lambda"] @ m["alpha"]
        np.testing.assert_allclose(found.loc[rows.index], [expected(m, row, mu, m["alpha"]) for row in y], atol=1e-9)
    assert len(fit.predict()) == len(mixed)


BARTLETT = {  # lavaan 0.6-14: lavPredict(sem(model, data), method = "Bartlett"), rows of the data by number from 0
    "cfa": (HS, "holzinger_swineford", {}, {0: [-1.36953833179, -0.09954953104, 0.2318368042],
                                            2: [-0.56109959182, -2.10473911970, -1.1216773921]}),
    "paths": ("ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\ndem65 =~ y5 + a*y6 + b*y7 + c*y8\n"
              "dem60 ~ ind60\ndem65 ~ ind60 + dem60\ny1 ~~ y5", "political_democracy", {},
              {0: [-0.5480615282, -2.897908121, -1.9699198948], 1: [0.1516972594, -3.666247922, -0.7864849706]}),
    "holes": (HS, "hs_holes", {"missing": "fiml"}, {0: [-1.35866904291, -0.84270983552, -0.1535414657],
                                                    1: [0.06037604117, -1.21261284406, 1.0617233636]}),
    "one item": ("y =~ x9\nvisual =~ x1 + x2 + x3\ny ~ visual", "holzinger_swineford", {},
                 {0: [0.9869878083, -1.20892683142], 1: [2.5425434083, -0.03886887776]}),
    "groups": (HS, "holzinger_swineford", {"group": "school"}, {156: [-1.4714026627, -0.4501341692, -1.0316957012]}),
}  # fmt: skip


@pytest.mark.parametrize("name", BARTLETT)
def test_bartletts_scores_are_lavaans(name):
    model, data, options, wanted = BARTLETT[name]
    found = semfit.fit(model, table(data), **options).predict(method="bartlett")
    for row, values in wanted.items():
        assert found.iloc[row].tolist() == pytest.approx(values, abs=1e-5)


def test_bartletts_scores_are_unbiased_given_the_truth():
    """Their regression on the truth has slope 1, that of regression scores its reliability."""
    rng = np.random.default_rng(1)
    f = rng.standard_normal(50_000)
    items = pd.DataFrame({f"x{k}": 0.6 * f + 0.8 * rng.standard_normal(len(f)) for k in range(4)})
    fit = semfit.fit("f =~ x0 + x1 + x2 + x3", items, std_lv=True)
    information = 4 * 0.36 / 0.64
    for method, slope in (("bartlett", 1.0), ("regression", information / (1 + information))):
        assert np.polyfit(f, fit.predict(method=method)["f"], 1)[0] == pytest.approx(slope, abs=0.01)


def test_what_bartletts_scores_cannot_take_is_named(school):
    with pytest.raises(semfit.UnknownNameError, match="unknown method of factor scores 'Bartlet'; did you mean"):
        semfit.fit(HS, school).predict(method="Bartlet")
    second = HS + "\ng =~ visual + textual + speed"
    for model in (second, HS + "\nx1 ~ ageyr"):
        with pytest.raises(semfit.ParameterError, match="take latent variables with items, and items without observed"):
            semfit.fit(model, school).predict(method="bartlett")


def test_scores_regress_truth_on_items():
    """Of a long sample from a known model, the scores are the regression of the truth: slope 1, no correlation left."""
    rng = np.random.default_rng(5)
    f = rng.standard_normal(20_000)
    items = pd.DataFrame({f"x{k}": b * f + np.sqrt(1 - b**2) * rng.standard_normal(20_000)
                          for k, b in enumerate((0.9, 0.7, 0.5, 0.6))})  # fmt: skip
    scores = semfit.fit("f =~ x0 + x1 + x2 + x3", items, std_lv=True).predict()["f"]
    assert np.polyfit(scores, f, 1)[0] == pytest.approx(1, abs=0.02)
    assert np.corrcoef(f - scores, items["x1"])[0, 1] == pytest.approx(0, abs=0.03)


def test_what_cannot_be_scored_is_refused(school):
    fit = semfit.fit(HS, school, group="school")
    with pytest.raises(semfit.UnknownNameError, match="unknown variable in the data 'x9'"):
        fit.predict(school.drop(columns="x9"))
    with pytest.raises(semfit.UnknownNameError, match="unknown group 'elsewhere'; .*Pasteur"):
        fit.predict(school.assign(school="elsewhere"))
    S = school[list(fit.sample.names)].cov()
    bare = semfit.fit(HS, moments=semfit.Moments(S, None, 301))
    with pytest.raises(semfit.ParameterError, match="moments without means"):
        bare.predict(school)
    whole = semfit.fit(HS, moments=semfit.Moments(S, school[list(S)].mean(), 301))
    with pytest.raises(semfit.ParameterError, match="the fit holds no rows"):
        whole.predict()
    np.testing.assert_allclose(whole.predict(school), semfit.fit(HS, school).predict(), atol=1e-6)
    ordinal = semfit.fit("a =~ o11 + o12 + o13 + o14", table("sim_ordinal12"), estimator="WLSMV", ordered=True)
    with pytest.raises(semfit.ParameterError, match="factor scores of ordered items"):
        ordinal.predict()
    assert semfit.fit("f =~ x1 + x2", school).predict().isna().all(axis=None)  # not identified


def test_parameters_go_by_the_names_of_lavaan(school):
    fit = semfit.fit(HS + "\nx7 ~~ r*x8\ndouble := 2*r", school)
    free = fit.estimates[(fit.estimates["se"] > 0)]
    assert fit.params.index[:3].tolist() == ["visual=~x2", "visual=~x3", "textual=~x5"]
    assert {"r", "double", "visual~~textual", "x1~~x1"} <= set(fit.params.index)
    assert fit.params["double"] == pytest.approx(2 * fit.params["r"])
    np.testing.assert_array_equal(fit.params, free["est"])
    np.testing.assert_array_equal(fit.bse, free["se"])
    np.testing.assert_array_equal(fit.pvalues, free["pvalue"])
    np.testing.assert_allclose(fit.conf_int(), free[["ci_low", "ci_high"]], rtol=1e-12)
    half = norm.ppf(0.95) * fit.bse
    np.testing.assert_allclose(fit.conf_int(0.1)["upper"], fit.params + half, rtol=1e-12)
    with pytest.raises(semfit.ParameterError, match="alpha is a probability between 0 and 1; got 5"):
        fit.conf_int(5)


def test_what_is_equal_stands_once_and_groups_are_told_apart(school):
    fit = semfit.fit(HS, school, group="school", group_equal=("loadings",))
    assert fit.params.index.is_unique
    assert len(fit.params) == len(fit.theta)
    assert {"visual=~x2", "x1~~x1", "x1~~x1.g2"} <= set(fit.params.index)
    assert "visual=~x2.g2" not in fit.params


def test_intervals_are_those_of_the_resamples_where_there_are_any(school):
    fit = semfit.fit("x1 ~ b*x2", school, bootstrap=200, seed=1)
    drawn = fit.draws.intervals("percentile", 0.8).iloc[0]
    assert fit.conf_int(0.2).loc["b"].tolist() == [drawn["ci_low"], drawn["ci_high"]]
