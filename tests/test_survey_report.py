"""The report on somebody's own survey: what it holds, what it refuses, and that R finds the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from small_project import made_once

import surveysem
from nbproof.results import collect
from socialcommerce import cli, paper, survey
from socialcommerce.project import root
from surveysem import methods, read_study
from surveysem.measurement import FIT_DIGITS, fit_table
from tests.survey_notebooks import write_both
from tests.told import run

BOOK = """
name = "small"
group = "G"
[scales.five]
low = 1
en = ["never", "rarely", "sometimes", "often", "always"]
zh = ["从不", "很少", "有时", "经常", "总是"]
[scales.two]
low = 1
en = ["content", "interaction"]
zh = ["内容", "互动"]
[[constructs]]
name = "care"
en = "Care"
zh = "服务"
scale = "five"
items = [{ code = "A1", en = "=1+1", zh = "一" }, { code = "A2", en = "<img src=x onerror=alert(1)>" }, { code = "A3" }]
[[constructs]]
name = "trust"
scale = "five"
items = [{ code = "B1" }, { code = "B2" }, { code = "B3", reverse = true }]
[[controls]]
code = "G"
scale = "two"
[paths]
trust = ["care"]
"""
HEAD = ["A1", "A2", "A3", "B1", "B2", "B3", "G"]
HTML = "<script>alert(1)</script>"


def drawn(n: int = 120) -> list[list[int]]:
    """Answers with a path of .6 between two constructs; B3 is keyed the other way."""
    rng = np.random.default_rng(20240531)
    care = rng.normal(size=n)
    trust = 0.6 * care + 0.8 * rng.normal(size=n)
    scores = np.column_stack([care, care, care, trust, trust, -trust]) + 0.7 * rng.normal(size=(n, 6))
    codes = np.clip(np.round(3 + scores), 1, 5).astype(int)
    return np.column_stack([codes, 1 + np.arange(n) % 2]).tolist()


ROWS = drawn()


def csv(rows: list[list], head: list[str] = HEAD, comma: str = ",") -> str:
    return "".join(comma.join(map(str, row)) + "\n" for row in [head, *rows])


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sheets(path: Path) -> bytes:
    with pd.ExcelWriter(path) as file:
        for name in ("one", "two"):
            pd.DataFrame(ROWS, columns=HEAD).to_excel(file, sheet_name=name, index=False)
    return path.read_bytes()


def cut_short(path: Path) -> bytes:
    import pyreadstat

    pyreadstat.write_sav(pd.DataFrame(ROWS, columns=HEAD, dtype=float), str(path))
    return path.read_bytes()[:-40]


FIRST, LABELS = ROWS[0][1:], "whole numbers from 1 to 5, or one of never"
BAD = {  # the file or its maker, what the message says, options, codebook
    "UTF-16": (csv(ROWS).encode("utf-16"), r"answers\.csv is not in utf-8 or gb18030: byte 1 is 0xff, as UTF-16 might"),
    "Latin-1": (csv(ROWS, [*HEAD[:-1], "Gé"]).encode("latin-1"), r"answers\.csv is not in utf-8 or gb18030: byte 20"),
    "GB18030 as UTF-8": (
        csv([["从不", *FIRST]]).encode("gb18030"),
        r"answers\.csv is not in utf-8: byte 21",
        ["--encoding", "utf-8"],
    ),
    "semicolons": (csv(ROWS, comma=";"), r"row 1 .* separated by semicolons", ["--delimiter", ","]),
    "tabs": (csv(ROWS, comma="\t"), r"row 1 .* separated by tabs", ["--delimiter", ","]),
    "delimiter": (csv(ROWS), r"delimiter is '#'; allowed: ','", ["--delimiter", "#"]),
    "empty": ("", r"answers\.csv is empty: 0 bytes; a heading and one row a respondent are needed"),
    "blank": ("\n\n", r"answers\.csv is empty: no cell holds anything"),
    "only a header": (csv([]), r"answers\.csv has a heading and no rows; one row a respondent is needed"),
    "duplicate headers": (csv([[*row, 1] for row in ROWS], [*HEAD, "A1"]), r"columns 1 and 8 .* 'A1'; every"),
    "missing column": (csv([row[1:] for row in ROWS], HEAD[1:]), r"row 1: no column for A1 .*; allowed: every"),
    "unknown column": (csv([[*row, 1] for row in ROWS], [*HEAD, "XX"]), r"row 1, column 8: .* 'XX'.*; allowed: "),
    "out of range": (csv([[9, *FIRST]]), rf"row 2, column 1 \(A1\): got '9'; allowed: {LABELS}"),
    "no such text": (csv([["perhaps", *FIRST]]), rf"row 2, column 1 \(A1\): got 'perhaps'; allowed: {LABELS}"),
    "a formula": (csv([["=1+1", *FIRST]]), rf"row 2, column 1 \(A1\): got '=1\+1'; allowed: {LABELS}"),
    "HTML": (csv([[HTML, *FIRST]]), rf"row 2, column 1 \(A1\): got '{re.escape(HTML)}'; allowed: {LABELS}"),
    "one answer": (csv([[3] * 6 + [1]] * 40), r"answers\.csv: every answer to every item is 3; answers that differ"),
    "everybody flagged": (csv([["", "", *row[2:]] for row in ROWS]), r"all 120 rows are flagged; allowed: rules that"),
    "one item constant": (csv([[3, *row[1:]] for row in ROWS]), r"column 1 \(A1\): every answer kept is 3; "),
    "nobody answered an item": (csv([["", *row[1:]] for row in ROWS]), r"column 1 \(A1\): no answer is kept; "),
    "items alike": (
        csv([[row[0]] * 3 + row[3:] for row in ROWS]),
        r"measurement model: .* A1, .*A[23] are linearly dependent",
    ),
    "one group only": (csv([[*row[:-1], 1] for row in ROWS]), r"column 7 \(G\): every answer kept is 1; two groups "),
    "fewer respondents": (csv(ROWS[:5]), r"answers\.csv: 5 respondents for 6 items; at least as many"),
    "fewer kept": (
        csv(ROWS[:5] + [["", "", *row[2:]] for row in ROWS]),
        r"answers\.csv: 5 respondents are left after screening for 6 items; more",
    ),
    "10,000 columns": (
        csv([[*row, *[1] * 9993] for row in ROWS], HEAD + [f"X{k}" for k in range(9993)]),
        r"answers\.csv has 10000 columns; at most 2000 are read",
    ),
    "an ending": ("x", r"answers\.ods: the ending is '\.ods'; allowed: \.csv"),
    "several sheets": (sheets, r"answers\.xlsx has 2 sheets; say which \(--sheet\): one, two"),
    "no such sheet": (sheets, r"unknown sheet 'three'.*Allowed: one, two", ["--sheet", "three"]),
    "no Excel file": (b"PK\x03\x04", r"answers\.xlsx cannot be read as Excel .*; a whole \.xlsx is needed"),
    "truncated sav": (cut_short, r"answers\.sav (cannot be read as SPSS|is cut short).*a whole \.sav is needed"),
    "a construct without items": (
        csv(ROWS),
        r"codebook c\.toml, construct trust: no item; allowed: one or more",
        [],
        BOOK.replace('{ code = "B1" }, { code = "B2" }, { code = "B3", reverse = true }', ""),
    ),
    "an item twice": (
        csv(ROWS),
        r"codebook c\.toml, item 'A1': it is there twice; allowed: once",
        [],
        BOOK.replace("A3", "A1"),
    ),
    "no paths": (csv(ROWS), r"codebook small states no paths .*; a table \[paths\]", [], BOOK.partition("[paths]")[0]),
    "no toml": (csv(ROWS), r"codebook c\.toml cannot be read: .*; it must be a toml file in UTF-8", [], "name ="),
    "an estimator": (csv(ROWS), r"unknown estimator 'MLX'.*Allowed: ML, MLR, PLS, WLSMV", ["--estimator", "MLX"]),
    "no draws": (csv(ROWS), r"--draws must be above 0; got 0", ["--draws", "0"]),
    "a language": (csv(ROWS), r"unknown language 'fr'.*Allowed: en, zh", ["--language", "fr"]),
    "a way of screening": (csv(ROWS), r"unknown screening 'both'; Allowed: drop, report-only", ["--screening", "both"]),
}
DEFAULTS: tuple[list[str], str] = ([], BOOK)
ENDINGS = {
    "an ending": "ods",
    "truncated sav": "sav",
    "several sheets": "xlsx",
    "no such sheet": "xlsx",
    "no Excel file": "xlsx",
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_and_nothing_is_written(tmp_path, capsys, case):
    content, message, options, book = (*BAD[case], *DEFAULTS[len(BAD[case]) - 2 :])
    file = tmp_path / f"answers.{ENDINGS.get(case, 'csv')}"
    write(file, content(file) if callable(content) else content)
    codebook = write(tmp_path / "c.toml", book)
    made = tmp_path / "made"
    made.mkdir()
    assert (
        cli.main(["survey", "report", str(file), "--codebook", str(codebook), "--out", str(made / "out"), *options])
        == 2
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert re.search(message, said.err), said.err
    assert not list(made.iterdir())


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path, capsys):
    file, codebook = write(tmp_path / "a.csv", csv(ROWS)), write(tmp_path / "c.toml", BOOK)
    out = tmp_path / "thesis"
    out.mkdir()
    write(out / "chapter.txt", "mine")
    assert cli.main(["survey", "report", str(file), "--codebook", str(codebook), "--out", str(out)]) == 2
    assert "holds chapter.txt, which socialcommerce survey report did not put there" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["chapter.txt"]


def only_the_front(monkeypatch) -> None:
    """Let the command make a front page and no more."""
    monkeypatch.setattr(surveysem.report, "_run", lambda *given: RESULTS)
    monkeypatch.setattr(surveysem.report, "_finish", lambda draft, *rest: write(draft / "index.html", "made"))


@pytest.mark.slow
def test_a_second_report_takes_the_place_of_the_first(report, tmp_path, monkeypatch):
    only_the_front(monkeypatch)
    shutil.copytree(report, tmp_path / "out")
    file, codebook = write(tmp_path / "a.csv", csv(ROWS)), write(tmp_path / "c.toml", BOOK)
    assert cli.main(["survey", "report", str(file), "--codebook", str(codebook), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "index.html").read_text() == "made"
    assert not (tmp_path / "out" / "en").exists()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """A report on answers and a codebook with HTML and formulas in them."""

    def make(folder: Path) -> None:
        folder.mkdir()
        rows = [[HTML, *FIRST], *ROWS, ROWS[3]]
        file = write(folder / "answers.csv", csv([[*row, "secret"] for row in rows], [*HEAD, "Name"]))
        codebook = write(folder / "c.toml", BOOK)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(surveysem.report, "NOTEBOOKS", write_both(folder / "notebooks"))
            assert (
                cli.main(
                    [
                        "survey",
                        "report",
                        str(file),
                        "--codebook",
                        str(codebook),
                        "--out",
                        str(folder / "out"),
                        "--unknown",
                        "leave",
                        "--invalid",
                        "record",
                        "--draws",
                        "20",
                    ]
                )
                == 0
            )
        assert sorted(path.name for path in folder.iterdir()) == ["answers.csv", "c.toml", "notebooks", "out"]

    return made_once(tmp_path_factory, "survey-report", make) / "out"


@pytest.mark.slow
def test_the_folder_holds_what_a_journal_asks_for(report):
    expected = {
        "index.html",
        "index.zh.html",
        "model.R",
        "data.csv",
        "screening.csv",
        "mapping.csv",
        "invalid.csv",
        "manifest.json",
    }
    for language in ("en", "zh"):
        expected |= {f"tables-{language}.docx", f"tables-{language}.xlsx"}
        expected |= {f"{kind}-{language}.txt" for kind in ("methods", "summary")}
        expected |= {f"{language}/{name}.{kind}" for name in ("one", "two") for kind in ("html", "pdf")}
        expected |= {f"figures/two/forest.{language}.{kind}" for kind in ("svg", "png")}
    found = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    assert found == expected | {
        f"{kind}/{name}.{end}"
        for name in ("one", "two")
        for kind, end in (("notebooks", "ipynb"), ("notebooks/zh", "ipynb"), ("results", "json"))
    }
    assert set(json.loads((report / "manifest.json").read_text())["files"]) == found - {"manifest.json"}
    with Image.open(report / "figures/two/forest.en.png") as picture:
        assert round(picture.info["dpi"][0]) == 300
        assert picture.width > 1000
    fronts = [(report / f"index{tag}.html").read_text(encoding="utf-8") for tag in ("", ".zh")]
    links = {link for front in fronts for link in re.findall(r'href="([^"#]+)"', front)}
    assert links >= expected - {"index.html", "manifest.json"}
    assert all((report / link).is_file() for link in links if not link.startswith("data:"))


@pytest.mark.slow
def test_no_path_and_no_foreign_column_reaches_the_folder(report):
    for path in report.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".json", ".svg", ".csv", ".txt", ".R"):
            text = path.read_text(encoding="utf-8")
            assert str(report.parent) not in text, path
            assert "secret" not in text, path
    assert "codebook/c.toml" in (report / "notebooks" / "one.ipynb").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_html_in_answers_and_codebook_is_shown_and_never_run(report, language):
    for page in (report / language / "one.html", report / "index.html"):
        text = page.read_text(encoding="utf-8")
        assert HTML not in text
        assert "<img" not in text
    assert HTML in unescape((report / language / "one.html").read_text(encoding="utf-8"))
    assert "&lt;img src=x onerror=alert(1)&gt;" in (report / language / "one.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_word_and_excel_say_the_same(report, language):
    import openpyxl
    from docx import Document

    word = Document(report / f"tables-{language}.docx")
    book = openpyxl.load_workbook(report / f"tables-{language}.xlsx")
    contents = {"en": "Contents", "zh": "目录"}[language]
    assert [sheet.title for sheet in book] == [contents, "1 items", "2 fit_table", "3 asked", "4 paths"]
    labels = [f"{'Table ' if language == 'en' else '表'}{k}" for k in range(1, 5)]
    assert [sheet["A1"].value for sheet in book][1:] == labels
    assert [p.text for p in word.paragraphs if p.text in labels] == labels
    results = json.loads((report / "results" / "two.json").read_text())["tables"]["paths"]["rows"]
    for values, row, line in zip(
        results, list(book["4 paths"].iter_rows(min_row=5)), word.tables[3].rows[1:], strict=False
    ):
        assert [cell.value for cell in row][2:-1] == values[2:-1]  # the last is p, small ones in words
        assert f"{values[2]:.3f}" == line.cells[2].text.replace("−", "-")
    texts = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {"en": "=1+1", "zh": "一"}[language] in {cell.value for cell in texts}  # the wording of A1
    formulas = {cell.value for cell in texts if cell.value.startswith("=")}
    assert formulas == {"en": {"=1+1", "=HYPERLINK(1)"}, "zh": {"=HYPERLINK(1)"}}[language]
    assert all(cell.data_type == "s" for cell in texts)
    assert all(cell.quotePrefix for cell in texts if cell.value.startswith("="))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_libreoffice_opens_the_tables(report, tmp_path, kind):
    program = shutil.which("soffice")
    if not program or not shutil.which("pdftotext"):
        pytest.skip("needs LibreOffice and pdftotext")
    subprocess.run(
        [
            program,
            "--headless",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--convert-to",
            "pdf",
            "--outdir",
            str(tmp_path),
            str(report / f"tables-zh.{kind}"),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    subprocess.run(["pdftotext", "-layout", "tables-zh.pdf", "seen.txt"], cwd=tmp_path, check=True)
    for text in ("题项载荷", "标准误", "服务", "=HYPERLINK(1)"):
        assert text in (tmp_path / "seen.txt").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_answers_give_the_same_office_files(report, tmp_path):
    from surveysem.article import excel, tables_of, word

    executed = {name: json.loads((report / "notebooks" / f"{name}.ipynb").read_text()) for name in ("one", "two")}
    tables, title = tables_of(executed, "en"), "Report on a survey"
    assert word(tables, title) == (report / "tables-en.docx").read_bytes()
    assert excel(tables, title, surveysem.report.WORDS["en"]["sheets"]) == (report / "tables-en.xlsx").read_bytes()


@pytest.mark.slow
def test_a_notebook_that_fails_leaves_nothing(tmp_path, capfd, monkeypatch):
    from small_project import TITLE, write_notebook

    from tests.survey_notebooks import PARAMETERS

    broken = write_notebook(tmp_path / "nb" / "broken.ipynb", [TITLE, PARAMETERS, ("", "1 / 0")])
    monkeypatch.setattr(surveysem.report, "NOTEBOOKS", (str(broken),))
    file, codebook = write(tmp_path / "a.csv", csv(ROWS)), write(tmp_path / "c.toml", BOOK)
    (tmp_path / "made").mkdir()
    assert (
        cli.main(["survey", "report", str(file), "--codebook", str(codebook), "--out", str(tmp_path / "made" / "out")])
        == 2
    )
    said = capfd.readouterr().err
    assert "broken, cell In [3] at `1 / 0`: ZeroDivisionError" in said
    assert "executed copy" not in said
    assert not list((tmp_path / "made").iterdir())


def found_of(study) -> dict[str, dict]:
    """Results as notebooks leave them: the fit of both models, and how far the items measure alike."""
    fits = fit_table({"measurement model": study.measurement, "structural model": study.structural})
    alike = {"en": "metric invariance", "zh": "单位不变性"}
    return {
        "tables": {"fit_table": {"columns": [*fits], "rows": fits.to_numpy(object).tolist()}},
        "texts": {"invariance": alike},
    }


def study_of(folder: Path, rows: list[list], **options: object):
    file, codebook = write(folder / "a.csv", csv(rows)), write(folder / "c.toml", BOOK)
    return read_study(file, codebook, **options)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_methods_paragraph_states_what_was_done(tmp_path, language):
    rows = [["", *FIRST[:-1], 1], *ROWS[1:], ["", "", *ROWS[3][2:]], [2] * 6 + [1]]
    study = study_of(tmp_path, rows, draws=700, seed=11)
    said = methods.methods_text(study, found_of(study), language)
    measures = study.structural.fit_measures
    assert f"{measures['chisq']:.2f}" in said
    assert f"{measures['chisq.scaled']:.2f}" in said
    assert {"en": "metric invariance", "zh": "单位不变性"}[language] in said.splitlines()[-1]
    cfi = f"CFI = {measures['cfi']:.3f}"  # Chinese keeps the zero before the point (GB/T 15835)
    assert (cfi.replace("0.", ".") if language == "en" else cfi) in said
    assert f"{1 / (len(study.answers) * 6):.1%}" in said  # one answer of all is missing
    for number in (len(rows), len(study.screened.flagged), study.nobs):
        assert str(number) in said
    words = {
        "en": ["full information maximum likelihood", "MLR", "1 reverse-keyed", "more than 20% of the items"],
        "zh": ["全信息极大似然法", "MLR", "1个反向计分", "超过20%的题项未作答"],
    }
    assert all(each in said for each in words[language])
    assert "bootstrap" not in said  # no indirect effect: no resample
    assert "Bootstrap" not in said


@pytest.fixture(scope="module")
def hanoi() -> Path:
    path = Path(os.environ.get("SOCIALCOMMERCE_DATA", "nowhere")) / "hanoi_social_commerce_impulse.xlsx"
    if not path.is_file():
        pytest.skip("needs the raw Hanoi file in SOCIALCOMMERCE_DATA")
    return path


@pytest.mark.slow
def test_the_hanoi_survey_gives_the_published_fit_and_paths(hanoi):
    """The publisher's chi-square 189.193, df 80, CFI .933; URG by PAR .490, INT -.229, HED .332, CON .105."""
    study = read_study(hanoi, root() / "data" / "survey" / "hanoi.toml", screening="report-only")
    measures = study.structural.fit_measures
    assert measures["chisq"] == pytest.approx(189.193, abs=5e-4)
    assert measures["df"] == 80
    assert measures["cfi"] == pytest.approx(0.933, abs=5e-4)
    found = study.structural.estimates.query("op == '~'").set_index("rhs")["std_all"]
    assert found.to_dict() == pytest.approx({"PAR": 0.490, "INT": -0.229, "HED": 0.332, "CON": 0.105}, abs=1e-3)
    assert "χ²(80) = 189.19, p < .001, CFI = .933" in methods.methods_text(study, found_of(study), "en")
    assert study.constructs == ["PAR", "INT", "CON", "HED", "URG"]


