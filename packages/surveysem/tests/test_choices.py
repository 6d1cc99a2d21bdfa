"""Segments, specification curve, sensitivity and common method: closed forms, the engine itself, planted truths."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import semfit
import surveysem
from surveysem import NotTestable
from surveysem import measurement as method
from surveysem import segments as kinds
from surveysem import specification_curve as curve
from surveysem.effects import REASONS
from surveysem.errors import ParameterError
from surveysem.paths import path_table
from surveysem.sensitivity import READINGS, power_before, sensitivity
from surveysem.study import Study, attempt
from surveysem.synthetic import Defects, Truth, draw_respondents

SCALES = "".join(
    f"""
[scales.{name}]
low = 1
en = {[f"{name} {k}" for k in range(1, n + 1)]}
zh = {[f"{name}{k}" for k in range(1, n + 1)]}
"""
    for name, n in (("five", 5), ("age", 6), ("mode", 2))
)
CONSTRUCTS = "".join(
    f"""
[[constructs]]
name = "{name}"
scale = "five"
items = [{", ".join(f'{{ code = "{name[0].upper()}{k}" }}' for k in (1, 2, 3))}]
"""
    for name in ("quality", "service", "trust", "repurchase", "marker")
)
TEXT = (
    """
name = "choices"
group = "MODE"
<top>
"""
    + SCALES
    + CONSTRUCTS
    + """
[[controls]]
code = "MODE"
scale = "mode"

[[controls]]
code = "AGE"
scale = "age"

