"""Common-method checks against lavaan, known truths, and bad input."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semfit import psychometrics
from semfit.errors import ParameterError, UnknownNameError

HERE = Path(__file__).parent / "reference"
OUTSIDE = json.loads((HERE / "reliability.json").read_text())
CONSTRUCTS = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
TRIO = "a =~ i11 + i12 + i13 + i14\nb =~ i21 + i22 + i23 + i24\nc =~ i31 + i32 + i33 + i34"


@pytest.fixture(scope="module")
def tests_of_1939():
    return pd.read_csv(HERE / "data" / "holzinger_swineford.csv")


@pytest.fixture(scope="module")
def mediation():
    return pd.read_csv(HERE / "data" / "sim_mediation.csv")


def simulated(method: float, seed: int, N: int = 3000) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Two constructs correlated .3 and an unrelated marker, unequal loadings, one method behind all items."""
    rng = np.random.default_rng(seed)
    traits = rng.standard_normal((N, 3)) @ np.linalg.cholesky([[1, 0.3, 0], [0.3, 1, 0], [0, 0, 1]]).T
    loads, groups, data = (0.9, 0.7, 0.5), {}, {}
    shared = np.sqrt(method) * rng.standard_normal(N)
    for k, name in enumerate(("f", "g", "marker")):
        groups[name] = [f"{name}{j}" for j in range(3)]
        for item, load in zip(groups[name], loads, strict=True):
            data[item] = load * traits[:, k] + shared + np.sqrt(0.4) * rng.standard_normal(N)
    return pd.DataFrame(data), groups


def test_single_factor_agrees_with_eigenvalues_and_lavaan(tests_of_1939):
    found = psychometrics.single_factor(tests_of_1939, CONSTRUCTS, bootstrap=200, seed=1)
    assert found.eigenvalues.tolist() == pytest.approx(OUTSIDE["items"]["eigenvalues"], abs=1e-12)
    assert found.share == pytest.approx(OUTSIDE["items"]["eigenvalues"][0] / 9, abs=1e-12)
    assert found.ci_low < found.share < found.ci_high
    one, three = OUTSIDE["common"]["one"], OUTSIDE["common"]["three"]
    assert found.difference.chisq == pytest.approx(one["chisq"] - three["chisq"], abs=1e-8)
    assert found.difference.df == one["df"] - three["df"]
    assert found.summary()["note"].str.startswith("descriptive only").all()


def test_single_factor_of_one_construct_has_nothing_to_compare(tests_of_1939):
    found = psychometrics.single_factor(tests_of_1939, {"visual": CONSTRUCTS["visual"]})
    assert found.difference is None
    assert found.reason == "one construct: nothing to compare one factor with"


def test_common_factor_agrees_with_lavaan(mediation):
    found, outside = psychometrics.common_factor(TRIO, mediation), OUTSIDE["common"]
    for name, model in (("without", "without"), ("with", "method")):
        assert found.comparison.loc[name, "chisq"] == pytest.approx(outside[model]["chisq"], abs=1e-8)
        assert found.comparison.loc[name, "df"] == outside[model]["df"]
    assert found.difference.chisq == pytest.approx(outside["without"]["chisq"] - outside["method"]["chisq"], abs=1e-8)
    table = found.estimates.query("op == '=~'")
    for row in table.itertuples():
        assert row.std_with == pytest.approx(outside["loadings"][f"{row.lhs}=~{row.rhs}"], abs=1e-5)
    variances = mediation.var(ddof=0)
    share = (outside["variance"][0] / variances).mean()  # the implied variances are the sample's to a few per mille
    assert found.share == pytest.approx(share, rel=0.02)


def test_common_factor_finds_the_variance_that_is_there():
    data, groups = simulated(0.25, seed=2)
    model = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in groups.items())
    found = psychometrics.common_factor(model, data)
    truth = np.mean([0.25 / (load**2 + 0.25 + 0.4) for load in (0.9, 0.7, 0.5)])
    assert found.ci_low < truth < found.ci_high
    assert found.difference.pvalue < 1e-10
    assert (found.estimates.query("op == '=~'")["change"] < 0).all()
    assert "mean share of the common factor" in found.summary()["measure"].tolist()


def test_common_factor_reports_a_model_that_it_empties(tests_of_1939):
    text = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in CONSTRUCTS.items())
    found = psychometrics.common_factor(text, tests_of_1939)
    assert "not positive definite" in found.problems[0]
    one = psychometrics.common_factor("f =~ x1 + x2 + x3", tests_of_1939)  # 7 parameters for 6 moments
    assert one.difference is None
    assert np.isnan(one.share)
    assert one.estimates["std_with"].isna().all()
    assert one.reason == "the model with the common factor did not converge or is not identified"


def test_common_factor_takes_ordered_items_and_paths():
    data = pd.read_csv(HERE / "data" / "sim_ordinal12.csv")
    model = "a =~ o11 + o12 + o13 + o14\nb =~ o21 + o22 + o23 + o24\nc =~ o31 + o32 + o33 + o34\nc ~ a + b"
    found = psychometrics.common_factor(model, data, estimator="WLSMV", ordered=True)
    assert found.difference.method == "satorra.2000"
    assert found.estimates.query("op == '~'")["change"].notna().all()
    assert found.ci_low < 0 < found.ci_high  # the simulation has no method factor


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("common_method =~ x1 + x2 + x3", {}, "none of them called common_method"),
        ("x1 ~ x2", {}, "the model needs latent variables"),
        ("f =~ x1 + x2 + x3", {"group": "school"}, "a common factor is tested in one group; got 2"),
    ],
)
def test_common_factor_names_what_is_wrong(tests_of_1939, model, options, message):
    with pytest.raises(ParameterError, match=message):
        psychometrics.common_factor(model, tests_of_1939, **options)


