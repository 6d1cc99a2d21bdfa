"""Diagrams on the page: nothing covers anything else, labels fit their boxes, colours and glyphs are the house's."""

from __future__ import annotations

import itertools
import re
import warnings

import numpy as np
import pytest

from socialcommerce.figures import style
from socialcommerce.figures.modes import RADIUS, badge_size, marks, plot_diagram, routes
from socialcommerce.modes.diagram import DIAGRAMS, load_diagram
from tests.modes import CHINESE
from tests.palette import check_palette

T = np.linspace(0, 1, 200)[:, None]


def drawn(diagram, *, language):
    """Draw a diagram and say its texts in a language, as a page does."""
    ax = plot_diagram(diagram)
    for text in ax.texts if language == "zh" else []:
        text.set_text(CHINESE(text.get_text()))
    return ax


@pytest.fixture(params=DIAGRAMS)
def diagram(request):
    return load_diagram(request.param)


def inside(node, points, margin):
    """Whether any of the points lies in the node's box, enlarged by a margin (mm)."""
    apart = np.abs(np.atleast_2d(points) - node.at) - np.array(node.size) / 2
    return bool((apart.max(axis=1) < margin).any())


def curve(way):
    """Points of a cubic Bezier curve, by de Casteljau's construction."""
    points = [np.broadcast_to(p, (len(T), 2)) for p in way]
    while len(points) > 1:
        points = [(1 - T) * a + T * b for a, b in itertools.pairwise(points)]
    return points[0]


def test_boxes_lie_on_the_page_apart_from_each_other(diagram):
    for node in diagram.nodes:
        low, high = np.array(node.at) - np.array(node.size) / 2, np.array(node.at) + np.array(node.size) / 2
        assert (low >= 0).all(), node.id
        assert (high <= diagram.page).all(), node.id
    for one, other in itertools.combinations(diagram.nodes, 2):
        gap = np.abs(np.subtract(one.at, other.at)) - np.add(one.size, other.size) / 2
        assert gap.max() >= 2, (one.id, other.id)


def test_arrows_cross_no_box_and_stay_on_the_page(diagram):
    for key, way in routes(diagram).items():
        points = curve(way)
        assert (points >= 0).all(), key
        assert (points <= diagram.page).all(), key
        for node in diagram.nodes:
            assert not inside(node, points, -0.01 if node.id in key else 1.0), (key, node.id)


@pytest.mark.slow
def test_arrows_cross_each_other_at_most_twice_on_a_page(diagram):
    crossings = 0
    for one, other in itertools.combinations(routes(diagram).values(), 2):
        a, b = curve(one), curve(other)
        p, r, q, s = a[:-1, None], np.diff(a, axis=0)[:, None], b[None, :-1], np.diff(b, axis=0)[None]
        cross = r[..., 0] * s[..., 1] - r[..., 1] * s[..., 0]
        with np.errstate(all="ignore"):
            t = ((q - p)[..., 0] * s[..., 1] - (q - p)[..., 1] * s[..., 0]) / cross
            u = ((q - p)[..., 0] * r[..., 1] - (q - p)[..., 1] * r[..., 0]) / cross
        crossings += int(((t > 0) & (t <= 1) & (u > 0) & (u <= 1)).sum())
    assert crossings <= 2


def test_signs_and_badges_cover_no_box_and_not_each_other(diagram):
    places = marks(diagram, diagram.feedback_loops())
    assert {key for key, badge in places if not badge} == {(edge.source, edge.target) for edge in diagram.edges}
    sizes = {mark: badge_size(mark[1]) if mark[1] else np.full(2, 2 * RADIUS) for mark in places}
    for mark, at in places.items():
        for node in diagram.nodes:
            assert (np.abs(np.subtract(at, node.at)) >= (sizes[mark] + node.size) / 2).any(), (mark, node.id)
    for (one, a), (other, b) in itertools.combinations(places.items(), 2):
        assert (np.abs(np.subtract(a, b)) >= (sizes[one] + sizes[other]) / 2 - 0.1).any(), (one, other)


@pytest.mark.slow
def test_a_badge_covers_no_arrow_but_its_own(diagram):
    for (key, badge), at in marks(diagram, diagram.feedback_loops()).items():
        for other, way in routes(diagram).items():
            assert not badge or other == key or not (np.abs(curve(way) - at) < badge_size(badge) / 2).all(1).any()


def test_every_arrow_of_a_loop_names_it(diagram):
    loops = diagram.feedback_loops()
    named = {key: badge for key, badge in marks(diagram, loops) if badge}
    assert {*named} == {key for loop in loops for key in loop.edges}
    for key, badge in named.items():
        numbers = {
            letter + str(n)
            for letter, runs in re.findall(r"([RB])(\S+)", badge)
            for run in runs.split(",")
            for n in range(int(run.split("–")[0]), int(run.split("–")[-1]) + 1)
        }
        assert numbers == {loop.id for loop in loops if key in loop.edges}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_labels_fit_their_boxes_and_lists_the_page(diagram, language):
    from matplotlib import pyplot as plt

    with style.house(language):
        ax = drawn(diagram, language=language)
        ax.figure.canvas.draw()
        extents = {}
        for text in ax.texts:
            box = text.get_window_extent().transformed(ax.transData.inverted())
            assert 0 <= box.x0 < box.x1 <= diagram.page[0], text.get_text()
            if text.get_gid():
                extents[text.get_gid()] = box
            elif re.fullmatch(r"[RB][\d–,RB ]+", text.get_text()):
                assert box.width < badge_size(text.get_text())[0], text.get_text()
        plt.close(ax.figure)
    assert set(extents) == {node.id for node in diagram.nodes}
    for node in diagram.nodes:
        box = extents[node.id]
        left = node.at[0] - node.size[0] / 2 + (4.2 if node.symbol else 0)
        assert left + 0.3 < box.x0, node.id
        assert box.x1 < node.at[0] + node.size[0] / 2 - 0.3, node.id
        assert box.height < node.size[1], node.id


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_figures_keep_the_palette_and_have_every_glyph(diagram, language):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = style.draw(drawn, diagram, language=language)
    assert check_palette(svg) == []
    assert language == "zh" or svg == style.draw(drawn, diagram, language=language)


@pytest.mark.slow
def test_inferred_edges_are_dashed_and_lowering_ones_in_their_own_colour(diagram):
    from matplotlib import pyplot as plt
    from matplotlib.patches import PathPatch

    with style.house("en"):
        ax = plot_diagram(diagram)
        arrows = [p for p in ax.patches if isinstance(p, PathPatch) and p.get_zorder() == 1.1]
        plt.close(ax.figure)
    dashed = sum(p.get_linestyle() == "--" for p in arrows)
    assert dashed == sum(edge.inferred for edge in diagram.edges) + 1  # and the legend's
    assert len({p.get_edgecolor() for p in arrows}) == 2
