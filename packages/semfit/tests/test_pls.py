"""PLS path models: closed forms, a slow algorithm on scores, seminr's printed results, consistency at known moments."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import DataError, ParameterError, UnknownNameError
from semfit.power import population_moments

HERE = Path(__file__).parent / "reference"
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


REFERENCE = json.loads((HERE / "pls.json").read_text())["cases"]
NINE = (
    "\n".join(f"f{k} =~ v{k}1 + v{k}2 + v{k}3 + v{k}4" for k in range(1, 10))
    + "\nf5 ~ f1 + f2\nf6 ~ f2 + f3\nf7 ~ f5 + f4\nf8 ~ f5 + f6\nf9 ~ f7 + f8 + f1 + f6"
)


@pytest.mark.parametrize("case", REFERENCE)
def test_nine_constructs_and_twelve_paths_are_those_of_seminr(case):
    """The Python port of seminr 0.2.1, see packages/semfit/tests/reference/pls.py."""
    wanted = REFERENCE[case]
    modes = {f"f{k}": "B" if mode == "B" else "A" for k, mode in enumerate(wanted["modes"], 1)}
    fit = semfit.pls(
        NINE,
        pd.read_csv(HERE / "data" / "sim_twelve_paths.csv"),
        modes=modes,
        scheme=wanted["scheme"],
        consistent="C" in wanted["modes"],
    )
    for op, name in (("<~", "weights"), ("=~", "loadings")):
        for row in fit.estimates[fit.estimates["op"] == op].itertuples():
            assert row.est == pytest.approx(wanted[name][row.rhs][row.lhs], abs=1e-8)
    assert len(fit.paths) == 12
    for row in fit.paths.itertuples():
        assert row.est == pytest.approx(wanted["paths"][row.rhs][row.lhs], abs=1e-8)
    for kind, column in (("Rsq", "r2"), ("AdjRsq", "r2_adjusted")):
        assert fit.r2[column].to_dict() == pytest.approx(wanted["r2"][kind], abs=1e-8)
    for name, rho in fit.reliability["rho_A"].items():
        assert rho == pytest.approx(wanted["rho_A"][name]["rhoA"], abs=1e-8)


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
    monkeypatch.setattr("semfit.plsmodel.LIMIT", 2)
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
