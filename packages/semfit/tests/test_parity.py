"""Every reference model agrees with lavaan within the bars of its family (reference/parity.py)."""

from dataclasses import fields

import parity
import pytest

NAMES = [name for name in parity.MODELS if parity.comparable(name)]


def test_there_are_enough_models():
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_model_agrees_with_lavaan(name):
    found, bar = parity.compare(name), parity.bars(name)
    over = {
        f.name: getattr(found, f.name)
        for f in fields(found)
        if f.name != "lower" and not getattr(found, f.name) <= getattr(bar, f.name)
    }
    assert not over


@pytest.mark.parametrize("name", [n for n in parity.MODELS if n not in NAMES])
def test_model_lavaan_cannot_fit_says_so_here(name):
    assert any("NOT identified" in problem for problem in parity.fit(name).problems)


def test_heywood_case_is_named():
    assert "variance of h1 is negative (a Heywood case)" in " ".join(parity.fit("heywood").problems)


@pytest.mark.parametrize(
    ("level", "chisq", "df"), [("configural", 115.851, 48), ("metric", 124.044, 54), ("scalar", 164.103, 60)]
)
def test_published_chisq_of_the_school_ladder(level, chisq, df):
    # Rosseel (2012), Journal of Statistical Software 48(2), doi:10.18637/jss.v048.i02
    measures = parity.fit(f"school_{level}").fit_measures
    assert measures["chisq"] == pytest.approx(chisq, abs=5e-4)
    assert measures["df"] == df
