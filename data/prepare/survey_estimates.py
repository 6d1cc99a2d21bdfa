"""Test every hypothesis of the survey on the synthetic sample: `python data/prepare/survey_estimates.py`.

The sample is drawn anew from data/survey/truth.toml; nothing is fetched. Numbers keep six decimals: further ones depend
on the machine.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce.evidence import survey
from socialcommerce.survey import read_study

TARGET = Path(__file__).parents[1] / "processed" / "survey_estimates.csv"


def build() -> pd.DataFrame:
    """Return estimate, intervals and truth of each hypothesis, one row each."""
    return survey.estimate_table(read_study()).round(6)


if __name__ == "__main__":
    build().to_csv(TARGET, index=False, lineterminator="\n")
