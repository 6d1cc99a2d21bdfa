"""PLS held to R: seminr, seminrExtras and cSEM on five models in nine ways, by the same folds, resamples, permutations.

What they found stands in reference/seminr.json, beside the script that asked them. R's chance is drawn again here.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chance_of_r import Chance

import semfit
from semfit import psychometrics
from semfit.plsfit import solutions

HERE = Path(__file__).parent / "reference"
CASES = json.loads((HERE / "seminr.json").read_text())["cases"]
COMPOSITES = [name for name in CASES if "C" not in CASES[name]["modes"]]
SEED, RESAMPLES, PERMUTATIONS = 1, 100, 100
SAME = {"rho_A": "rhoA", "rho_C": "rhoC", "ave": "AVE", "alpha": "alpha"}


def test_chance_is_that_of_r():
    """``set.seed(1); sample(10)`` and ``set.seed(1); sample(5, replace = TRUE)`` of R 4.2."""
    chance = Chance(1)
    assert (Chance(1).sample(10) + 1).tolist() == [9, 4, 7, 1, 2, 5, 3, 10, 6, 8]
    assert [chance.index(5) + 1 for _ in range(5)] == [1, 4, 1, 2, 5]


def read(name: str):
    """Return what R found, the data and our fit."""
    wanted = CASES[name]
    data = pd.read_csv(HERE / "data" / f"{wanted['data']}.csv")
    return wanted, data, fitted(wanted, data)


def fitted(wanted: dict, data: pd.DataFrame, *, without: tuple = ()) -> semfit.PlsFit:
    """Return our fit, without one path if asked for, and without constructs that then have none."""
    paths = {(b, a) for b, causes in wanted["causes"].items() for a in causes.split()} - {without}
    joined = [name for name in wanted["constructs"] if any(name in pair for pair in paths)]
    text = [f"{name} =~ {' + '.join(wanted['constructs'][name])}" for name in joined]
    text += [f"{b} ~ {a}" for b, causes in wanted["causes"].items() for a in causes.split() if (b, a) in paths]
    modes = dict(zip(wanted["constructs"], wanted["modes"].replace("C", "A"), strict=True))
    return semfit.pls(
        "\n".join(text), data, modes={name: modes[name] for name in joined}, scheme=wanted["scheme"],
        consistent="C" in wanted["modes"],
    )  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return read(request.param)


@pytest.fixture(scope="module", params=COMPOSITES)
def composites(request):
    return read(request.param)


def test_outer_and_inner_model_are_those_of_seminr(case):
    wanted, data, fit = case
    for op, name in (("<~", "weights"), ("=~", "loadings")):
        for row in fit.estimates[fit.estimates["op"] == op].itertuples():
            assert row.est == pytest.approx(wanted[name][row.rhs][row.lhs], abs=1e-8)
    assert len(fit.paths) == sum(len(causes.split()) for causes in wanted["causes"].values())
    for row in fit.paths.itertuples():
        assert row.est == pytest.approx(wanted["paths"][row.rhs][row.lhs], abs=1e-8)
    for kind, column in (("Rsq", "r2"), ("AdjRsq", "r2_adjusted")):
        assert fit.r2[column].to_dict() == pytest.approx(wanted["r2"][kind], abs=1e-8)
    for name, row in fit.reliability.iterrows():
        found = {SAME[measure]: value for measure, value in row.dropna().items()}
        assert found == pytest.approx({key: wanted["reliability"][name][key] for key in found}, abs=1e-8)
    ratios = psychometrics.htmt(data, wanted["constructs"], bootstrap=0).frame.query("measure == 'htmt'")
    for row in ratios.itertuples():
        above, pair = wanted["htmt"], (row.construct, row.other)
        same = next(above[a][b] for a, b in (pair, pair[::-1]) if b in above[a])
        assert row.reason or row.estimate == pytest.approx(same, abs=1e-8)


def test_f2_of_seminr_estimates_the_model_again_without_the_path(case):
    wanted, data, fit = case
    for row in fit.paths.itertuples():
        full, less = fit.r2.loc[row.lhs, "r2"], 0.0
        if len(fit.model.causes(row.lhs)) > 1:
            less = fitted(wanted, data, without=(row.lhs, row.rhs)).r2.loc[row.lhs, "r2"]
        assert (full - less) / (1 - full) == pytest.approx(wanted["f2"][row.rhs][row.lhs], abs=1e-8)


def folds(n: int) -> np.ndarray:
    """Return the fold of each row: sample(n) is parted by R's cut()."""
    out = np.empty((1, n), dtype=int)
    out[0, Chance(SEED).sample(n)] = np.maximum(np.ceil(np.arange(n) * 10 / (n - 1)), 1) - 1
    return out


def test_plspredict_is_that_of_seminr(case):
    wanted, data, fit = case
    for technique, errors in wanted["predict"].items():
        for row in semfit.pls_predict(fit, data, folds=folds(len(data)), technique=technique).items.itertuples():
            for kind, rmse, mae in (("pls", row.rmse, row.mae), ("lm", row.lm_rmse, row.lm_mae)):
                both = (errors[kind]["RMSE"][row.item], errors[kind]["MAE"][row.item])
                assert (rmse, mae) == pytest.approx(both, abs=1e-8)


