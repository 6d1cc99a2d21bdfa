"""PLS path models: closed forms, a slow algorithm on scores, consistency at known moments (R: test_seminr.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import semfit
from semfit.errors import DataError, ParameterError, UnknownNameError
from semfit.power import population_moments

FACTORS = """
    f =~ .8*f1 + .7*f2 + .6*f3
    g =~ .9*g1 + .6*g2 + .7*g3
    h =~ .7*h1 + .8*h2 + .5*h3
    g ~ .5*f
    h ~ .3*f + .4*g
    g ~~ .75*g
    h ~~ .63*h
    f1 ~~ .36*f1; f2 ~~ .51*f2; f3 ~~ .64*f3
    g1 ~~ .19*g1; g2 ~~ .64*g2; g3 ~~ .51*g3
    h1 ~~ .51*h1; h2 ~~ .36*h2; h3 ~~ .75*h3
"""
MODEL = "f =~ f1 + f2 + f3; g =~ g1 + g2 + g3; h =~ h1 + h2 + h3; g ~ f; h ~ f + g"
BLOCKS = {"f": ["f1", "f2", "f3"], "g": ["g1", "g2", "g3"], "h": ["h1", "h2", "h3"]}
PATHS = [("f", "g"), ("f", "h"), ("g", "h")]
TWO = "f =~ f1 + f2 + f3; g =~ g1 + g2 + g3; g ~ f"


@pytest.fixture(scope="module")
def rows():
    return semfit.simulate(FACTORS, 150, seed=4)


def wold(rows: pd.DataFrame, blocks: dict, modes: dict, paths: list, scheme: str) -> dict:
    """Wold's algorithm on scores, one construct at a time, as in Lohmöller (1989), chapter 2."""
    X = (rows - rows.mean()) / rows.std(ddof=0)
    weight = {name: np.ones(len(items)) for name, items in blocks.items()}
    score = {}
    for name, items in blocks.items():
        y = X[items].to_numpy() @ weight[name]
        score[name] = y / y.std()
    for _ in range(2000):
        new = {}
        for name, items in blocks.items():
            proxy = np.zeros(len(X))
            causes, effects = [a for a, b in paths if b == name], [b for a, b in paths if a == name]
            for other in causes + effects:
                r = np.corrcoef(score[name], score[other])[0, 1]
                proxy = (
                    proxy
                    + {"centroid": np.sign(r), "factorial": r, "path": r * (other in effects)}[scheme] * score[other]
                )
            if scheme == "path" and causes:
                Z = np.column_stack([score[c] for c in causes])
                proxy = proxy + Z @ np.linalg.lstsq(Z, score[name], rcond=None)[0]
            x = X[items].to_numpy()
            w = x.T @ proxy / len(X) if modes[name] == "A" else np.linalg.lstsq(x, proxy, rcond=None)[0]
            new[name] = w / (x @ w).std()
        done = max(np.abs(np.abs(new[n]) - np.abs(weight[n])).max() for n in blocks) < 1e-13
        weight = new
        for name, items in blocks.items():
            score[name] = X[items].to_numpy() @ weight[name]
        if done:
            break
    for name, items in blocks.items():
        sign = np.sign(sum(np.corrcoef(X[i], score[name])[0, 1] for i in items))
        weight[name], score[name] = sign * weight[name], sign * score[name]
    return {"weight": np.concatenate(list(weight.values())), "score": score}


@pytest.mark.parametrize("scheme", ["path", "factorial", "centroid"])
@pytest.mark.parametrize("modes", ["AAA", "BBB", "BAB"])
def test_weights_and_paths_are_those_of_the_algorithm_on_scores(rows, scheme, modes):
    modes = dict(zip("fgh", modes, strict=True))
    slow = wold(rows, BLOCKS, modes, PATHS, scheme)
    fit = semfit.pls(MODEL, rows, modes=modes, scheme=scheme)
    assert fit.converged
    assert np.abs(fit.estimates.query("op == '<~'")["est"] - slow["weight"]).max() < 1e-8
    assert np.abs(fit.scores(rows) - pd.DataFrame(slow["score"])).max().max() < 1e-8
    Z = np.column_stack([slow["score"]["f"], slow["score"]["g"]])
    b = np.linalg.lstsq(Z, slow["score"]["h"], rcond=None)[0]
    assert np.abs(fit.paths.query("lhs == 'h'")["est"] - b).max() < 1e-8
    assert fit.r2.loc["h", "r2"] == pytest.approx(1 - np.var(slow["score"]["h"] - Z @ b), abs=1e-8)


