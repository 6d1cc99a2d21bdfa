"""Write a fitted model down: a summary a reader of lavaan knows, and the call that refits it in R."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import pandas as pd

from semfit.resampling import Bootstrap
from semfit.solved import Solved

SECTIONS = (
    ("=~", "Latent Variables"),
    ("<~", "Composites"),
    ("~", "Regressions"),
    ("~~", "Covariances"),
    ("~1", "Intercepts"),
    ("|", "Thresholds"),
    ("~*~", "Scales of responses"),
    ("var", "Variances"),
    (":=", "Defined Parameters"),
)
LINKS = ("=~", "<~", "~", "~~", "|")


class Shown(Solved):
    """A solved model with what a summary says of it, all of which :class:`semfit.SemFit` derives."""

    estimates: pd.DataFrame
    standardized: pd.DataFrame
    r2: pd.Series | pd.DataFrame
    fit_measures: pd.Series
    draws: Bootstrap | None

    @property
    @abstractmethod
    def problems(self) -> tuple[str, ...]:
        """What is off about the solution."""


def summary(fit: Shown) -> str:
    """Return problems first, then test and fit measures, then all parameters by kind.

    Parameters
    ----------
    fit : SemFit
        Any; without a solution nothing is printed that looks like one.

    Returns
    -------
    str
        Lines in the order of lavaan's summary; estimates in the variables' units, Std.all in standard deviations.
    """
    parts = [_head(fit), _tests(fit)]
    if fit.converged:
        frame = fit.estimates
        for k, group in enumerate(fit.sample.groups, start=1):
            if fit.table.groups > 1:
                parts.append(f"Group {k} [{group.label}]: {group.nobs} observations")
            parts += [_section(title, _rows(frame, op, k)) for op, title in SECTIONS[:-1]]
        parts.append(_section(SECTIONS[-1][1], _rows(frame, ":=", 0)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(fit: Shown) -> str:
    dropped = f"; {fit.sample.dropped} left out for missing values" if fit.sample.dropped else ""
    lines = [f"*** {said}" for said in (*fit.problems, *getattr(fit.problem, "notes", ()))]  # what was done to the data
    gradient = float(fit.solution.gradient)  # below this it is what rounding on a processor leaves
    steepest = "below 1e-10" if gradient < 1e-10 else f"{gradient:.1e}"
    errors = "bootstrap" if fit.draws is not None else "standard" if fit.estimator in ("ML", "DWLS") else "robust"
    state = "ended normally" if fit.converged and fit.identified else "DID NOT END NORMALLY"
    lines += [
        f"semfit {state} after {int(fit.solution.iterations)} iterations (largest gradient {steepest})",
        "",
        f"  Estimator                          {fit.estimator:>14}",
        f"  Standard errors                    {errors:>14}",
        f"  Information matrix                 {fit.information:>14}",
        f"  Number of free parameters          {fit.npar:>14d}",
        f"  Number of observations             {fit.nobs:>14d}{dropped}",
        *_cautions(fit),
    ]
    return "\n".join(lines)


def _cautions(fit: Shown) -> list[str]:
    """Say what the standard errors and the test rest on beside the rows."""
    lines = [f"  At its bound, held as equality     {said:>14}" for said in fit.active]
    clusters = [group.clusters for group in fit.sample.groups if group.clusters is not None]
    if clusters:
        count = sum(len(np.unique(own)) for own in clusters)
        title = f"  Number of clusters [{fit.options['cluster']}]"
        lines.append(f"{title:<36}{count:>15d}")
    if any(group.weights is not None for group in fit.sample.groups):
        lines.append(f"  Sampling weights                   {fit.options['weights']:>14}")
    if fit.draws is not None:
        lines.append(f"  Resamples that converged           {len(fit.draws.draws):>14d}; {fit.draws.failed} left out")
    if fit.options.get("missing") == "pairwise":
        lines.append(
            "  Pairwise covariances: estimates hold only where values are missing completely at random (MCAR);\n"
            "  standard errors and test take every covariance to rest on all rows, and are too optimistic."
        )
    return lines


def _tests(fit: Shown) -> str:
    """Test and fit measures; nothing where the solution is none."""
    if not (fit.converged and fit.identified):
        return "No test statistic, fit measures or standard errors: see the first lines."
    m = fit.fit_measures
    robust = "chisq.scaled" in m
    lines = ["Model test" + (" (standard, scaled)" if robust else "")]
    for title, name, digits in (
        ("Chi-square", "chisq", 3),
        ("Degrees of freedom", "df", 0),
        ("P-value", "pvalue", 3),
        ("CFI", "cfi", 3),
        ("TLI", "tli", 3),
        ("RMSEA", "rmsea", 3),
        ("  90% interval, lower", "rmsea.ci.lower", 3),
        ("  90% interval, upper", "rmsea.ci.upper", 3),
        ("  P-value of RMSEA <= 0.05", "rmsea.pvalue", 3),
        ("Robust CFI", "cfi.robust", 3),
        ("Robust TLI", "tli.robust", 3),
        ("Robust RMSEA", "rmsea.robust", 3),
        ("  90% interval, lower", "rmsea.ci.lower.robust", 3),
        ("  90% interval, upper", "rmsea.ci.upper.robust", 3),
        ("SRMR", "srmr", 3),
        ("Log likelihood", "logl", 3),
        ("AIC", "aic", 3),
        ("BIC", "bic", 3),
    ):
        if name in m:
            second = f"{m[name + '.scaled']:14.{digits}f}" if robust and name + ".scaled" in m else ""
            lines.append(f"  {title:<35}{m[name]:14.{digits}f}{second}")
    return "\n".join(lines)


def _rows(frame: pd.DataFrame, op: str, group: int) -> pd.DataFrame:
    variance = (frame["op"] == "~~") & (frame["lhs"] == frame["rhs"])
    return frame[(frame["group"] == group) & (variance if op == "var" else (frame["op"] == op) & ~variance)]


def _section(title: str, rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    lines = [f"{title + ':':<28}{'Estimate':>10}{'Std.Err':>10}{'z-value':>10}{'P(>|z|)':>10}{'Std.all':>10}"]
    last = None
    for row in rows.to_dict("records"):
        if row["op"] in LINKS and row["lhs"] != row["rhs"]:
            if row["lhs"] != last:
                lines.append(f"  {row['lhs']} {row['op']}")
            last, name = row["lhs"], f"    {row['rhs']}"
        else:
            name = f"    {row['lhs']}"
        label = f" ({row['label']})" if row["label"] and row["op"] != ":=" else ""
        numbers = row["est"], row["se"] or np.nan, row["z"], row["pvalue"], row["std_all"]
        shown = [f"{x:10.3f}" if np.isfinite(x) else " " * 10 for x in numbers]
        lines.append(f"{name + label:<28}{''.join(shown)}")
    return "\n".join(lines)


def to_lavaan(fit: Shown) -> str:
    """Return the R code that fits the same model with lavaan.

    Rows are to stand in a data frame called ``data``, weights that were no column of it in its column ``weights``;
    moments are written out.
    """
    options = {"estimator": f'"{fit.estimator}"'} | ({"ordered": "TRUE"} if fit.ordinal else {})
    names = {"group_equal": "group.equal", "std_lv": "std.lv", "mean_structure": "meanstructure"}
    names["weights"] = "sampling.weights"
    for key, value in fit.options.items():
        if value not in (None, False, (), "listwise", "delta"):
            options[names.get(key, key)] = _r(value)
    if fit.draws is not None:
        options["estimator"] = '"DWLS"' if fit.ordinal else '"ML"'  # lavaan resamples no others; same estimates
        options |= {"se": '"bootstrap"', "bootstrap": str(len(fit.draws.draws) + fit.draws.failed)}
    rows = "data = data"
    if all(group.rows is None for group in fit.sample.groups) and "missing" not in options:
        rows = _moments(fit)
    call = ", ".join([rows, *(f"{k} = {v}" for k, v in options.items())])
    return (
        f"library(lavaan)\nmodel <- '\n{fit.model.strip()}\n'\nfit <- sem(model, {call})\n"
        "summary(fit, fit.measures = TRUE, standardized = TRUE)\n"
    )


def _moments(fit: Shown) -> str:
    """Write the moments of every group as R's arguments; covariances divide by N - 1 there."""
    names, groups = _r(fit.sample.names), fit.sample.groups

    def every(parts: list[str]) -> str:
        return parts[0] if len(parts) == 1 else f"list({', '.join(parts)})"

    def numbers(values: np.ndarray) -> str:
        return f"c({', '.join(repr(float(x)) for x in values.ravel())})"

    form = f"{len(fit.sample.names)}, dimnames = list({names}, {names})"
    covariances = [f"matrix({numbers(g.covariance * g.nobs / (g.nobs - 1))}, {form})" for g in groups]
    means = f", sample.mean = {every([numbers(g.mean) for g in groups])}" if fit.table.means else ""
    counts = every([str(g.nobs) for g in groups])
    return f"sample.cov = {every(covariances)}{means}, sample.nobs = {counts}"


def _r(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, tuple):
        return "c(" + ", ".join(f'"{v}"' for v in value) + ")"
    return f'"{value}"'
