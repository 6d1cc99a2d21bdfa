"""What journals ask of a survey's measurement: cut-offs, tables and fits, and whether one source made answers alike."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semfit import Invariance, PlsFit, SemFit, psychometrics
from semfit.psychometrics import CommonFactor, MarkerCorrelations, MarkerModels, SingleFactor
from surveysem.effects import REASONS, NotTestable, untestable
from surveysem.study import Study, attempt

LOW_LOADING, RELIABLE, SHARED = 0.5, 0.7, 0.5  # loading, reliability, average variance extracted
DISTINCT, POOR = 0.85, 0.90  # HTMT of constructs that differ in meaning; CFI below which no convention accepts a fit
CLOSE_FIT = {"cfi": 0.95, "rmsea": 0.06, "srmr": 0.08}  # Hu & Bentler 1999, doi:10.1080/10705519909540118
INTERVAL = {"low": "95% CI LL", "high": "95% CI UL"}
NINETY = {"low": "90% CI LL", "high": "90% CI UL"}  # of HTMT: comparing an end with a bound is a test at 5 %
HEADS: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("heads.toml").read_text(encoding="utf-8"))
"""Heads of the columns of the report's tables, by table."""
RELIABILITY_HEADS, SECOND_HEADS, MADE_HEADS = HEADS["reliability"], HEADS["second_order"], HEADS["composites"]
INDICES = ("chisq", "df", "pvalue", "chisq.scaled", "pvalue.scaled", "cfi", "tli", "rmsea", "srmr")
FIT_HEADS = HEADS["fit"]
FIT_DIGITS = dict.fromkeys(list(FIT_HEADS)[2:], 3) | {"chisq": 1, "chisq.scaled": 1, "df": 0}
LEVELS, LET_GO, LADDER_HEADS = HEADS["levels"], HEADS["let_go"], HEADS["ladder"]
LADDER_DIGITS = dict.fromkeys(list(LADDER_HEADS)[1:-2], 3) | {"chisq": 2, "df": 0, "d_chisq": 2, "d_df": 0}
WAVE_HEADS, WAVE_DIGITS = LADDER_HEADS | {"tli": "TLI"}, LADDER_DIGITS | {"tli": 3}
SINGLE, FACTOR, MARKER = "single factor (Harman)", "latent method factor (ULMC)", "marker variable"
MODEL_TESTS = ("no method variance (Δχ²)", "equal method effects (Δχ²)", "no bias in correlations (Δχ²)")
EXPECTED = "", REASONS["no_marker"], REASONS["ordered_marker"]  # of a check that is not called for
DRAWS = 200  # for the interval of the first component's share
LARGEST = 10_000  # respondents: of more, a random part


def triangle(matrix: pd.DataFrame, called: Mapping[str, str]) -> pd.DataFrame:
    """Return the lower triangle of a square table as journals print it: numbered rows, columns "1", "2", ...

    Columns ``k`` and ``construct`` come first; above the diagonal, and where a value is missing, a cell is empty.

    Examples
    --------
    >>> found = triangle(pd.DataFrame([[0.8, None], [0.3, 0.7]], ["a", "b"]), {"a": "Care", "b": "Ease"})
    >>> found["construct"].tolist(), found["1"].tolist(), found["2"].tolist()
    (['Care', 'Ease'], [0.8, 0.3], ['', 0.7])
    """
    numbers = [str(k + 1) for k in range(len(matrix))]
    cells = matrix.set_axis(numbers, axis=1).reset_index(drop=True).astype(object)
    cells.insert(0, "construct", [called[name] for name in matrix.index])
    cells.insert(0, "k", range(1, len(matrix) + 1))
    return cells.where(cells.notna(), "")


def fit_table(fits: Mapping[str, SemFit]) -> pd.DataFrame:
    """One row a model: chi-square, df, p, scaled ones where there are, CFI, TLI, RMSEA with its interval, SRMR.

    CFI, TLI and RMSEA are the robust ones where the estimator has them (Brosseau-Liard & Savalei 2014,
    doi:10.1080/00273171.2014.933697), for ordered items the scaled ones. What a model lacks is missing.

    Parameters
    ----------
    fits : mapping of what a model is called to SemFit
    """
    rows = []
    for name, fit in fits.items():
        m = fit.fit_measures
        row = {"model": name, "n": fit.nobs, **{key: m.get(key) for key in INDICES}}
        for key in ("cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper"):
            row[key] = next((m[k] for k in (f"{key}.robust", f"{key}.scaled", key) if pd.notna(m.get(k))), None)
        rows.append(row | {"plain_cfi": m.get("cfi"), "plain_rmsea": m.get("rmsea")})
    return pd.DataFrame(rows)[list(FIT_HEADS)]


