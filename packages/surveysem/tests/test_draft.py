"""The draft of a codebook: what is guessed right on a sample whose codebook is known, and that it loads as written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from books import LARGE, TRUTH_OF_LARGE, ZH

import surveysem
from surveysem.__main__ import main
from surveysem.codebook import SCHEMA
from surveysem.draft import Draft, draft_of
from surveysem.tables import RawTable, read_table

BOOK = surveysem.load_codebook(LARGE)
CELLS = surveysem.draw_stated(TRUTH_OF_LARGE, BOOK).cells.drop(columns="basis").reset_index(drop=True)
ITEMS = CELLS[BOOK.items].where(lambda answers: answers <= 7).astype(float)  # without the slips that are planted
CONSTRUCTS = {construct.name: {*construct.codes} for construct in BOOK.constructs}
REVERSED = {item.code for item in BOOK.questions if item.reverse}
ROLES = {
    "item": {*BOOK.items},
    "check": {"CHK1", "CHK2"},
    "control": {"PLATFORM", "AGE", "INCOME", "PROMOTIONS", "ORDERS"},
}
NAMINGS = {
    "codes": lambda k, item: item.code,
    "numbers": lambda k, item: f"q{k}",
    "Chinese wordings": lambda k, item: ZH["number"].format(k=k, text=item.zh),
    "English wordings": lambda k, item: f"{k}. {item.en}",
    "codes and wordings": lambda k, item: f"{item.code}: {item.en}",
    "codes after numbers": lambda k, item: f"Q{k}_{item.code}",
}


def table(frame: pd.DataFrame) -> RawTable:
    cells = tuple(
        tuple("" if pd.isna(v) else f"{v:g}" if isinstance(v, float) else str(v) for v in frame[c]) for c in frame
    )
    return RawTable("a.csv", tuple(frame), tuple(range(2, len(frame) + 2)), cells, "utf-8")


def found(draft: Draft, code: dict[str, str]) -> tuple[int, set[str], dict[str, set[str]]]:
    """Constructs found whole, items said to be reverse-keyed, and columns by role, under the codebook's own codes."""
    whole = [{code[item.heading] for item in items} for items in draft.constructs.values()]
    turned = {code[column.heading] for column in draft.of("item") if column.reverse}
    roles = {role: {code[column.heading] for column in draft.of(role)} for role in ROLES}
    return sum(items in whole for items in CONSTRUCTS.values()), turned, roles


@pytest.mark.parametrize(
    ("naming", "whole", "guessed"),
    [("codes", 19, False), ("numbers", 18, True), ("Chinese wordings", 19, True), ("English wordings", 19, True),
     ("codes and wordings", 19, False), ("codes after numbers", 19, False)],
)  # fmt: skip
def test_what_is_guessed_under_several_namings(naming, whole, guessed, tmp_path):
    heads = {item.code: NAMINGS[naming](k, item) for k, item in enumerate(BOOK.questions, 1)}
    code = {head: item for item, head in heads.items()}
    draft = draft_of(table(CELLS.rename(columns=heads)))
    constructs, turned, roles = found(draft, code)
    assert (constructs, turned, draft.guessed) == (whole, REVERSED, guessed)
    if naming != "numbers":  # which tell no check from an item
        assert roles == ROLES
    assert {(column.low, column.high) for column in draft.of("item")} <= {(1, 7), (1, 5)}
    text = draft.text()
    assert ("GUESSED FROM ANSWERS !!!" in text) == guessed
    assert "\n# paths = [" in text
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    book = surveysem.load_codebook(tmp_path / "c.toml")
    CELLS.rename(columns=heads).to_csv(tmp_path / "a.csv", index=False)
    read = surveysem.read_responses(tmp_path / "a.csv", book, invalid="record")  # slips are planted
    assert len(read.answers) == len(CELLS)
    if naming == "codes":
        own = surveysem.read_responses(tmp_path / "a.csv", BOOK, invalid="record")
        pd.testing.assert_frame_equal(read.answers[BOOK.items], own.answers[BOOK.items])
    assert book.paths == ()