def test_cvpat_is_that_of_seminrextras(composites):
    """Of constructs, and of all together where blocks are alike: seminrExtras gives constructs one weight, we items.
    Its mean is that of all rows, ours that of the training rows."""
    wanted, data, fit = composites
    found = semfit.pls_predict(fit, data, folds=folds(len(data)), technique="direct").cvpat
    alike = len({len(wanted["constructs"][name]) for name in fit.model.explained}) == 1
    for row in found.query("benchmark == 'lm'").itertuples():
        if row.construct or alike:
            theirs = [wanted["cvpat"][kind][row.construct or "Overall"] for kind in ("loss", "lm", "t")]
            assert (row.loss, row.loss_benchmark, -row.t) == pytest.approx(theirs, rel=1e-8)
    for name in fit.model.explained:
        mean = data[wanted["constructs"][name]].var(ddof=0).mean()
        assert mean == pytest.approx(wanted["cvpat"]["mean"][name], rel=1e-6)


def test_importance_and_performance_are_those_of_seminrextras(composites):
    """Of items with one standard deviation: seminrExtras weighs any items as if they were standardised."""
    wanted, data, fit = composites
    theirs, alike = wanted["ipma"], data[list(fit.model.items)]
    alike = alike / alike.std()
    ranges = dict.fromkeys(fit.model.items, (theirs["low"], theirs["high"]))
    found = fit.importance(alike, theirs["target"], ranges).set_index("construct")
    for column in ("total", "importance", "performance"):
        assert found[column].to_dict() == pytest.approx({k: theirs[column][k] for k in found.index}, abs=1e-8)


@pytest.mark.parametrize("name", [name for name in COMPOSITES if "bootstrap" in CASES[name]])
def test_bootstrap_is_that_of_seminr(name):
    """Errors and intervals; of a resample seminr stops where weights change by 1e-7 in all, whatever was asked for."""
    wanted, data, fit = read(name)
    X, n = data[list(fit.model.items)].to_numpy(), len(data)
    seeds = range(SEED + 1, SEED + 1 + RESAMPLES)
    counts = [np.bincount([chance.index(n) for _ in range(n)], minlength=n) for chance in map(Chance, seeds)]
    drawn = replace(fit, draws=solutions(fit, X - X.mean(0), np.array(counts) / n)[1])
    for kind, op in {"weights": "<~", "loadings": "=~", "paths": "~"}.items():
        for row in drawn.estimates.query(f"op == '{op}'").itertuples():
            theirs = wanted["bootstrap"][kind][f"{row.rhs}  ->  {row.lhs}"]
            assert (row.se, row.ci_low, row.ci_high) == pytest.approx(list(theirs.values())[1:], abs=1e-7)
    for row in drawn.effects.itertuples():
        theirs = wanted["bootstrap"]["total_paths"][f"{row.rhs}  ->  {row.lhs}"]
        assert (row.total_se, row.total_low, row.total_high) == pytest.approx(list(theirs.values())[1:], abs=1e-7)


def test_groups_are_those_of_csem_and_seminr(composites):
    """MICOM and Chin and Dibbern's test of paths by cSEM's permutations; p of cSEM is k / R, ours (k + 1) / (R + 1)."""
    wanted, data, fit = composites
    theirs, first = wanted["groups"], np.arange(len(data)) % 3 == 2
    data = pd.concat([data[first].assign(part="a"), data[~first].assign(part="b")], ignore_index=True)
    chance = Chance(SEED)  # cSEM draws on for step 3
    found, again = (semfit.pls_groups(fit, data, "part", permutations=PERMUTATIONS, seed=chance) for _ in range(2))

    def share(p: pd.Series) -> list[float]:
        return ((p * (PERMUTATIONS + 1) - 1) / PERMUTATIONS).tolist()

    names = found.composites["construct"]
    for ours, kind in ((found.composites["correlation"], "correlation"), (found.composites["bound"], "bound")):
        assert ours.tolist() == pytest.approx([theirs[kind][name] for name in names], abs=1e-8)
    assert share(found.composites["p"]) == pytest.approx([theirs["p"][name] for name in names])
    for kind in ("mean", "variance"):
        assert again.composites[kind].tolist() == pytest.approx(
            [theirs[kind]["difference"][n] for n in names], abs=1e-8
        )
        assert share(again.composites[f"{kind}_p"]) == pytest.approx([theirs[kind]["p"][name] for name in names])
    items = list(fit.model.items)  # testMGD deals out rows that were standardised within their groups
    within = data[items].groupby(data["part"]).transform(lambda x: (x - x.mean()) / x.std()).assign(part=data["part"])
    dealt = semfit.pls_groups(fit, within, "part", permutations=PERMUTATIONS, seed=Chance(SEED)).paths
    names = found.paths["lhs"] + " ~ " + found.paths["rhs"]
    assert share(dealt["difference_p"]) == pytest.approx([theirs["paths"]["p"][name] for name in names])
    apart = [theirs["paths"]["difference"][name] for name in names]
    assert found.paths["difference"].tolist() == pytest.approx(apart, abs=1e-8)
    mga = {(row["lhs"], row["rhs"]): (row["first"], row["second"]) for row in wanted["mga"]}
    for row in found.paths.itertuples():
        assert (row.first, row.second) == pytest.approx(mga[row.lhs, row.rhs], abs=1e-8)