[paths]
trust = ["quality", "-service"]
repurchase = ["trust", "quality"]
"""
)


def codebook(folder, top=""):
    path = folder / "choices.toml"
    path.write_text(TEXT.replace("<top>", top), encoding="utf-8")
    return surveysem.load_codebook(path)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return codebook(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def study(book):
    defects = Defects(missing_cells=12, speeders=15, straight_liners=10, duplicates=5, out_of_range=4)
    sample = draw_respondents(Truth(book), 500, defects=defects, seed=3)
    return Study(sample.responses, surveysem.screen(sample.responses), draws=50)


def answered(study: Study, **columns: np.ndarray) -> Study:
    """Return a study of other answers, all kept."""
    answers = study.responses.answers.iloc[: len(next(iter(columns.values())))].assign(**columns)
    responses = replace(study.responses, answers=answers)
    return replace(study, responses=responses, screened=replace(study.screened, answers=answers, mode="report-only"))


# --- specification curve ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(study):
    return curve.specification_curve(study)


@pytest.mark.slow
def test_the_set_is_the_declared_one(study, found):
    """1 declared + 6 samples x (complete rows, mean scores, each with and without controls; ordered) + rules off.

    A rule off is tried where it alone keeps out somebody without a hole; straight-liners break two.
    """
    record = study.screened.record.drop_duplicates("row", keep=False).set_index("row")["rule"]
    whole = study.responses.answers[study.items].dropna().index
    names = {"speeder": "without seconds", "out of range": "without invalid"}
    off = {names[rule] for rule in record[record.index.isin(whole)] if rule != "duplicate"}  # which only reports
    assert "without seconds" in off
    assert found.frame["specification"].nunique() == 1 + 6 * 5 + len(off)
    assert set(found.frame["screening"]) == off | {"drop", "report-only", "drop reported"}
    choices = found.frame.groupby("specification")[["analysis", "screening", "outliers", "controls"]].first()
    assert not choices.duplicated().any()
    assert not ((choices["analysis"] == "ordered") & choices["controls"]).any()


@pytest.mark.slow
def test_complete_data_give_the_declared_analysis_once(study):
    whole = study.answers.dropna()
    one = replace(study, screened=replace(study.screened, answers=whole))
    found = curve.specifications(one, list(curve._screenings(one)), ["AGE"])
    ways = [(w.analysis, w.screening, w.outliers, w.controls) for w in found]
    assert ways[0] == ("declared", "drop", False, False)
    assert ("complete rows", "drop", False, False) not in ways
    assert len(ways) == len(set(ways))


def chosen(found, **choices):
    rows = found.frame
    for name, value in {"outliers": False, "controls": False, **choices}.items():
        rows = rows[rows[name] == value]
    return rows.reset_index(drop=True)


@pytest.mark.parametrize(
    ("analysis", "options"),
    [("complete rows", {"estimator": "MLR"}), ("ordered", {"estimator": "WLSMV", "ordered": True})],
)
def test_a_specification_is_the_engine_s_own_fit(study, found, analysis, options):
    """The shortcuts (no scaled tests, no derivatives by thresholds) change neither estimates nor errors."""
    fit = semfit.fit(study.codebook.model(study.constructs), study.answers, **options)
    table = fit.standardized.query("op == '~'").reset_index(drop=True)
    rows = chosen(found, analysis=analysis, screening="drop")
    assert rows["outcome"].tolist() == table["lhs"].tolist()
    assert rows["predictor"].tolist() == table["rhs"].tolist()
    np.testing.assert_allclose(rows[["estimate", "se"]], table[["std_all", "se"]], rtol=1e-7)
    np.testing.assert_allclose(rows[["low", "high"]], table[["ci_low", "ci_high"]], rtol=1e-7)
    assert rows["nobs"].unique().tolist() == [fit.nobs]
    assert fit.nobs < study.nobs  # rows with a hole are left out


def test_the_declared_specification_is_the_study_s(study, found):
    rows, table = found.frame[found.frame["declared"]], path_table(study)
    np.testing.assert_allclose(rows[["estimate", "se"]], table[["std", "std_se"]], rtol=1e-9)
    assert rows["nobs"].unique().tolist() == [study.nobs]


def test_on_mean_scores_paths_are_regressions(study, found):
    """Closed form: standardised coefficients are b = R^-1 r."""
    scores = pd.DataFrame({name: study.answers[study.codebook.scales[name]].mean(axis=1) for name in study.constructs})
    R, causes = scores.corr(), ["quality", "service"]
    by_hand = np.linalg.solve(R.loc[causes, causes], R.loc[causes, "trust"])
    rows = chosen(found, analysis="mean scores", screening="drop", outcome="trust")
    assert rows["estimate"].tolist() == pytest.approx(list(by_hand), rel=1e-9)


def test_the_summary_counts_over_the_set(found):
    line = found.summary().set_index(["outcome", "predictor"]).loc[("trust", "service")]
    rows = found.frame.query("outcome == 'trust' and predictor == 'service'")
    assert len(rows) == line["specifications"] == found.frame["specification"].nunique()
    assert (line["lowest"], line["highest"]) == (rows["estimate"].min(), rows["estimate"].max())
    assert line["median"] == pytest.approx(rows["estimate"].median(), rel=1e-12)
    assert line["same_sign"] == 1
    assert (rows["estimate"] < 0).all()  # a negative path is claimed
    assert line["beyond_zero"] == pytest.approx((rows["high"] < 0).mean(), rel=1e-12)


@pytest.mark.slow
def test_controls_take_out_what_they_cause(study):
    """Age alone makes quality and trust alike: with it held, nothing of the path is left."""
    rng, n = np.random.default_rng(5), 480
    age = rng.integers(1, 7, n)
    items = study.items
    cause = np.array([code[0] in "QT" for code in items]) * (age[:, None] - 3.5) / 1.7
    own = np.repeat(rng.standard_normal((n, 4)), 3, axis=1)
    values = np.clip(np.round(3 + 0.7 * cause + 0.5 * own + 0.4 * rng.standard_normal((n, 12))), 1, 5)
    one = answered(study, AGE=age.astype(float), **dict(zip(items, values.T, strict=True)))
    rows = curve.specification_curve(one).frame.query("outcome == 'trust' and predictor == 'quality'")
    rows = rows.set_index(["analysis", "controls"])["estimate"]
    assert rows.loc[("complete rows", False)].min() > 0.4
    assert rows.loc[("complete rows", True)].abs().max() < 0.15
    assert rows.loc[("mean scores", True)].abs().max() < 0.15


def test_the_most_distant_are_left_out():
    rng = np.random.default_rng(2)
    scores = pd.DataFrame(rng.standard_normal((200, 2)) @ [[1, 0.9], [0, 0.44]])
    scores.iloc[[7, 90]] = [[2, -2], [-2, 2]]  # far from the others given their correlation, not in either score
    assert np.flatnonzero(curve._outlying(scores)).tolist() == [7, 90]


@pytest.mark.slow
def test_a_specification_without_a_solution_says_why(study):
    answers = study.responses.answers.copy()
    for k, code in enumerate(study.items):
        answers.iloc[k :: len(study.items), answers.columns.get_loc(code)] = np.nan
    one = answered(study, **{code: answers[code].to_numpy() for code in study.items})
    table = curve.specification_curve(one).frame.set_index("analysis")
    assert table.loc["complete rows", "estimate"].isna().all()
    assert table.loc["complete rows", "reason"].str.len().min() > 0
    assert table.loc["mean scores", "estimate"].notna().all()


# --- segments ---------------------------------------------------------------------------------------------------------


def scored(study: Study, Z: np.ndarray) -> Study:
    """Return a study whose constructs' mean scores are the columns of Z: quality, service, trust, repurchase."""
    codes = {code: Z[:, j] for j, name in enumerate(study.constructs) for code in study.codebook.scales[name]}
    return answered(study, **codes)