def ladder_rows(ladder: Invariance, *, tli: bool = False) -> pd.DataFrame:
    """Return the levels of a ladder of invariance as its table shows them, with a TLI of the CFI's kind if asked."""
    steps = ladder.table.reset_index()
    steps["level"] = steps["level"].map(LEVELS)
    for column in ("holds_chisq", "holds_indices"):
        steps[column] = steps[column].map({True: "yes", False: "no"}) if column in steps else np.nan
    steps = steps.reindex(columns=list(LADDER_HEADS))
    if tli:
        steps.insert(list(steps).index("rmsea"), "tli", fit_table(ladder.fits)["tli"])
    return steps


def quality_model(study: Study) -> str:
    """Return the measurement model with omega, CR and AVE of its constructs defined by labels; first loadings are 1.

    An ordered answer stands for a response of variance 1, whose error is what the construct leaves of it. Of a
    construct of second order, CR and AVE rest on its dimensions' loadings, ``omega`` is its share of the variance of
    the sum of all items and ``omega2`` of that of the sum of the dimensions: what is a dimension's own counts as error.

    References
    ----------
    Raykov (2001), doi:10.1348/000711001159582; second order: Credé & Harms (2015), doi:10.1002/job.2008.
    """
    book, ordered, lines, within = study.codebook, study.estimator == "WLSMV", list[str](), set[tuple[str, str]]()
    known = {construct.name: construct for construct in book.constructs}
    second = [name for name in study.constructs if name in book.second_order]
    variance, signal, noise = dict[str, str](), dict[str, list[str]](), dict[str, list[str]]()
    for k, name in enumerate([*second, *study.factors]):
        own, v = known[name], variance.get(name, f"v{k}")
        below, fixed = own.dimensions or own.codes, ordered and not own.dimensions
        loads = ["1", *(f"l{k}_{j}" for j in range(1, len(below)))]
        left = [f"(1 - {load}^2*{v})" if fixed else f"e{k}_{j}" for j, load in enumerate(loads)]
        left = [f"{own.error:.10g}"] if len(below) == 1 else left
        both = {f"c{k}_{j}": pair for j, pair in enumerate(book.covariances) if {*pair} <= {*below}}
        lines += [f"{name} =~ {' + '.join(f'{a}*{one}' for a, one in zip(loads, below, strict=True))}"]
        lines += [] if name in variance else [f"{name} ~~ {v}*{name}"]
        lines += [] if fixed else [f"{one} ~~ {e}*{one}" for e, one in zip(left, below, strict=True)]
        lines += [f"{one} ~~ {c}*{other}" for c, (one, other) in both.items()]
        within |= {*both.values()}
        signal[name], noise[name] = loads, [*left, *(f"2*{c}" for c in both)]
        variance |= {one: f"({a}^2*{v} + {e})" for a, one, e in zip(loads, own.dimensions, left, strict=False)}
        if len(below) > 1:
            lines += _defined(
                name, v, loads, left, noise[name], "" if fixed else "omega2" if own.dimensions else "omega"
            )
    for k, name in enumerate(second if not ordered else ()):
        whole = {part: f"({' + '.join(signal[part])})" for part in book.second_order[name]}
        common = f"({' + '.join(f'{a}*{each}' for a, each in zip(signal[name], whole.values(), strict=True))})^2*v{k}"
        rest = [f"{each}^2*e{k}_{j}" for j, each in enumerate(whole.values())]
        rest += [f"2*c{k}_{j}*{whole[one]}*{whole[other]}" for j, (one, other) in enumerate(book.covariances)
                 if {one, other} <= {*whole}]  # fmt: skip
        rest += [error for part in whole for error in noise[part]]
        lines.append(f"omega_{name} := {common}/({' + '.join([common, *rest])})")
    inside = {*study.items, *(part for name in second for part in book.second_order[name])}
    lines += [
        f"{one} ~~ {other}" for one, other in book.covariances if {one, other} <= inside and (one, other) not in within
    ]
    return "\n".join([*lines, *(known[name].measured for name in study.composed)])


def _defined(name: str, v: str, loads: list[str], left: list[str], noise: list[str], omega: str) -> list[str]:
    """Return the lines that define a construct's standardised loadings, omega (unless that has no name), CR and AVE."""
    shares = [f"s_{name}_{j}" for j in range(len(loads))]
    lines = [f"{s} := {a}*sqrt({v}/({a}^2*{v} + {e}))" for s, a, e in zip(shares, loads, left, strict=True)]
    common = f"({' + '.join(loads)})^2*{v}"
    lines += [f"{omega}_{name} := {common}/({' + '.join([common, *noise])})"] if omega else []
    squares, common = " + ".join(f"{s}^2" for s in shares), f"({' + '.join(shares)})^2"
    lines.append(f"cr_{name} := {common}/({common} + {len(shares)} - ({squares}))")
    return [*lines, f"ave_{name} := ({squares})/{len(shares)}"]


