"""The path diagram of the study's own questionnaire, in the house style: names fit their ellipses in both languages."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

from nbproof import Catalogue, translated
from nbproof.fonts import family
from socialcommerce.figures import style
from socialcommerce.survey import read_study
from tests.palette import check_palette


@pytest.fixture(scope="module")
def study():
    return read_study("", estimator="ML")


@pytest.fixture
def catalogue(study):
    made = Catalogue("zh")
    made.update({english: said["zh"] for english, said in study.words.items() if "zh" in said})
    return made


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_name_fits_its_ellipse_and_no_text_stands_on_another(study, catalogue, language):
    from matplotlib import pyplot as plt

    called = study.codebook.called
    with style.house("en"):
        ax = study.structural.plot(items=False, names=called)
        if language == "zh":
            translated(ax.figure, catalogue, [family("zh"), style.FALLBACK], language="zh")
        ax.figure.draw_without_rendering()
        ovals = [patch.get_window_extent().get_points() for patch in ax.patches if type(patch).__name__ == "Ellipse"]
        boxes = {text: text.get_window_extent().get_points() for text in ax.texts}
        names = {text.get_label(): text.get_text() for text in boxes if text.get_label()}
        plt.close("all")
    for text, (low, high) in boxes.items():
        if text.get_label():
            corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
            assert any(
                (((corners - oval.mean(axis=0)) / (np.ptp(oval, axis=0) / 2)) ** 2).sum(-1).max() <= 1 for oval in ovals
            ), text.get_text()
    for (_, one), (_, other) in itertools.combinations(boxes.items(), 2):
        assert (np.minimum(one[1], other[1]) - np.maximum(one[0], other[0]) < 1).any()
    assert {called[name] for path in study.codebook.paths for name in (path.outcome, path.predictor)} == {*names}
    assert {text.get_fontsize() for text in boxes} == {7.0}
    assert language == "en" or "".join(names.values()).isascii() is False


@pytest.mark.slow
def test_it_keeps_the_palette_and_has_every_glyph(study):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = style.draw(
            lambda language: study.structural.plot(items=False, names=study.codebook.called), language="en"
        )
    assert check_palette(svg) == []
    assert len(svg) < 80_000