@pytest.fixture(scope="module")
def planted(study):
    """Two kinds, 70 and 30 of 100, four standard deviations apart in both strategies: 1 in 400 is misplaced at best."""
    rng, n = np.random.default_rng(1), 480
    truth = rng.random(n) < 0.3
    Z = rng.standard_normal((n, 4)) + truth[:, None] * [4, -4, 0, 1]
    return truth, Z, scored(study, Z)


@pytest.fixture(scope="module")
def segmented(planted):
    return kinds.segments(planted[2], resamples=20)


@pytest.mark.slow
def test_planted_segments_are_found(planted, segmented):
    from sklearn.metrics import adjusted_rand_score

    (truth, Z, _), found = planted, segmented
    assert found.classes == 2
    assert found.shares == pytest.approx([1 - truth.mean(), truth.mean()], abs=0.02)
    assert adjusted_rand_score(truth, found.probabilities.to_numpy().argmax(1)) > 0.95
    assert found.stability > 0.95
    assert found.entropy > 0.9
    table = found.profiles.set_index(["construct", "class"])
    known = (Z[truth].mean(0) - Z.mean(0)) / Z.std(0)
    for j, name in enumerate(("quality", "service")):
        assert table.loc[(name, 2), "mean"] == pytest.approx(known[j], abs=0.08)
    assert table.loc[("repurchase", 2), "role"] == "outcome"
    assert table.loc[("repurchase", 2), "low"] < known[3] < table.loc[("repurchase", 2), "high"]
    assert "trust" not in found.profiles["construct"].tolist()
    assert found.firmness == "excellent"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_segments(planted, segmented):
    again = kinds.segments(planted[2], resamples=20)
    pd.testing.assert_frame_equal(again.profiles, segmented.profiles)
    assert (again.classes, again.entropy, again.stability) == (
        segmented.classes,
        segmented.entropy,
        segmented.stability,
    )


@pytest.mark.slow
def test_a_continuum_is_no_segments(study):
    """Correlated scores of one population; classes of unrelated scores alone would cut it into pieces."""
    rng = np.random.default_rng(4)
    Z = np.sqrt(0.6) * rng.standard_normal((480, 1)) + np.sqrt(0.4) * rng.standard_normal((480, 4))
    found = kinds.segments(scored(study, Z))
    unrelated = found.candidates[found.candidates["within"] == "diag"]
    assert unrelated.loc[unrelated["bic"].idxmin(), "classes"] > 1
    assert found.classes == 1
    assert len(found.profiles) == len(found.agreement) == 0


