"""Readers of answers: every format, what a platform's export looks like, and every kind of broken file."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from books import SMALL, ZH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nbproof
import surveysem
from surveysem import child, tables
from surveysem.errors import DataError, ParameterError, SurveysemError, UnknownNameError
from surveysem.tables import neutral, write_csv

HEAD = ["T1", "T2", "T3", "C1", "B1", "B2", "B3", "MODE", "N"]
ROWS = [[1 + (r * (k + 3) + k) % 5 for k in range(7)] + [1 + r % 2, r] for r in range(8)]
ANSWERS, QUESTIONS, EXPORT = ZH["answers"], ZH["questions"], ZH["export"]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return surveysem.load_codebook(path)


def text(rows, delimiter=","):
    held = io.StringIO()
    csv.writer(held, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return held.getvalue()


@pytest.fixture
def put(tmp_path):
    """Write rows (or bytes) to a file and return its path."""

    import openpyxl

    def write(rows, name="a.csv", encoding="utf-8"):
        path = tmp_path / name
        if name.endswith(".xlsx") and not isinstance(rows, bytes):
            made = openpyxl.Workbook()
            for row in rows:
                made.active.append(row)
            made.save(path)
        else:
            path.write_bytes(rows if isinstance(rows, bytes) else text(rows).encode(encoding))
        return path

    return write


def changed(row, column, value):
    """The good file with one cell replaced, the heading being row 0."""
    rows = [list(each) for each in [HEAD, *ROWS]]
    rows[row][column] = value
    return rows


def same(found):
    assert found.answers.to_numpy().tolist() == ROWS
    assert list(found.answers) == HEAD


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8 with byte-order mark"), ("gb18030", "gb18030")]
)
def test_csv_in_three_encodings_with_chinese_headings_and_answers(book, put, encoding, said):
    rows = [QUESTIONS, *[[ANSWERS[v - 1] for v in row[:7]] + [ZH["kinds"][row[7] - 1], row[8]] for row in ROWS]]
    found = surveysem.read_responses(put(rows, encoding=encoding), book)
    same(found)
    assert found.encoding == said
    assert set(found.mapping["how"]) == {"full text"}
    assert found.mapping["by_text"].tolist() == [8] * 8 + [0]
    assert found.answers.index.tolist() == list(range(2, 10))


@pytest.mark.slow
def test_excel_and_spss_say_the_same_as_csv(book, put, tmp_path):
    import pyreadstat

    same(surveysem.read_responses(put([HEAD, *ROWS]), book))
    same(surveysem.read_responses(put([HEAD, *ROWS], "a.xlsx"), book))
    frame = pd.DataFrame(ROWS, columns=[f"V{k}" for k in range(9)], dtype=float)
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), column_labels=QUESTIONS)
    found = surveysem.read_responses(tmp_path / "a.sav", book)
    same(found)
    assert set(found.mapping["how"]) == {"label: full text"}


def test_spss_labels_and_user_missing_values_are_honoured(book, tmp_path):
    import pyreadstat

    frame = pd.DataFrame(ROWS, columns=HEAD, dtype=float)
    frame["B1"] = 6 - frame["B1"]  # the file counts down: its labels say so
    frame.loc[0, "B2"], frame.loc[1, "T1"], frame.loc[2, "T1"] = 9, 5, np.nan
    down = {float(6 - k): label for k, label in enumerate(ANSWERS, 1)}
    path = tmp_path / "labels.sav"
    pyreadstat.write_sav(
        frame, str(path), variable_value_labels={"B1": down}, missing_ranges={"B2": [{"lo": 8, "hi": 9}], "T1": [5]}
    )
    found = surveysem.read_responses(path, book)
    assert found.answers["B1"].tolist() == [row[4] for row in ROWS]
    assert np.isnan(found.answers["B2"].iloc[0])
    assert found.answers["T1"].isna().sum() == 2 + sum(row[0] == 5 for k, row in enumerate(ROWS) if k not in (1, 2))
    line = found.mapping.set_index("question").loc["T1"]
    assert line["blank"] == 1
    assert line["user_missing"] == found.answers["T1"].isna().sum() - 1


def test_the_export_of_a_chinese_platform(book, put):
    """As such exports look: numbered questions, marks of their type, a matrix's stem, skips, fields of the platform."""
    heads = EXPORT["heads"]
    chosen = [[f"{'ABCDE'[v - 1]}.{ANSWERS[v - 1]}" for v in row[:7]] for row in ROWS]
    rows = [[k, *EXPORT["fields"], *chosen[k - 1], ZH["kinds"][0], row[8]] for k, row in enumerate(ROWS, 1)]
    rows[0][5], rows[1][6], rows[2][7] = ZH["skipped"], -3, ZH["empty"]
    rows[3][2] = EXPORT["seconds"]
    found = surveysem.read_responses(put([heads, *rows]), book)
    assert found.answers.isna().sum().tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert found.answers["B3"].tolist() == [row[6] for row in ROWS]
    assert found.duration.tolist()[2:4] == [72, 125]
    how = found.mapping.set_index("heading")["how"]
    assert how[heads[4]] == "left out"  # the address
    assert how[heads[9]] == how[heads[10]] == "full text"  # of a matrix
    assert how[heads[11]] == "number 7"
    assert how[heads[13]].startswith("number 9, wording 8")
    assert found.mapping["skipped"].sum() == 3
    assert not found.answers.astype(str).stack().str.contains("192").any()
    assert found.notes == ("MODE holds 1 group; a comparison of groups needs two.",)


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (3, 4, 7, r"a.csv, row 4, column 5 \(B1\): got '7'; allowed: whole numbers from 1 to 5, or one of No"),
        (3, 4, "perhaps", r"row 4, column 5 \(B1\): got 'perhaps'; allowed: whole numbers"),
        (3, 4, "2.5", r"row 4, column 5 \(B1\): got '2.5'"),
        (3, 4, "=1+1", r"row 4, column 5 \(B1\): got '=1\+1'"),
        (3, 4, "inf", r"row 4, column 5 \(B1\): got 'inf'"),
        (3, 8, "-3.5", r"row 4, column 9 \(N\): got '-3.5'; allowed: whole numbers from 0 to 99"),
        (
            0,
            4,
            "B9",
            r"row 1, column 5: unknown column 'B9'; did you mean 'B1'; no column is known as B1; allowed: the codes",
        ),
        (0, 4, ZH["unknown"], r"row 1, column 5: unknown column"),
        (0, 4, "T1", r"row 1: columns 1 and 5 are both named 'T1'"),
        (0, 4, "t1", r"row 1: columns 1 and 5 both answer T1; one may"),
        (0, 4, "", r"row 1, column 5: the heading is empty"),
        (0, 4, ZH["serial"], r"row 1: no column for B1 \(1 of 9 questions\)"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_wrong_cell_or_heading_is_told_where(book, put, row, column, value, message, kind):
    path = put(changed(row, column, value), f"a.{kind}")
    with pytest.raises(DataError, match=message.replace("a.csv", f"a.{kind}")):
        surveysem.read_responses(path, book)


def test_wrong_answers_can_be_recorded_instead(book, put):
    rows = changed(3, 4, 7)
    rows[5][0] = "<b>bold</b>"
    found = surveysem.read_responses(put(rows), book, invalid="record")
    assert found.invalid[["row", "column", "item", "given"]].values.tolist() == [
        [4, 5, "B1", "7"],
        [6, 1, "T1", "<b>bold</b>"],
    ]
    assert np.isnan(found.answers.loc[4, "B1"])
    with pytest.raises(DataError, match=r"\(1 more such cell\)"):
        surveysem.read_responses(put(rows), book)


def test_unknown_columns_can_be_left_out_and_are_listed(book, put):
    rows = [[*row, extra] for row, extra in zip([HEAD, *ROWS], ["Remarks", *"abcdefgh"], strict=True)]
    found = surveysem.read_responses(put(rows), book, unknown="leave")
    assert found.mapping.iloc[-1][["heading", "how"]].tolist() == ["Remarks", "unknown"]
    assert "Remarks" not in found.answers


@pytest.mark.slow
def test_a_heading_is_no_number_of_a_question_whose_code_another_column_has(book, put):
    """Qualtrics calls the question of consent Q3, which is not the third item."""
    rows = [[*HEAD, "Q3"], *[[*row, "yes"] for row in ROWS]]
    found = surveysem.read_responses(put(rows), book, unknown="leave")
    same(found)
    assert found.mapping.set_index("heading").loc["Q3", "how"] == "unknown"
    with pytest.raises(DataError, match=r"row 1, column 10: unknown column 'Q3'"):
        surveysem.read_responses(put(rows), book)


def test_an_excel_file_that_unpacks_to_too_much_or_refers_elsewhere(book, tmp_path, put):
    good = put([HEAD, *ROWS], "good.xlsx")
    laughs = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 12))
    evil = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    for entity in ("&l11;", "&f;"):
        with zipfile.ZipFile(good) as before, zipfile.ZipFile(tmp_path / "evil.xlsx", "w") as after:
            for part in before.infolist():
                raw = before.read(part)
                if part.filename == "xl/worksheets/sheet1.xml":
                    raw = (evil + raw.decode().replace("<v>0</v>", f"<v>{entity}</v>")).encode()
                after.writestr(part, raw)
        with pytest.raises(DataError, match="evil.xlsx"):
            surveysem.read_responses(tmp_path / "evil.xlsx", book)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("x", b"0" * 1000)
    raw = bytearray((tmp_path / "bomb.xlsx").read_bytes())
    at = raw.index(b"PK\x01\x02") + 24  # the central directory's unpacked size
    raw[at : at + 4] = (0xF0000000).to_bytes(4, "little")
    with pytest.raises(DataError, match=r"bomb.xlsx unpacks to 4,026,531,840 bytes; at most 1,073,741,824 are read"):
        surveysem.read_responses(put(bytes(raw), "bomb.xlsx"), book)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"(" * 1001 + b",T1\n1,2\n", "a.csv, row 1, column 1 has 1001 characters; at most 1000 may be"),
        (b"", "a.csv is empty: 0 bytes"),
        (b"\n\n,,\n", "a.csv is empty: no cell holds anything"),
        (text([HEAD]).encode(), "a.csv has a heading and no rows"),
        (
            text([HEAD, *ROWS]).encode("utf-16"),
            "a.csv is not in utf-8 or gb18030: byte 1 is 0xff, as UTF-16 might have it; .* iconv -f UTF-16 ",
        ),
        (b"T1,T2\n1,\xff\n", r"a.csv is not in utf-8 or gb18030: byte 9 is 0xff"),
        (
            "T1,Größe,ö\n1,2\n".encode("mac_roman"),
            r"10 is 0x9a, as Macintosh \(MacRoman\) might have it; save it as CSV UTF-8 .*iconv -f MACINTOSH -t UTF",
        ),
        ("T1,Größe,ö\n1,2\n".encode("cp1252"), r"as CP1252 \(Windows, .*iconv -f CP1252 -t UTF-8 'a.csv' >"),
        (b"T1,T2\n1,\0\n", "a.csv holds zero bytes"),
        (b'T1,T2\n"1,2\n', "a.csv is not a csv file: unexpected end of data"),
        (text([HEAD, *ROWS, [1, 2]]).encode(), "a.csv, row 10 has 2 cells; the heading has 9"),
        (text([HEAD, *ROWS[:3]]).encode(), "a.csv: 3 respondents for 6 items"),
        (text([HEAD, *[[3] * 7 + [1, 1]] * 9]).encode(), "a.csv: every answer to every item is 3"),
        (text([HEAD, *[[""] * 7 + [1, 1]] * 9]).encode(), "a.csv: no item has a valid answer"),
        (text([[f"x{k}" for k in range(10_000)], range(10_000)]).encode(), "a.csv has 10000 columns; at most 2000"),
    ],
)
def test_a_broken_csv_file_is_told_why(book, put, raw, message):
    with pytest.raises(DataError, match=message):
        surveysem.read_responses(put(raw), book)


