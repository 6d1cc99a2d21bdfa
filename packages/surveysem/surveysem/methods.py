"""A study as an article tells it: methods and respondents, in English and Chinese."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import pandas as pd

from nbproof import snap
from surveysem import __version__
from surveysem.said import say as _say
from surveysem.screening import Screened
from surveysem.study import Study

RULES = {
    "missing": "more than {threshold}% of the items unanswered ({flagged:d})",
    "straight-lining (run)": "a run of {threshold} or more equal answers ({flagged:d})",
    "straight-lining (sd)": "answers that do not vary (standard deviation at most {threshold}) ({flagged:d})",
    "one answer only": "one answer to every item ({flagged:d})",
    "speeder": "less than {threshold} seconds per question ({flagged:d})",
    "failed check": "an attention check failed ({flagged:d})",
    "out of range": "an answer that is no code of its scale ({flagged:d})",
    "duplicate": "the same answers as an earlier row, beyond what chance explains ({flagged:d})",
}
ESTIMATORS = {
    "MLR": "robust maximum likelihood (MLR), with robust standard errors and fit statistics corrected for "
    "non-normality",
    "ML": "maximum likelihood (ML)",
    "WLSMV": "weighted least squares with a mean- and variance-adjusted test (WLSMV), based on polychoric correlations "
    "of ordered answers",
}
MISSING = {
    "none": "No answer to these items was missing.",
    "fiml": "{missing:.1f}% of these answers were missing and handled by full information maximum likelihood (FIML).",
    "listwise": "{missing:.1f}% of these answers were missing; respondents with a missing answer were left out of the "
    "models (n = {whole:,}).",
}
RESAMPLING = {
    "refit": "the model refitted in each",
    "normal": "draws from the normal distribution of the estimates",
    "one-step": "one scoring step from the estimates in each",
}
SCREENED = {
    "drop": "Those flagged were left out; n = {kept:,} were analysed.",
    "some": "Of those flagged {dropped:d} were left out; n = {kept:,} were analysed.",
    "report-only": "Those flagged were kept; n = {kept:,} were analysed.",
}
FLAGGED = (
    "Screening criteria were set before any model was fitted and flagged {flagged:d} of them "
    "({share:.1f}%): {rules} (a respondent may meet several criteria)."
)
NONE_FLAGGED = "Screening criteria were set before any model was fitted and flagged nobody; n = {kept:,} were analysed."
MODELS = (
    "A confirmatory factor analysis and a structural equation model with {paths:d} paths were estimated by "
    "{estimator}. The software was surveysem {version} (Python {python})."
)
COMPOSITES = (
    "A path model of {constructs:d} composites with {paths:d} paths was estimated by partial least squares (PLS; "
    "path weighting; {mode}), and beside it by consistent PLS (PLSc). Standard errors and percentile intervals come "
    "from {draws:,} bootstrap resamples (seed {seed:d}). The software was surveysem {version} (Python {python})."
)
MODES = ("Mode A", "Mode A, and Mode B for {made}")
MADE = (
    "Modelled as composites of their items, with weights estimated (Henseler-Ogasawara specification; Schuberth, "
    "2023): {made}."
)
INDIRECT = (
    "Indirect effects were tested with percentile bootstrap intervals from {draws:,} resamples ({how}; seed {seed:d})."
)
GROUPS = "Multi-group analysis ({group}): judged by ΔCFI and ΔRMSEA, {level} holds."
SYNTHETIC = "These respondents were simulated: they show what the method does and are no evidence about people."
AGAIN = "The file model.R computes models and tables again from data.csv, with lavaan in R."
TEST = "χ²({df}) = {chisq}, p {p}"
FIT = "{test}, CFI = {cfi}, TLI = {tli}, RMSEA = {rmsea} [{lower}, {upper}], SRMR = {srmr}"
ROBUST = "{test}, robust CFI = {cfi}, robust TLI = {tli}, robust RMSEA = {rmsea} [{lower}, {upper}], SRMR = {srmr}"
NO_TEST = "no test, as too few rows are left"
PLAIN = "{fit} (uncorrected: {test}, CFI = {cfi}, RMSEA = {rmsea})"


def methods_text(study: Study, language: str, fits: pd.DataFrame | None, invariance: str = "") -> str:
    """Return the methods paragraphs of a study; nothing is fitted here.

    Parameters
    ----------
    study : Study
        Who answered, and how it is analysed.
    language : {"en", "zh"}
        Of the text.
    fits : pandas.DataFrame, optional
        As `measurement.fit_table` returns it, the measurement model first; of PLS there is none.
    invariance : str
        The level of measurement invariance that the report found, in the same language.
    """
    paragraphs = [respondents_text(study, language), _models(study, language)]
    paragraphs += [] if fits is None else [_fits(study, fits, language)]
    if invariance and study.codebook.group:
        paragraphs.append(_say(language, GROUPS, group=study.codebook.group, level=invariance))
    if study.basis == "synthetic sample":
        paragraphs.insert(0, _say(language, SYNTHETIC))
    return "\n\n".join(paragraphs) + "\n"


def told_by(results: Mapping[str, Mapping]) -> tuple[pd.DataFrame | None, Mapping[str, str]]:
    """Return the fit table and the level of invariance, by language, where the report of a survey holds them."""
    fits = results["tables"].get("fit_table")
    frame = pd.DataFrame(fits["rows"], columns=fits["columns"]) if fits else None
    return frame, results["texts"].get("invariance", {})


def respondents_text(study: Study, language: str) -> str:
    """Return how many answered, whom the rules flagged and who is left."""
    screened, flagged = study.screened, len(study.screened.flagged)
    received = _say(language, "{received:,} responses were received.", received=screened.nobs)
    if not flagged:
        return _joined(language, [received, _say(language, NONE_FLAGGED, kept=study.nobs)])
    rules = ("; " if language == "en" else "；").join(_broken(study, language))
    return _joined(
        language,
        [
            received,
            _say(language, FLAGGED, flagged=flagged, share=100 * flagged / screened.nobs, rules=rules),
            _say(language, SCREENED[_left_out(screened)], kept=study.nobs, dropped=screened.dropped),
        ],
    )


def _left_out(screened: Screened) -> str:
    if not screened.dropped:
        return "report-only"
    return "drop" if screened.dropped == len(screened.flagged) else "some"


def _joined(language: str, sentences: list[str]) -> str:
    return (" " if language == "en" else "").join(sentences)


def _broken(study: Study, language: str) -> list[str]:
    """The rules that flagged somebody, and how many each flagged."""
    table = study.screened.summary().query("rule != 'any'")
    return [
        _say(
            language,
            RULES[row.rule],
            flagged=row.flagged,
            threshold=f"{row.threshold * (100 if row.rule == 'missing' else 1):g}",
        )
        for row in table.itertuples()
    ]


def _models(study: Study, language: str) -> str:
    turned, by_pls = sum(study.codebook.by_code[code].reverse for code in study.items), study.estimator == "PLS"
    answers = study.answers[[*study.items, *study.covariates] if by_pls else study.items]
    how = "listwise" if by_pls else study.options.get("missing", "listwise")
    leading = {path.predictor for path in study.codebook.paths}
    called = study.codebook.names(language)
    made = (", " if language == "en" else "\u3001").join(called[name] for name in study.composed)
    told = {
        "made": made,
        "mode": _say(language, MODES[bool(made)], made=made),
        "items": len(study.items),
        "turned": turned,
        "constructs": len(study.constructs),
        "paths": len(study.codebook.paths),
        "estimator": ESTIMATORS.get(study.estimator, ""),
        "version": __version__,
        "python": platform.python_version(),
        "missing": 100 * answers.isna().mean(axis=None),
        "whole": int(answers.notna().all(axis=1).sum()),
        "draws": study.draws,
        "how": RESAMPLING[study.resampling],
        "seed": study.seed,
    }
    measures = (
        "The {items:d} items ({turned:d} reverse-keyed) measure {constructs:d} constructs."
        if turned
        else "The {items:d} items measure {constructs:d} constructs."
    )
    parts = [measures, *([MADE] if made and not by_pls else ())]
    parts += [COMPOSITES if by_pls else MODELS, MISSING[how if answers.isna().any(axis=None) else "none"]]
    if any(path.outcome in leading for path in study.codebook.paths) and not by_pls:
        parts.append(INDIRECT)
    return _joined(language, [_say(language, part, **told) for part in parts])


def _fits(study: Study, fits: pd.DataFrame, language: str) -> str:
    measurement, structural = (_fit(row, study.estimator, language) for row in fits.to_dict("records"))
    return _joined(
        language,
        [
            _say(language, "The measurement model: {fit}.", fit=measurement),
            _say(language, "The structural model: {fit}.", fit=structural),
            _say(language, AGAIN),
        ],
    )


def _fit(row: Mapping[str, float], estimator: str, language: str) -> str:
    """Test and indices; corrected for non-normal answers where the estimator is, the plain ones of MLR beside them."""
    if pd.isna(row.get("cfi")):
        return _say(language, NO_TEST)
    scaled = "" if estimator == "ML" else ".scaled"
    apa = {
        name.rpartition(".")[2]: _apa(row[name], language)
        for name in ("cfi", "tli", "rmsea", "srmr", "rmsea.ci.lower", "rmsea.ci.upper")
    }
    fit = _say(language, ROBUST if scaled else FIT, test=_test(row, scaled, language), **apa)
    if estimator != "MLR":
        return fit
    return _say(
        language,
        PLAIN,
        fit=fit,
        test=_test(row, "", language),
        cfi=_apa(row["plain_cfi"], language),
        rmsea=_apa(row["plain_rmsea"], language),
    )


def _test(row: Mapping[str, float], kind: str, language: str) -> str:
    p = row["pvalue" + kind]
    shown = "= " + _apa(p, language) if not p < 0.0005 else "< .001" if language == "en" else "< 0.001"
    return _say(language, TEST, df=f"{row['df']:.0f}", chisq=f"{snap(row['chisq' + kind]):.2f}", p=shown)


def _apa(value: float, language: str) -> str:
    """A number that cannot exceed 1, to three decimals, in English without a zero before the point.

    >>> _apa(0.9325, "en"), _apa(-0.05, "en"), _apa(1.0, "en"), _apa(0.9325, "zh")
    ('.932', '-.050', '1.000', '0.932')
    """
    text = f"{snap(value):.3f}"
    return text.replace("0.", ".", 1) if language == "en" and abs(value) < 1 else text