@pytest.mark.slow  # four drafts of 59 items
def test_one_item_worded_the_other_way_is_seen_and_a_tie_is_asked():
    """Each item of the constructs with three or more in turn, then one of the two of a short construct."""
    plain_answers = BOOK.score(ITEMS)
    hits, tried = 0, 0
    for k in range(4):
        turned = {items[k].code for c in BOOK.constructs if len(items := c.items) > max(k, 2)}
        frame = plain_answers.copy()
        for code in turned:
            frame[code] = BOOK.by_code[code].scale.low + BOOK.by_code[code].scale.high - frame[code]
        said = {column.heading for column in draft_of(table(frame)).of("item") if column.reverse}
        hits, tried = hits + len(said & turned), tried + len(turned)
        assert said <= turned
    assert (hits, tried) == (59, 59)
    pair = plain_answers[["QUA1", "QUA2", "TRU1", "TRU2"]].assign(QUA2=8 - plain_answers["QUA2"])
    draft = draft_of(table(pair))
    assert not any(column.reverse for column in draft.columns)
    (question,) = draft.questions
    assert question.startswith("QUA: half of its items point the other way")


@pytest.mark.parametrize("code", [-99, -9, -1, 8, 9, 99, 999])
def test_codes_of_no_answer_are_found_and_do_not_widen_the_scale(code):
    frame, rng = ITEMS.copy(), np.random.default_rng(3)
    for item in BOOK.items:
        frame.loc[rng.choice(len(frame), 12, replace=False), item] = code
    draft = draft_of(table(frame))
    hit = sum(column.missing == (code,) for column in draft.columns)
    fair = [c for c in draft.columns if code not in (8, 9) or BOOK.by_code[c.heading].scale.high <= code - 2]
    assert draft.missing == (code,)
    assert hit == len(fair) if code != 8 else hit <= len(fair)
    assert f"missing = [{code}]" in draft.text()


def test_a_slip_is_told_and_no_code_of_a_missing_answer():
    frame = ITEMS.copy()
    frame.loc[3, "QUA1"] = 55
    draft = draft_of(table(frame))
    assert draft.missing == ()
    assert [question for question in draft.questions if "outside its scale (55 " in question]


def test_texts_scores_dates_and_whatever_else_have_their_places(tmp_path):
    rng, n = np.random.default_rng(1), 200
    score = rng.standard_normal((n, 1))
    item = pd.DataFrame(
        np.clip(np.round(3 + score + 0.7 * rng.standard_normal((n, 4))), 1, 5).astype(int),
        columns=["Joy 1", "Joy 2", "Joy 3", "Joy 4"],
    )
    labels = dict(enumerate(["A. Strongly disagree", "B. Disagree", "C. Neutral", "D. Agree", "E. Strongly agree"], 1))
    frame = item.assign(
        FUN_a=item["Joy 1"].map(labels), FUN_b=item["Joy 2"].map(labels), Joy_mean=item.mean(axis=1), nr=range(n),
        when=[f"2024-03-0{k % 9 + 1}" for k in range(n)], said=[f"word {k} of all" for k in range(n)],
        Region=rng.choice(["North", "South"], n), Age=rng.integers(18, 70, n), weight=rng.random(n), none="", one=1,
        buy_1=rng.integers(0, 2, n), buy_2=rng.integers(0, 2, n), time_spent=rng.integers(60, 900, n),
        if_=rng.integers(1, 6, n),
    ).rename(columns={"if_": "if"})  # fmt: skip
    frame.to_csv(tmp_path / "a.csv", sep=";")
    draft = surveysem.draft_codebook(tmp_path / "a.csv")
    role = {column.heading: column.role for column in draft.columns}
    assert [head for head, kind in role.items() if kind == "item"] == [*item, "FUN_a", "FUN_b"]
    assert [head for head, kind in role.items() if kind == "control"] == ["Region", "Age", "if"]
    path = draft.write(tmp_path / "c.toml")
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"#:schema ./{SCHEMA.name}\n")
    assert (tmp_path / SCHEMA.name).read_bytes() == SCHEMA.read_bytes()
    for reason in (
        '"Joy_mean",  # the sum or the mean of Joy',
        '# group = "Region"',
        '# duration = "time_spent"',
        "dates or times",
    ):
        assert reason in text
    book = surveysem.load_codebook(path)
    read = surveysem.read_responses(tmp_path / "a.csv", book)
    assert read.answers["Joy_2"].tolist() == item["Joy 2"].tolist()
    assert read.answers["FUN_b"].tolist() == item["Joy 2"].tolist()
    assert surveysem.load_codebook(path).by_code["FUN_a"].scale.en[2] == "Neutral"


