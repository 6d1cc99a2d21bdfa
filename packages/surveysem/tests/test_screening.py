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
from surveysem.errors import DataError, ParameterError
from surveysem.screening import CHANCE, expected_by_chance

GOOD = [
    [1, 5, 2, 4, 2, 3, 1, 1, 3], [4, 2, 5, 4, 4, 5, 3, 2, 0], [3, 3, 4, 4, 2, 1, 2, 1, 7], [5, 1, 4, 4, 5, 5, 4, 2, 1],
]
HEAD = ["T1", "T2", "T3", "C1", "B1", "B2", "B3", "MODE", "N"]


@pytest.fixture
def read(tmp_path):
    """Read rows beside four good ones, with durations."""
    def made(*rows, seconds=(), **options):
        (tmp_path / "book.toml").write_text(SMALL, encoding="utf-8")
        book = surveysem.load_codebook(tmp_path / "book.toml")
        good = [[(v - 1 + k) % 5 + 1 if j < 7 and j != 3 else v for j, v in enumerate(row)]
                for k, row in enumerate(GOOD * 2)]
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


@pytest.mark.parametrize(("row", "seconds", "options", "expected"), [
    ([None, None, 3, 4, 1, 2, 3, 1, 1], 60, {}, [["missing", 2 / 6, 0.2]]),
    ([3, 3, 3, 4, 3, 3, 3, 1, 1], 60, {}, [["straight-lining (sd)", 0, 0], ["one answer only", 3, 1]]),
    ([2, 2, 2, 4, 2, 2, 3, 1, 1], 60, {"run": 5}, [["straight-lining (run)", 5, 5]]),
    ([2, 2, 3, 4, 2, 2, 3, 1, 1], 60, {"sd": 0.6}, [["straight-lining (sd)", np.std([2, 2, 3, 2, 2, 3], ddof=1), 0.6]]),
    ([2, 5, 3, 4, 1, 2, 3, 1, 1], 17.9, {}, [["speeder", 17.9 / 9, 2]]),
    ([2, 5, 3, 4, 1, 2, 3, 1, 1], 18, {}, []),
    ([2, 5, 3, 3, 1, 2, 3, 1, 1], 60, {}, [["failed check", 1, 0]]),
    ([2, 5, 3, None, 1, 2, 3, 1, 1], 60, {}, [["failed check", 1, 0]]),
    ([2, 5, 3, 3, 1, 2, 3, 1, 1], 60, {"failed_checks": 1}, []),
    ([2, 5, 3, 4, 1, 9, 3, 1, 1], 60, {}, [["out of range", 1, 0]]),
    (GOOD[0], 60, {}, []),
    ([3, 3, 3, 1, 3, 3, 3, 1, 1], 1, {"sd": None, "one_answer": False, "seconds": None, "failed_checks": None}, []),
])
def test_each_rule_flags_its_case_with_value_and_threshold(read, row, seconds, options, expected):
    responses = read(row, seconds=[seconds], invalid="record")
    rules = surveysem.Rules(duplicates=False, **options)
    screened = surveysem.screen(responses, rules)
    assert [line[1:] for line in flags(screened)] == expected
    assert screened.flagged == ([2] if expected else [])
    assert (2 in screened.answers.index) == (not expected)


def test_the_later_of_two_like_rows_goes_and_names_the_first(read):
    screened = surveysem.screen(read(GOOD[1], GOOD[1], GOOD[1]))
    assert flags(screened)[:2] == [[3, "duplicate", 2, 0], [4, "duplicate", 2, 0]]
    assert 2 in screened.answers.index


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
    with pytest.raises(ParameterError, match="rule run is 'long'; allowed: a number from 0, or None"):
        surveysem.Rules(run="long")
    with pytest.raises(ParameterError, match="rule duplicates is 1; allowed: True, False"):
        surveysem.Rules(duplicates=1)
    with pytest.raises(DataError, match="a.csv: all 8 rows are flagged"):
        surveysem.screen(read(), surveysem.Rules(seconds=1e6))


def test_the_hanoi_survey_holds_sixteen_duplicates_and_ten_straight_liners():
    raw = Path(os.environ.get("SOCIALCOMMERCE_DATA", "nowhere")) / "hanoi_social_commerce_impulse.xlsx"
    if not raw.exists():
        pytest.skip("needs the raw Hanoi file in SOCIALCOMMERCE_DATA")
    responses = surveysem.read_responses(raw, surveysem.load_codebook(HANOI))
    screened = surveysem.screen(responses)
    counts = screened.summary().set_index("rule")["flagged"]
    assert counts[["duplicate", "straight-lining (sd)", "one answer only"]].tolist() == [16, 10, 10]
    assert len(screened.answers) == 272 - counts["any"] == 253
    assert screened.notes == ("speeder: the file has no duration.",
                              "failed check: the codebook has no attention check.")
    assert len(surveysem.screen(responses, mode="report-only").answers) == 272


def test_short_questionnaires_keep_those_who_answer_alike_by_chance():
    """Nine yes-or-no items: 400 careful respondents repeat one another, and leaving them out undoes the paths."""
    two, names = Scale("two", 0, 1), ("quality", "trust", "repurchase")
    constructs = tuple(Construct(name, tuple(Item(f"{name[0]}{k}", two, construct=name) for k in (1, 2, 3)))
                       for name in names)
    book = Codebook("short", constructs, tuple(item for one in constructs for item in one.items))
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(400, 1)) + 0.5 * rng.normal(size=(400, 9))
    answers = pd.DataFrame((factor > 0).astype(float), columns=book.items, index=range(2, 402))
    responses = surveysem.Responses(book, answers, pd.DataFrame(), pd.DataFrame(columns=["row", "item", "given"]))
    screened = surveysem.screen(responses)
    assert len(screened.answers) == 400
    rules = [note.split(":")[0] for note in screened.notes]
    assert rules == ["speeder", "failed check", "one answer only", "duplicate"]
    assert answers.duplicated().mean() > 0.5


@pytest.mark.parametrize(("points", "items", "factors"), [(5, 8, 2), (5, 9, 3), (5, 12, 4), (7, 8, 2)])
def test_what_is_expected_by_chance_is_near_what_is_drawn(points, items, factors):
    scale = Scale("s", 1, points)
    construct = Construct("x", tuple(Item(f"x{k}", scale, construct="x") for k in range(items)))
    book, rng, n = Codebook("b", (construct,), construct.items), np.random.default_rng(7), 1000
    F = np.sqrt(0.6) * rng.normal(size=(n, factors)) + np.sqrt(0.4) * rng.normal(size=(n, 1))
    y = 0.75 * np.repeat(F, items // factors, 1) + np.sqrt(1 - 0.75**2) * rng.normal(size=(n, items))
    drawn = np.clip(np.round(y + (points + 1) / 2 + 0.6), 1, points)
    answers = pd.DataFrame(drawn, columns=book.items)
    alike, repeated = expected_by_chance(surveysem.Responses(book, answers, pd.DataFrame(), pd.DataFrame()))
    share = answers.duplicated().mean()
    assert (share > CHANCE) == (repeated > CHANCE) or 0.3 < share / repeated < 3
    assert max(alike, (answers.nunique(axis=1) == 1).mean()) < CHANCE
