"""Difference and Wald tests agree with lavaan's lavTestLRT and lavTestWald; misuse is named."""

import json

import parity
import pytest

from semfit.comparison import difference, wald
from semfit.errors import ParameterError, UnknownNameError

PAIRS = json.loads((parity.HERE / "comparisons.json").read_text())


@pytest.mark.parametrize("name", PAIRS)
def test_difference_agrees_with_lavaan(name):
    pair, theirs = PAIRS[name], parity.LAVAAN["comparisons"][name]
    ours = difference(parity.fit(pair["restricted"]), parity.fit(pair["full"]), pair["method"])
    assert ours.chisq == pytest.approx(theirs["chisq"], rel=1e-6)
    assert ours.df == theirs["df"]
    assert ours.pvalue == pytest.approx(theirs["pvalue"], rel=1e-5)


def test_wald_agrees_with_lavaan():
    ours, theirs = wald(parity.fit("mediation"), "a == b\nc == 0"), parity.LAVAAN["wald"]
    assert (ours.chisq, ours.df) == (pytest.approx(theirs["chisq"], rel=1e-7), theirs["df"])
    assert ours.pvalue == pytest.approx(theirs["pvalue"], rel=1e-6)


def test_wald_of_one_parameter_is_its_squared_z():
    fit = parity.fit("mediation")
    row = fit.estimates.set_index("label").loc["a"]
    assert wald(fit, "a == 0").chisq == pytest.approx(row["z"] ** 2, rel=1e-12)


def test_misuse_is_named():
    small, large = parity.fit("school_metric"), parity.fit("school_configural")
    with pytest.raises(ParameterError, match="must have more degrees of freedom than the second; got 48 and 54"):
        difference(large, small)
    with pytest.raises(ParameterError, match="needs fits by MLM or MLR; got ML"):
        difference(small, large, "satorra.bentler.2001")
    with pytest.raises(ParameterError, match="'satorra.2000' is for DWLS and WLSMV"):
        difference(small, large, "satorra.2000")
    with pytest.raises(ParameterError, match="both must use the same estimator and rows"):
        difference(parity.fit("mlm_school_metric"), large)
    with pytest.raises(UnknownNameError, match="unknown difference test 'sb'"):
        difference(small, large, "sb")
    with pytest.raises(UnknownNameError, match="unknown label 'zz'"):
        wald(parity.fit("mediation"), "a == zz")
    with pytest.raises(ParameterError, match="repeat one another"):
        wald(parity.fit("mediation"), "a == b; b == a")