@pytest.mark.slow  # drafted, checked and read again, each with a screening
@pytest.mark.parametrize("kind", ["xlsx", "sav", "gb18030", "semicolons"])
def test_every_kind_of_file_is_drafted_and_checked_by_the_command(kind, tmp_path, capsys):
    frame = ITEMS[BOOK.items[:9]].join(CELLS[["PLATFORM", "duration"]]).iloc[:150]
    scale = BOOK.by_code["QUA1"].scale
    file = tmp_path / ("a." + (kind if kind in ("xlsx", "sav") else "csv"))
    if kind == "xlsx":
        frame.to_excel(file, index=False)
    elif kind == "sav":
        labels = dict(enumerate(scale.en, scale.low))
        pyreadstat.write_sav(
            frame.fillna(99), str(file), column_labels=[BOOK.by_code[c].en if c in BOOK.by_code else "" for c in frame],
            variable_value_labels=dict.fromkeys(BOOK.items[:9], labels),
            missing_ranges=dict.fromkeys(BOOK.items[:9], [99]),
        )  # fmt: skip
    elif kind == "gb18030":
        texts = frame.astype(object)
        for code in BOOK.items[:9]:
            texts[code] = [scale.zh[int(v) - scale.low] if pd.notna(v) else ZH["skipped"] for v in frame[code]]
        heads = {item.code: ZH["number"].format(k=k, text=item.zh) for k, item in enumerate(BOOK.questions, 1)}
        texts.rename(columns=heads | {"duration": ZH["duration"]}).to_csv(file, index=False, encoding="gb18030")
    else:
        frame.to_csv(file, index=False, sep=";")
    out = ["--out", str(tmp_path / "c.toml")]
    assert main(["draft", str(file), *out]) == 0
    assert "then: surveysem check" in capsys.readouterr().out
    assert main(["check", str(file), "--codebook", str(tmp_path / "c.toml")]) == 0
    assert "150 respondents" in capsys.readouterr().out
    book = surveysem.load_codebook(tmp_path / "c.toml")
    read = surveysem.read_responses(file, book)
    codes = read.mapping["question"].tolist()[:9]
    assert np.array_equal(read.answers[codes].to_numpy(), frame[BOOK.items[:9]].to_numpy(float), equal_nan=True)
    found = book.by_code[codes[4]].scale
    assert (found.low, found.high) == (1, 7)
    if kind in ("sav", "gb18030"):
        assert found.en in (scale.en, scale.zh)
    before = (tmp_path / "c.toml").read_bytes()
    assert main(["draft", str(file), *out]) == 2
    assert "c.toml is there already and may hold your corrections; give a new name" in capsys.readouterr().err
    assert (tmp_path / "c.toml").read_bytes() == before


HEADS = ["TR1", "tr1_", "TR2", "TR_3", "T1r", "Q1", "Q1_1", "A", "if", "NA", "age\nyears", 'x"y', "{{ 7*7 }}", "# c",
         "Time", "5", "_", "F1", "F1_1", "id", "duration", ZH["duration"],
         ZH["trust"] + "1", ZH["trust"] + "2"]  # fmt: skip
