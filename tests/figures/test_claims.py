"""The figures of claims and hypotheses: what is drawn is what was counted, in both languages."""

from __future__ import annotations

import warnings

import pytest

from socialcommerce.figures import style, verdicts
from tests.conftest import assessment

ALL = assessment()
PLOTS = {verdicts.plot_claims_by_section: ALL.by_section(), verdicts.plot_hypotheses_by_evidence: ALL.by_evidence()}


@pytest.fixture(autouse=True)
def close_figures():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("plot", "tally"), PLOTS.items(), ids=lambda item: getattr(item, "__name__", ""))
def test_bars_are_the_counts(plot, tally, language):
    ax = plot(tally, language=language)
    drawn = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert drawn == tally.counts.T.to_numpy().tolist()
    before = tally.counts.cumsum(axis=1) - tally.counts  # each bar begins where the last one ends
    assert [[bar.get_x() for bar in bars] for bars in ax.containers] == before.T.to_numpy().tolist()
    assert [label.get_text() for label in ax.get_yticklabels()] == [words[language] for words in tally.rows.values()]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [w[language] for w in tally.columns.values()]
    assert ax.yaxis_inverted()  # the first section on top


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_house_font_draws_every_letter(language):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for plot, tally in PLOTS.items():
            assert style.draw(plot, tally, language=language).startswith("<svg")


def test_a_figure_is_drawn_into_axes_given():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert verdicts.plot_claims_by_section(ALL.by_section(), ax=ax) is ax


def test_a_bar_carries_its_count_unless_there_is_none():
    ax = verdicts.plot_claims_by_section(ALL.by_section())
    written = [text.get_text() for text in ax.texts]
    assert "0" not in written
    assert sum(int(text) for text in written if text) == len(ALL.claims)
