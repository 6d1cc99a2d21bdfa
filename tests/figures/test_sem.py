"""Figures of fitted models: what they draw is what the fit says, nothing stands on anything else, in both languages."""

from __future__ import annotations

import itertools
import json
import warnings

import numpy as np
import pandas as pd
import pytest

import semfit
from nbproof import Catalogue, translated
from socialcommerce import data
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.figures import sem as draw
from socialcommerce.figures import style
from socialcommerce.figures.sem_layout import arrange
from socialcommerce.project import root
from tests.palette import check_palette

HS = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
DEMOCRACY = """
    ind60 =~ x1 + x2 + x3
    dem60 =~ y1 + y2 + y3 + y4
    dem65 =~ y5 + y6 + y7 + y8
    dem60 ~ ind60
    dem65 ~ ind60 + dem60
    y1 ~~ y5
    y2 ~~ y4 + y6
    y3 ~~ y7
    y4 ~~ y8
    y6 ~~ y8
"""
CONSTRUCTS = ("PAR", "INT", "HED", "CON", "URG")
HANOI = "\n".join(f"{c} =~ {c}1 + {c}2 + {c}3" for c in CONSTRUCTS) + "\nURG ~ PAR + INT + HED + CON"


def rows_of(name: str) -> pd.DataFrame:
    return pd.read_csv(root() / "packages" / "semfit" / "tests" / "reference" / "data" / f"{name}.csv")


@pytest.fixture(scope="module")
def fits():
    table = data.load("hanoi_moments").query("sample == 'all'").set_index("item")
    return {
        "hanoi": semfit.fit(HANOI, moments=semfit.Moments(table[table.index], table["mean"], 272)),
        "hs": semfit.fit(HS, rows_of("holzinger_swineford")),
        "second": semfit.fit(HS + "\ng =~ visual + textual + speed", rows_of("holzinger_swineford")),
        "democracy": semfit.fit(DEMOCRACY, rows_of("political_democracy")),
        "paths": semfit.fit("m ~ a*z1 + z2\ny ~ b*m + z1\nab := a*b", rows_of("sim_paths"), bootstrap=200, seed=1),
    }


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("plot", "name"), [
    *((draw.plot_paths, name) for name in ("hanoi", "hs", "second", "democracy", "paths")),
    (draw.plot_loadings, "hanoi"), (draw.plot_residuals, "democracy"), (draw.plot_bootstrap, "paths"),
])
def test_figures_keep_the_palette_and_have_every_glyph(fits, plot, name, language):
    what = (fits[name].draws, "ab") if plot is draw.plot_bootstrap else (fits[name],)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = style.draw(plot, *what, language=language)
    assert check_palette(svg) == []
    assert len(svg) < 80_000


@pytest.fixture
def axes():
    from matplotlib import pyplot as plt

    with style.house("en"):
        yield lambda plot, *results, **options: plot(*results, ax=plt.subplots()[1], **options)
        plt.close("all")


def written(ax) -> list[str]:
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.texts]


def between(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["op"].isin(["=~", "~"]) | ((rows["op"] == "~~") & (rows["lhs"] != rows["rhs"]))]


MODELS = json.loads((root() / "packages" / "semfit" / "tests" / "reference" / "models.json").read_text())


@pytest.mark.parametrize("name", ["democracy", "cfa_9x4", "sem_12_paths", "mediation", "mimic", "non_recursive",
                                  "second_order", "bifactor", "growth", "latent_and_observed", "path_chain"])
def test_no_variable_stands_on_another(name):
    fit = semfit.fit(MODELS[name]["model"], rows_of(MODELS[name]["data"]))
    nodes = arrange(between(fit.estimates)).nodes
    assert set(fit.sample.names) <= set(nodes)
    for a, b in itertools.combinations(nodes.values(), 2):
        apart = np.abs([a.x - b.x, a.y - b.y]) - (np.array(a.size) + b.size) / 2
        assert apart.max() > 0.03, (a.name, b.name)


def test_causes_stand_left_of_effects_and_items_look_outward(fits):
    nodes = arrange(between(fits["democracy"].estimates)).nodes
    assert nodes["x1"].x < nodes["ind60"].x < nodes["dem60"].x < nodes["dem65"].x < nodes["y5"].x
    assert nodes["y1"].y > nodes["dem60"].y
    assert arrange(between(fits["second"].estimates)).nodes["g"].x < nodes["dem60"].x


def test_loop_between_variables_is_laid_out():
    rows = pd.DataFrame([("y", "~", "x"), ("y", "~", "z"), ("x", "~", "y"), ("x", "~", "w")],
                        columns=["lhs", "op", "rhs"])
    nodes = arrange(rows).nodes
    assert nodes["x"].x == nodes["y"].x > nodes["z"].x == nodes["w"].x


