"""Every estimate from public rows again, by pandas and statsmodels alone, apart from the library's code."""

from __future__ import annotations

import runpy
import zipfile
from itertools import product
from math import comb, sqrt

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from socialcommerce import data
from socialcommerce.evidence.public_data import EFFECTS
from socialcommerce.project import root
from socialcommerce.public_data import records
from tests.test_data import raw_files

ELSEWHERE = {  # and where the others are recomputed
    "H14": "tests/test_public_data.py",
    "H16": "tests/test_public_data.py",
    "H25": "tests/test_public_data.py",
    "H26": "tests/test_village.py",
    "H28": "tests/test_public_data.py",
}
HERE = {"H18", "H19", "H20", "H21", "H22", "H70", "H71", "H72"}


def test_no_estimate_is_left_out():
    assert {*ELSEWHERE, *HERE} == {*EFFECTS}
    for name in set(ELSEWHERE.values()):
        assert "statsmodels" in (root() / name).read_text(encoding="utf-8")


def near(effect, estimate, error):
    assert (effect.estimate, effect.standard_error) == pytest.approx((estimate, error), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "outcome", "unit"), [("H19", "visit", 100), ("H20", "conversion", 100), ("H21", "spend", 1)]
)
def test_matching_by_a_regression_with_interaction(name, outcome, unit):
    rows = pd.read_csv(*raw_files("hillstrom")).query("mens + womens == 1 and segment != 'No E-Mail'")
    rows = rows.assign(arm=(rows["segment"] == "Mens E-Mail").astype(int), y=unit * rows[outcome])
    fit = smf.ols("y ~ arm * mens", rows).fit(cov_type="HC2")
    near(EFFECTS[name](), fit.params["arm:mens"] / 2, fit.bse["arm:mens"] / 2)


def test_a_message_and_the_matched_policy_by_regressions():
    rows = pd.read_csv(*raw_files("hillstrom")).assign(y=lambda d: 100 * d["conversion"])
    fit = smf.ols("y ~ mail", rows.assign(mail=(rows["segment"] != "No E-Mail").astype(int))).fit(cov_type="HC2")
    near(EFFECTS["H18"](), fit.params["mail"], fit.bse["mail"])
    one = rows.query("mens + womens == 1")
    women = one.query("womens == 1 and segment != 'No E-Mail'")
    fit = smf.ols("y ~ own", women.assign(own=(women["segment"] == "Womens E-Mail").astype(int))).fit(cov_type="HC2")
    near(EFFECTS["H22"](), one["womens"].mean() * fit.params["own"], one["womens"].mean() * fit.bse["own"])


def test_a_message_by_bracket_of_past_spending():
    rows = pd.read_csv(*raw_files("hillstrom")).assign(y=lambda d: 100 * d["conversion"])
    rows["mail"] = (rows["segment"] != "No E-Mail").astype(int)
    found = records.message_by_history(data.load("hillstrom_cells")).set_index("history")
    for bracket, part in rows.groupby("history_segment"):
        fit, row = smf.ols("y ~ mail", part).fit(cov_type="HC2"), found.loc[bracket.split(") ")[1]]
        assert row[["estimate", "standard_error"]].tolist() == pytest.approx([fit.params["mail"], fit.bse["mail"]])


# --- randomised displays ----------------------------------------------------------------------------------------------


CELLS = data.load("bandit_cells")


def displays() -> pd.DataFrame:
    """One row a display, as the counts say."""
    parts = [
        pd.DataFrame(
            {
                "campaign": row.campaign,
                "adaptive": float(row.policy == "adaptive"),
                "click": np.r_[np.full(row.clicks, 100.0), np.zeros(row.displays - row.clicks)],
            }
        )
        for row in CELLS.itertuples()
    ]
    return pd.concat(parts, ignore_index=True)


def test_adaptive_displays_by_a_regression_with_a_level_for_each_campaign():
    """Equal numbers in all cells: the common slope is the mean of the campaigns' differences."""
    fits = [smf.ols("click ~ adaptive", part).fit(cov_type="HC2") for _, part in displays().groupby("campaign")]
    error = sqrt(sum(fit.bse["adaptive"] ** 2 for fit in fits)) / 3
    near(EFFECTS["H70"](), np.mean([fit.params["adaptive"] for fit in fits]), error)
    assert smf.ols("click ~ adaptive + campaign", displays()).fit().params["adaptive"] == pytest.approx(0.09)