CELL = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], ["", 1, 2, 3, 99, -9, "NA"], ["Agree", "Disagree", "Neutral"], [0, 1],
        ["a", 'b"c', "#"], [*range(500)], [0.25, 0.5, 1.5]]  # fmt: skip


@pytest.mark.slow
def test_whatever_is_drafted_loads_and_reads_its_file(tmp_path):
    rng, loaded = np.random.default_rng(2), 0
    for k in range(24):
        heads = rng.permutation(HEADS)[: rng.integers(4, 14)]
        n = int(rng.choice([20, 60, 320]))
        frame = pd.DataFrame({head: rng.choice(np.array(CELL[rng.integers(8)], object), n) for head in heads})
        frame.to_csv(tmp_path / "a.csv", index=False)
        try:
            path = surveysem.draft_codebook(tmp_path / "a.csv").write(tmp_path / f"{k}.toml")
        except surveysem.DataError as wrong:
            assert "no two columns look like items" in str(wrong)  # noqa: PT017 - most draws are good
            continue
        read = surveysem.read_responses(tmp_path / "a.csv", surveysem.load_codebook(path), invalid="record")
        loaded += len(read.answers) == n
    assert loaded > 12


QUALTRICS = ["Strongly disagree", "Somewhat disagree", "Neither agree nor disagree", "Somewhat agree", "Strongly agree"]


@pytest.mark.parametrize("labels", [*ZH["scales"], QUALTRICS])
def test_texts_that_platforms_write_for_answers_are_read_in_their_order(labels):
    answers = np.random.default_rng(1).integers(0, len(labels), (60, 1)).repeat(2, axis=1)
    (items,) = draft_of(table(pd.DataFrame(np.array(labels)[answers], columns=["W1", "W2"]))).constructs.values()
    assert [item.values.tolist() for item in items] == (answers.T + 1).tolist()


def test_items_named_in_chinese_give_their_construct_a_title(tmp_path):
    """A name holds Latin letters alone."""
    answers = ITEMS[BOOK.items[:4]].set_axis([ZH["trust"] + str(k) for k in range(1, 5)], axis=1)
    (tmp_path / "c.toml").write_text(draft_of(table(answers)).text(), encoding="utf-8")
    (construct,) = surveysem.load_codebook(tmp_path / "c.toml").constructs
    assert (construct.name, construct.zh, len(construct.items)) == ("F1", ZH["trust"], 4)