@pytest.mark.slow
def test_screening_reports_duplicates_and_drops_straight_liners_of_the_hanoi_survey_and_says_so(hanoi):
    study = read_study(hanoi, root() / "data" / "survey" / "hanoi.toml")
    said = methods.respondents_text(study, "en")
    assert "the same answers as an earlier row, beyond what chance explains (16)" in said
    assert "answers that do not vary (standard deviation at most 0) (10)" in said
    assert (len(study.screened.flagged), study.screened.dropped, study.nobs) == (19, 10, 262)
    assert "Of those flagged 10 were left out; n = 262" in said


@pytest.mark.slow
def test_the_notebooks_on_the_hanoi_survey_hold_the_published_numbers(hanoi, tmp_path):
    """Without pages and documents, which the report above has of other answers."""
    home, codebook = surveysem.report.HERE / "notebooks", str(root() / "data" / "survey" / "hanoi.toml")
    given = {"answers": str(hanoi), "codebook": codebook, "screening": "report-only", "draws": 50}
    results = [
        collect(run(home / f"{name}.ipynb", tmp_path / f"{name}.ipynb", "en", **given), name)["tables"]
        for name in surveysem.report.NOTEBOOKS
    ]
    fits, paths = (
        pd.DataFrame(each["rows"], columns=each["columns"])
        for each in (results[0]["fit_table"], results[1]["paths_table"])
    )
    assert fits["chisq"].tolist() == [189.19, 189.19]
    assert fits["plain_cfi"].tolist() == pytest.approx([0.933, 0.933], abs=1e-3)
    assert paths["std"].tolist() == pytest.approx([0.490, -0.229, 0.332, 0.105], abs=2e-3)  # kept to print alike