@pytest.mark.parametrize("standardized", [True, False])
def test_path_diagram_writes_every_estimate(axes, fits, standardized):
    fit = fits["hanoi"]
    ax = axes(draw.plot_paths, fit, standardized=standardized, names={"URG": "urge"})
    rows = between(fit.estimates)
    wanted = [f"{v:.2f}" for v in rows["std_all" if standardized else "est"]]
    texts = written(ax)
    assert sorted(t for t in texts if t in set(wanted)) == sorted(wanted)
    assert {"urge", f"$R^2$ {fit.r2['URG']:.2f}"} <= set(texts)
    assert "URG" not in texts
    dashed = [p for p in ax.patches if type(p).__name__ == "FancyArrowPatch" and p.get_linestyle() != "-"]
    assert len(dashed) == ((rows["ci_low"] < 0) & (rows["ci_high"] > 0)).sum() == 1


def test_path_fixed_at_zero_is_not_drawn(axes):
    fit = semfit.fit("m ~ z1 + 0*z2\ny ~ m", rows_of("sim_paths"))
    arrows = [p for p in axes(draw.plot_paths, fit).patches if type(p).__name__ == "FancyArrowPatch"]
    assert len(arrows) == 3  # two paths and the covariance of the causes


def test_loadings_are_drawn_with_their_intervals(axes, fits):
    ax = axes(draw.plot_loadings, fits["hs"])
    rows = fits["hs"].standardized.query("op == '=~'")
    drawn = np.concatenate([line.get_xdata() for line in ax.lines])
    for column in ("std_all", "ci_low", "ci_high"):
        assert np.abs(drawn[:, None] - rows[column].to_numpy()).min(0).max() < 1e-12
    assert [t.get_text() for t in ax.get_yticklabels()] == list(rows["rhs"])


def test_residual_correlations_are_written_where_they_belong(axes, fits):
    fit = fits["hs"]
    ax = axes(draw.plot_residuals, fit)
    cor = fit.residuals.query("op == '~~' and lhs != rhs").set_index(["lhs", "rhs"])["cor"]
    names = fit.sample.names
    for text in ax.texts:
        column, row = (round(v) for v in text.get_position())
        assert float(text.get_text().replace("\N{MINUS SIGN}", "-")) == pytest.approx(cor[names[row], names[column]],
                                                                                     abs=0.00501)
    assert len(ax.texts) == 36


def test_bootstrap_shows_all_draws_estimate_and_ends(axes, fits):
    draws = fits["paths"].draws
    ax = axes(draw.plot_bootstrap, draws, "ab", kinds=("percentile", "bca"))
    assert sum(bar.get_height() for bar in ax.patches) == len(draws.draws)
    for kind, line in zip(("percentile", "bca"), ax.lines[2:], strict=True):
        row = draws.intervals(kind).query("lhs == 'ab'").iloc[0]
        assert list(line.get_xdata()) == [row["ci_low"], row["ci_high"]]
    assert axes(draw.plot_bootstrap, draws, "y~m").lines[0].get_xdata()[0] == pytest.approx(
        fits["paths"].estimates.query("label == 'b'")["est"].iloc[0])


def test_misuse_is_named(fits):
    with pytest.raises(UnknownNameError, match="unknown parameter 'abc'; did you mean 'ab'"):
        draw.plot_bootstrap(fits["paths"].draws, "abc")
    with pytest.raises(ParameterError, match="group is a number from 1 to 1; got 2"):
        draw.plot_paths(fits["hs"], group=2)
    unidentified = semfit.fit("f =~ x1 + x2", rows_of("holzinger_swineford"))
    with pytest.raises(ParameterError, match="has no solution to draw: The model is NOT identified"):
        draw.plot_paths(unidentified)


def test_a_path_diagram_without_items_says_where_its_answers_are_from():
    from matplotlib import pyplot as plt

    rng = np.random.default_rng(1)
    f = rng.standard_normal(400)
    factors = {"f": f, "g": 0.5 * f + rng.standard_normal(400)}
    rows = pd.DataFrame({f"{name}{k}": values + rng.standard_normal(400) for name, values in factors.items()
                         for k in (1, 2, 3)})
    fit = semfit.fit("f =~ f1 + f2 + f3\ng =~ g1 + g2 + g3\ng ~ f", rows)
    with style.house("en"):
        ax = draw.plot_paths(fit, items=False, synthetic=True, names={"f": "Data security"})
        texts = written(ax)
        chinese = Catalogue("zh")
        chinese["Data security"] = "数据安全保障措施"
        translated(ax.figure, chinese, [], language="zh")
        plt.close("all")
    assert any("synthetic sample" in text for text in texts)
    assert "Data\nsecurity" in texts
    assert "数据安全\n保障措施" in written(ax)  # broken anew, as a longer name may be shorter in another language
    assert not any(text.startswith("f1") for text in texts)
