"""A study as an article tells it, in English and Chinese: methods, respondents, and what was found, in plain words."""

import platform
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from nbproof import snap
from surveysem import __version__
from surveysem.hypotheses import hypotheses_of, path_in
from surveysem.said import catalogue, told
from surveysem.study import Study


def methods_text(study: Study, results: Mapping[str, Mapping[str, Any]], language: str) -> str:
    """Return the methods paragraphs of a study; nothing is fitted here.

    Parameters
    ----------
    study : Study
        Who answered, and how it is analysed.
    results : mapping
        As `nbproof.collect` returns them, of all notebooks: the fit of both models, and the levels of invariance that
        hold between groups, across waves and, without items that were let go, in part.
    language : {"en", "zh"}
        Of the text, one that the report was made in.
    """
    by_pls, causes = study.estimator == "PLS", study.codebook.causes
    answers = study.answers[[*study.items, *study.covariates] if by_pls else study.items]
    called, texts = study.codebook.names(language), results["texts"]
    fits = results["tables"].get("fit_table", {"rows": ()})
    levels = {name: texts.get(name, {}).get(language, "") for name in ("invariance", "over_time", "in_part")}
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
        whole=int(answers.notna().all(axis=1).sum()), smallest=results.get("numbers", {}).get("smallest"),
        through=any(path.predictor in causes for path in study.codebook.paths) and not by_pls,
        fits=[dict(zip(fits["columns"], map(_known, row), strict=True)) for row in fits["rows"]],
        levels={name: catalogue(language)(level) for name, level in levels.items()},
        waves=[] if by_pls else [" → ".join(called[name] for name in each.constructs) for each in study.codebook.waves],
    ) + "\n"  # fmt: skip


def respondents_text(study: Study, language: str) -> str:
    """Return how many answered, whom the rules flagged and who is left."""
    return told("respondents", language, study=study, rules=_rules(study))


def summary_text(study: Study, results: Mapping[str, Mapping[str, Any]], language: str) -> str:
    """Return what was found in paragraphs parted by blank lines: sample, measurement, hypotheses, cautions.

    As a thesis opens with it; every number is one of the report's results.

    Parameters
    ----------
    study : Study
        What the report is about.
    results : mapping
        As `nbproof.collect` returns them, of all notebooks; without a table of hypotheses there is nothing to tell.
    language : {"en", "zh"}
        One that the report was made in.
    """
    if not (table := results["tables"].get("hypotheses_table")):
        return ""
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    known = {one.label: path_in(study.codebook, one, language) for one in hypotheses_of(study.codebook)}
    decided: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        verdict = row["verdict"]["en"] if isinstance(row["verdict"], Mapping) else row["verdict"]
        decided.setdefault(verdict.replace(" ", "_"), []).append(row | {"path": known[row["label"]]})
    return told(
        "summary",
        language,
        **{name: one["value"] for name, one in results["numbers"].items()}
        | {name: said[language] for name, said in results["texts"].items()},
        decided=decided,
        total=len(rows),
        estimator=study.estimator,
        drawn=study.basis == "synthetic sample",
        waves=bool(study.codebook.waves),
    )


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
