"""Screening by declared rules: hand-made cases, the Hanoi survey's known duplicates and straight-liners."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from books import HANOI, SMALL

import surveysem
from surveysem.codebook import Codebook, Construct, Item, Scale
from surveysem.errors import DataError, ParameterError, UnknownNameError
from surveysem.screening import RARE, chance

GOOD = [
    [1, 5, 2, 4, 2, 3, 1, 1, 3],
    [4, 2, 5, 4, 4, 5, 3, 2, 0],
    [3, 3, 4, 4, 2, 1, 2, 1, 7],
    [5, 1, 4, 4, 5, 5, 4, 2, 1],
]
HEAD = ["T1", "T2", "T3", "C1", "B1", "B2", "B3", "MODE", "N"]


@pytest.fixture
def read(tmp_path):
    """Read rows beside four good ones, with durations."""

    def made(*rows, seconds=(), **options):
        (tmp_path / "book.toml").write_text(SMALL, encoding="utf-8")
        book = surveysem.load_codebook(tmp_path / "book.toml")
        good = [
            [(v - 1 + k) % 5 + 1 if j < 7 and j != 3 else v for j, v in enumerate(row)]
            for k, row in enumerate(GOOD * 2)
        ]
        frame = pd.DataFrame([*rows, *good], columns=HEAD)
        frame["duration"] = [*seconds, *[60] * (len(frame) - len(seconds))]
        frame.to_csv(tmp_path / "a.csv", index=False)
        return surveysem.read_responses(tmp_path / "a.csv", book, **options)

    return made


def flags(screened):
    return screened.record[["row", "rule", "value", "threshold"]].values.tolist()


def test_nothing_is_flagged_where_nothing_is_wrong(read):
    screened = surveysem.screen(read())
    assert flags(screened) == []
    assert len(screened.answers) == screened.nobs == 8
    assert screened.summary()[["rule", "flagged"]].values.tolist() == [["any", 0]]


@pytest.mark.parametrize(
    ("row", "seconds", "options", "expected"),
    [
        ([None, None, 3, 4, 1, 2, 3, 1, 1], 60, {}, [["missing", 2 / 6, 0.2]]),
        ([3, 3, 3, 4, 3, 3, 3, 1, 1], 60, {}, [["straight-lining (sd)", 0, 0], ["one answer only", 3, 1]]),
        ([2, 2, 2, 4, 2, 2, 3, 1, 1], 60, {"run": 5}, [["straight-lining (run)", 5, 5]]),
        (
            [2, 2, 3, 4, 2, 2, 3, 1, 1],
            60,
            {"sd": 0.6},
            [["straight-lining (sd)", np.std([2, 2, 3, 2, 2, 3], ddof=1), 0.6]],
        ),
        ([2, 5, 3, 4, 1, 2, 3, 1, 1], 17.9, {}, [["speeder", 17.9 / 9, 2]]),
        ([2, 5, 3, 4, 1, 2, 3, 1, 1], 18, {}, []),
        ([2, 5, 3, 3, 1, 2, 3, 1, 1], 60, {}, [["failed check", 1, 0]]),
        ([2, 5, 3, None, 1, 2, 3, 1, 1], 60, {}, [["failed check", 1, 0]]),
        ([2, 5, 3, 3, 1, 2, 3, 1, 1], 60, {"failed_checks": 1}, []),
        ([2, 5, 3, 4, 1, 9, 3, 1, 1], 60, {}, [["out of range", 1, 0]]),
        (GOOD[0], 60, {}, []),
        ([3, 3, 3, 1, 3, 3, 3, 1, 1], 1, {"sd": None, "one_answer": False, "seconds": None, "failed_checks": None}, []),
    ],
)
def test_each_rule_flags_its_case_with_value_and_threshold(read, row, seconds, options, expected):
    responses = read(row, seconds=[seconds], invalid="record")
    rules = surveysem.Rules(duplicates=False, **options)
    screened = surveysem.screen(responses, rules)
    assert [line[1:] for line in flags(screened)] == expected
    assert screened.flagged == ([2] if expected else [])
    assert (2 in screened.answers.index) == (not expected)


def made_of(answers: pd.DataFrame, points: int) -> surveysem.Responses:
    """Answers to items of one construct, as if read."""
    scale = Scale("s", 1, points)
    construct = Construct("x", tuple(Item(code, scale, construct="x") for code in answers))
    book = Codebook("b", (construct,), construct.items)
    return surveysem.Responses(book, answers, pd.DataFrame(), pd.DataFrame(columns=["row", "item", "given"]))


def drawn(points: int, items: int, factors: int, nobs: int, shift: float, seed: int = 7) -> pd.DataFrame:
    """Careful respondents: loadings of .75 on factors that correlate; the shift piles answers up at the upper end."""
    rng = np.random.default_rng(seed)
    F = np.sqrt(0.6) * rng.normal(size=(nobs, factors)) + np.sqrt(0.4) * rng.normal(size=(nobs, 1))
    y = 0.75 * np.repeat(F, -(-items // factors), 1)[:, :items] + np.sqrt(1 - 0.75**2) * rng.normal(size=(nobs, items))
    answers = np.clip(np.round(y + (points + 1) / 2 + shift), 1, points)
    return pd.DataFrame(answers, columns=[f"x{k}" for k in range(items)], index=range(2, nobs + 2))


def planted(answers: pd.DataFrame, copies: int) -> pd.DataFrame:
    """The same answers, the last rows of which repeat some of the first half."""
    rows = np.random.default_rng(1).choice(len(answers) // 2, copies, replace=False)
    changed = answers.copy()
    changed.iloc[-copies:] = answers.iloc[rows].to_numpy()
    return changed


def test_repeated_rows_are_reported_and_leave_only_where_the_codebook_says_so():
    changed = planted(drawn(5, 15, 3, 100, 1.0), 5)
    responses = made_of(changed, 5)
    screened = surveysem.screen(responses)
    assert (screened.repeated, len(screened.answers)) == (5, 100)
    assert flags(screened) == [
        [row, "duplicate", changed.index[(changed == changed.loc[row]).all(axis=1)][0], RARE]
        for row in changed.index[-5:]
    ]
    assert not screened.record["dropped"].any()
    strict = surveysem.screen(responses, surveysem.Rules(report=()))
    assert strict.record["dropped"].all()
    assert strict.answers.index.tolist() == changed.index[:-5].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("points", "items", "factors", "nobs", "shift"),
    [(5, 8, 2, 1000, 0.6), (5, 9, 3, 1000, 0.6), (7, 8, 2, 1000, 0.6), (5, 11, 3, 1090, 2.0), (2, 9, 1, 400, 0.5)],
)
def test_as_many_rows_repeat_another_and_hold_one_answer_as_are_drawn(points, items, factors, nobs, shift):
    """Against the rows of surveys drawn from the truth itself, with three times their spread to each side."""
    seen = [
        (answers.duplicated().sum(), (answers.nunique(axis=1) == 1).mean())
        for answers in (drawn(points, items, factors, nobs, shift, seed) for seed in range(20))
    ]
    found = [chance(made_of(drawn(points, items, factors, nobs, shift, seed), points)) for seed in (30, 31, 32)]
    for at, said in enumerate(([one.repeated for one in found], [one.alike for one in found])):
        values = np.array([row[at] for row in seen])
        assert abs(np.mean(said) - values.mean()) < 3 * values.std(ddof=1)


def test_where_answers_pile_up_real_respondents_stay_and_planted_copies_are_named():
    """1,090 answers to 11 items of five points, two of five respondents at the ceiling of an item."""
    answers = drawn(5, 11, 3, 1090, 2.0)
    assert answers.duplicated().sum() > 300
    changed = planted(answers, 60)
    screened = surveysem.screen(made_of(changed, 5))
    assert len(screened.answers) == 1090
    named = screened.flagged
    assert sum(row in named for row in changed.index[:-60]) <= 5
    often = pd.concat(drawn(5, 11, 3, 1090, 2.0, seed) for seed in range(100, 140)).value_counts() / 40
    strange = [row for row in changed.index[-60:] if often.get(tuple(changed.loc[row]), 0) < RARE / 2]
    assert len(strange) > 5  # hardly any other in a survey would give these answers
    assert np.mean([row in named for row in strange]) > 0.9
    assert screened.by_chance == pytest.approx(answers.duplicated().sum(), rel=0.15)


def test_of_many_items_every_copy_is_named_and_nobody_else(read):
    changed = planted(drawn(5, 28, 4, 361, 1.0), 20)
    screened = surveysem.screen(made_of(changed, 5))
    assert screened.record.query("rule == 'duplicate'")["row"].tolist() == changed.index[-20:].tolist()
    assert screened.by_chance < 0.5


def test_report_only_keeps_every_row_and_the_same_record(read):
    responses = read([3, 3, 3, 1, 3, 3, 3, 1, 1])
    dropped, reported = surveysem.screen(responses), surveysem.screen(responses, mode="report-only")
    assert len(reported.answers) == reported.nobs == len(dropped.answers) + 1
    pd.testing.assert_frame_equal(dropped.record.drop(columns="dropped"), reported.record.drop(columns="dropped"))
    assert dropped.record["dropped"].all()
    assert not reported.record["dropped"].any()
    assert dropped.record.query("rule == 'failed check'")["detail"].tolist() == ["C1"]


def test_out_of_range_answers_are_on_record_with_what_was_given(read):
    screened = surveysem.screen(read([2, 5, 3, 4, 1, 9, "x", 1, 1], invalid="record"))
    assert screened.record.query("rule == 'out of range'")["detail"].tolist() == ["B2 = 9; B3 = x"]


def test_misuse(read):
    with pytest.raises(ParameterError, match="mode is 'keep'; allowed: drop, report-only"):
        surveysem.screen(read(), mode="keep")
    with pytest.raises(ParameterError, match="rule missing is 2; allowed: a share from 0 to 1"):
        surveysem.Rules(missing=2)
    with pytest.raises(UnknownNameError, match="unknown screening rule 'duplicate'; did you mean 'duplicates'"):
        surveysem.Rules(report=("duplicate",))
    with pytest.raises(ParameterError, match="rule run is 'long'; allowed: a number from 0, or None"):
        surveysem.Rules(run="long")
    with pytest.raises(ParameterError, match="rule duplicates is 1; allowed: True, False"):
        surveysem.Rules(duplicates=1)
    with pytest.raises(DataError, match="a.csv: all 8 rows are flagged"):
        surveysem.screen(read(), surveysem.Rules(seconds=1e6))


@pytest.mark.slow
def test_the_hanoi_survey_holds_sixteen_duplicates_and_ten_straight_liners():
    raw = Path(os.environ.get("SOCIALCOMMERCE_DATA", "nowhere")) / "hanoi_social_commerce_impulse.xlsx"
    if not raw.exists():
        pytest.skip("needs the raw Hanoi file in SOCIALCOMMERCE_DATA")
    responses = surveysem.read_responses(raw, surveysem.load_codebook(HANOI))
    screened = surveysem.screen(responses)
    counts = screened.summary().set_index("rule")["flagged"]
    assert counts[["duplicate", "straight-lining (sd)", "one answer only"]].tolist() == [16, 10, 10]
    assert len(screened.answers) == 262
    assert len(surveysem.screen(responses, surveysem.Rules(report=())).answers) == 272 - counts["any"] == 253
    assert screened.notes == (
        "speeder: the file has no duration.",
        "failed check: the codebook has no attention check.",
    )
    assert len(surveysem.screen(responses, mode="report-only").answers) == 272


def test_short_questionnaires_keep_those_who_answer_alike_by_chance():
    """Nine yes-or-no items: 400 careful respondents repeat one another, and leaving them out undoes the paths."""
    two, names = Scale("two", 0, 1), ("quality", "trust", "repurchase")
    constructs = tuple(
        Construct(name, tuple(Item(f"{name[0]}{k}", two, construct=name) for k in (1, 2, 3))) for name in names
    )
    book = Codebook("short", constructs, tuple(item for one in constructs for item in one.items))
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(400, 1)) + 0.5 * rng.normal(size=(400, 9))
    answers = pd.DataFrame((factor > 0).astype(float), columns=book.items, index=range(2, 402))
    responses = surveysem.Responses(book, answers, pd.DataFrame(), pd.DataFrame(columns=["row", "item", "given"]))
    screened = surveysem.screen(responses)
    assert len(screened.answers) == 400
    rules = [note.split(":")[0] for note in screened.notes]
    assert rules == ["speeder", "failed check", "one answer only"]
    assert screened.flagged == []
    assert answers.duplicated().mean() > 0.5