def test_files_that_are_no_tables(book, put, tmp_path):
    for name, message in (
        ("a.xls", r"a.xls: the ending is '.xls'; allowed: .csv, .txt, .xlsx, .sav"),
        ("a.xlsx", "a.xlsx cannot be read as Excel"),
        ("a.sav", "a.sav is no SPSS file"),
    ):
        with pytest.raises(DataError, match=message):
            surveysem.read_responses(put(b"hello", name), book)
    with pytest.raises(DataError, match="none.csv cannot be read: No such file"):
        surveysem.read_responses(tmp_path / "none.csv", book)
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(DataError, match="dir.csv is a directory; a regular file is needed"):
        surveysem.read_responses(tmp_path / "dir.csv", book)
    good = put([HEAD, *ROWS])
    with pytest.raises(UnknownNameError, match="unknown encoding 'latin1'"):
        surveysem.read_responses(good, book, encoding="latin1")
    for delimiter, shown in ((";", "semicolons: give delimiter=';'"), ("\t", r"tabs: give delimiter='\\t'")):
        with pytest.raises(DataError, match=rf"a.csv, row 1 is one column between commas; .*{shown} \(--delimiter\)"):
            surveysem.read_responses(put(text([HEAD, *ROWS], delimiter).encode()), book, delimiter=",")
    with pytest.raises(ParameterError, match="delimiter is 'x'"):
        surveysem.read_responses(good, book, delimiter="x")
    with pytest.raises(ParameterError, match="invalid is 'drop'; allowed: error, record"):
        surveysem.read_responses(good, book, invalid="drop")