@pytest.mark.slow
def test_one_class_has_its_closed_form(planted, segmented):
    """-2 log likelihood of standardised scores: n (p log 2 pi + log|S| + tr(S^-1 R)), S the covariance plus .01 I."""
    Z = planted[1]
    table, (n, p) = segmented.candidates.set_index(["within", "classes"]), (len(Z), 2)
    R = np.corrcoef(Z[:, :2].T)
    for within, S, q in (("diag", 1.01 * np.eye(2), 4), ("tied", R + 0.01 * np.eye(2), 5)):
        deviance = n * (p * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + np.trace(np.linalg.solve(S, R)))
        assert table.loc[(within, 1), "parameters"] == q
        assert table.loc[(within, 1), "bic"] == pytest.approx(deviance + q * np.log(n), rel=1e-9)


@pytest.mark.slow
def test_a_small_class_is_not_allowed(study):
    rng = np.random.default_rng(3)
    Z = rng.standard_normal((480, 4)) * 0.5
    Z[:15, :2] += 6  # 3 %
    found = kinds.segments(scored(study, Z), resamples=20)
    table = found.candidates
    least = table.loc[table["bic"].idxmin()]
    assert least["smallest"] < 0.05
    assert not least["allowed"]
    assert table.loc[table["chosen"], "allowed"].all()


def test_means_of_outcomes_allow_for_misplacement():
    """Two kinds 1.5 apart: the means of those put into them fall short of the true +-1 by the share misplaced."""
    rng, n = np.random.default_rng(6), 40_000
    truth = rng.random(n) < 0.5
    x, y = rng.standard_normal(n) + 1.5 * truth, rng.standard_normal(n) + np.where(truth, 1, -1)
    first = norm.pdf(x) / (norm.pdf(x) + norm.pdf(x - 1.5))
    P = np.column_stack([first, 1 - first])
    misplaced = norm.cdf(-0.75)
    naive = y[first > 0.5].mean() - y.mean()
    assert naive == pytest.approx(-(1 - 2 * misplaced), abs=0.03)
    assert kinds._outcome_means(P, y[:, None])[:, 0] == pytest.approx([-1, 1], abs=0.04)


def test_segments_need_two_strategies(study, tmp_path):
    book = codebook(tmp_path, 'strategies = ["quality"]')
    one = replace(study, responses=replace(study.responses, codebook=book))
    result = kinds.segments(one)
    assert isinstance(result, NotTestable)
    assert result.reason == "Profiles need two strategies or more; the codebook has 1."


def test_too_few_resamples_are_refused(study):
    with pytest.raises(ParameterError, match="resamples=5, starts=5; allowed: 20 or more"):
        kinds.segments(study, resamples=5)


# --- power before, sensitivity after ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planned(book):
    return power_before(book, [200, 400, 800])


def test_power_is_that_of_the_difference_of_two_models(book, planned):
    """Satorra & Saris's noncentral chi-square of the model without a path: another way to the same power."""
    effects = {"trust": {"quality": 0.1, "service": -0.1}, "repurchase": {"trust": 0.1, "quality": 0.1}}
    model = book.model(["quality", "service", "trust", "repurchase"])
    population = Truth(book, effects, 0.7, 0.3).population()
    for outcome, predictor in (("trust", "service"), ("repurchase", "trust")):
        equation = f"{outcome} ~ {' + '.join(effects[outcome])}"
        without = model.replace(equation, equation.replace(predictor, f"0*{predictor}"))
        assert without != model
        test = semfit.population_fit(population, without).test  # the whole model is right: all misfit is that path's
        ratio = np.array([200, 400, 800]) * test.chisq
        rows = planned.frame.query("outcome == @outcome and predictor == @predictor")
        known = norm.cdf(np.sqrt(ratio) - norm.ppf(0.975)) + norm.cdf(-np.sqrt(ratio) - norm.ppf(0.975))
        np.testing.assert_allclose(rows["power"], known, atol=0.01)


