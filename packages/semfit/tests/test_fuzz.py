"""Whatever the model says and whatever the data hold, nothing but the library's own errors comes out."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import semfit
from semfit.errors import SemfitError

NAMES = ["a", "b", "c", "d", "f", "g", "one", "text", "1", "x y", "é"]
NUMBERS = ["0", "1", "-1", "0.5", "1e308", "1e-320", "NA", "2e3"]
PIECES = [
    *NAMES, *NUMBERS, "=~", "~", "~~", ":=", "==", "|", "~1", "~*~", "<~", "+", "*", "-", "/", "(", ")", ",", "c(",
    "start(", "equal(", "\n", ";", "#", '"', " ", "f =~ a + b + c", "a ~ b", "log(", "^", "**", "<", ">", "%", "t1",
    "\t", "\x00",
]  # fmt: skip
FREE = {  # mostly refused, each with its own words
    "estimator": st.sampled_from(["ML", "MLM", "MLR", "DWLS", "WLSMV"]),
    "missing": st.sampled_from(["listwise", "fiml", "pairwise"]),
    "ordered": st.sampled_from([None, True, ["a"], ["a", "b", "zz"]]),
    "group": st.sampled_from([None, "g", "c", "nowhere"]),
    "group_equal": st.sampled_from([(), "loadings", ("loadings", "intercepts"), ("residuals", "lv.variances")]),
    "std_lv": st.booleans(),
    "mean_structure": st.sampled_from([None, True, False]),
    "weights": st.sampled_from([None, "d", "w", [1.0, 2.0], "text"]),
    "cluster": st.sampled_from([None, "g", "b", "text"]),
}
USUAL = [
    {},
    {"missing": "fiml"},
    {"missing": "pairwise"},
    {"estimator": "MLM"},
    {"estimator": "MLR", "missing": "fiml", "cluster": "k"},
    {"estimator": "MLR", "weights": "w2"},
    {"group": "g", "group_equal": ("loadings", "intercepts")},
    {"group": "g", "estimator": "MLR", "missing": "fiml", "weights": "w2"},
    {"estimator": "WLSMV", "ordered": True},
    {"estimator": "WLSMV", "ordered": ["a", "b"], "group": "g"},
    {"std_lv": True, "mean_structure": True},
]
options = st.one_of(st.sampled_from(USUAL), st.fixed_dictionaries({}, optional=FREE))
factor = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=4, unique=True).map(
    lambda items: "f =~ " + " + ".join(items)
)
term = st.builds(
    lambda lhs, op, parts: f"{lhs} {op} " + " + ".join(parts),
    st.sampled_from(["a", "b", "c", "d", "f", "h", "one", "text"]),
    st.sampled_from(["=~", "=~", "~", "~", "~", "~~", "~~", "~1", "|"]),
    st.lists(
        st.builds(
            lambda mark, name: f"{mark}{name}",
            st.sampled_from(
                ["", "", "", "", "k*", "1*", "0*", "-2*", "NA*", "c(k,m)*", "start(0.3)*", "k2*", "1e9*", "1e-300*"]
            ),
            st.sampled_from(["a", "b", "c", "d", "a", "b", "c", "d", "f", "h", "1", "t1"]),
        ),
        min_size=1,
        max_size=3,
    ),
)
extra = st.sampled_from(
    ["", "", "", "", "", "k == 1", "k == m", "z := k*k2", "z := 1/k", "k > 0", "z := log(k)", "k == k2 + 1", "z := k^k"]
)
plain = st.builds(
    lambda lhs, op, mark, rhs: f"{lhs} {op} {mark}{rhs}",
    st.sampled_from(["a", "b", "c", "d", "f"]),
    st.sampled_from(["~", "~", "~~"]),
    st.sampled_from(["", "", "k*", "k2*", "0*", "0.5*", "-2*", "start(0.3)*", "NA*"]),
    st.sampled_from(["a", "b", "c", "d", "f"]),
)
usual = st.builds(
    lambda first, lines, tail: "\n".join([first, *lines, tail]),
    factor,
    st.lists(plain, max_size=3, unique=True),
    st.sampled_from(["", "", "", "a ~ 1", "f ~ 1", "g =~ a + b", "a ~ k*b\nc ~ k2*d\nk == k2\nz := k/k2"]),
)
models = st.one_of(
    usual,
    st.builds(lambda lines, tail: "\n".join([*lines, tail]), st.lists(term, min_size=1, max_size=3), extra),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.text(max_size=30),
)


@st.composite
def frames(draw, sizes=(0, 1, 3, 6, 15, 40), odd=True):
    """Return a table of four variables and a group, of any size, with odd columns, holes and odd cells."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.sampled_from(sizes))
    values = rng.standard_normal((n, 5)) + rng.standard_normal((n, 1)) * draw(st.sampled_from([0, 0.5, 3]))
    values *= draw(st.sampled_from([1.0, 1e-9, 1e9, 1e160, 1e-200] if odd else [1.0, 1e4]))
    if draw(st.booleans()):
        values = np.sign(values) + rng.integers(0, 2, values.shape)
    table = pd.DataFrame(values, columns=["a", "b", "c", "d", "w"])
    table = table.mask(rng.random(table.shape) < draw(st.sampled_from([0, 0.1, 0.9] if odd else [0, 0.1])))
    table = table.assign(
        g=rng.integers(0, 2, n), one=1.0, text=["wort"] * n, k=rng.integers(0, 7, n), w2=rng.random(n) + 0.1
    )
    if not odd:
        return table
    oddities = ["none", "twice", "tied", "object", "inf", "bool", "category", "nullable", "date"]
    match draw(st.sampled_from(oddities)):
        case "twice":
            return pd.concat([table, table[["a"]]], axis=1)
        case "tied":
            return table.assign(b=2 * table["a"] - 1)
        case "object":
            return table.astype(object)
        case "inf":
            return table.assign(a=np.inf)
        case "bool":
            return table.assign(a=table["a"] > 0)
        case "category":
            return table.assign(a=pd.Categorical(np.sign(table["a"]), ordered=True), g=pd.Categorical(table["g"]))
        case "nullable":
            return table.convert_dtypes()
        case "date":
            return table.assign(b=pd.Timestamp("2024-01-01"))
    return table


def try_all(model, data, options):
    """Fit and ask for everything; only our own errors may come out."""
    try:
        fit = semfit.fit(model, data, **options)
        for text in (fit.summary(), fit._repr_html_(), fit.to_lavaan()):
            assert isinstance(text, str)
        assert len(fit.estimates) == len(fit.standardized)
        assert len(fit.fit_measures) > 10
        assert len(fit.residuals) > 0
        if fit.converged and fit.identified and not fit.ordinal:
            assert (fit.modification_indices["mi"] > -1).all()
    except SemfitError as error:
        assert str(error).strip()  # noqa: PT017 — any of our own errors is a pass


@pytest.mark.slow
@settings(max_examples=60, deadline=10_000, suppress_health_check=[HealthCheck.too_slow])
@given(models, frames(), options)
def test_nothing_but_our_own_errors_comes_out(model, data, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try_all(model, data, options)


@pytest.mark.slow
@settings(max_examples=60, deadline=10_000, suppress_health_check=[HealthCheck.too_slow])
@given(usual, frames(sizes=(12, 40, 80), odd=False), st.sampled_from(USUAL))
def test_any_model_of_usual_terms_fits_or_says_why(model, data, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try_all(model, data, options)
