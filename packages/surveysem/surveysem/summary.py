"""What a report found, in plain words as a thesis opens with them; every number is one of the report's results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from surveysem.hypotheses import hypotheses_of, path_in
from surveysem.said import told
from surveysem.study import Study


def summary_text(study: Study, results: Mapping[str, Mapping[str, Any]], language: str) -> str:
    """Return paragraphs parted by blank lines: sample, measurement, hypotheses, what to be careful about.

    Parameters
    ----------
    study : Study
        What the report is about.
    results : mapping
        As `surveysem.bundle.run` returns them; without a table of hypotheses there is nothing to tell.
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