def test_the_size_needed_is_the_first_to_reach_the_power(book, planned):
    for row in planned.needed.itertuples():
        around = power_before(book, [row.needed - 1, row.needed]).frame
        mine = around.query("outcome == @row.outcome and predictor == @row.predictor")["power"].tolist()
        assert mine[0] < 0.8 <= mine[1]
    assert planned.summary()[800].tolist() == planned.frame.query("nobs == 800")["power"].tolist()


def test_equivalence_needs_its_size():
    """Of a mean with error 1 / sqrt(N), the two tests at 5 % have power 2 Phi(Delta sqrt(N) - 1.645) - 1."""
    rng, N = np.random.default_rng(0), int(np.ceil(((norm.ppf(0.95) + norm.ppf(0.9)) / 0.1) ** 2))
    means = rng.standard_normal(200_000) / np.sqrt(N)
    assert (np.abs(means) + norm.ppf(0.95) / np.sqrt(N) < 0.1).mean() == pytest.approx(0.8, abs=0.005)
    assert N == 857  # the figure behind ``needed_equivalence`` at an error of 1 for one respondent


@pytest.mark.filterwarnings("error")
def test_where_no_path_leaves_no_solution_equivalence_has_no_size(tmp_path):
    """Two items identify a construct by what it goes with alone: with nothing, where its paths are zero."""
    book = tmp_path / "two.toml"
    book.write_text('paths = ["b ~ a"]\nscale = [1, 5]\n[constructs]\na = ["A1", "A2"]\nb = ["B1", "B2"]\n', "utf-8")
    (row,) = power_before(surveysem.load_codebook(book)).needed.itertuples()
    assert row.needed > 0
    assert np.isnan(row.needed_equivalence)


def test_more_of_everything_needs_fewer_respondents(book, planned):
    better = power_before(book, loading=0.9).needed["needed"]
    larger = power_before(book, smallest=0.2).needed["needed"]
    assert (better < planned.needed["needed"]).all()
    assert larger.to_numpy() == pytest.approx(planned.needed["needed"] / 4, rel=0.1)
    assert (planned.needed["needed_equivalence"] > planned.needed["needed"]).all()


@pytest.mark.slow
def test_power_is_what_draws_show(book, planned):
    effects = {"trust": {"quality": 0.1, "service": -0.1}, "repurchase": {"trust": 0.1, "quality": 0.1}}
    model = book.model(["quality", "service", "trust", "repurchase"])
    population = Truth(book, effects, 0.7, 0.3).population()
    drawn = semfit.power(population, model, [800], draws=2000, seed=1).query("op == '~'")
    ours = planned.frame.query("nobs == 800").set_index(["outcome", "predictor"])["power"]
    for row in drawn.itertuples():
        assert row.power == pytest.approx(ours[(row.lhs, row.rhs)], abs=0.04)  # 3 Monte-Carlo errors and N < infinity


def test_the_least_detectable_path_is_found_in_four_of_five(study):
    frame = sensitivity(study)
    assert frame["detectable"].to_numpy() == pytest.approx(2.8016 * frame["std_se"], rel=1e-4)  # 1.95996 + 0.84162
    power = norm.sf(norm.ppf(0.975) - frame["detectable"] / frame["std_se"])
    assert power == pytest.approx(0.8)


def test_equivalence_agrees_with_its_interval(study):
    """p < alpha just where the 1 - 2 alpha interval lies inside plus and minus the smallest effect."""
    for smallest in (0.1, 0.3, 0.5):
        found = sensitivity(study, smallest=smallest)
        inside = (found["low"] > -smallest) & (found["high"] < smallest)
        assert found["equivalent"].tolist() == inside.tolist()
    assert found["equivalent"].any()
    assert found["nobs"].unique().tolist() == [study.structural.nobs]


