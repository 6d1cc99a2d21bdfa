"""A reader's own series, survey or values: every notebook runs on them, and what it says is true of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from socialcommerce.survey import own_sample, own_truth
from surveysem import Sample, draw_respondents
from tests.told import MEANINGLESS, NOTEBOOKS, run, sentences, untranslated


def series(
    folder: Path, values: list[float], sources: str = "", unit: str = "billion USD", last: str = "observed"
) -> str:
    names = sources or "A" * len(values)
    bases = ["observed"] * (len(values) - 1) + [last]
    rows = zip(range(2010 - len(values), 2010), values, names, bases, strict=True)
    file = folder / "mine.csv"
    file.write_text(
        "year,value,unit,source,basis\n"
        + "".join(f"{year},{value:.10g},{unit},{name}-data,{basis}\n" for year, value, name, basis in rows),
        encoding="utf-8",
    )
    return str(file)


def told(folder: Path, name: str, **given: object) -> str:
    """What a notebook says in English; all of it is translated, and none of it is empty talk in either language."""
    ran = run(NOTEBOOKS / f"{name}.ipynb", folder / "out.ipynb", **given)
    said = sentences(ran)
    assert untranslated(ran) == set()
    assert {language: MEANINGLESS.findall(text) for language, text in said.items()} == {"en": [], "zh": []}
    assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", said["zh"]), said["zh"]
    return said["en"]


FALLING = [100, 91, 80, 74, 66, 60, 52, 47, 44]
RISING = [1, 1.3, 1.5, 2.1, 2.4, 2.9, 3.1, 3.2, 3.9, 4.4]
SERIES = {  # values and how they are given: what is said, what must not be
    "one publisher, falling, in thousandths": (
        ([3e-5 * value for value in FALLING], {}),
        [
            "The value of 2009 is 0.00132, that of 2001 was 0.003 (billion USD): 0.44 times as much.",
            "between −13.3% and −6.4% a year",
            "a rate of −0.106",
            "they are not ranked",
            "interval runs from 0.00",
        ],
        ["cross a change of source", "publishers disagree", "carries no forecast"],
    ),
    "ten publishers, in thousands of millions": (
        ([3e9 * value for value in RISING], {"sources": "ABCDEFGHIJ", "unit": "thousand persons"}),
        [
            "is 13,200,000,000, that of 2000 was 3,000,000,000 (thousand persons): 4.40 times as much.",
            "No two neighbouring years come from one source",
            "the series gives **13,200,000,000** (thousand persons)",
        ],
        ["A growth rate can be given", "if the same source"],
    ),
    "a single year": (
        ([5], {}),
        ["From so few years (1) no curve", "For 2009 the series gives **5** (billion USD); it carries no forecast."],
        ["the market went from", "wherever it can be given", "No two neighbouring"],
    ),
    "a curve that meets every value, and a forecast": (
        ([10, 20, 40, 80, 160], {"last": "forecast"}),
        [
            "Growth is +100.0% a year wherever it can be given.",
            "No forecast: a curve meets every value",
            "The value of 2009 is itself a forecast.",
        ],
        ["The growth rates lie", "may lie anywhere"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SERIES)
def test_a_series_of_ones_own_is_told_as_it_is(tmp_path, case):
    (values, how), wanted, unwanted = SERIES[case]
    said = told(tmp_path, "01_market_size", series=series(tmp_path, values, **how), draws=100, horizon=2012)
    assert [part for part in wanted if part not in said] == []
    assert [part for part in unwanted if part in said] == []


AS_THEY_ARE = {"screening": "report-only", "reading": '{"invalid": "record"}'}


def written(folder: Path, sample: Sample) -> str:
    """Write answers to the project's questionnaire as people's; models of its 17 constructs take ten seconds each."""
    sample.cells.drop(columns="basis").to_csv(folder / "mine.csv", index=False)
    return str(folder / "mine.csv")


@pytest.mark.slow
def test_own_answers_to_the_projects_questions_are_measured(tmp_path):
    answers = written(tmp_path, own_sample(nobs=400, seed=5))
    said = told(tmp_path, "04_measurement", htmt_draws=20, answers=answers, **AS_THEY_ARE)
    assert "The answers are those of 400 respondents, read from mine.csv." in said
    assert "The measurement model of 17 constructs has" in said
    assert "simulated" not in said


@pytest.mark.slow
def test_own_answers_to_the_projects_questions_decide_the_papers_hypotheses(tmp_path):
    """Answers without defects are screened in one way alone; the specifications of others are in the study's report."""
    given = {"answers": written(tmp_path, draw_respondents(own_truth(), 400, seed=5)), **AS_THEY_ARE}
    said = told(tmp_path, "05_strategies", draws=50, stability=20, starts=1, **given)
    (nobs, received) = re.search(r"hypotheses of the codebook on (\d+) of the (\d+) answers in mine.csv", said).groups()
    assert nobs == received
    assert re.search(r"excludes zero in the hypothesised direction: \d+ of 19\.", said)
    assert re.search(r"Hypotheses: 23; results on \d+ answers", said)