def parts(rows):
    R = rows.corr().to_numpy()
    return R[:3, :3], R[3:6, 3:6], R[:3, 3:6]


def test_two_blocks_of_mode_b_are_canonical_correlation(rows):
    R11, R22, R12 = parts(rows)
    L1, L2 = np.linalg.cholesky(R11), np.linalg.cholesky(R22)
    canonical = np.linalg.svd(np.linalg.solve(L1, R12) @ np.linalg.inv(L2).T)[1][0]
    fit = semfit.pls(TWO, rows, modes={"f": "B", "g": "B"})
    assert fit.paths["est"].tolist() == pytest.approx([canonical], abs=1e-10)


def test_two_blocks_of_mode_a_are_singular_vectors(rows):
    R11, R22, R12 = parts(rows)
    u, _, v = np.linalg.svd(R12)
    weights = [np.abs(u[:, 0] / np.sqrt(u[:, 0] @ R11 @ u[:, 0])), np.abs(v[0] / np.sqrt(v[0] @ R22 @ v[0]))]
    fit = semfit.pls(TWO, rows)
    assert fit.estimates.query("op == '<~'")["est"].tolist() == pytest.approx(list(np.concatenate(weights)), abs=1e-10)


def test_mode_b_cause_of_a_mode_a_effect_is_redundancy_analysis(rows):
    R11, R22, R12 = parts(rows)
    values, vectors = np.linalg.eigh(R12.T @ np.linalg.solve(R11, R12))
    w = vectors[:, -1] / np.sqrt(vectors[:, -1] @ R22 @ vectors[:, -1])
    fit = semfit.pls(TWO, rows, modes={"f": "B"})
    assert fit.estimates.query("op == '<~' and lhs == 'g'")["est"].abs().tolist() == pytest.approx(list(np.abs(w)))


def test_consistent_pls_gives_the_parameters_of_a_factor_model_at_its_moments():
    names, mean, covariance = population_moments(FACTORS)
    moments = semfit.Moments(pd.DataFrame(covariance, names, names), None, 500)
    fit = semfit.pls(MODEL, moments=moments, consistent=True)
    assert fit.paths["est"].tolist() == pytest.approx([0.5, 0.3, 0.4], abs=1e-10)
    assert fit.estimates.query("op == '=~'")["est"].tolist() == pytest.approx(
        [0.8, 0.7, 0.6, 0.9, 0.6, 0.7, 0.7, 0.8, 0.5], abs=1e-10
    )
    assert fit.effects.query("lhs == 'h' and rhs == 'f'")[["indirect", "total"]].to_numpy()[0] == pytest.approx(
        [0.2, 0.5], abs=1e-10
    )
    plain = semfit.pls(MODEL, moments=moments)
    root = np.sqrt(plain.reliability["rho_A"])
    assert plain.correlations.loc["f", "g"] == pytest.approx(0.5 * root["f"] * root["g"], abs=1e-10)
    assert (plain.paths["est"] < [0.5, 0.3, 0.4]).all()


def test_f2_and_vif_are_those_of_regressions_of_scores(rows):
    fit = semfit.pls(MODEL, rows)
    C = fit.scores(rows).corr()
    path = fit.paths.set_index(["lhs", "rhs"])
    full, less = fit.r2.loc["h", "r2"], C.loc["h", "f"] ** 2
    assert path.loc[("h", "g"), "f2"] == pytest.approx((full - less) / (1 - full))
    assert path.loc[("h", "g"), "vif"] == pytest.approx(1 / (1 - C.loc["f", "g"] ** 2))
    X = rows[["f1", "f2", "f3"]]
    slope = np.linalg.lstsq(X[["f2", "f3"]] - X[["f2", "f3"]].mean(), X["f1"] - X["f1"].mean(), rcond=None)[0]
    unexplained = np.var(X["f1"] - X[["f2", "f3"]] @ slope) / np.var(X["f1"])
    assert fit.item_vif["f1"] == pytest.approx(1 / unexplained)


@pytest.mark.parametrize("consistent", [False, True])
def test_bootstrap_refits_the_very_resamples(rows, consistent):
    fit = semfit.pls(MODEL, rows, bootstrap=20, seed=3, consistent=consistent)
    picks = np.random.default_rng(np.random.SeedSequence(3).spawn(1)[0]).integers(0, 150, (20, 150))
    alone = np.array([semfit.pls(MODEL, rows.iloc[p], consistent=consistent).values for p in picks])
    assert np.abs(fit.draws - alone).max() < 1e-8
    assert fit.estimates["se"].tolist() == pytest.approx(list(alone.std(0, ddof=1)[: len(fit.estimates)]))
    assert semfit.pls(MODEL, rows, bootstrap=20, seed=3, consistent=consistent).draws.tolist() == fit.draws.tolist()


