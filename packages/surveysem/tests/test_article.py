"""Tables of notebooks as an article prints them."""

from __future__ import annotations

import io
import zipfile

import pytest

from nbproof.results import MIME
from surveysem.article import ArticleTable, tables_of


def excel(*given):
    from surveysem import article, report

    return article.excel(*given, report.WORDS["en"]["sheets"])


def word(*given):
    from surveysem import article

    return article.word(*given)


def payload(name: str, columns: dict[str, list], digits: dict[str, int], **more: object) -> dict:
    """A table as `Page.table` leaves it."""
    from nbproof.results import format_number

    values = [list(row) for row in zip(*columns.values(), strict=True)]
    rows = [
        [
            "–" if v is None else format_number(v, digits[k]) if k in digits else str(v)
            for k, v in zip(columns, row, strict=True)
        ]
        for row in values
    ]
    numeric = [any(isinstance(v, int | float) for v in column) for column in columns.values()]
    return {
        "kind": "table",
        "name": name,
        "language": "en",
        "heads": list(columns),
        "rows": rows,
        "numeric": numeric,
        "columns": list(columns),
        "values": values,
        "digits": digits,
        "caption": "What stands here.",
        "n": "12",
        "basis": ["own survey"],
        "source": "answers.csv",
        "note": "",
        **more,
    }


def notebook(*payloads: dict) -> dict:
    outputs = [{"data": {MIME: each}} for each in payloads]
    return {"cells": [{"cell_type": "code", "source": "", "metadata": {}, "outputs": outputs}]}


PATHS = payload(
    "paths",
    {"who": ["=a", "b\x07"], "std": [0.49, -0.229], "p": [0.0002, 0.012], "n": [1234, 5], "money": [12345.678, None]},
    {"std": 3, "p": 3, "money": 1},
)
LOADINGS = payload(
    "items",
    {"construct": ["a", "b"], "loading": [0.846, 0.711], "low": [0.8, -0.05], "1": [0.5, None]},
    {"loading": 3, "low": 2, "1": 2},
    note="See the first.",
)


@pytest.fixture
def tables() -> list[ArticleTable]:
    return tables_of({"one": notebook(PATHS), "two": notebook({**PATHS, "name": "paths"}, LOADINGS)}, "en")


def texts(table: ArticleTable) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_tables_are_numbered_through_and_notes_follow(tables):
    assert [table.label for table in tables] == ["Table 1", "Table 2", "Table 3"]
    assert tables[2].title == "What stands here"
    assert tables[2].note == "n = 12. Basis: own survey. Source: answers.csv. See the first."


def test_only_what_cannot_exceed_one_loses_its_zero(tables):
    assert texts(tables[0]) == [["=a", "0.490", "< .001", "1234", "12,345.7"], ["b", "−0.229", ".012", "5", "–"]]
    assert texts(tables[2]) == [["a", ".846", ".80", ".50"], ["b", ".711", "−.05", "–"]]
    ratios = payload("ratios", {"htmt": [0.627], "low": [0.5], "high": [0.851], "communality": [0.4]}, dict.fromkeys(
        ("htmt", "low", "high", "communality"), 3))  # fmt: skip
    (table,) = tables_of({"one": notebook(ratios)}, "en")
    assert texts(table) == [[".627", ".500", ".851", ".400"]]


def test_chinese_keeps_the_zero_before_the_point():
    """GB/T 15835 asks for it; APA's rule is one of English."""
    (table,) = tables_of({"one": notebook({**PATHS, "language": "zh"})}, "zh")
    assert [row[2].text for row in table.rows] == ["< 0.001", "0.012"]


def test_word_shows_three_rules_and_every_text(tables):
    from docx import Document
    from docx.oxml.ns import qn

    made = Document(io.BytesIO(word(tables, "Tables")))
    shown = [[[cell.text for cell in row.cells] for row in table.rows] for table in made.tables]
    assert shown == [[list(table.heads), *texts(table)] for table in tables]
    borders = [
        [{edge.tag.split("}")[1] for edge in row.cells[0]._tc.iter(qn("w:top"), qn("w:bottom"))} for row in table.rows]
        for table in made.tables
    ]
    assert borders == [[{"top", "bottom"}, set(), {"bottom"}]] * 3
    for table in made.tables:  # Word goes by the cells, others by the columns
        assert [[cell.width for cell in row.cells] for row in table.rows] == [[c.width for c in table.columns]] * 3
    title = next(p for p in made.paragraphs if p.text == "What stands here")
    assert title.runs[0].italic
    assert made.styles["Normal"].font.name == "Times New Roman"


