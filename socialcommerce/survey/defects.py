"""What goes wrong in a survey and can be seen: defects planted in drawn answers, each on record."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from socialcommerce.errors import ParameterError
from socialcommerce.survey.codebook import Codebook

__all__ = ["FIRST_ROW", "Defects", "plant"]

PLANTED = ["row", "defect", "item", "value"]
FIRST_ROW = 2  # of a file whose heading is row 1


@dataclass(frozen=True)
class Defects:
    """How much to plant: cells emptied, and respondents who answer straight, too fast, fail a check, ...

    A respondent has one defect at most. A duplicate repeats an earlier respondent in every answer.
    """

    missing_cells: int = 0
    straight_liners: int = 0
    speeders: int = 0
    failed_checks: int = 0
    duplicates: int = 0
    out_of_range: int = 0

    def __post_init__(self) -> None:
        for each in fields(self):
            if not isinstance(value := getattr(self, each.name), int) or value < 0:
                raise ParameterError(f"defect {each.name} is {value!r}; allowed: a whole number from 0.")


def plant(
    answers: np.ndarray, duration: np.ndarray, book: Codebook, defects: Defects, rng: np.random.Generator
) -> pd.DataFrame:
    """Change answers (respondents x questions) and seconds in place, and return what was changed.

    Returns
    -------
    pandas.DataFrame
        One line a defect: row (in a file, the heading is row 1), defect, item, value.

    Raises
    ------
    ParameterError
        When there are fewer respondents or cells than the defects need, or no check to fail.
    """
    at = {item.code: k for k, item in enumerate(book.questions)}
    columns = [at[code] for code in book.items]
    checks = [item for item in book.questions if item.role == "check"]
    if defects.failed_checks and not checks:
        raise ParameterError(f"defect failed_checks is {defects.failed_checks}; allowed: 0, there is no check.")
    counts = (defects.straight_liners, defects.speeders, defects.failed_checks, defects.out_of_range)
    needed = sum(counts) + 2 * defects.duplicates
    if needed > len(answers):
        raise ParameterError(f"the defects need {needed} respondents; got {len(answers)}.")
    order = rng.permutation(len(answers))
    straight, fast, failing, outside, pairs, clean = np.split(order, np.cumsum([*counts, 2 * defects.duplicates]))
    if defects.missing_cells > len(clean) * len(columns):
        raise ParameterError(f"{defects.missing_cells} missing cells; allowed: up to {len(clean) * len(columns)}.")
    lines = []
    low = max(item.scale.low for item in book.questions if item.role == "item")
    high = min(item.scale.high for item in book.questions if item.role == "item")
    for row, value in zip(straight, rng.integers(low, high + 1, len(straight)), strict=True):
        answers[row, columns] = value
        lines.append((row, "straight-liner", "", value))
    duration[fast] = np.round(0.5 * len(book.questions) * rng.uniform(0.5, 1.5, len(fast)), 1)
    lines += [(row, "speeder", "", duration[row]) for row in fast]
    for row in failing:
        item = checks[rng.integers(len(checks))]
        wrong = [code for code in range(item.scale.low, item.scale.high + 1) if code != item.expected]
        lines.append((row, "failed check", item.code, rng.choice(wrong)))
    for row in outside:
        item = book.by_code[book.items[rng.integers(len(columns))]]
        lines.append((row, "out of range", item.code, item.scale.high + rng.integers(1, 4)))
    for first, again in np.sort(pairs.reshape(-1, 2)):
        answers[again] = answers[first]
        lines.append((again, "duplicate", "", first + FIRST_ROW))
    for cell in rng.choice(len(clean) * len(columns), defects.missing_cells, replace=False):
        lines.append((clean[cell // len(columns)], "missing cell", book.items[cell % len(columns)], np.nan))
    for row, _, code, value in lines:
        if code:
            answers[row, at[code]] = value
    frame = pd.DataFrame(lines, columns=PLANTED).astype({"row": int, "value": float})
    frame["row"] += FIRST_ROW
    return frame.sort_values(["row", "item"], ignore_index=True)