def test_signs_of_resamples_follow_the_original():
    """A composite of two items that pull apart has no sign of its own; draws must not jump between the two."""
    population = "y ~ .3*x1 + -.3*x2; x1 ~~ 1*x1; x2 ~~ 1*x2; x1 ~~ .2*x2; y ~~ .8*y"
    fit = semfit.pls(
        "f =~ x1 + x2; y ~ f", semfit.simulate(population, 300, seed=2), modes={"f": "B"}, bootstrap=300, seed=1
    )
    row = fit.estimates.query("op == '~'").iloc[0]
    assert abs(row["est"]) > 0.2
    assert row["ci_low"] * row["ci_high"] > 0
    assert row["se"] < 0.1


def test_standard_error_of_one_item_blocks_is_that_of_a_correlation():
    pair = semfit.simulate("y ~ .5*x; x ~~ 1*x; y ~~ .75*y", 2000, seed=5)
    fit = semfit.pls("y ~ x", pair, bootstrap=2000, seed=1)
    r = pair.corr().iloc[0, 1]
    row = fit.estimates.query("op == '~'").iloc[0]
    assert row["est"] == pytest.approx(r)
    assert row["se"] == pytest.approx((1 - r**2) / np.sqrt(2000), rel=0.1)  # normal theory


def test_arrow_of_a_composite_is_mode_b(rows):
    said = semfit.pls(TWO, rows, modes={"f": "B"})
    written = semfit.pls(TWO.replace("f =~", "f <~"), rows)
    assert written.model == said.model
    np.testing.assert_allclose(written.values, said.values, rtol=1e-12)
    assert semfit.pls(TWO.replace("f =~", "f <~"), rows, modes={"f": "A"}).model == semfit.pls(TWO, rows).model


def test_total_effects_have_the_interval_of_their_own_draws(rows):
    fit = semfit.pls(MODEL, rows, bootstrap=200, seed=3)
    row = fit.effects.set_index(["lhs", "rhs"]).loc[("h", "f")]
    b = dict(zip(fit.model.paths, fit.draws[:, fit.at_paths].T, strict=True))
    total = b["f", "h"] + b["f", "g"] * b["g", "h"]
    assert row[["total_low", "total_high"]].tolist() == pytest.approx(list(np.quantile(total, [0.025, 0.975])))
    assert row["total_se"] == pytest.approx(total.std(ddof=1))
    assert row["total"] == pytest.approx(row["direct"] + row["indirect"])


def test_bca_intervals_are_those_of_efrons_formula(rows):
    """By a plain loop over rows left out."""
    few = rows[:60]
    fit = semfit.pls(MODEL, few, bootstrap=400, seed=3)
    at, draws = fit.at_paths.stop - 1, fit.draws[:, fit.at_paths.stop - 1]
    left = np.array([semfit.pls(MODEL, few.drop(index=k)).values[at] for k in few.index])
    d = left.mean() - left
    a, z0 = (d**3).sum() / (6 * (d**2).sum() ** 1.5), stats.norm.ppf((draws < fit.values[at]).mean())
    shares = [stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in stats.norm.ppf([0.025, 0.975])]
    row = fit.accelerated(few).estimates.iloc[-1]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(np.quantile(draws, shares), abs=1e-8)
    assert abs(a) > 0.005  # it does something
    single = semfit.pls("g =~ g1 + g2; g ~ f1", few, bootstrap=50, seed=1).accelerated(few).estimates
    assert single.query("lhs == 'f1'")[["ci_low", "ci_high"]].to_numpy().tolist() == [pytest.approx([1, 1])] * 2