@pytest.mark.slow
def test_an_excel_file_with_several_sheets_asks_which(book, put, tmp_path):
    import openpyxl

    path = put([HEAD, *ROWS], "a.xlsx")
    made = openpyxl.load_workbook(path)
    made.create_sheet("notes")
    made.save(path)
    with pytest.raises(DataError, match=r"a.xlsx has 2 sheets; say which \(--sheet\): Sheet, notes"):
        surveysem.read_responses(path, book)
    same(surveysem.read_responses(path, book, sheet="Sheet"))
    with pytest.raises(DataError, match="a.xlsx is empty"):
        surveysem.read_responses(path, book, sheet="notes")
    with pytest.raises(UnknownNameError, match="unknown sheet 'sheet'; did you mean 'Sheet'|unknown sheet 'sheet'"):
        surveysem.read_responses(path, book, sheet="sheet")


@pytest.mark.slow
def test_a_wide_excel_file(book, put):
    with pytest.raises(DataError, match="a.xlsx has 10000 columns; at most 2000 are read"):
        surveysem.read_responses(put([list(range(10_000))], "a.xlsx"), book)


@pytest.mark.slow
def test_a_truncated_spss_file_never_passes_for_whole(book, put, tmp_path):
    import pyreadstat

    whole = tmp_path / "whole.sav"
    pyreadstat.write_sav(pd.DataFrame(ROWS * 40, columns=HEAD, dtype=float), str(whole))
    raw = whole.read_bytes()
    for cut in range(0, len(raw), len(raw) // 5):  # each a process; tests/test_fuzz_readers.py cuts many more
        with pytest.raises(DataError, match="cut.sav"):
            surveysem.read_responses(put(raw[:cut], "cut.sav"), book)


def sheet(path, *parts):
    """Write an Excel file whose sheet has the rows given as xml."""
    import openpyxl

    made = openpyxl.Workbook()
    made.save(path)
    with zipfile.ZipFile(path) as before:
        held = {name: before.read(name) for name in before.namelist()}
    held["xl/worksheets/sheet1.xml"] = b"".join(
        (
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>',
            *parts,
            b"</sheetData></worksheet>",
        )
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as after:
        for name, part in held.items():
            after.writestr(name, part)
    return path


FIRST = b'<row r="1"><c t="inlineStr"><is><t>T1</t></is></c></row>'


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            b'<row r="999999999"><c><v>1</v></c></row>',
            "a row numbered 999,999,999 after row 1; rows run upwards to 1,048",
        ),
        (b'<row r="1"><c><v>1</v></c></row>', "a row numbered 1 after row 1; rows run upwards"),
        (b'<row r="2"><c r="ZZZ2"><v>1</v></c></row>', "a cell in column 18,278, row 2; a sheet has 16,384 columns"),
        (
            b'<row r="2"><c t="inlineStr"><is><t>' + b"a" * 40_000 + b"</t></is></c></row>",
            "holds 40,000 characters in row 2, column 1; a cell has 32,767",
        ),
        (
            b'<row r="2">' + b'<c t="inlineStr"><is><t>abcdefghij</t></is></c>' * 90 + b"</row>",
            "holds 902 characters up to row 2; at most 800 are read",
        ),
        (
            b"<row><c r='CV2'><v>1</v></c></row><row><c r='CV3'><v>1</v></c></row>",
            "holds more than 150 cells up to row 3",
        ),
        (b"<row/>" * 1300, r"holds 1,\d{3} xml marks; at most 1,200 are read"),
        (b"<!ENTITY x 'y'>", "declares entities in xl/worksheets/sheet1.xml; a sheet of Excel has none"),
    ],
)
def test_an_excel_file_keeps_to_bounds(tmp_path, monkeypatch, part, message):
    path = sheet(tmp_path / "b.xlsx", FIRST, part)
    for name, bound in (("CELLS", 150), ("CHARACTERS", 800), ("MARKS", 1200)):
        monkeypatch.setattr(child, name, bound)
    said = io.StringIO()
    child.answer("xlsx", str(path), None, said)
    *_, last, end = map(json.loads, said.getvalue().splitlines())
    assert re.search(message, last["wrong"])
    assert end is None