@pytest.mark.slow
def test_without_a_codebook_the_report_is_on_the_papers_hypotheses(tmp_path, monkeypatch):
    """The study's own codebook goes to the notebooks of surveysem, and labels what paper/hypotheses.toml states."""
    given = {}
    only_the_front(monkeypatch)
    monkeypatch.setattr(
        surveysem.report, "_run", lambda draft, notebooks, inputs, *more: given.update(inputs) or RESULTS
    )
    survey.own_sample(nobs=300).write(tmp_path)
    arguments = [str(tmp_path / "sample.csv"), "--invalid", "record", "--out", str(tmp_path / "out")]
    assert cli.main(["survey", "report", *arguments]) == 0
    book = surveysem.load_codebook(given["codebook"])
    stated = {h.id: h for h in paper.load_hypotheses() if any(d.name == "survey" for d in h.data)}
    labels = {one.label: one for one in surveysem.hypotheses.hypotheses_of(book)}
    assert {*stated} - {*labels} == {"H49", "H50", "H52"}  # no single path: notebook 05 decides them
    signs = {(path.outcome, path.predictor): path.direction for path in book.paths}
    for label, one in labels.items():
        assert stated[label].direction == ("positive" if signs[one.outcome, one.predictor] > 0 else "negative")
        assert all(book.called[name] for name in (one.outcome, one.predictor))