def test_what_cannot_be_drafted_is_said_and_nothing_written(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{k / 7},{k / 3}\n" for k in range(40)), encoding="utf-8")
    for arguments, message in (
        ([str(tmp_path / "a.csv"), "--out", str(tmp_path / "c.toml")], "other texts: put numbers in their place"),
        ([str(tmp_path / "none.csv"), "--out", str(tmp_path / "c.toml")], "none.csv cannot be read"),
        ([str(tmp_path / "a.csv"), "--out", str(tmp_path / "c.txt")], "c.txt: the ending is '.txt'; allowed: .toml"),
    ):
        assert main(["draft", *arguments]) == 2
        said = capsys.readouterr()
        assert (message in said.err, said.out, said.err.count("\n")) == (True, "", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_what_limesurvey_calls_the_rows_of_a_matrix_says_what_belongs_together(tmp_path):
    heads = {code: f"part2[{name}{k:02}]" for name in CONSTRUCTS for k, code in enumerate(sorted(CONSTRUCTS[name]), 1)}
    draft = draft_of(table(CELLS[[*heads]].rename(columns=heads)))
    assert not draft.guessed
    several = {f"part2_{name}": len(codes) for name, codes in CONSTRUCTS.items() if len(codes) > 1}
    assert {name: len(items) for name, items in draft.constructs.items()} == several
    (tmp_path / "c.toml").write_text(draft.text(), encoding="utf-8")
    item = surveysem.load_codebook(tmp_path / "c.toml").questions[0]
    assert item.code == item.column.replace("[", "_").removesuffix("]")
    usual = {code: f"G02Q03[SQ{k:03}]" for k, code in enumerate(BOOK.items[:4], 1)}
    found = draft_of(table(CELLS[[*usual]].rename(columns=usual)))
    assert [item.code for item in found.constructs["G02Q03"]] == [f"G02Q03_{k}" for k in range(1, 5)]


GRID = {item.code: (construct.name, item.en) for construct in BOOK.constructs for item in construct.items}
MARKS = [" [{}]", " | {}", "\N{EM DASH}{}", " - {}", ": {}"]


@pytest.mark.parametrize("mark", MARKS)
def test_rows_of_one_question_are_a_construct_called_by_its_first_words(mark, tmp_path):
    """As Google Forms and other programs write the rows of a grid behind the question."""
    ask = {
        code: f"{name.title()} part: how far do you agree?{mark.format(text)}" for code, (name, text) in GRID.items()
    }
    frame = CELLS[[*ask]].rename(columns=ask)
    draft = draft_of(table(frame))
    assert not draft.guessed
    whole = {name: [column.wording for column in items] for name, items in draft.constructs.items()}
    asked = {name: [GRID[code][1] for code in ask if GRID[code][0] == name] for name, _ in GRID.values()}
    assert whole == {f"{name.title()}_part": texts for name, texts in asked.items()}
    frame.to_csv(tmp_path / "a.csv", index=False)
    book = surveysem.load_codebook(draft.write(tmp_path / "c.toml"))
    assert {construct.en for construct in book.constructs} == {f"{name.title()} part" for name in asked}
    assert len(surveysem.read_responses(tmp_path / "a.csv", book, invalid="record").answers) == len(CELLS)


def test_a_heading_of_two_lines_or_below_others_is_one(tmp_path):
    """Rows of a matrix stand below their question (SurveyMonkey), numbers and kinds of questions above it (Alida)."""
    pair = [construct.name for construct in BOOK.constructs][:2]
    codes = [code for code, (name, _) in GRID.items() if name in pair]
    joined = [f"{name} [{text}]" for name, text in (GRID[code] for code in codes)]
    names, texts = zip(*(GRID[code] for code in codes), strict=True)
    above = ["Respondent ID", *(name * (name not in names[:k]) for k, name in enumerate(names)), "Your city"]
    body = CELLS[codes].assign(city="Oslo").reset_index()
    for file, heads in (
        ("two", [above, ["", *texts, "Open-Ended Response"]]),
        ("three", [["", *("Q1" for _ in texts), ""], ["", *("matrix" for _ in texts), ""],
                   ["Respondent ID", *joined, "Your city"]]),
    ):  # fmt: skip
        head = pd.DataFrame(heads, columns=body.columns)
        pd.concat([head, body]).to_csv(tmp_path / f"{file}.csv", index=False, header=False)
        read = read_table(tmp_path / f"{file}.csv")
        first = len(heads) + 1
        assert read.rows == tuple(range(first, len(CELLS) + first))
        assert [read.headings[0], read.headings[-1]] == ["Respondent ID", "Your city"]
        assert [*draft_of(read).constructs] == pair


def test_a_respondent_is_no_heading(tmp_path):
    """R leaves out the name of its rows; a comma too many lacks one at the end."""
    rows = "r1,Agree,Disagree,Neutral\nr2,Agree,Agree,Neutral\nr3,Disagree,Agree,Agree\n"
    (tmp_path / "r.csv").write_text(f",q1,q2,q3\n{rows}", encoding="utf-8")
    assert read_table(tmp_path / "r.csv").rows == (2, 3, 4)
    (tmp_path / "r.csv").write_text("name,q1,q2,\n" + rows.replace("Agree\n", "\n"), encoding="utf-8")
    with pytest.raises(surveysem.DataError, match="r.csv, row 1, column 4: the heading is empty"):
        read_table(tmp_path / "r.csv")


def test_words_of_one_meaning_are_one_answer_and_the_files_own_words_stay():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 5, (200, 1)).repeat(2, axis=1)
    words = np.array(["Totally disagree", "Disagree", "Unsure", "Agree", "Completely agree"])
    (items,) = draft_of(table(pd.DataFrame(words[codes], columns=["W1", "W2"]))).constructs.values()
    assert (items[0].labels[0], items[0].values.tolist()) == (tuple(words), (codes[:, 0] + 1.0).tolist())
    (asked,) = draft_of(table(pd.DataFrame(words[codes], columns=["W1", "W2"]))).questions
    assert asked.startswith("'Unsure' is taken for the middle of its scale; if it meant no answer")
    words[2] = "Neutral"
    codes[:100, 0], mixed = 2, np.where(np.arange(200) < 50, "Unsure", words[codes[:, 0]])
    heard = draft_of(table(pd.DataFrame({"W1": mixed, "W2": words[codes[:, 1]], "W3": words[codes[:, 1]]})))
    assert heard.columns[0].role == "control"  # two words for one answer: nobody knows whether they meant the same


def test_the_three_heads_of_qualtrics_are_no_respondents(tmp_path):
    """The headings, what was asked, identifiers; the wording of a matrix's row is its own words alone."""
    items, rows = BOOK.items[:8], [f"Statement {k}" for k in range(6)]
    asked = [*(f"How far do you agree? - {row}" for row in rows), "Prices - are they fair?", "Anything else"]
    heads = pd.DataFrame([asked, [f'{{"ImportId":"QID{k}"}}' for k in range(8)]], columns=items)
    pd.concat([heads, CELLS[items]]).to_csv(tmp_path / "q.csv", index=False)
    read = read_table(tmp_path / "q.csv")
    assert read.rows == tuple(range(4, len(CELLS) + 4))
    assert read.wordings == (*rows, *asked[6:])
    draft = draft_of(read)
    assert {item.wording for item in draft.of("item")} <= {*read.wordings}
    book = surveysem.load_codebook(draft.write(tmp_path / "c.toml"))
    assert len(surveysem.read_responses(tmp_path / "q.csv", book, invalid="record").answers) == len(CELLS)


def test_labels_that_an_spss_file_repeats_still_make_a_codebook_that_loads(tmp_path):
    """The items of a panel are asked in the same words at every wave; other labels are alike where they were cut."""
    heads = [f"{code}_t{wave}" for wave in (1, 2) for code in ("TR1", "TR2", "CO1", "CO2")]
    frame = ITEMS[BOOK.items[:8]].set_axis(heads, axis=1).assign(RE1=ITEMS.iloc[:, 8], RE2=ITEMS.iloc[:, 9])
    words = [*["I trust it.", "It is honest.", "I am content.", "I stay."] * 2, *["In the past month I often"] * 2]
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), column_labels=words)
    book = surveysem.load_codebook(surveysem.draft_codebook(tmp_path / "a.sav").write(tmp_path / "c.toml"))
    assert {each.constructs for each in book.waves} == {("TR_t1", "TR_t2"), ("CO_t1", "CO_t2")}
    assert [book.by_code[code].en for code in (*heads, "RE1", "RE2")] == [*words[:9], ""]
    read = surveysem.read_responses(tmp_path / "a.sav", book, invalid="record")
    assert set(read.mapping["how"]) == {"code"}


def test_a_column_left_out_stays_so_whatever_its_label(tmp_path):
    """What the codebook leaves out, and what is known by its name, is not looked up again by the label."""
    frame = ITEMS[BOOK.items[:8]].assign(same=1, duration=60)
    words = [f"I agree, part {k}." for k in range(8)] + ["Everybody said so", "How long it took"]
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), column_labels=words)
    book = surveysem.load_codebook(surveysem.draft_codebook(tmp_path / "a.sav").write(tmp_path / "c.toml"))
    read = surveysem.read_responses(tmp_path / "a.sav", book, invalid="record")
    assert read.mapping["how"].iloc[-2:].tolist() == ["left out", "duration"]
    assert read.duration.eq(60).all()
