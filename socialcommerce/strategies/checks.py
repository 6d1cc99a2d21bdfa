"""What answers must hold before a study is reported: items that vary, groups to compare, models that fit."""

from __future__ import annotations

from socialcommerce.errors import DataError
from socialcommerce.strategies.study import Study

__all__ = ["check_study"]

QUICK = 10_000  # respondents whose models fit in about a second


def check_study(study: Study) -> None:
    """Say which column of the file keeps a study's models from being fitted.

    Where that takes no time (no answer missing, not too many respondents), the models are fitted too.

    Raises
    ------
    DataError
        Naming file and column, what stands there and what is needed.
    """
    file = study.responses.file
    places = study.responses.mapping.set_index("question")["column"]
    for code in study.items:
        _check_values(study, code, places[code], "answers that differ are needed")
    if group := study.codebook.group:
        _check_values(study, group, places[group],
                      "two groups are needed to compare them, or a codebook without the line `group`")
    quick = study.options.get("missing") != "fiml" and study.nobs <= QUICK
    for name in ("measurement", "structural") if quick else ():
        try:
            fit = getattr(study, name)
        except Exception as wrong:
            if not getattr(wrong, "input_is_wrong", False):
                raise
            raise DataError(f"{file}, {name} model: {wrong}") from wrong
        if not (fit.converged and fit.identified):
            raise DataError(f"{file}: the {name} model has no solution on these {fit.nobs} answers "
                            f"({' '.join(fit.problems)}); more answers, or fewer constructs and paths, are needed.")


def _check_values(study: Study, code: str, column: int, needed: str) -> None:
    found = study.screened.answers[code].dropna().unique()
    if len(found) < 2:
        what = f"every answer kept is {found[0]:g}" if len(found) else "no answer is kept"
        raise DataError(f"{study.responses.file}, column {column} ({code}): {what}; {needed}.")
