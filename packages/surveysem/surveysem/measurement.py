"""What journals ask of a survey's measurement: cut-offs, heads of their tables, triangles, and fits side by side."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from semfit import Invariance, PlsFit, SemFit
from surveysem.study import Study

LOW_LOADING, RELIABLE, SHARED = 0.5, 0.7, 0.5  # loading, reliability, average variance extracted
DISTINCT = 0.85  # HTMT of constructs that differ in meaning
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
    the correlations of all pairs of answers. Without composites there is no row.

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
            vif = np.diag(np.linalg.inv(study.answers[codes].astype(float).corr()))
            weights, loadings = (table.loc[[f"{kind}_{code}" for code in codes]] for kind in ("weight", "loading"))
        ends = (weights[each] for each in ("est", "ci_low", "ci_high"))
        rows += zip([name] * len(codes), codes, *ends, loadings["est"], vif, strict=True)
    return pd.DataFrame(rows, columns=list(MADE_HEADS))
