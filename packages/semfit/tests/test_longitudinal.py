"""The ladder across waves: lavaan's numbers on semTools' models, partial invariance, known changes of means."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import parity
import pytest

import semfit
from semfit import ParameterError, UnknownNameError, wave_model
from semfit.ladders import ORDINAL_WAVE_LADDER, WAVE_LADDER

REFERENCE = json.loads((parity.HERE / "waves.json").read_text(encoding="utf-8"))
TWO = "dem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8\n" + "\n".join(f"y{k} ~~ y{k + 4}" for k in range(1, 5))
PAIRS = ("12", "13", "23")
THREE = "\n".join(f"t{w} =~ " + " + ".join(f"o{w}{k}" for k in range(1, 5)) for w in range(1, 4))
THREE += "".join(f"\no{one}{k} ~~ o{other}{k}" for one, other in PAIRS for k in range(1, 5))
CASES = {
    "ML": (TWO, {"dem": ["dem60", "dem65"]}, "political_democracy.csv", {"estimator": "ML"}),
    "MLR": (TWO, {"dem": ["dem60", "dem65"]}, "political_democracy.csv", {"estimator": "MLR"}),
    "three": (THREE, {"t": ["t1", "t2", "t3"]}, "sim_ordinal12.csv", {"estimator": "MLR"}),
    "WLSMV": (THREE, {"t": ["t1", "t2", "t3"]}, "sim_ordinal12.csv", {"estimator": "WLSMV", "ordered": True}),
}


def fitted(case: str) -> semfit.Invariance:
    model, waves, file, options = CASES[case]
    data = pd.read_csv(parity.HERE / "data" / file)
    if case == "WLSMV":
        categories = data.nunique().to_dict()
        levels = {level: wave_model(model, waves, level, categories=categories) for level in ORDINAL_WAVE_LADDER}
    else:
        levels, options = {level: wave_model(model, waves, level) for level in WAVE_LADDER}, {**options}
        options["mean_structure"] = True
    return semfit.Invariance({level: semfit.fit(text, data, **options) for level, text in levels.items()})


@pytest.mark.parametrize("case", list(CASES))
def test_every_level_step_and_change_is_lavaans(case):
    ladder, theirs = fitted(case), REFERENCE[case]
    index = {"ML": "", "WLSMV": ".scaled"}.get(case, ".robust")
    test = "" if case == "ML" else ".scaled"
    for level, row in ladder.table.iterrows():
        fit = theirs["fit"][level]
        own = {key: fit[key + test] for key in ("chisq", "df", "pvalue")}
        own |= {key: fit[key + index] for key in ("cfi", "rmsea")} | {"srmr": fit["srmr"]}
        assert row[list(own)].astype(float).to_dict() == pytest.approx(own, rel=2e-5, abs=2e-6), level
    steps = ladder.table.iloc[1:][["d_chisq", "d_df", "d_pvalue"]].astype(float)
    assert steps.to_numpy() == pytest.approx(np.array(theirs["tests"]), rel=1e-4, abs=1e-5)
    defined = ladder.fits["intercepts" if case == "WLSMV" else "scalar"].estimates.query("op == ':='").set_index("lhs")
    since_first = [name for name in defined.index if "_1_" in name]
    assert len(since_first) == len(theirs["means"]["est"])
    means = np.array([theirs["means"]["est"], theirs["means"]["se"]])
    changes = defined.loc[since_first, ["est", "se"]].to_numpy().T
    assert changes == pytest.approx(means, abs=1e-5)


def test_items_that_are_let_go_are_each_waves_own_and_the_score_test_names_the_item_that_was_moved():
    model, waves, file, options = CASES["MLR"]
    data, theirs = pd.read_csv(parity.HERE / "data" / file), REFERENCE["partial"]
    text = wave_model(model, waves, "scalar", freed=[("metric", "y1"), ("scalar", "y2")])
    assert text.startswith("dem60 =~ y2 + load_dem_3*y3 + load_dem_4*y4 + y1")
    fit = semfit.fit(text, data, **options)
    change = fit.estimates.query("op == ':='").iloc[0]
    ours = {"chisq": fit.test.chisq, "df": fit.test.df, "est": change["est"], "se": change["se"]}
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=1e-5)
    model, waves, file, options = CASES["three"]
    moved = pd.read_csv(parity.HERE / "data" / file).eval("o23 = o23 + 0.2")
    scalar = semfit.fit(wave_model(model, waves, "scalar"), moved, **options)
    first = semfit.Invariance({"scalar": scalar}).partial("scalar").iloc[0]
    assert (first["lhs"], first["op"]) == ("o23", "~1")


def test_the_change_of_means_that_was_put_in_is_in_as_many_intervals_as_it_should_be():
    rng, inside, draws = np.random.default_rng(7), 0, 200
    loads, starts, change = np.array([0.8, 0.7, 0.9]), np.array([3.0, 2.5, 3.2]), 0.5
    model, waves = "f =~ a1 + b1 + c1\ng =~ a2 + b2 + c2\na1 ~~ a2\nb1 ~~ b2\nc1 ~~ c2", {"f": ["f", "g"]}
    text, estimates = wave_model(model, waves, "scalar"), []
    for _ in range(draws):
        latent = rng.multivariate_normal([0.0, 2 * change], [[4.0, 2.5], [2.5, 5.0]], 300)  # first wave's SD is 2
        stable = 0.6 * rng.standard_normal((300, 3))
        parts = [latent[:, [w]] * loads + starts + stable + rng.standard_normal((300, 3)) for w in (0, 1)]
        data = pd.DataFrame(np.hstack(parts), columns=["a1", "b1", "c1", "a2", "b2", "c2"])
        row = semfit.fit(text, data).estimates.query("op == ':='").iloc[0]
        inside += row["ci_low"] < change < row["ci_high"]
        estimates.append(row["est"])
    assert np.mean(estimates) == pytest.approx(change, abs=4 * np.std(estimates) / np.sqrt(draws))
    assert 0.95 * draws - 3 * np.sqrt(0.0475 * draws) < inside < 0.95 * draws + 3 * np.sqrt(0.0475 * draws)


def test_what_cannot_be_is_refused():
    model, waves, *_ = CASES["ML"]
    with pytest.raises(UnknownNameError, match="scalr"):
        wave_model(model, waves, "scalr")
    with pytest.raises(ParameterError, match="waves dem: dem60 with 4, dem70 with 0 items; two constructs or more"):
        wave_model(model, {"dem": ["dem60", "dem70"]}, "metric")
    few = dict.fromkeys((f"y{k}" for k in range(1, 9)), 2)
    with pytest.raises(ParameterError, match="y1 has 2, y5 has 2 categories; as many in every wave, three or more"):
        wave_model(model, waves, "thresholds", categories=few)
    for text in ("dem60=~y1+y2+y3+y4", "dem60 =~ y1 + y2 +\ny3 + y4", "dem60 =~ NA*y1 + y2 + y3 + y4"):
        with pytest.raises(ParameterError, match=r"waves dem: the model needs a line 'dem60 =~ y1 \+ y2 \+ y3 \+ y4'"):
            wave_model(model.replace("dem60 =~ y1 + y2 + y3 + y4", text), waves, "metric")
    indented = "  " + model.replace("\n", "\n  ")
    assert wave_model(indented, waves, "strict") == wave_model(model, waves, "strict")
    for freed, said in ((("metrik", "y1"), "metrik"), (("metric", "y5"), "unknown item of a first wave 'y5'")):
        with pytest.raises(UnknownNameError, match=said):
            wave_model(model, waves, "scalar", freed=[freed])
