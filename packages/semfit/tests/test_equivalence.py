"""T-size fit indices are confidence limits; their cut-offs are the published ones where those are exact."""

from math import exp, log, sqrt

import pandas as pd
import parity
import pytest

import semfit
from semfit.errors import ParameterError


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("hs_cfa", "rmsea.ci.upper"),
        ("school_scalar", "rmsea.ci.upper"),
        ("mlr_hs", "rmsea.ci.upper.robust"),
        ("fiml_hs", "rmsea.ci.upper.robust"),
    ],
)
def test_t_size_rmsea_is_the_upper_limit_of_the_90_percent_interval(name, limit):
    fit = parity.fit(name)
    assert semfit.equivalence(fit).rmsea == pytest.approx(fit.fit_measures[limit], abs=1e-10)


def test_t_size_cfi_is_below_the_cfi_and_rises_with_alpha():
    fit = parity.fit("hs_cfa")
    assert semfit.equivalence(fit, alpha=0.01).cfi < semfit.equivalence(fit).cfi < fit.fit_measures["cfi"]


def test_a_fit_at_the_conventional_cutoff_has_the_adjusted_one():
    found = semfit.equivalence(parity.fit("hs_cfa"))
    assert (found.cutoffs["rmsea_t"] > found.cutoffs["rmsea"]).all()
    assert (found.cutoffs["cfi_t"] < found.cutoffs["cfi"]).all()
    assert found.rmsea_verdict == "mediocre"  # 0.1137 lies between the adjusted 0.1020 and 0.1213
    assert found.cfi_verdict == "fair"


def test_rmsea_cutoffs_agree_with_the_authors_regressions():
    # regressions of Yuan, Chan, Marcoulides & Bentler (2016), as in the R code on the first author's page
    n, a, b = 301, log(24), log(301)
    published = {
        "excellent": 1.34863 - 0.51999 * a + 0.01925 * a**2 - 0.59811 * b + 0.00902 * sqrt(n) + 0.01796 * a * b,
        "close": 2.06034 - 0.62974 * a + 0.02512 * a**2 - 0.98388 * b + 0.05442 * b**2 - 5.188e-5 * n + 0.0526 * a * b,
        "fair": 2.84129 - 0.54809 * a + 0.02296 * a**2 - 0.76005 * b + 0.10229 * b**2 - 1.11167 * n**0.2
        + 0.04845 * a * b,
    }  # fmt: skip
    published = {verdict: exp(value) for verdict, value in published.items()}
    found = semfit.equivalence(parity.fit("hs_cfa")).cutoffs["rmsea_t"]
    assert found[list(published)].to_dict() == pytest.approx(published, abs=1.5e-3)


def test_cfi_cutoff_agrees_with_the_authors_regression_for_a_common_baseline():
    # near the example of the first author's page (N = 145, nine variables, df 23, baseline chi2 502)
    data = pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv").query("school == 'Grant-White'")
    found = semfit.equivalence(semfit.fit(parity.MODELS["hs_cfa"]["model"], data)).cutoffs["cfi_t"]
    n, df, d = 144, 24, 36
    published = 1 - exp(
        4.12132 - 0.46285 * log(df) + 0.52478 * df**0.2 - 0.31832 * d**0.2 - 1.74422 * log(n)
        + 0.13042 * log(n) ** 2 - 0.0236 * n**0.5 + 0.04215 * log(df) * log(n)
    )  # fmt: skip
    assert found["close"] == pytest.approx(published, abs=0.015)


def test_what_has_no_equivalence_is_refused():
    with pytest.raises(ParameterError, match="by WLSMV .* takes a solution by ML, MLM or MLR"):
        semfit.equivalence(parity.fit("wlsmv_12"))
    with pytest.raises(ParameterError, match="with 0 degrees of freedom"):
        semfit.equivalence(parity.fit("heywood"))
    with pytest.raises(ParameterError, match="alpha is 0.7"):
        semfit.equivalence(parity.fit("hs_cfa"), alpha=0.7)
