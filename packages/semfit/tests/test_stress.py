"""Every model of the stress set that lavaan solves is solved here, or docs/parity.md says why not."""

import numpy as np
import pytest
import stress

LAVAAN = stress.lavaan()
PARITY = (stress.HERE.parents[3] / "docs" / "parity.md").read_text(encoding="utf-8")
REASONS = PARITY.partition("What this engine says of those that only lavaan tests:")[2].partition("Why that is so")[0]


def test_there_are_enough_models_and_an_answer_for_each():
    assert len(stress.CASES) >= 150
    assert list(LAVAAN) == list(stress.CASES)


@pytest.mark.slow
@pytest.mark.parametrize("name", stress.CASES)
def test_what_lavaan_solves_is_solved(name):
    ours, theirs = stress.outcome(name), LAVAAN[name]
    assert (ours.steps <= 900, ours.passes <= 2000) == (True, True) or not ours.solved
    assert (ours.steps <= 1400, ours.passes <= 3500) == (True, True)  # three searches and their ends
    assert ours.warned == (not np.isfinite(ours.chisq))
    if theirs["solved"] and not np.isfinite(ours.chisq):
        assert f"`{name}`" in REASONS
    elif theirs["solved"]:
        assert ours.chisq < theirs["chisq"] + 1e-3
        if abs(ours.chisq - theirs["chisq"]) < 1e-4:  # also of ordered items, whose chi2 divides by N - 1
            assert ours.fmin == pytest.approx(theirs["fmin"], abs=1e-6)
