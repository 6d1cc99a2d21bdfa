"""The path diagram shows every estimate, names stand inside their shapes, and nothing covers anything else."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit

plt = pytest.importorskip("matplotlib.pyplot")

REFERENCE = Path(__file__).parent / "reference"
MODELS = json.loads((REFERENCE / "models.json").read_text())
CAUSES = {
    "trust": "quality disclosure security brand interaction",
    "satisfaction": "disclosure logistics service personalisation segmentation intrusiveness",
    "stickiness": "trust satisfaction emotion",
    "repurchase": "stickiness trust benefit",
    "sharing": "satisfaction trust",
}
NAMES = {
    "quality": "Product quality assurance",
    "personalisation": "Data-driven personalisation",
    "segmentation": "Perceived segmentation fit",
    "emotion": "Emotional identification",
    "repurchase": "Repurchase intention",
    "trust": "Trust",
}


def measured(constructs: dict[str, str]) -> str:
    """A model of paths between constructs with two items each."""
    every = dict.fromkeys(" ".join([*constructs, *constructs.values()]).split())
    loadings = [f"{name} =~ 0.8*{name[:9]}1 + 0.7*{name[:9]}2" for name in every]
    errors = [f"{name[:9]}{k} ~~ {e}*{name[:9]}{k}" for name in every for k, e in ((1, 0.36), (2, 0.51))]
    paths = [f"{y} ~ " + " + ".join(f"0.2*{x}" for x in xs.split()) for y, xs in constructs.items()]
    return "\n".join([*loadings, *errors, *paths])


def fitted(population: str) -> semfit.SemFit:
    return semfit.fit(population.replace("0.2*", "").replace("0.7*", ""), semfit.simulate(population, 400, seed=3))


def reference(name: str) -> semfit.SemFit:
    return semfit.fit(MODELS[name]["model"], pd.read_csv(REFERENCE / "data" / f"{MODELS[name]['data']}.csv"))


@pytest.fixture(scope="module")
def seventeen():
    return fitted(measured(CAUSES))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def corners(box: np.ndarray) -> np.ndarray:
    return np.array([(x, y) for x in box[:, 0] for y in box[:, 1]])


def inside(shape: tuple[bool, np.ndarray], points: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Whether points lie in an ellipse or a box, pixels; ``slack`` makes it larger."""
    round_, extent = shape
    off = np.abs(points - extent.mean(axis=0)) / (np.ptp(extent, axis=0) / 2 + slack)
    return (off**2).sum(-1) <= 1 if round_ else (off <= 1).all(-1)


def faults(ax) -> list[str]:
    """What stands on something else: names over their edges, numbers on anything, ways behind variables."""
    ax.figure.draw_without_rendering()
    dot = ax.figure.dpi / 72
    boxes = {text: text.get_window_extent().get_points() for text in ax.texts}
    names = [text for text in boxes if text.get_label()]
    arrows = [patch for patch in ax.patches if hasattr(patch, "get_arrowstyle")]
    shapes = [
        (type(patch).__name__ == "Ellipse", patch.get_window_extent().get_points())
        for patch in ax.patches
        if patch not in arrows
    ]
    ways = []
    for arrow in arrows:
        shaft = max(
            ax.transData.transform_path(arrow.get_path()).to_polygons(closed_only=False),
            key=lambda line: np.hypot(*np.ptp(line, axis=0)),
        )
        ways.append(np.vstack([np.linspace(a, b, 20) for a, b in itertools.pairwise(shaft)]))
    found = [
        f"{name.get_text()!r} leaves its shape"
        for name in names
        if not any(inside(shape, corners(boxes[name])).all() for shape in shapes)
    ]
    for one, other in itertools.combinations(boxes, 2):
        if (np.minimum(boxes[one][1], boxes[other][1]) - np.maximum(boxes[one][0], boxes[other][0]) > 0.5 * dot).all():
            found.append(f"{one.get_text()!r} stands on {other.get_text()!r}")
    for number in set(boxes) - set(names):
        low, high = boxes[number]
        middle = (low + high) / 2
        found += [
            f"{number.get_text()} stands on a variable"
            for shape in shapes
            if inside(shape, np.clip(shape[1].mean(axis=0), low, high)[None])[0]
        ]
        near = sorted(ways, key=lambda way, at=middle: np.hypot(*(way - at).T).min())
        found += [
            f"{number.get_text()} stands on another line"
            for way in near[1:]
            if ((way > low + dot) & (way < high - dot)).all(-1).any()
        ]
    for way in ways:
        others = [shape for shape in shapes if not inside(shape, way[[0, -1]], 4 * dot).any()]
        found += ["a line runs behind a variable" for shape in others if inside(shape, way, -dot).any()]
    return found