@pytest.mark.slow
def test_a_row_far_away_is_refused_by_the_process_that_reads(tmp_path):
    path = sheet(tmp_path / "far.xlsx", FIRST, b'<row r="999999999"><c><v>1</v></c></row>')
    assert path.stat().st_size < 8192
    with pytest.raises(DataError, match=r"^far.xlsx has a row numbered 999,999,999 after row 1; rows run upwards to 1"):
        tables.read_table(path)
    path = sheet(tmp_path / "wide.xlsx", FIRST, b'<row r="2"><c r="XFD2"><v>1</v></c></row>')
    with pytest.raises(DataError, match="wide.xlsx has 16384 columns; at most 2000 are read"):
        tables.read_table(path)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "import os; print('[]', flush=True); os.abort()",
            "a.sav is damaged: it killed the process that read it; a whole .sav is needed",
        ),
        ("while True: pass", "a.sav takes more than 0 seconds of processor time to read; a smaller file"),
        (
            "x = b'x' * 200_000_000\nwhile True: pass",
            "a.sav takes [0-9,]+ bytes of memory to read; at most 100,000,000 are given",
        ),
    ],
)
def test_a_file_that_kills_its_reader_or_swells_it_is_refused(put, monkeypatch, program, message):
    monkeypatch.setattr(tables, "CHILD", put(program.encode(), "child.py"))
    monkeypatch.setattr(tables, "SECONDS", 0 if "time" in message else 30)
    monkeypatch.setattr(tables, "MEMORY", 100_000_000)
    with pytest.raises(DataError, match=message):
        tables.read_table(put(b"$FL2 and then", "a.sav"))