def second_order(study: Study) -> pd.DataFrame:
    """Return one row a dimension of a construct of second order, what describes the construct on the first of them.

    construct, dimension, loading (standardised) with its interval low to high; omega, omega2, cr, ave and the interval
    of omega, as :func:`quality_model` defines them, by the delta method. Without such constructs there is no row.
    """
    table = study.measurement.standardized.query("op == '=~'")
    table = table[table["lhs"].isin(study.codebook.second_order)]
    names = {"lhs": "construct", "rhs": "dimension", "std_all": "loading", "ci_low": "low", "ci_high": "high"}
    table = table.rename(columns=names)[list(names.values())].reset_index(drop=True)
    if table.empty:
        return table
    found = study.fit(quality_model(study)).estimates.query("op == ':='").set_index("lhs")
    for measure in ("omega", "omega2", "cr", "ave"):
        wanted = [f"{measure}_{name}" for name in table["construct"]]
        own = found.reindex(wanted).reset_index().where(~table["construct"].duplicated())
        table[measure] = own["est"]
        if measure == "omega":
            table["omega_low"], table["omega_high"] = own["ci_low"], own["ci_high"]
    return table


def composites(study: Study, fit: SemFit | PlsFit) -> pd.DataFrame:
    """Return one row an item of a composite: construct, item, weight, its interval low to high, loading and vif.

    Weight and loading are standardised; vif is the variance inflation factor of the item within its composite, from
    the covariances that the model was fitted to (by "fiml" those of its saturated model). Without composites there is
    no row.

    Parameters
    ----------
    fit : SemFit or PlsFit
        The measurement model, whose weights have intervals by the delta method, or that of PLS with its draws.
    """
    rows: list[tuple] = []
    for name, codes in study.composed.items():
        if isinstance(fit, PlsFit):
            table, vif = fit.estimates.query("lhs == @name"), fit.item_vif[codes]
            weights, loadings = (table[table["op"] == op].set_index("rhs").loc[codes] for op in ("<~", "=~"))
        else:
            table = fit.standardized.rename(columns={"std_all": "est"}).set_index("lhs")
            S = pd.DataFrame(fit.sample.groups[0].covariance, fit.sample.names, fit.sample.names).loc[codes, codes]
            vif = np.diag(S) * np.diag(np.linalg.inv(S))
            weights, loadings = (table.loc[[f"{kind}_{code}" for code in codes]] for kind in ("weight", "loading"))
        ends = (weights[each] for each in ("est", "ci_low", "ci_high"))
        rows += zip([name] * len(codes), codes, *ends, loadings["est"], vif, strict=True)
    return pd.DataFrame(rows, columns=list(MADE_HEADS))


@dataclass(frozen=True)
class CommonMethod:
    """The checks of a study, each a result or the reason why there is none.

    Parameters
    ----------
    single : SingleFactor or NotTestable
    factor : CommonFactor or NotTestable
    marker : MarkerCorrelations or NotTestable
        Correlations of scores with what they share with the marker taken out.
    marker_models : MarkerModels or NotTestable
    paths : DataFrame
        outcome, predictor, without, with, low, high (of with), change: standardised paths without and with the common
        factor.
    nobs, dropped : int
        Complete rows used, and rows left out: those with a hole, and those beyond ``LARGEST``.
    """

    single: SingleFactor | NotTestable
    factor: CommonFactor | NotTestable
    marker: MarkerCorrelations | NotTestable
    marker_models: MarkerModels | NotTestable
    paths: pd.DataFrame
    nobs: int
    dropped: int

    @property
    def failed(self) -> dict[str, str]:
        """Why the answers could not carry a check, or not all of it, in the engine's words."""
        names = (SINGLE, FACTOR, MARKER, f"{MARKER}, models")
        results = (self.single, self.factor, self.marker, self.marker_models)
        reasons = {check: getattr(result, "reason", "") for check, result in zip(names, results, strict=True)}
        return {check: reason for check, reason in reasons.items() if reason not in EXPECTED}

    def summary(self) -> pd.DataFrame:
        """Return one line a measure: check, measure, estimate, low, high, df, p, method (of a test), nobs, dropped.

        Checks without a result have no line.
        """
        found: dict[str, list[dict[str, Any]]] = {SINGLE: [], FACTOR: [], MARKER: []}
        if isinstance(single := self.single, SingleFactor):
            found[SINGLE] += [
                _share("variance explained by the first component", single),
                _test("single-factor against multi-factor model (Δχ²)", single.difference),
            ]
        if isinstance(factor := self.factor, CommonFactor):
            found[FACTOR] += [
                _share("mean share of item variance", factor),
                _test("model without against model with the factor (Δχ²)", factor.difference),
                {"measure": "largest change in a standardised path", "estimate": self.paths["change"].abs().max()},
            ]
        if isinstance(marker := self.marker, MarkerCorrelations):
            change = (marker.frame["adjusted"] - marker.frame["r"]).abs().max()
            found[MARKER] += [
                {"measure": "smallest correlation with the marker", "estimate": marker.r_marker},
                {"measure": "largest change in a correlation of scale means", "estimate": change},
            ]
        if isinstance(models := self.marker_models, MarkerModels):
            tests = models.tests.assign(method="standard").itertuples()
            found[MARKER] += [_test(measure, test) for measure, test in zip(MODEL_TESTS, tests, strict=True)]
        columns = ["check", "measure", "estimate", "low", "high", "df", "p", "method"]
        lines = [{"check": check, **line} for check, own in found.items() for line in own]
        table = pd.DataFrame(lines, columns=columns).fillna({"method": ""})
        return table.assign(nobs=self.nobs, dropped=self.dropped)