HANOI = {"buying": "trust quality price brand"}
MEMBERS = {
    "value": "coaching tools crowding",
    "belonging": "coaching crowding",
    "commitment": "value belonging",
    "renewal": "commitment value crowding",
}
SEVEN = {"trust": "quality logistics brand", "buying": "trust price", "sharing": "buying trust"}


@pytest.mark.parametrize("items", [True, False])
def test_nothing_covers_anything_in_a_model_of_two(items):
    ax = fitted(measured({"buying": "trust"})).plot(items=items)
    assert faults(ax) == []
    assert {text.get_fontsize() for text in ax.texts} == {7.0}
    assert ax.figure.get_figwidth() == pytest.approx(6.3)


@pytest.mark.parametrize("paths", [SEVEN, MEMBERS])
def test_nothing_covers_anything_in_a_model_of_seven(paths):
    assert faults(fitted(measured(paths)).plot(items=False)) == []


def test_nothing_covers_anything_in_a_model_of_seventeen(seventeen):
    ax = seventeen.plot(items=False, names=NAMES)
    assert faults(ax) == []
    assert "Perceived\nsegmentation fit" in [text.get_text() for text in ax.texts]
    width, height = ax.figure.get_size_inches()
    assert width < 6.6
    assert height < 7


def chain(n: int, mark: str = "c", **more: str) -> dict[str, str]:
    """Constructs of which each depends on the one before, and some on others too."""
    own = {f"{mark}{chr(97 + k)}": f"{mark}{chr(96 + k)} {more.get(mark + chr(97 + k), '')}" for k in range(1, n)}
    return {name: causes.strip() for name, causes in own.items()}


@pytest.mark.parametrize(
    ("paths", "tall"),
    [(chain(9), 3), (chain(20), 6), (chain(17, cq="cc", cj="ce", cm="cb"), 8), (chain(10) | chain(8, "d"), 6)],
)
def test_a_chain_too_long_for_the_page_is_laid_in_rows(paths, tall):
    """One row of twenty is 36 inches wide: fitted to a page, its text would be of 1.2 points."""
    ax = fitted(measured(paths)).plot(items=False, names=dict.fromkeys(["ca", "cd", "ch"], "Perceived part of quality"))
    assert faults(ax) == []
    width, height = ax.figure.get_size_inches()
    assert 7 * min(1, 6.3 / width) > 6  # points, where the figure is as wide as the text of a page
    assert height < tall


def test_items_stay_beside_their_variable_in_a_chain():
    at = {text.get_label(): np.array(text.get_position()) for text in fitted(measured(chain(9))).plot().texts}
    assert max(np.hypot(*(at[name + k] - at[name])) for name in chain(9) for k in "12") < 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "democracy",
        "sem_12_paths",
        "mediation",
        "mimic",
        "non_recursive",
        "second_order",
        "bifactor",
        "growth",
        "latent_and_observed",
        "path_chain",
    ],
)
def test_no_name_number_or_variable_is_covered(name):
    """Where many covariances are drawn, a number may have to stand across another's line."""
    fit = reference(name)
    ax = fit.plot()
    assert [fault for fault in faults(ax) if not fault.endswith("another line")] == []
    assert set(fit.sample.names) <= {text.get_label() for text in ax.texts}