def test_importance_is_the_slope_of_scores_from_0_to_100(rows):
    fit, ranges = semfit.pls(MODEL, rows), dict.fromkeys(rows, (-5.0, 5.0))
    found = fit.importance(rows, "h", ranges).set_index("construct")
    X = 10 * (rows + 5)
    parts = fit.estimates.query("op == '<~'").assign(w=lambda d: d["est"] / X[d["rhs"]].std(ddof=0).to_numpy())
    score = {name: X[own["rhs"]] @ (own["w"] / own["w"].sum()).to_numpy() for name, own in parts.groupby("lhs")}
    Z = np.column_stack([np.ones(150), score["f"], score["g"]])
    b = np.linalg.lstsq(Z, score["h"], rcond=None)[0]
    via = np.linalg.lstsq(Z[:, :2], score["g"], rcond=None)[0][1]
    assert found.loc["g", "importance"] == pytest.approx(b[2])
    assert found.loc["f", "importance"] == pytest.approx(b[1] + via * b[2])
    assert found.loc["f", "performance"] == pytest.approx(score["f"].mean())
    with pytest.raises(UnknownNameError, match="unknown explained construct 'f'"):
        fit.importance(rows, "f", ranges)
    with pytest.raises(ParameterError, match=r"item g2 has the ends \(5, 1\); needed are its lowest"):
        fit.importance(rows, "h", ranges | {"g2": (5, 1)})
    with pytest.raises(ParameterError, match="item f1 has the ends none"):
        fit.importance(rows, "h", {})


def test_cvpat_is_a_paired_t_test_of_losses_of_a_plain_loop(rows):
    fit, folds = semfit.pls(MODEL, rows), np.arange(150)[None] % 5
    found = semfit.pls_predict(fit, rows, folds=folds, technique="direct")
    losses = {"pls": np.empty((150, 3)), "mean": np.empty((150, 3))}
    for k in range(5):
        train, test = rows[folds[0] != k], rows[folds[0] == k]
        own = wold(train, BLOCKS, dict.fromkeys("fgh", "A"), PATHS, "path")
        w, mean, sd = np.split(own["weight"], 3), train.mean(), train.std(ddof=0)
        z, score = (test - mean) / sd, own["score"]
        f, g = (z[BLOCKS[name]].to_numpy() @ w[at] for at, name in enumerate("fg"))
        b = np.linalg.lstsq(np.column_stack([score["f"], score["g"]]), score["h"], rcond=None)[0]
        loading = [np.corrcoef(train[item], score["h"])[0, 1] for item in BLOCKS["h"]]
        items = BLOCKS["h"]
        guess = mean[items].to_numpy() + np.outer(b[0] * f + b[1] * g, loading) * sd[items].to_numpy()
        losses["pls"][folds[0] == k] = (test[items] - guess) ** 2
        losses["mean"][folds[0] == k] = (test[items] - mean[items]) ** 2
    one = found.cvpat.set_index(["construct", "benchmark"]).loc[("h", "mean")]
    test = stats.ttest_rel(losses["pls"].mean(1), losses["mean"].mean(1))
    assert (one["t"], one["pvalue"]) == pytest.approx((test.statistic, test.pvalue), abs=1e-8)
    assert one["loss"] == pytest.approx(losses["pls"].mean())
    q2 = found.items.set_index("item")["q2"]["h1"]
    assert q2 == pytest.approx(1 - losses["pls"][:, 0].sum() / losses["mean"][:, 0].sum())


def test_folds_are_shared_out_evenly_and_by_the_seed(rows):
    fit = semfit.pls(MODEL, rows)
    one, again, other = (semfit.pls_predict(fit, rows, folds=4, repeats=2, seed=s) for s in (1, 1, 2))
    assert (one.nobs, one.folds, one.repeats) == (150, 4, 2)
    assert one.items["rmse"].tolist() == again.items["rmse"].tolist() != other.items["rmse"].tolist()
    assert (one.items["q2"] < 1).all()
    assert one.cvpat["construct"].tolist() == ["g", "g", "h", "h", "", ""]
    for wrong, said in (
        ({"folds": 1}, "1 folds and 10 repeats; allowed: 2 to 150 folds"),
        ({"technique": "late"}, "unknown technique 'late'"),
        ({"folds": np.arange(150) % 5}, r"folds has shape \(150,\); allowed: \(repeats, 150\)"),
        ({"folds": np.zeros((1, 150))}, "2 folds or more in each"),
    ):
        with pytest.raises((ParameterError, UnknownNameError), match=said):
            semfit.pls_predict(fit, rows, **wrong)
    few = rows[:14]
    with pytest.raises(DataError, match="the rows outside of a fold have no solution"):
        semfit.pls_predict(semfit.pls(MODEL, few), few, folds=2)


