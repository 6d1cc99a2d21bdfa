"""Check the house colours against WCAG and models of colour vision, and a drawn figure against itself elsewhere."""

import hashlib
import io
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import nbproof
from nbproof import fonts
from socialcommerce.figures import colours, style, svg
from tests.palette import check_palette

PROJECT = Path(__file__).parents[2]
READ = {".py", ".md", ".toml", ".ipynb", ".csv", ".json", ".bib", ".txt", ".yml"}

# Machado, Oliveira and Fernandes (2009), table of matrices at severity 1.0, on linear RGB. doi:10.1109/TVCG.2009.113
VISION = {
    "full": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(  # of linear sRGB under D65 (IEC 61966-2-1)
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour):
    """Undo the transfer curve of sRGB (IEC 61966-2-1)."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Contrast ratio of WCAG 2.1."""
    light, dark = sorted((float(np.dot([0.2126, 0.7152, 0.0722], linear(c))) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def cielab(rgb):
    """CIE 1976 L*a*b* of linear RGB under D65."""
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_contrast_formula_knows_its_two_ends():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the grey WCAG's own tools call 4.48


def modes():
    light = {colour: colour for colour in colours.VARIABLES}
    return pytest.mark.parametrize("shown", [light, colours.DARK], ids=["light", "dark"])


@modes()
def test_text_and_graphics_stand_out_from_the_paper(shown):
    paper = shown[colours.PAPER]
    assert contrast(shown[colours.INK], paper) >= 7
    assert contrast(shown[colours.MUTED], paper) >= 4.5
    assert min(contrast(shown[colour], paper) for colour in colours.SERIES) >= 3


@modes()
@pytest.mark.parametrize("vision", VISION)
def test_series_keep_apart_in_every_colour_vision(shown, vision):
    seen = [cielab(VISION[vision] @ linear(shown[colour])) for colour in colours.SERIES]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= 20


@modes()
def test_series_keep_apart_in_grey_print(shown):
    lightness = sorted(cielab(linear(shown[colour]))[0] for colour in colours.SERIES)
    assert min(np.diff(lightness)) >= 7


def test_every_colour_has_one_dark_partner_and_one_name():
    palette = {colours.INK, colours.MUTED, colours.PAPER, colours.GRID, *colours.SERIES}
    assert len(palette) == 4 + len(colours.SERIES) == 10
    assert set(colours.DARK) == set(colours.VARIABLES) == palette
    assert len(set(colours.DARK.values())) == len(set(colours.VARIABLES.values())) == 10
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in [*palette, *colours.DARK.values()])
    assert all(f"{name}:{colours.DARK[colour]}" in colours.css(dark=True) for colour, name in colours.VARIABLES.items())


def plot_market(years, values, *, language, ax=None):
    """A figure such as the reports hold: bars, a line with a band, a legend, text in both weights."""
    from matplotlib import pyplot as plt

    words = {
        "en": ("Market size", "online retail", "forecast", "10⁸ yuan"),
        "zh": ("市场规模", "网络零售额", "预测", "亿元（10⁸ 元）"),
    }[language]
    ax = ax if ax is not None else plt.subplots()[1]
    ax.bar(years[:-1], values[:-1], label=words[1])
    ax.bar(years[-1:], values[-1:], alpha=0.5, hatch="///", label=words[2])
    ax.plot(years, values, "o-", color=colours.SERIES[1], label="−1.5 ≤ $R^2$")
    ax.fill_between(years, values * 0.9, values * 1.1, color=colours.SERIES[1], alpha=0.2, linewidth=0)
    ax.set(title=words[0], ylabel=words[3])
    ax.annotate("α", (years[0], values[0]), (years[1], values[-1]), arrowprops={"arrowstyle": "->"})
    ax.boxplot([values], positions=[years[-1] + 1])
    ax.legend()
    return ax


YEARS, VALUES = np.arange(2015, 2022), np.array([1000.0, 3608, 6835, 12624, 20674, 26160, 28000])


@pytest.fixture(scope="module")
def chinese():
    return style.draw(plot_market, YEARS, VALUES, language="zh")


def test_a_figure_is_one_small_plain_element(chinese):
    assert chinese.startswith("<svg ")
    assert not re.search(r"<\?|<!|<metadata|<style|<script|<text|rdf:|Matplotlib", chinese)
    assert re.search(r'width="453\.6pt" height="252pt" viewBox="0 0 453\.6 252"', chinese)
    assert len(chinese) < 40_000
    assert not re.search(r'd="[^"]*\.\d{3}', chinese)


def test_a_figure_has_only_house_colours(chinese):
    assert check_palette(chinese) == []
    assert colours.PAPER in chinese


def test_languages_draw_different_letters(chinese):
    assert chinese != style.draw(plot_market, YEARS, VALUES, language="en")


def test_unknown_language_names_the_nearest():
    with pytest.raises(nbproof.UnknownNameError, match="unknown language 'zhh'; did you mean 'zh'"):
        style.draw(plot_market, YEARS, VALUES, language="zhh")


def test_every_language_of_the_notebooks_has_a_font():
    from socialcommerce.notebook import Page

    assert len({fonts.family(language) for language in Page.known()}) == len(Page.known()) == 2


def test_drawing_leaves_settings_and_figures_as_they_were():
    import matplotlib
    from matplotlib import pyplot as plt

    mine, before, figures = plt.figure(), dict(matplotlib.rcParams), plt.get_fignums()
    style.draw(plot_market, YEARS, VALUES, language="en")
    with pytest.raises(ZeroDivisionError):
        style.draw(lambda language: plt.figure() and 1 / 0, language="en")
    assert plt.get_fignums() == figures  # those of other tests too
    assert dict(matplotlib.rcParams) == before
    plt.close(mine)


def words(text, **options):
    """Return a plot that draws a text and nothing else."""

    def plot_words(language):
        from matplotlib import pyplot as plt

        figure = plt.figure()
        figure.text(0.1, 0.5, text, **options)
        return figure

    return plot_words


def outlines(svg):
    """Return the outlines of letters, in the order they are first used."""
    return [e.get("d") for e in ElementTree.fromstring(svg).iter() if e.get("transform") == "scale(0.1)"]


def test_chinese_letters_are_letters_and_not_boxes():
    with pytest.warns(fonts.UncoveredWarning, match=r"no glyph for \ue000 \(U\+E000\)"):
        box = outlines(style.draw(words("\ue000"), language="zh"))
    drawn = outlines(style.draw(words("私域流量社交电商"), language="zh"))
    assert len(set(drawn)) == 8
    assert not set(box) & set(drawn)


def test_bold_is_a_weight_of_its_own():
    plain, bold = (outlines(style.draw(words("网方比", weight=w), language="zh")) for w in ("normal", "bold"))
    assert len({*plain, *bold}) == 6


def test_mathematics_and_signs_use_the_house_font():
    text, formula = (outlines(style.draw(words(t), language="en")) for t in ("R2−≤", "$R2$−≤"))
    assert set(formula) == set(text)


def heat(*, language):
    """Axes with a part that is no outline, a bar of colours laid out beside them, and a title."""
    from matplotlib import pyplot as plt

    axes = plt.subplots(layout="constrained")[1]
    plt.colorbar(axes.pcolormesh(np.arange(1200.0).reshape(30, 40), rasterized=True), ax=axes, label="share of answers")
    axes.set_title("Answers", loc="left")
    return axes


@pytest.mark.parametrize("fine", ["figure", 200])
def test_a_drawing_is_what_matplotlib_saves_and_may_be_drawn_again(fine):
    from matplotlib import pyplot as plt
    from matplotlib import rc_context

    def saved(hashed):
        out = io.StringIO()
        figure = heat(language="en").figure
        with rc_context(hashed):
            figure.savefig(out, format="svg", metadata={"Date": None})
        plt.close(figure)
        return out.getvalue()

    def rasters(draw, figure):
        """The head, with the size, of the part that is no outline in two drawings of one closed figure."""
        plt.close(figure)
        return {re.search("base64,.{33}", draw(lambda language: figure, language="en"), re.DOTALL)[0] for _ in range(2)}

    with style.house("en"):
        assert style.draw(heat, language="en") == (whole := svg.tidy(saved({})))
        (raster,) = rasters(style.draw, heat(language="en").figure)
        assert raster in whole
    with rc_context({"savefig.dpi": fine}):
        whole = saved({"svg.hashsalt": "nbproof"})
        assert nbproof.Page.draw(heat, language="en") == whole
        (raster,) = rasters(nbproof.Page.draw, heat(language="en").figure)
        assert raster in whole


def text_width(text, language):
    """Return how wide a line is drawn, in points."""
    from matplotlib import pyplot as plt

    with style.house(language):
        figure = plt.figure(dpi=72)
        width = figure.text(0, 0, text, size=100).get_window_extent(figure.canvas.get_renderer()).width
        plt.close(figure)
    return width


def test_english_figures_have_no_hole_after_an_apostrophe():
    """An em is 100 points here, the apostrophe 0.279 of one in Latin text."""
    assert text_width("shop’s", "en") - text_width("shops", "en") == pytest.approx(28, abs=1.5)
    assert text_width("shop’s", "zh") - text_width("shops", "zh") == pytest.approx(100, abs=1.5)
    assert text_width("shops", "en") == text_width("shops", "zh")


DRAW = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from test_style import YEARS, VALUES, plot_market
from socialcommerce.figures import style
for language in ("en", "zh"):
    print(hashlib.sha256(style.draw(plot_market, YEARS, VALUES, language=language).encode()).hexdigest())
"""


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_process(chinese, tmp_path):
    """Other time zone, locale, hash seed, working folder with a matplotlibrc, and JupyterLab's backend."""
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nxtick.major.size: 9\naxes.xmargin: 0.4\n")
    places = {
        str(PROJECT): {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0"},
        tmp_path: {
            "TZ": "Asia/Shanghai",
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "77",
            "LANGUAGE": "zh_CN",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": str(tmp_path / "config"),
        },
    }
    here = os.path.dirname(os.path.abspath(__file__))
    runs = [
        subprocess.run(
            [sys.executable, "-c", DRAW, here],
            env={**os.environ, "PYTHONPATH": str(PROJECT), **place},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        for folder, place in places.items()
    ]
    assert runs[0].stdout == runs[1].stdout
    assert hashlib.sha256(chinese.encode()).hexdigest() in runs[0].stdout


def test_importing_the_style_imports_no_matplotlib():
    code = (
        "import sys; from nbproof import fonts; from socialcommerce.figures import colours, style; "
        "fonts.uncovered('私'); colours.css(); "
        "print([m for m in ('matplotlib', 'fontTools', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name", ["notebooks", "data", "paper", "socialcommerce", "packages", "docs", "README.md", "README.zh-CN.md"]
)
def test_all_the_project_says_is_covered(name):
    top = PROJECT / name
    found = [top] if top.is_file() else sorted(top.rglob("*"))
    files = [p for p in found if p.suffix in READ and "fetched" not in p.parts]
    if not files:
        pytest.skip(f"{name} holds no text yet")
    missing = {str(p.relative_to(PROJECT)): fonts.uncovered(p.read_text(encoding="utf-8")) for p in files}
    assert {file: signs for file, signs in missing.items() if signs} == {}


@pytest.mark.slow
def test_the_repository_holds_no_font():
    kept = [p for p in PROJECT.rglob("*.[towT]*") if p.suffix.lower() in (".ttf", ".otf", ".woff", ".woff2", ".ttc")]
    assert [p for p in kept if not {".venv", "build", "reports"} & set(p.relative_to(PROJECT).parts)] == []
