"""Documents: one language, numbered, filled in, and nothing from data becomes markup."""

from __future__ import annotations

import re

import pytest
from nbformat import v4
from small_project import ZH

from nbproof import render, results
from nbproof.document import document_of, notebook_in
from nbproof.errors import NotebookError
from nbproof.results import MIME

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '#import "x.typ"',
    "#sys.inputs",
    "[x](javascript:alert(1))",
    "$\\input{/etc/passwd}$",
    "{{answer}}",
    "`x`{=html}",
    "```{=typst}\n#panic()\n```",
    "</details></script><svg onload=alert(1)>",
    "*not bold*",
    ZH["quoted"],
    "@bass1969",
    "\\#panic()",
]
HARMLESS = {
    "main",
    "h1",
    "details",
    "summary",
    "pre",
    "code",
    "span",
    "figure",
    "figcaption",
    "div",
    "table",
    "colgroup",
    "col",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "strong",
    "p",
}


def prose(text):
    return v4.new_markdown_cell(text)


def shown(payload, **data):
    return v4.new_output("display_data", data={MIME: payload, "text/plain": "", **data})


def table(language, rows, **more):
    return {
        "kind": "table",
        "name": "rows",
        "language": language,
        "heads": ["Who", "Value"],
        "rows": rows,
        "numeric": [False, True],
        "columns": ["who", "value"],
        "values": [],
        "digits": {},
        "caption": "Rows with {{names}}.",
        "n": "2",
        "basis": ["model"],
        "source": "us",
        "note": "",
        **more,
    }


def said(english, chinese=""):
    number = {"value": 42.0, "digits": 0, "tolerance": 0, "basis": "model"}
    return {"kind": "say", "numbers": {"answer": number}, "texts": {}, "prose": {"en": english, "zh": chinese}}


def notebook(*cells):
    number = v4.new_code_cell("x = 1", outputs=[shown(said("Said: {{answer}}.", ZH["said"]))])
    return v4.new_notebook(cells=[prose("# A title"), number, *cells])


def made(language, *cells):
    whole = notebook(*cells)
    return document_of(whole, results.collect(whole, "n"), language)


def test_a_report_keeps_its_readers_language():
    cells = [v4.new_code_cell("", outputs=[shown(table("en", [["a", "1"]])), shown(table("zh", [[ZH["cell"], "1"]]))])]
    english, chinese = (
        render.plain_text(render.html(made(language, *cells), ("en", "zh"))) for language in ("en", "zh")
    )
    assert "Said: 42" in " ".join(english.split())
    assert "Rows with {{names}}." in english
    assert ZH["cell"] not in english
    assert ZH["cell"] in chinese
    assert ZH["said_page"] in " ".join(chinese.split())
    assert "Said" not in chinese


def test_headings_are_numbered_and_listed():
    document = made("en", prose("## First\n\ntext\n\n### Detail\n\n## Second"))
    listed = [(s["number"], s["heading"].strip()) for s in document.sections if s["anchor"]]
    assert listed == [("1", "First"), ("1.1", "Detail"), ("2", "Second")]
    page = render.html(document, ("en",))
    assert [page.count(f'id="section-{n}"') for n in ("1", "1-1", "2")] == [1, 1, 1]
    assert page.count('href="#section-1-1"') == 1


@pytest.mark.slow
@pytest.mark.parametrize("text", EVIL)
def test_text_from_data_is_shown_and_never_run(text):
    cells = [
        v4.new_code_cell(
            text,
            outputs=[
                shown(table("en", [[text, text]], source=text, heads=[text, "Value"])),
                v4.new_output("stream", text=text),
                v4.new_output("display_data", data={"text/html": text, "text/plain": text}),
            ],
        )
    ]
    document = made("en", *cells)
    page = render.html(document, ("en",))
    body = page[page.index("<main") : page.index("</main>")]
    assert set(re.findall(r"<(\w+)", body)) <= HARMLESS
    assert not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", body))
    shown_text = " ".join(render.plain_text(body).split())
    assert shown_text.count(" ".join(text.split())) >= 4
    assert render.pdf(document).startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.parametrize("text", EVIL)
def test_prose_cannot_bring_markup_either(text):
    page = render.html(made("en", prose(text.replace("{{answer}}", ""))), ("en",))
    body = page[page.index("<main") : page.index("</main>")]
    assert not re.search(r"<(script|img|svg|iframe|object)\b", body)
    assert render.pdf(made("en", prose(text))).startswith(b"%PDF")


def test_a_report_needs_a_title():
    whole = v4.new_notebook(cells=[prose("Only a paragraph.")])
    with pytest.raises(NotebookError, match="n has no title in language zh"):
        document_of(whole, results.collect(whole, "n"), "zh")


def test_code_is_folded_in_the_page_and_stands_at_the_end_of_the_pdf():
    document = made("en", v4.new_code_cell("y = '<b>'"), prose("## After"), v4.new_code_cell("z = 2"))
    page = render.html(document, ("en",))
    assert page.count('<details class="code">') == 2  # neighbouring cells share a fold
    assert "&lt;b&gt;" in page
    assert [block["c"][1] for block in document.code] == ["x = 1", "y = '<b>'", "z = 2"]