FITS = {"columns": [*FIT_DIGITS], "rows": [[0.5] * len(FIT_DIGITS)] * 2}
RESULTS = {"tables": {"fit_table": FITS}, "texts": {}}
CELLS = st.sampled_from(
    ["", "1", "5", "9", "always", "从不", "=1+1", HTML, "-3", "nan", "inf", "\x00", "'", '"']
) | st.text(max_size=8)


@pytest.mark.slow
@settings(
    max_examples=60,
    deadline=5000,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_file_and_codebook_hold_the_command_ends_in_a_report_or_a_sentence(tmp_path, data, monkeypatch):
    """Up to the notebooks: no traceback, no hang, nothing outside the folder, nothing left when it is refused."""
    only_the_front(monkeypatch)
    rows = [list(row) for row in ROWS[:40]]
    for _ in range(data.draw(st.integers(0, 60), "cells")):
        rows[data.draw(st.integers(0, 39))][data.draw(st.integers(0, 6))] = data.draw(CELLS)
    lines = BOOK.splitlines()
    for _ in range(data.draw(st.integers(0, 2), "lines")):
        lines[data.draw(st.integers(0, len(lines) - 1))] = data.draw(st.sampled_from(lines) | st.text(max_size=20))
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    file = write(folder / "a.csv", csv(rows).encode("utf-8", "replace"))
    book = write(folder / "c.toml", "\n".join(lines).encode("utf-8", "replace"))
    options = data.draw(
        st.sampled_from(
            [
                [],
                ["--invalid", "record"],
                ["--screening", "report-only"],
                ["--estimator", "WLSMV", "--invalid", "record"],
            ]
        )
    )
    ended = cli.main(["survey", "report", str(file), "--codebook", str(book), "--out", str(tmp_path / "out"), *options])
    assert ended in (0, 2)
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"in", "out"} if ended == 0 else made == {"in"}
    assert {path.name for path in folder.iterdir()} == {"a.csv", "c.toml"}
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