def test_groups_are_compared_as_by_a_plain_loop_over_the_same_permutations(rows):
    data = rows.assign(kind=np.where(np.arange(150) % 3, "b", "a"), h1=lambda d: d["h1"] + (d.index % 3 == 0))
    fit = semfit.pls(MODEL, data)
    found = semfit.pls_groups(fit, data, "kind", permutations=30, seed=5)
    assert (found.labels, found.sizes, found.failed) == (("a", "b"), (50, 100), 0)
    Z = ((rows := data[list(fit.model.items)]) - rows.mean()) / rows.std()

    def statistics(first):
        fits = [semfit.pls(MODEL, data[part]) for part in (first, ~first)]
        W, V = ((Z.to_numpy() @ one.weights) for one in fits)
        scores = Z.to_numpy() @ fit.weights
        a, b = scores[first], scores[~first]
        c = [abs(np.corrcoef(W[:, j], V[:, j])[0, 1]) for j in range(3)]
        paths = fits[0].paths["est"] - fits[1].paths["est"]
        return np.concatenate([c, a.mean(0) - b.mean(0), np.log(a.var(0, ddof=1) / b.var(0, ddof=1)), paths])

    first, rng = (data["kind"] == "a").to_numpy(), np.random.default_rng(5)
    seen, drawn = statistics(first), np.array([statistics(rng.permutation(first)) for _ in range(30)])
    c, p = found.composites, (1 + (np.abs(drawn) >= np.abs(seen)).sum(0)) / 31
    assert c["correlation"].tolist() == pytest.approx(list(seen[:3]), abs=1e-8)
    assert c["bound"].tolist() == pytest.approx(list(np.quantile(drawn[:, :3], 0.05, axis=0)), abs=1e-8)
    assert c["p"].tolist() == pytest.approx(list((1 + (drawn[:, :3] <= seen[:3]).sum(0)) / 31))
    for k, name in enumerate(("mean", "variance"), 1):
        assert c[name].tolist() == pytest.approx(list(seen[3 * k : 3 * k + 3]), abs=1e-8)
        assert c[f"{name}_p"].tolist() == pytest.approx(list(p[3 * k : 3 * k + 3]))
        assert c[f"{name}_low"].tolist() == pytest.approx(
            list(np.quantile(drawn, 0.025, axis=0)[3 * k : 3 * k + 3]), abs=1e-8
        )
    assert found.paths["difference"].tolist() == pytest.approx(list(seen[9:]), abs=1e-8)
    assert (found.paths["first"] - found.paths["second"]).tolist() == pytest.approx(list(seen[9:]), abs=1e-8)
    assert found.paths["difference_p"].tolist() == pytest.approx(list(p[9:]))
    assert not c.set_index("construct").loc["h", "full"]  # h1 is higher in the first group


def test_groups_alike_to_the_row_do_not_differ(rows):
    twice = pd.concat([rows.assign(kind=1), rows.assign(kind=2)], ignore_index=True)
    found = semfit.pls_groups(semfit.pls(MODEL, twice), twice, "kind", permutations=40, seed=1)
    assert found.composites["full"].all()
    assert found.composites["correlation"].tolist() == pytest.approx([1] * 3)
    assert found.paths["difference"].tolist() == pytest.approx([0] * 3, abs=1e-9)
    with pytest.raises(DataError, match="column kind holds 3 groups; two are needed: 0, 1, 2"):
        semfit.pls_groups(semfit.pls(MODEL, twice), twice.assign(kind=np.arange(300) % 3), "kind")
    with pytest.raises(DataError, match="no solution in one of the groups of kind, of 5 and 295 rows"):
        semfit.pls_groups(semfit.pls(MODEL, twice), twice.assign(kind=np.arange(300) < 295), "kind")
    with pytest.raises(ParameterError, match="permutations is a whole number, 2 or more; got 1"):
        semfit.pls_groups(semfit.pls(MODEL, twice), twice, "kind", permutations=1)


def test_the_diagram_holds_paths_and_dashes_those_whose_interval_holds_zero(rows):
    fit = semfit.pls(MODEL, rows, bootstrap=100, seed=1)
    drawn = fit.plot(names={"f": "Care"}, without=["g"])
    assert {text.get_text() for text in drawn.texts} >= {"Care", f"{fit.paths['est'][1]:.2f}"}
    assert not any("f1" in text.get_text() for text in drawn.texts)
    styles = [
        {each.get_linestyle() for each in one.plot().patches if hasattr(each, "get_arrowstyle")}
        for one in (fit, replace(fit, draws=fit.draws - fit.draws.mean(0)))
    ]
    assert styles[0] != styles[1]