@pytest.mark.parametrize("standardized", [True, False])
def test_every_estimate_is_written_and_what_is_not_significant_is_dashed(standardized):
    fit = fitted(measured(HANOI))
    ax = fit.plot(standardized=standardized, names={"buying": "Purchase"})
    frame = fit.standardized if standardized else fit.estimates
    rows = frame[frame["op"].isin(["=~", "~"]) | (frame["op"] == "~~") & (frame["lhs"] != frame["rhs"])]
    wanted = [f"{v:z.2f}".replace("-", "\N{MINUS SIGN}") for v in rows["std_all" if standardized else "est"]]
    assert sorted(text.get_text() for text in ax.texts if not text.get_label()) == sorted(wanted)
    assert f"Purchase\nR² {fit.r2['buying']:.2f}" in [text.get_text() for text in ax.texts]
    dashed = [p for p in ax.patches if hasattr(p, "get_arrowstyle") and p.get_linestyle() != "-"]
    assert len(dashed) == ((rows["ci_low"] < 0) & (rows["ci_high"] > 0)).sum() > 0
    assert ax.get_xlabel().startswith("standardised" if standardized else "estimates")


def test_causes_stand_left_of_effects_and_items_beside_their_variable():
    at = {text.get_label(): text.get_position()[0] for text in reference("democracy").plot().texts}
    assert at["x1"] < at["ind60"] < at["dem60"] < at["dem65"] < at["y5"]


def test_a_path_fixed_at_zero_is_not_drawn():
    rows = pd.read_csv(REFERENCE / "data" / "sim_paths.csv")
    ax = semfit.fit("m ~ z1 + 0*z2\ny ~ m", rows).plot()
    assert sum(hasattr(patch, "get_arrowstyle") for patch in ax.patches) == 3  # two paths, the causes' covariance


def test_what_is_left_out_is_not_drawn():
    ax = fitted(measured({"buying": "trust price"})).plot(items=False, without={"price"})
    assert {text.get_label() for text in ax.texts} - {""} == {"trust", "buying"}  # the number has no label
    assert sum(hasattr(patch, "get_arrowstyle") for patch in ax.patches) == 1


def test_a_name_written_anew_is_folded_anew():
    """As a longer name may be shorter in another language."""
    ax = fitted(measured({"buying": "trust"})).plot(items=False, names={"trust": "Confidence in sellers"})
    name = next(text for text in ax.texts if text.get_label().startswith("Conf"))
    assert name.get_text() == "Confidence\nin sellers"
    name.set_text("Trust")
    assert name.get_text() == "Trust"


def test_the_colours_are_those_of_the_style():
    with plt.rc_context(
        {"text.color": "#112233", "figure.facecolor": "#fefefe", "axes.prop_cycle": "cycler('color', ['#445566'])"}
    ):
        ax = fitted(measured({"buying": "trust"})).plot(items=False)
    (path,) = (patch for patch in ax.patches if hasattr(patch, "get_arrowstyle"))
    assert path.get_edgecolor() == pytest.approx((0x44 / 255, 0x55 / 255, 0x66 / 255, 1))
    assert ax.texts[0].get_color() == "#112233"


def test_misuse_is_named():
    rows = pd.read_csv(REFERENCE / "data" / "holzinger_swineford.csv")
    with pytest.raises(semfit.ParameterError, match="group is a whole number from 1 to 1; got 2"):
        semfit.fit("f =~ x1 + x2 + x3", rows).plot(group=2)
    with pytest.raises(semfit.ParameterError, match="has no solution to draw: The model is NOT identified"):
        semfit.fit("f =~ x1 + x2", rows).plot()
    with pytest.raises(semfit.ParameterError, match="items=False leaves nothing to draw"):
        semfit.fit("f =~ x1 + x2 + x3", rows).plot(items=False)


@pytest.mark.slow
def test_without_matplotlib_it_is_said_what_brings_it():
    code = (
        "import sys; sys.modules['matplotlib'] = None\nimport semfit\n"
        "data = semfit.simulate('y ~ 0.5*x; x ~~ 1*x; y ~~ 0.75*y', 50, seed=1)\n"
        "try:\n    semfit.fit('y ~ x', data).plot()\nexcept semfit.ParameterError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "semfit[plot] brings it" in done.stdout