def test_the_exact_test_is_the_count_of_all_ways_to_draw():
    small = pd.DataFrame(
        {
            "campaign": list("aabb"),
            "policy": ["adaptive", "random"] * 2,
            "displays": [4, 5, 3, 3],
            "clicks": [3, 1, 2, 0],
        }
    )
    ways = {(i, j): comb(4, i) * comb(5, 4 - i) * comb(2, j) * comb(4, 3 - j) for i, j in product(range(5), range(3))}
    middle = 4 * 4 / 9 + 2 * 3 / 6
    extreme = sum(n for (i, j), n in ways.items() if abs(i + j - middle) >= abs(5 - middle) - 1e-9)
    assert records.randomised(small) == pytest.approx(extreme / sum(ways.values()))


def test_the_exact_test_of_the_samples_is_near_shuffled_ones():
    rng, total = np.random.default_rng(4), CELLS.groupby("campaign")["clicks"].sum()
    drawn = sum(rng.hypergeometric(clicks, 20_000 - clicks, 10_000, 40_000) for clicks in total)
    found = CELLS.loc[CELLS["policy"] == "adaptive", "clicks"].sum()
    share = np.mean(np.abs(drawn - total.sum() / 2) >= abs(found - total.sum() / 2))
    assert records.randomised(CELLS) == pytest.approx(share, abs=0.008)


@pytest.mark.slow
def test_counts_of_displays_are_those_of_the_rows():
    (path,) = raw_files("open_bandit")
    assert data.source("open_bandit").sha256 in data.source("bandit_cells").locator
    again = runpy.run_path(str(root() / "data" / "prepare" / "bandit_cells.py"))["build"](path)
    pd.testing.assert_frame_equal(again, CELLS, rtol=1e-9, check_dtype=False)
    with zipfile.ZipFile(path) as wheel:
        men = pd.read_csv(wheel.open("obp/dataset/obd/bts/men/men.csv"))
    one = CELLS.set_index(["campaign", "policy"]).loc[("men", "adaptive")]
    assert (len(men), men["click"].sum()) == (one["displays"], one["clicks"])
    assert one["weighted_clicks"] == pytest.approx((men["click"] / 34 / men["propensity_score"]).sum(), abs=1e-5)


# --- TikTok Shop ------------------------------------------------------------------------------------------------------


def test_paths_of_tiktok_shop_are_those_of_their_table():
    table = data.load("tiktok_paths").set_index(["model", "estimator", "driver"])["estimate"]
    assert EFFECTS["H71"]().estimate == table["all drivers", "WLSMV", "TR"]
    assert EFFECTS["H72"]().estimate == table["presentation and others", "WLSMV", "PP"]
    alone = records.impulse_buying_effect(data.load("tiktok_paths"), "PP", model="presentation")
    assert alone.estimate > 2 * EFFECTS["H72"]().estimate


@pytest.mark.slow
def test_paths_of_tiktok_shop_are_those_fitted_to_its_rows():
    (path,) = raw_files("tiktok_shop")
    assert data.source("tiktok_shop").sha256 in data.source("tiktok_paths").locator
    again = runpy.run_path(str(root() / "data" / "prepare" / "tiktok_paths.py"))["build"](path)
    pd.testing.assert_frame_equal(again, data.load("tiktok_paths"), rtol=0, atol=2e-6, check_dtype=False)
    assert not pd.read_excel(path).duplicated().any()


def test_sums_of_items_tell_the_same_story_by_regression():
    """Standardised scores, least squares: smaller than latent paths, which are free of error, and alike in sign."""
    answers = pd.read_excel(*raw_files("tiktok_shop"))
    items = {"SC": 4, "SI": 5, "TR": 5, "HM": 3, "SL": 4, "PP": 4, "OIB": 3}
    scores = pd.DataFrame(
        {name: answers[[f"{name}{k}" for k in range(1, n + 1)]].mean(axis=1) for name, n in items.items()}
    )
    scores = (scores - scores.mean()) / scores.std()
    trust = smf.ols("OIB ~ TR + HM + SC + SI + SL + PP", scores).fit().params["TR"]
    beside = smf.ols("TR ~ PP + SI + SL", scores).fit().params["PP"]
    assert 0.1 < trust < EFFECTS["H71"]().estimate + 0.02
    assert 0 < beside < EFFECTS["H72"]().estimate + 0.03
