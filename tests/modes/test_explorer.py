"""The mode that runs in the page: the loops of R0, and what the browser computes beside Python."""

from __future__ import annotations

import numpy as np
import pytest

from socialcommerce.modes import content, sharing
from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import SHARING, VARIANTS, declare
from stockflow import ParameterError, UnknownNameError, next_generation, page
from tests.modes import CHINESE
from tests.modes.test_compartments import drawn


@pytest.mark.parametrize("mode", [CONTENT, *map(declare, VARIANTS)], ids=lambda m: m.name)
def test_the_loops_add_up_to_the_reproduction_number(mode):
    table = drawn(mode, 20, np.random.default_rng(3))
    for row in range(20):
        p = {name: float(column[row]) for name, column in table.items()}
        gains = page.loop_gains(mode, p)
        assert gains.sum() == pytest.approx(float(next_generation(mode, p).r0), rel=1e-9)
        assert (gains >= 0).all()


def test_no_loop_where_nobody_brings_anybody():
    assert page.loop_gains(CONTENT, {"beta": 0.0}).tolist() == [0.0] * 4


@pytest.mark.parametrize(("mode", "sliders"), [(CONTENT, content.SLIDERS), (SHARING, sharing.SLIDERS)])
def test_all_that_the_page_says_stands_under_words_and_has_a_translation(mode, sliders):
    said = page.explorer(mode, sliders, ["Z" if mode is SHARING else "M"])["words"]
    assert list(said["states"]) == [state.name for state in mode.states]
    assert list(said["parameters"]) == list(sliders)
    texts = [text for part in said.values() for text in (part.values() if isinstance(part, dict) else [part])]
    assert [text for text in texts if text and CHINESE(text) == text] == []


def test_what_the_mode_does_not_have_is_named():
    with pytest.raises(UnknownNameError, match="betta"):
        page.explorer(CONTENT, {"betta": 0.01}, ["M"])
    with pytest.raises(UnknownNameError, match="state of content"):
        page.explorer(CONTENT, {"beta": 0.01}, ["X"])
    with pytest.raises(ParameterError, match="s is a probability"):
        page.explorer(CONTENT, {"beta": 0.01}, ["M"], parameters={"s": 1.5})
