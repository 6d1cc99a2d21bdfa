"""A study as an article tells it: methods and respondents, in English and Chinese."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from nbproof import snap
from surveysem import __version__
from surveysem.said import catalogue, told
from surveysem.study import Study


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
    by_pls, paths = study.estimator == "PLS", study.codebook.paths
    answers = study.answers[[*study.items, *study.covariates] if by_pls else study.items]
    leading = {path.predictor for path in paths}
    return told(
        "methods",
        language,
        study=study,
        rules=_rules(study),
        apa=partial(_apa, language=language),
        turned=sum(study.codebook.by_code[code].reverse for code in study.items),
        made=[study.codebook.names(language)[name] for name in study.composed],
        version=__version__,
        python=platform.python_version(),
        missing=100 * answers.isna().mean(axis=None),
        fiml=not by_pls and study.options.get("missing") == "fiml",
        whole=int(answers.notna().all(axis=1).sum()),
        through=any(path.outcome in leading for path in paths) and not by_pls,
        fits=[] if fits is None else [{key: _known(row[key]) for key in row} for row in fits.to_dict("records")],
        group=study.codebook.group if invariance else "",
        level=catalogue(language)(invariance),
    ) + "\n"  # fmt: skip


def told_by(results: Mapping[str, Mapping]) -> tuple[pd.DataFrame | None, Mapping[str, str]]:
    """Return the fit table and the level of invariance, by language, where the report of a survey holds them."""
    fits = results["tables"].get("fit_table")
    frame = pd.DataFrame(fits["rows"], columns=fits["columns"]) if fits else None
    return frame, results["texts"].get("invariance", {})


def respondents_text(study: Study, language: str) -> str:
    """Return how many answered, whom the rules flagged and who is left."""
    return told("respondents", language, study=study, rules=_rules(study))


def _rules(study: Study) -> list[dict[str, Any]]:
    """Return the rules that flagged somebody, with how many each flagged."""
    return study.screened.summary().query("rule != 'any'").to_dict("records")


def _known(value: Any) -> Any:
    return None if pd.isna(value) else snap(value) if isinstance(value, float) else value


def _apa(value: float, language: str) -> str:
    """A number that cannot exceed 1, to three decimals, in English without a zero before the point.

    >>> _apa(0.9325, "en"), _apa(-0.05, "en"), _apa(1.0, "en"), _apa(0.9325, "zh")
    ('.932', '-.050', '1.000', '0.932')
    """
    text = f"{snap(value):.3f}"
    return text.replace("0.", ".", 1) if language == "en" and abs(value) < 1 else text
