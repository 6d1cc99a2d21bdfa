"""The crop-insurance experiment: against linearmodels and statsmodels on rows, a closed form, and first estimates."""

from __future__ import annotations

import io
import math
import runpy
import tarfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from socialcommerce import data, evidence, paper
from socialcommerce.errors import UnknownNameError
from socialcommerce.project import root
from socialcommerce.public_data import village
from tests.test_data import raw_files

MOMENTS = data.load("social_insure_moments")
SCRIPT = runpy.run_path(str(root() / "data" / "prepare" / "social_insure.py"))
VILLAGE, HOUSEHOLD = "administrative village", "administrative village and household"


def households(push: float, seed: int = 4) -> pd.DataFrame:
    """Rows like the experiment's: 40 natural villages in 10 administrative ones; ``push`` is the default's strength."""
    rng = np.random.default_rng(seed)
    size = rng.integers(3, 9, 40)
    place = np.repeat(np.arange(40), size)
    default = rng.permutation([0, 1] * 20)
    spirit = rng.normal(0, 0.1, 40)
    peers = 0.4 + push * default + spirit
    trait = rng.normal(0, 1, (len(place), 8))
    chance = 0.1 + 0.8 * peers[place] + spirit[place] + 0.05 * trait[:, 0]
    frame = pd.DataFrame(trait, columns=SCRIPT["HOUSEHOLD"]).assign(
        address=[f"n{i}" for i in place],
        village=[f"v{i // 4}" for i in place],
        z=default[place],
        x=peers[place],
        y=(rng.random(len(place)) < chance).astype(int),
    )
    return frame.assign(literacy=frame["literacy"].where(rng.random(len(place)) > 0.05))