def test_long_names_are_cut_in_messages(book, put, tmp_path):
    long = "x" * 10_000
    for rows, options in (
        (changed(0, 0, long[:999]), {}),
        (changed(1, 0, long), {}),
        (changed(0, 0, long), {}),
        ([HEAD, *ROWS], {"delimiter": long}),
        ([HEAD, *ROWS], {"encoding": long}),
    ):
        with pytest.raises(SurveysemError) as caught:
            surveysem.read_responses(put(rows), book, **options)
        assert len(str(caught.value)) < 500
    with pytest.raises(DataError, match=r"^'x{56}\.\.\. cannot be read: File name too long|the ending is ''"):
        surveysem.read_responses(tmp_path / f"{long}.csv", book)


def test_exports_neutralise_formulas(tmp_path):
    frame = pd.DataFrame({"=cmd": ["=1+1", "+1", "-3", "@x", "\t=2", "plain"], "n": [-1, 2, 3, 4, 5, 6]})
    path = write_csv(frame, tmp_path / "out.csv")
    found = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert [row[0] for row in found] == ["'=cmd", "'=1+1", "+1", "-3", "'@x", "'\t=2", "plain"]
    assert found[1][1] == "-1"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert neutral("-2+3") == "'-2+3"


def test_a_table_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "x.txt").write_text("before")
    with pytest.raises(nbproof.OutputError, match="cannot write y.csv: "):
        write_csv(pd.DataFrame(), tmp_path / "x.txt" / "y.csv")
    assert (tmp_path / "x.txt").read_text() == "before"