def test_marker_correlations_are_partial_correlations_where_method_moves_all_alike():
    """Against the partial correlation given a method of which every scale, the marker too, holds the share m."""
    r, m = 0.5, 0.2
    R = np.array([[1, r, m], [r, 1, m], [m, m, 1]])
    z = np.random.default_rng(3).standard_normal((200, 3))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T @ np.linalg.cholesky(R).T  # exactly R
    found = psychometrics.marker_correlations(pd.DataFrame(z, columns=["a", "b", "m"]), {n: [n] for n in "abm"}, "m")
    line = found.frame.iloc[0]
    root = np.sqrt(m)
    precision = np.linalg.inv([[1, r, root], [r, 1, root], [root, root, 1]])
    partial = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    assert line["adjusted"] == pytest.approx(partial, abs=1e-12) == pytest.approx((r - m) / (1 - m), abs=1e-12)
    assert line["t"] == pytest.approx(partial / np.sqrt((1 - partial**2) / 197), abs=1e-10)
    half = 1.959963984540054 / 14  # sqrt(200 - 4)
    assert np.arctanh([line["ci_low"], line["ci_high"]]) == pytest.approx(np.arctanh(partial) + [-half, half], abs=1e-9)


def test_marker_correlations_remove_what_method_added():
    data, groups = simulated(0.25, seed=4)
    plain, _ = simulated(0.0, seed=4)
    found = psychometrics.marker_correlations(data, groups, "marker", bootstrap=500, seed=1)
    line = found.frame.iloc[0]
    scores = pd.DataFrame({name: plain[items].mean(axis=1) for name, items in groups.items()})
    clean = scores.corr().loc["f", "g"]
    assert line["r"] - clean > 0.15
    assert abs(line["adjusted"] - clean) < 0.08
    assert line["ci_low"] < line["adjusted"] < line["ci_high"]
    negative = psychometrics.marker_correlations(
        data.assign(**{i: -data[i] for i in groups["marker"]}), groups, "marker"
    )
    assert negative.r_marker == 0
    assert negative.frame["adjusted"].tolist() == pytest.approx(negative.frame["r"].tolist(), rel=1e-12)
    assert "nothing is taken out" in negative.reason


def test_marker_models_agree_with_lavaan(tests_of_1939):
    found, outside = psychometrics.marker_models(tests_of_1939, CONSTRUCTS, "speed"), OUTSIDE["marker"]
    assert found.chosen == "constrained"
    for name, reference in outside.items():
        if name != "restricted_u":
            line = found.comparison.loc[name.removesuffix("_c")]
            assert (line["chisq"], line["df"]) == (pytest.approx(reference["chisq"], abs=1e-8), reference["df"])
    free = psychometrics.marker_models(
        tests_of_1939, CONSTRUCTS, "speed", alpha=0.2
    )  # p = .114: now the loadings differ
    assert free.chosen == "unconstrained"
    assert free.comparison.loc["restricted", "chisq"] == pytest.approx(outside["restricted_u"]["chisq"], abs=1e-8)
    assert free.tests["df"].tolist() == [1, 5, 1]


@pytest.mark.slow
def test_marker_models_find_method_only_where_there_is_some():
    rejected = {0.0: 0, 0.15: 0}
    for method in rejected:
        for seed in range(25):
            data, groups = simulated(method, seed=100 + seed, N=400)
            rejected[method] += psychometrics.marker_models(data, groups, "marker").tests["pvalue"][0] < 0.05
    assert rejected[0.0] <= 6  # binomial(25, .05): P(X > 6) is 2e-4
    assert rejected[0.15] >= 22


@pytest.mark.parametrize(
    ("marker", "names", "options", "error", "message"),
    [
        ("sped", ("visual", "textual", "speed"), {}, UnknownNameError, "unknown marker 'sped'; did you mean 'speed'"),
        ("speed", ("visual", "speed"), {}, ParameterError, "a marker needs at least two other constructs; got 1"),
        ("speed", ("visual", "textual", "speed"), {"group": "school"}, ParameterError, "takes one group of items"),
    ],
)
def test_marker_models_name_what_is_wrong(tests_of_1939, marker, names, options, error, message):
    with pytest.raises(error, match=message):
        psychometrics.marker_models(tests_of_1939, {name: CONSTRUCTS[name] for name in names}, marker, **options)


def test_marker_correlations_cover_all_pairs_of_constructs(mediation):
    groups = {name: [f"i{k}{j}" for j in range(1, 5)] for k, name in enumerate("abc", 1)} | {"m": ["i11"]}
    with pytest.raises(ParameterError, match="item i11 is named more than once"):
        psychometrics.marker_correlations(mediation, groups, "m")
    groups = {"a": ["i11"], "b": ["i21"], "c": ["i31"], "m": ["i14"]}
    found = psychometrics.marker_correlations(mediation, groups, "m").summary()
    assert list(zip(found["construct"], found["other"], strict=True)) == list(combinations("abc", 2))