def design(rows: pd.DataFrame, adjusted: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that stay, and their controls with a constant."""
    rows = rows.dropna(subset=SCRIPT["HOUSEHOLD"]) if adjusted == HOUSEHOLD else rows
    parts = [pd.DataFrame({"one": 1.0}, index=rows.index)]
    parts += [pd.get_dummies(rows["village"], drop_first=True, dtype=float)] * (adjusted != "nothing")
    parts += [rows[SCRIPT["HOUSEHOLD"]]] * (adjusted == HOUSEHOLD)
    return rows, pd.concat(parts, axis=1)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame([SCRIPT["moments"](rows, adjusted) for adjusted in SCRIPT["ADJUSTED"]])


def compare(moments: pd.DataFrame, rows: pd.DataFrame, adjusted: str, rel: float) -> None:
    """Estimates and clustered errors of linearmodels on the rows, with its correction for few clusters."""

    from linearmodels.iv import IV2SLS

    kept, controls = design(rows, adjusted)
    how = {"cov_type": "clustered", "clusters": pd.factorize(kept["address"])[0], "debiased": True}
    fit = IV2SLS(kept["y"], controls, kept["x"], kept["z"]).fit(**how)
    reduced = IV2SLS(kept["y"], controls.assign(z=kept["z"]), None, None).fit(**how)
    ours = village.peers(moments, adjusted), village.pushed(moments, adjusted)
    theirs = (fit.params["x"], fit.std_errors["x"]), (reduced.params["z"], reduced.std_errors["z"])
    for effect, known in zip(ours, theirs, strict=True):
        assert (effect.estimate, effect.standard_error) == pytest.approx(known, rel=rel)
        assert (effect.n, effect.df) == (len(kept), kept["address"].nunique() - 1)
    assert village.strength(moments, adjusted) == pytest.approx(fit.first_stage.diagnostics.at["x", "f.stat"], rel=rel)


@pytest.mark.parametrize("adjusted", SCRIPT["ADJUSTED"])
def test_moments_carry_two_stage_least_squares(adjusted):
    rows = households(0.2)
    compare(table(rows), rows, adjusted, 1e-9)


@pytest.mark.parametrize("adjusted", SCRIPT["ADJUSTED"])
def test_the_committed_moments_carry_it_for_the_experiment_s_rows(adjusted):
    compare(MOMENTS, SCRIPT["rows"](*raw_files("social_insure")), adjusted, 1e-7)


def test_the_committed_moments_are_those_of_the_rows_they_name_with_their_hash():
    assert data.source("social_insure").sha256 in data.source("social_insure_moments").locator
    again = SCRIPT["build"](*raw_files("social_insure"))
    pd.testing.assert_frame_equal(again, MOMENTS, rtol=0, atol=2e-9, check_dtype=False)


def test_rows_are_read_from_within_the_archive(tmp_path):
    rows, back = households(0.2), {new: old for old, new in SCRIPT["NAMES"].items()}
    text = rows.rename(columns=back).to_csv(index=False).encode()
    member = tarfile.TarInfo(SCRIPT["MEMBER"])
    member.size = len(text)
    with tarfile.open(tmp_path / "package.tar.gz", "w:gz") as archive:
        archive.addfile(member, io.BytesIO(text))
    pd.testing.assert_frame_equal(SCRIPT["build"](tmp_path / "package.tar.gz"), table(rows))
    assert list(table(rows).columns) == [column.name for column in data.source("social_insure_moments").columns]


def test_without_controls_the_effect_is_wald_s_ratio_of_differences():
    rows = households(0.2)
    mean = rows.groupby("z")[["y", "x"]].mean()
    y, x = mean.loc[1] - mean.loc[0]
    moments = table(rows)
    found = [what(moments, "nothing").estimate for what in (village.peers, village.pushed, village.first_stage)]
    assert found == pytest.approx([y / x, y, x], rel=1e-12)


def test_figures_as_first_seen():
    """They took Student's t with as many degrees of freedom as households less coefficients; ours are fewer."""
    effect, reduced = village.peers(MOMENTS), village.pushed(MOMENTS)
    rest = 1378 - 53
    assert [round(v, 2) for v in (effect.estimate, *replace(effect, df=rest).interval())] == [0.79, 0.26, 1.33]
    assert [round(v, 3) for v in (reduced.estimate, *replace(reduced, df=rest).interval())] == [0.093, 0.034, 0.152]
    assert round(village.strength(MOMENTS), 1) == 11.7


# --- the Anderson-Rubin set -------------------------------------------------------------------------------------------


def rejection(rows: pd.DataFrame, adjusted: str, effect: float) -> float:
    """The p value of the instrument in a regression of y - effect x on it and the controls, by statsmodels."""

    from statsmodels.regression.linear_model import OLS

    kept, controls = design(rows, adjusted)
    groups = pd.factorize(kept["address"])[0]
    fit = OLS(kept["y"] - effect * kept["x"], controls.assign(z=kept["z"])).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    return float(fit.pvalues["z"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("push", "adjusted", "seed", "shape"),
    [
        (0.2, VILLAGE, 4, "interval"),
        (0.2, HOUSEHOLD, 3, "interval"),
        (0.0, VILLAGE, 5, "line"),
        (0.03, HOUSEHOLD, 4, "rays"),
    ],
)
def test_the_set_holds_what_a_regression_does_not_reject(push, adjusted, seed, shape):
    rows = households(push, seed)
    found = village.anderson_rubin(table(rows), adjusted)
    finite = [end for span in found for end in span if math.isfinite(end)]
    assert (len(found), len(finite)) == {"interval": (1, 2), "line": (1, 0), "rays": (2, 2)}[shape]
    assert [rejection(rows, adjusted, end) for end in finite] == pytest.approx([0.05] * len(finite), rel=1e-6)
    for effect in np.linspace(-20, 20, 21):
        assert any(low <= effect <= high for low, high in found) == (rejection(rows, adjusted, effect) >= 0.05)


def test_the_experiment_s_set_lies_above_zero_and_reaches_further_up():
    ((low, high),) = village.anderson_rubin(MOMENTS)
    assert 0 < village.peers(MOMENTS).interval()[0] < low < village.peers(MOMENTS).interval()[1] < high
    ((wider, _),) = village.anderson_rubin(MOMENTS, level=0.99)
    assert 0 < wider < low


# --- the verdict ------------------------------------------------------------------------------------------------------


def test_the_verdict_holds_under_each_set_of_controls():
    verdict, least = evidence.assess("H26"), paper.load_rules().smallest_effects["takeup"].value
    assert (verdict.outcome, verdict.result.n) == ("consistent (proxy)", 1378)
    for adjusted in SCRIPT["ADJUSTED"]:
        effect = village.peers(MOMENTS, adjusted)
        assert effect.interval()[0] > 0
        assert effect.estimate >= least


def test_the_summary_has_both_effects_under_each_set_of_controls():
    frame = village.summary(MOMENTS)
    assert frame["adjusted"].unique().tolist() == list(village.ADJUSTED)
    assert frame.loc[4:, ["low", "high"]].round(2).to_numpy().tolist() == [[0.25, 1.33], [0.03, 0.15]]
    assert frame["set"].notna().tolist() == [True, False] * 3


def test_unknown_controls_are_named():
    with pytest.raises(UnknownNameError, match="unknown adjusted 'villages'; .*administrative village"):
        village.peers(MOMENTS, "villages")