@pytest.fixture
def beyond():
    """Items of which f2 goes with g more than with its own block."""
    names = ["f1", "f2", "f3", "g1", "g2", "g3"]
    R = np.full((6, 6), 0.2)
    R[:3, :3], R[3:, 3:] = 0.4, 0.6
    R[1, 3:] = R[3:, 1] = 0.5
    np.fill_diagonal(R, 1)
    return semfit.Moments(pd.DataFrame(R, names, names), None, 300)


def test_solution_that_cannot_be_says_so(beyond):
    fit = semfit.pls(TWO, moments=beyond, consistent=True)
    assert fit.problems == (f"The loading of f2 on f is {fit.estimates['est'][1]:.3f}, beyond 1.",)
    assert semfit.pls(TWO, moments=beyond).problems == ()
    names = ["f1", "f2", "g1", "g2"]
    R = pd.DataFrame([[1, 0.1, 0.6, 0.5], [0.1, 1, 0.4, 0.4], [0.6, 0.4, 1, 0.1], [0.5, 0.4, 0.1, 1]], names, names)
    model, moments = "f =~ f1 + f2; g =~ g1 + g2; g ~ f", semfit.Moments(R, None, 100)
    assert semfit.pls(model, moments=moments).problems == ()
    assert any("not positive definite" in one for one in semfit.pls(model, moments=moments, consistent=True).problems)


def test_weights_that_still_move_are_said_to(rows, monkeypatch):
    monkeypatch.setattr("semfit.plsfit.LIMIT", 2)
    fit = semfit.pls(MODEL, rows)
    assert not fit.converged
    assert fit.summary().startswith("*** The weights did NOT converge in 2 iterations.")
    with pytest.raises(ParameterError, match="none of 5 resamples has a solution"):
        semfit.pls(MODEL, rows, bootstrap=5)


def test_summary_begins_with_what_is_off_and_holds_the_paths(rows, beyond):
    fit = semfit.pls(MODEL, rows, bootstrap=20, seed=1)
    text = fit.summary()
    head = f"PLS, path scheme, {fit.iterations} iterations, N = 150; 20 resamples, 0 without a solution"
    assert text.startswith(head)
    row = fit.estimates.query("op == '~'").iloc[-1]
    assert f"{row['est']:.3f} {row['se']:.3f}" in text
    bad = semfit.pls(TWO, moments=beyond, consistent=True)
    assert bad.summary().startswith("*** The loading of f2 on f is")
    assert "*** The loading of f2" in bad._repr_html_()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("f =~ f1 + f2; g =~ g1 + g2; f ~~ g", "line 1: a PLS model has no '~~'; allowed are =~, <~ and ~"),
        ("f =~ f1 + 1*f2; g =~ g1; g ~ f", "f =~ f2 has a modifier; PLS fixes and labels nothing"),
        ("f =~ f1 + f2; g =~ f2 + g1; g ~ f", "f2 stands in two blocks"),
        ("f =~ f1 + f2; g =~ f + g1; h =~ h1; h ~ g", "f stands in two blocks or is a construct itself"),
        ("f =~ f1 + f2; g =~ g1 + g2; h =~ h1; g ~ f", "construct h has no path"),
        ("f =~ f1 + f2; g =~ g1; g ~ f; f ~ g", "the paths run in a loop through f, g"),
        ("f =~ f1 + f2; g =~ g1 + g2; g ~ f; x := 1", "a PLS model has no ':='"),
    ],
)
def test_models_that_are_none_of_pls_are_refused(rows, model, message):
    with pytest.raises(ParameterError, match=message):
        semfit.pls(model, rows)


def test_misuse_is_named(rows):
    with pytest.raises(UnknownNameError, match="unknown scheme 'paths'; did you mean 'path'"):
        semfit.pls(TWO, rows, scheme="paths")
    with pytest.raises(UnknownNameError, match="unknown construct 'k'"):
        semfit.pls(TWO, rows, modes={"k": "A"})
    with pytest.raises(ParameterError, match="mode of f is 'C'; allowed are 'A' and 'B'"):
        semfit.pls(TWO, rows, modes={"f": "C"})
    with pytest.raises(ParameterError, match="give either data or moments; got neither"):
        semfit.pls(TWO)
    with pytest.raises(ParameterError, match="bootstrap takes data and at least 2 draws; got 1"):
        semfit.pls(TWO, rows, bootstrap=1)
    with pytest.raises(UnknownNameError, match="unknown variable in the model 'f3'"):
        semfit.pls(TWO, rows.drop(columns="f3"))
    with pytest.raises(DataError, match="column f1 is constant"):
        semfit.pls(TWO, rows.assign(f1=1.0))