def common_method(study: Study) -> CommonMethod:
    """Check the answers for a common source, and what holding it constant changes in the paths.

    Rows with a hole are left out of all checks, and counted: with them the time of every fit grows with the patterns of
    missing answers. The common factor is estimated as the study is, or by ML where MLR gives no difference test; for a
    study by MLR the single factor and the marker's models, whose misfit is often too large for a scaled difference, are
    tested by ML.

    References
    ----------
    Podsakoff, MacKenzie, Lee & Podsakoff (2003), doi:10.1037/0021-9010.88.5.879; Lindell & Whitney (2001),
    doi:10.1037/0021-9010.86.1.114; Williams, Hartman & Cavazotte (2010), doi:10.1177/1094428110366036.
    """
    marker, scales = study.codebook.marker, study.codebook.scales
    constructs = {name: codes for name, codes in study.factors.items() if name != marker}
    model = study.codebook.model([name for name in study.constructs if name != marker])
    items = [code for codes in constructs.values() for code in codes] + scales.get(marker, [])
    whole = study.answers.dropna(subset=items)
    whole = whole if len(whole) <= LARGEST else whole.sample(LARGEST, random_state=study.seed).sort_index()
    options = study.options | ({"missing": "listwise"} if "missing" in study.options else {})
    plain = options | ({"estimator": "ML"} if study.estimator == "MLR" else {})
    single = attempt("", psychometrics.single_factor, whole, constructs, bootstrap=DRAWS, seed=study.seed, **plain)
    factor: CommonFactor | NotTestable = untestable("composed")
    for way in [options, plain] if not study.composed else []:
        if isinstance(factor, NotTestable):
            factor = attempt("", psychometrics.common_factor, model, whole, **way)
    adjusted: MarkerCorrelations | NotTestable = untestable("no_marker")
    models: MarkerModels | NotTestable = untestable("no_marker")
    if marker:
        every = constructs | {marker: scales[marker]}
        adjusted = attempt("", psychometrics.marker_correlations, whole, every, marker)
        models = untestable("ordered_marker")
        if study.estimator != "WLSMV":
            models = attempt("", psychometrics.marker_models, whole, every, marker, **plain)
    columns = ["outcome", "predictor", "without", "with", "low", "high", "change"]
    paths = pd.DataFrame(columns=columns)
    if isinstance(factor, CommonFactor):
        own = ["lhs", "rhs", "std_without", "std_with", "ci_low", "ci_high", "change"]
        paths = factor.estimates.query("op == '~'")[own].set_axis(columns, axis=1).reset_index(drop=True)
    return CommonMethod(single, factor, adjusted, models, paths, len(whole), study.nobs - len(whole))


def _share(measure: str, result: SingleFactor | CommonFactor) -> dict[str, Any]:
    return {"measure": measure, "estimate": result.share, "low": result.ci_low, "high": result.ci_high}


def _test(measure: str, test: Any) -> dict[str, Any]:
    """Return the line of a chi-square test; empty where there is none."""
    names = {"estimate": "chisq", "df": "df", "p": "pvalue", "method": "method"}
    return {"measure": measure, **{name: getattr(test, of, None) for name, of in names.items()}}