def test_excel_holds_numbers_and_runs_nothing(tables):
    import openpyxl

    content = excel(tables, "Tables")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Contents", "1 paths", "2 paths", "3 items"]
    listed = [[cell.value for cell in row] for row in book["Contents"]["A4:C7"]]
    assert listed == [["sheet", "title", "rows"], *([n, "What stands here", 2] for n in book.sheetnames[1:])]
    assert [book["Contents"].cell(row, 1).hyperlink.location for row in (5, 7)] == ["'1 paths'!A1", "'3 items'!A1"]
    sheet = book["1 paths"]
    assert [[cell.value for cell in row] for row in sheet["A5:E6"]] == [
        ["=a", 0.49, 0.0002, 1234, 12345.678],
        ["b", -0.229, 0.012, 5, "–"],
    ]
    formats = [cell.number_format for cell in sheet[5]]
    assert formats[1:] == ["#,##0.000", '[<0.0005]"< .001";.000', "0", "#,##0.0"]
    assert sheet["A5"].data_type == "s"
    assert sheet["A5"].quotePrefix
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist())


def texts_of_row(row: object) -> list[str]:
    return [cell.text for cell in row.cells]


def test_a_reason_stands_across_all_columns():
    import openpyxl
    from docx import Document

    none = payload("none", {"outcome": ["It cannot be tested."], "std": [None], "p": [None]}, {})
    made = Document(io.BytesIO(word(tables_of({"one": notebook(none)}, "en"), "Tables")))
    row = made.tables[0].rows[1]
    assert texts_of_row(row) == ["It cannot be tested."] * 3  # one cell that spans three
    assert len(row._tr.tc_lst) == 1
    book = openpyxl.load_workbook(io.BytesIO(excel(tables_of({"one": notebook(none)}, "en"), "Tables")))
    assert "A5:C5" in [str(area) for area in book["1 none"].merged_cells.ranges]


@pytest.mark.parametrize("write", [word, excel])
def test_the_hour_of_their_making_is_not_in_the_files(tables, write):
    with zipfile.ZipFile(io.BytesIO(write(tables, "Tables"))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("1980-01-01T00:00:00Z") == core.count("<dcterms:") > 0


def test_a_table_too_wide_for_a_page_stands_across_and_stays_inside():
    from docx import Document

    wide = payload("wide", {f"column {k} of many": ["a text that is long enough"] for k in range(12)}, {})
    narrow = payload("narrow", {"a": ["b"]}, {})
    made = Document(io.BytesIO(word(tables_of({"one": notebook(wide, narrow)}, "en"), "Tables")))
    across, upright = made.sections
    assert across.page_width > across.page_height
    assert upright.page_width < upright.page_height
    room = across.page_width - across.left_margin - across.right_margin
    assert sum(column.width for column in made.tables[0].columns) <= room


def test_tables_of_one_direction_share_pages_and_short_ones_stay_whole(tables):
    from docx import Document

    made = Document(io.BytesIO(word(tables, "Tables")))
    assert len(made.sections) == 1
    kept = [cell.paragraphs[0].paragraph_format.keep_with_next for row in made.tables[1].rows for cell in row.cells]
    assert all(kept)  # the last row with its note
    long = payload("long", {"k": list(range(90))}, {})
    rows = Document(io.BytesIO(word(tables_of({"one": notebook(long)}, "en"), "Tables"))).tables[0].rows
    assert not rows[40].cells[0].paragraphs[0].paragraph_format.keep_with_next  # it may part here
    assert rows[0]._tr.trPr.xpath("w:tblHeader")


def test_no_column_is_narrower_than_its_longest_word():
    """By the widths of STIX, a font with the measures of Times, and the margins of Word's own style for tables."""
    from pathlib import Path

    import matplotlib
    from docx import Document
    from PIL import ImageFont

    words = ["MMWWMW", "personalisation", "95% CI LL", "communality", "\N{MINUS SIGN}0.05", "mammogram"]
    crowded = payload("crowded", {f"{text} {k}": [text, text] for k, text in enumerate(words * 2) if k < 10}, {})
    made = Document(io.BytesIO(word(tables_of({"one": notebook(crowded)}, "en"), "Tables")))
    size = made.tables[0].rows[0].cells[0].paragraphs[0].runs[0].font.size.pt
    times = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "STIXGeneral.ttf"), 100)
    for column in made.tables[0].columns:
        longest = max(times.getlength(part) for cell in column.cells for part in cell.text.split())
        assert column.width.pt >= longest * size / 100 + 10.8


def test_a_head_in_chinese_is_neither_torn_nor_one_sign_above_the_other():
    """Word ends a Chinese line at any sign: three stay together, a comma with its word, a head in two lines."""
    from surveysem import article

    assert article.longest_word("\u6807\u51c6\u8bef") == 3
    assert article.longest_word("AVE，95% CI\u4e0b\u9650") > article.longest_word("AVE")
    head = "\u672a\u6536\u655b\u6216\u89e3\u4e0d\u53ef\u63a5\u53d7\u7684\u8bbe\u5b9a\u6570"
    table = ArticleTable(
        1,
        "a",
        "zh",
        "\u88681",
        "\u8bbe\u5b9a",
        "",
        ("\u8def\u5f84", head),
        ((article.Cell("H1"), article.Cell("0", 0)),),
        (False, True),
        "\u6ce8",
    )
    assert article._needed(table, 10)[1] >= article.BESIDE + article.Pt(10) * len(head) / 2