ODD = [1, 5, 7, "", ZH["yes"], ZH["skipped"], "=1+1", "1e9", "9" * 40, "\x00", "\r", '"', "<b>", -3]
CELLS = st.sampled_from(ODD) | st.text(max_size=4)
HEADS = st.sampled_from([*HEAD, *QUESTIONS, "Q1", "99", ZH["serial"], ZH["duration"], "", "1\u3001" * 9]) | st.text(
    max_size=5
)


@pytest.mark.slow
@settings(max_examples=120, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(heads=st.permutations(HEAD) | st.lists(HEADS, max_size=10), data=st.data())
def test_any_table_ends_in_answers_or_in_one_of_our_errors(book, tmp_path, heads, data):
    rows = [list(row) for row in ROWS]
    for _ in range(data.draw(st.integers(0, 4))):
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.integers(0, 8))] = data.draw(CELLS)
    folder = tmp_path / "only"
    folder.mkdir(exist_ok=True)
    path = folder / "fuzz.csv"
    try:
        path.write_bytes(text([heads, *[row[: len(heads)] for row in rows]]).encode("utf-8", "replace"))
    except csv.Error:  # a lone carriage return and the like: not this test's matter
        return
    for invalid in ("error", "record"):
        try:
            found = surveysem.read_responses(path, book, unknown="leave", invalid=invalid)
        except SurveysemError as wrong:
            said = str(wrong)
        else:
            screened = surveysem.screen(found, mode="report-only")
            said = "fuzz.csv" if screened.answers.shape[1] == 9 else "nothing"
        assert "fuzz.csv" in said
    assert [each.name for each in tmp_path.iterdir()] == ["only"]
    assert [each.name for each in folder.iterdir()] == ["fuzz.csv"]


@pytest.mark.slow
@settings(max_examples=120, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300))
def test_any_bytes_end_in_one_of_our_errors(book, tmp_path, raw):  # tests/test_fuzz_readers.py: the other formats
    path = tmp_path / "bytes.csv"
    path.write_bytes(raw)
    try:
        found = surveysem.read_responses(path, book, unknown="leave", invalid="record")
    except SurveysemError as wrong:
        said = str(wrong)
    else:
        said = path.name if found.answers.shape[1] == 9 else "nothing"
    assert path.name in said