def test_a_path_is_read_by_both_tests(study, monkeypatch):
    """Intervals of 90 and 95 % around each: [-.02, .02]; [.03, .07]; [.34, .46]; [-.06, .26] and [-.1, .3]."""
    known = {"equivalent": (0.0, 0.01), "negligible": (0.05, 0.01), "differs": (0.4, 0.03), "open": (0.1, 0.1)}
    table = path_table(study).assign(std=[est for est, _ in known.values()], std_se=[se for _, se in known.values()])
    monkeypatch.setattr("surveysem.sensitivity.path_table", lambda _: table)
    frame = sensitivity(study)
    assert frame["reading"].tolist() == list(known)
    assert set(known) == set(READINGS)
    assert frame["p_equivalence"].tolist() == pytest.approx(norm.cdf([-10, -5, 10, 0]).tolist(), rel=1e-9)


def test_numbers_out_of_range_are_refused(book, study):
    with pytest.raises(ParameterError, match="smallest is 1.5; allowed: a path in"):
        sensitivity(study, smallest=1.5)
    with pytest.raises(ParameterError, match="sizes is .0.; allowed: one whole number from 1"):
        power_before(book, [0])
    with pytest.raises(ParameterError, match=r"alpha with wanted is \(0.9, 0.8\); allowed: 0 < alpha < wanted < 1"):
        power_before(book, alpha=0.9)


# --- common method ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def marked(study, tmp_path_factory):
    """Return a function from a method's loading to a study whose codebook names the marker."""
    folder = tmp_path_factory.mktemp("marked")
    book = codebook(folder, 'marker = "marker"')

    def draw(loading: float, **options: str) -> Study:
        lines = ["trust ~ 0.3*quality", "trust ~~ 0.91*trust"]
        others = [name for name in book.scales if name != "trust"]
        for name, codes in book.scales.items():
            lines.append(f"{name} =~ {' + '.join(f'0.7*{code}' for code in codes)}")
            lines += [f"{code} ~~ {0.51 - loading**2}*{code}" for code in codes]
        lines += [f"m =~ {' + '.join(f'{loading}*{code}' for code in book.items)}", "m ~~ 1*m"]
        lines += [f"{name} ~~ 0*{other}" for k, name in enumerate(["m", *others]) for other in ["m", *others][k + 1 :]]
        rows = semfit.simulate("\n".join(lines), 480, seed=12)
        one = answered(study, **{code: rows[code].to_numpy() for code in rows})
        return replace(one, responses=replace(one.responses, codebook=book), **options)

    return draw


def test_a_planted_method_is_found_and_held(marked):
    """Loadings .5 on all items: a quarter of their variance; two unrelated constructs seem related through it."""
    found = method.common_method(marked(0.5))
    table = found.summary().set_index("measure")
    assert table.loc["mean share of item variance", "low"] < 0.25 < table.loc["mean share of item variance", "high"]
    assert table.loc["model without against model with the factor (Δχ²)", "p"] < 0.001
    paths = found.paths.set_index(["outcome", "predictor"])
    nil = paths.loc[("trust", "service")]  # the truth is 0
    assert abs(nil["without"]) > 0.1
    assert nil["low"] < 0 < nil["high"]
    assert paths["change"].to_numpy() == pytest.approx(paths["with"] - paths["without"])
    assert table.loc["largest change in a standardised path", "estimate"] == paths["change"].abs().max()
    assert table.loc["no method variance (Δχ²)", "p"] < 0.001
    assert table.loc["equal method effects (Δχ²)", "p"] > 0.01
    factor = table.loc["model without against model with the factor (Δχ²)"]
    assert factor["method"] == "satorra.bentler.2001"  # as the study is estimated
    assert table.loc["no method variance (Δχ²)", "method"] == "standard"
    assert found.failed == {}
    assert set(table["check"]) == {method.SINGLE, method.FACTOR, method.MARKER}
    assert set(method.MODEL_TESTS) <= set(table.index)