def test_captions_say_n_basis_and_source_in_the_readers_language():
    cells = [v4.new_code_cell("", outputs=[shown(table("zh", [["a", "1"]], source=ZH["us"], note=ZH["note"]))])]
    text = render.plain_text(render.html(made("zh", *cells), ("zh",)))
    for part in ZH["caption"]:
        assert part in text


def test_rows_with_an_id_can_be_linked_to_and_cells_lead_where_they_say():
    rows = table(
        "en", [["H01", "1"], ["H02", "2"]], columns=["id", "value"], links=[[None, "01_x.html#figure-y"], [None, None]]
    )
    page = render.html(made("en", v4.new_code_cell("", outputs=[shown(rows)])), ("en",))
    assert re.search(r'<tr id="table-rows-H01">.*?<a\s+href="01_x.html#figure-y">1</a>', page, re.DOTALL)
    assert '<tr id="table-rows-H02">' in page
    plain = made("en", v4.new_code_cell("", outputs=[shown(table("en", [["a", "1"]]))]))
    assert "table-rows-a" not in render.html(plain, ("en",))


def test_citations_are_resolved_and_listed():
    page = render.html(made("en", prose("As in [@bass1969].")), ("en",))
    assert "(<a" in page.replace("\n", " ")
    assert "10.1287/mnsc.15.5.215" in page


def test_mathematics_is_mathml():
    cell = v4.new_code_cell("", outputs=[shown(said("$x^2 = {{answer}}$"))])
    assert "<math" in render.html(made("en", cell), ("en",))


@pytest.mark.slow
def test_pdf_is_the_same_bytes_twice():
    document = made("zh", prose(ZH["section"]))
    assert render.pdf(document) == render.pdf(document)


def test_a_cell_that_only_speaks_joins_the_fold_before_it():
    speaks = v4.new_code_cell("page.say(...)", outputs=[shown(said("More: {{answer}}."))])
    draws = v4.new_code_cell("page.table(...)", outputs=[shown(table("en", [["a", "1"]]))])
    page = render.html(made("en", speaks, prose("## Next"), speaks, draws), ("en",))
    assert page.count('<details class="code">') == 3  # one before the heading, and two after it


def test_a_cell_for_exploring_stays_in_the_notebook():
    cell = v4.new_code_cell(
        "frame.head()", metadata={"tags": ["explore"]}, outputs=[v4.new_output("stream", text="rows and rows")]
    )
    page = render.html(made("en", cell), ("en",))
    assert "frame.head" not in page
    assert "rows and rows" not in page


def test_the_executed_notebook_of_another_language_reads_as_if_run_in_it():
    hidden = {**table("zh", [[ZH["cell"], "1"]]), "caption": ZH["rows"]}
    figure = {
        "kind": "figure",
        "name": "f",
        "language": "zh",
        "alt": ZH["alt"],
        "caption": ZH["figure"],
        "n": "2",
        "basis": ["model"],
        "source": ZH["us"],
        "note": "",
        "image/svg+xml": ZH["drawn"],
    }
    drawn = v4.new_output("display_data", data={MIME: figure})
    cell = v4.new_code_cell(
        "", outputs=[shown(table("en", [["a", "1"]])), shown(hidden), drawn, shown({"kind": "caption"})]
    )
    whole = notebook(cell)
    outputs = [
        output["data"]
        for cell in notebook_in(whole, results.collect(whole, "n"), "zh")["cells"]
        for output in cell.get("outputs", ())
    ]
    assert [*map(sorted, outputs)] == [
        ["text/markdown"],
        ["text/html"],
        ["image/svg+xml", "text/plain"],
        ["text/markdown"],
    ]
    assert outputs[0]["text/markdown"] == ZH["said_notebook"]
    assert ZH["cell"] in outputs[1]["text/html"]
    assert outputs[3]["text/markdown"] == ZH["figure_caption"]


def test_a_citation_in_the_authors_own_words_leads_to_its_reference():
    page = render.html(made("en", prose("As Bass wrote ([Bass, in 1969](#ref-bass1969)).")), ("en",))
    assert '<a href="#ref-bass1969">Bass, in 1969</a>' in " ".join(page.split())
    assert 'id="ref-bass1969"' in page
    assert "10.1287/mnsc.15.5.215" in page


def test_a_later_heading_of_level_1_is_a_section():
    document = made("en", prose("# Methods\n\ntext"))
    assert document.title.strip() == "A title"
    assert [s["heading"].strip() for s in document.sections if s["anchor"]] == ["Methods"]


def test_chinese_names_beside_many_numbers_keep_four_characters_on_a_line():
    from nbproof.document import BETWEEN, column_widths

    rows = [[ZH["construct"], *map(str, range(1, 18))], [ZH["long_name"], *["−0.34"] * 17]]
    widths = column_widths(rows)
    assert sum(widths) == pytest.approx(1, abs=0.001)
    assert widths[0] / widths[1] == pytest.approx((8 + BETWEEN) / (5 + BETWEEN), rel=0.2)