def test_the_marker_takes_out_what_it_shares(marked):
    """Closed form: (r - r_M) / (1 - r_M), r_M the smallest correlation of its score with another's."""
    one = marked(0.5)
    R = pd.DataFrame({name: one.answers[codes].mean(axis=1) for name, codes in one.codebook.scales.items()}).corr()
    smallest = R["marker"].drop("marker").min()
    own = R.drop(index="marker", columns="marker").to_numpy()[np.triu_indices(4, 1)]
    table = method.common_method(one).summary().set_index("measure")["estimate"]
    assert table["smallest correlation with the marker"] == pytest.approx(smallest)
    assert table["largest change in a correlation of scale means"] == pytest.approx(
        np.abs((own - smallest) / (1 - smallest) - own).max()
    )


def test_without_a_method_nothing_is_found(marked):
    table = method.common_method(marked(0.0)).summary().set_index("measure")
    assert table.loc["mean share of item variance", "low"] < 0 < table.loc["mean share of item variance", "high"]
    assert table.loc["model without against model with the factor (Δχ²)", "p"] > 0.05
    assert table.loc["no method variance (Δχ²)", "p"] > 0.05


def test_the_first_component_is_the_largest_eigenvalue(study):
    found, rows = method.common_method(study), study.answers[study.items].dropna()
    line = found.summary().set_index("measure").loc["variance explained by the first component"]
    assert line["estimate"] == pytest.approx(np.linalg.eigvalsh(rows.corr())[-1] / len(study.items))
    assert line["low"] < line["estimate"] < line["high"]
    assert (found.nobs, found.dropped) == (len(rows), study.nobs - len(rows))
    assert found.dropped > 0


def test_checks_that_cannot_be_made_say_why(study, marked):
    found = method.common_method(study)
    assert isinstance(found.marker, NotTestable)
    assert found.marker.reason == found.marker_models.reason == REASONS["no_marker"]
    assert method.MARKER not in {*found.summary()["check"], *found.failed}
    flat = answered(study, Q1=np.full(480, 3.0))
    broken = method.common_method(flat)
    assert "Q1" in broken.failed[method.FACTOR]
    assert broken.paths.empty


@pytest.mark.filterwarnings("error")
def test_a_check_without_a_solution_says_so_in_its_reason_alone():
    """A report shows warnings as they come: in English, with the folder of the package."""

    def unsolved() -> None:
        warnings.warn("no estimates", semfit.FitWarning, stacklevel=2)
        raise semfit.DataError("no solution")

    assert attempt("", unsolved).reason == "no solution"


def test_ordered_answers_have_no_marker_models(study, marked):
    book = marked(0.0).codebook
    one = replace(study, responses=replace(study.responses, codebook=book), estimator="WLSMV")
    found = method.common_method(one)
    assert found.marker_models.reason == REASONS["ordered_marker"]
    assert f"{method.MARKER}, models" not in found.failed
    assert {"smallest correlation with the marker", "mean share of item variance"} <= set(found.summary()["measure"])


@pytest.mark.slow
def test_of_many_respondents_a_random_part_is_taken(study, planted, monkeypatch):
    """The part depends on the seed alone; the study's own analysis keeps everybody."""
    for module, largest in ((kinds, 300), (curve, 300), (method, 300)):
        monkeypatch.setattr(module, "LARGEST", largest)
    found = kinds.segments(planted[2], resamples=20)
    assert (found.nobs, found.dropped, found.classes) == (300, 180, 2)
    checks = method.common_method(study)
    assert checks.nobs == 300
    assert checks.nobs + checks.dropped == study.nobs
    rows = curve.specification_curve(study).frame.groupby("declared")["nobs"].max()
    assert rows[True] == study.nobs
    assert rows[False] <= 300
