"""What a notebook tells: finished prose where it is run, every language where it is built, one name for one value."""

from __future__ import annotations

import re
from decimal import Decimal
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4

from nbproof import Evidence, Page, Project, render, results, use
from nbproof import page as module
from nbproof.document import document_of
from nbproof.errors import NotebookError, ParameterError, UnknownNameError
from nbproof.project import here
from nbproof.results import LANGUAGES, MIME, format_number, snap
from nbproof.translation import Catalogue, catalogue, localised, messages, translate

SEEN = Evidence(2, ("model",), "our own count")
SENTENCE = "It grew by {growth:+.1f} % to **{size:,.0f}** in {year:d}, which is {word}; *p* {p:p}."
GERMAN = {
    SENTENCE: "Es wuchs um {growth:+.1f} % auf **{size:,.0f}** im Jahr {year:d}, also {word}; *p* {p:p}.",
    "much": "viel",
    "# A report": "# Ein Bericht",
    "year": "Jahr",
    "Values to {year:d}": "Werte bis {year:d}",
    "our own count": "eigene Zählung",
    "## What follows": "## Was folgt",
    "{n:d} rows": "{n:d} Zeilen",
    "Bars": "Balken",
    "kind": "Art",
    "large": "groß",
    "small": "klein",
}


@pytest.fixture
def folder(tmp_path):
    """A project in English and German, with one catalogue."""
    locale = tmp_path / "notebooks" / "locale"
    locale.mkdir(parents=True)
    entries = "\n".join(f'msgid "{old}"\nmsgstr "{new}"\n' for old, new in GERMAN.items())
    (locale / "n.de.po").write_text(
        f'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n{entries}', encoding="utf-8"
    )
    use(lambda: Project(lambda: tmp_path, languages=("en", "de")))
    catalogue.cache_clear()
    yield tmp_path
    use(here)
    catalogue.cache_clear()


@pytest.fixture
def shown(folder, monkeypatch):
    """Collect what is displayed."""
    kept = []
    monkeypatch.setattr(module, "display", lambda data, raw, metadata=None: kept.append(data))
    return kept


def spoken(page):
    growth, size, year, word, p = -0.5, 12345.6, 2023, "much", 0.0001
    page.say(SENTENCE, of=SEEN)
    return growth, size, year, word, p


def test_a_sentence_is_finished_where_it_is_run(shown):
    spoken(Page("n"))
    assert shown[0]["text/markdown"] == "It grew by −0.5 % to **12,346** in 2023, which is much; *p* < .001."
    assert [*shown[0][MIME]["prose"]] == ["en"]
    spoken(Page("n", "de"))
    assert shown[1]["text/markdown"] == "Es wuchs um −0.5 % auf **12,346** im Jahr 2023, also viel; *p* < 0.001."


def executed(shown, *cells):
    code = v4.new_code_cell(
        "page.say(...)",
        metadata={"tags": ["answer"]},
        outputs=[v4.new_output("display_data", data=data) for data in shown],
    )
    return v4.new_notebook(
        cells=[v4.new_markdown_cell("# A report"), v4.new_markdown_cell("## What follows"), code, *cells]
    )


def test_the_builder_makes_all_languages_of_one_run(shown, monkeypatch):
    monkeypatch.setenv(LANGUAGES, "en,de")
    page, year = Page("n"), 2023
    spoken(page)
    page.table("rows", pd.DataFrame({"year": [2022, year], "kind": ["large", "small"]}), "Values to {year:d}", of=SEEN)
    notebook = executed(shown)
    found = results.collect(notebook, "n")
    assert found["numbers"]["growth"] == {"value": -0.5, "digits": 1, "tolerance": 0.01, "basis": "model"}
    assert found["texts"]["word"] == {"en": "much", "de": "viel"}
    assert found["tables"]["rows"]["rows"] == [
        [2022, {"en": "large", "de": "groß"}],
        [2023, {"en": "small", "de": "klein"}],
    ]
    pages = {
        each: render.plain_text(render.html(document_of(notebook, found, each), ("en", "de"))) for each in ("en", "de")
    }
    said = {each: re.sub(r"\s+(?=[,;]|\.\s)", "", " ".join(text.split())) for each, text in pages.items()}
    assert said["en"].count("It grew by −0.5 % to 12,346 in 2023, which is much; p < .001.") == 2  # it answers first
    assert "Es wuchs um −0.5 % auf 12,346 im Jahr 2023, also viel; p < 0.001." in said["de"]
    assert "Werte bis 2023" in said["de"]
    assert "Quelle: eigene Zählung." in said["de"]
    assert "groß" in said["de"]
    assert not any(word in said["de"] for word in ("grew", "much", "Values", "large", "our own"))
    assert not any(key.startswith("untranslated") for data in shown for key in data[MIME])


def test_a_cell_leads_to_another_report(shown, monkeypatch):
    monkeypatch.setenv(LANGUAGES, "en,de")
    frame = pd.DataFrame({"id": ["a", "b"], "kind": ["large", "small"], "to": ["other.html#here", "more.html#there"]})
    Page("n").table("rows", frame, "Values to {year:d}", of=SEEN, links={"kind": "to"}, year=2023)
    notebook = executed(shown)
    found = results.collect(notebook, "n")
    assert found["tables"]["rows"]["columns"] == ["id", "kind"]  # where it leads is no column of its own
    assert found["tables"]["rows"]["rows"][0][1] == {"en": "large", "de": "groß", "page": "other", "anchor": "here"}
    page = render.html(document_of(notebook, found, "de"), ("en", "de"))
    assert re.search(r'<a\s+href="more.html#there">klein</a>', page)
    assert 'id="table-rows-b"' in page


def test_one_name_has_one_value(shown):
    page, size = Page("n"), 1.0
    page.say("{size:.1f}", of=SEEN)
    page.say("{size:.1f}", of=SEEN)
    results.collect(executed(shown), "n")
    page.say("{size:.1f}", of=SEEN, size=size + 1)
    with pytest.raises(NotebookError, match="size is .* in one sentence and .* in another; one name has one value"):
        results.collect(executed(shown), "n")


def test_a_cell_can_be_run_twice_and_keeps_its_number(shown):
    page = Page("n")
    for _ in range(2):
        page.table("rows", pd.DataFrame({"value": [1.5]}), "Values", of=SEEN, digits=1)
    assert "Table 1" in shown[0]["text/html"]
    assert shown[0]["text/html"] == shown[1]["text/html"]


def test_a_figure_is_drawn_once_and_speaks_every_language(shown, monkeypatch):
    from matplotlib import pyplot as plt

    monkeypatch.setenv(LANGUAGES, "en,de")
    before = plt.get_fignums()  # of other tests in this process
    _, ax = plt.subplots()
    bars = ax.bar(["large", "small"], [1, 2])
    ax.set(xlabel=Page.words("{n:d} rows", n=2), ylabel="kind")
    drawn = []

    class Kept(Page):
        @staticmethod
        def draw(plot, *results, language, **options):
            figure = plot(*results, language=language, **options)
            figure.draw_without_rendering()
            axes = figure.axes[0]
            drawn.append((axes.get_xlabel(), axes.get_ylabel(), [t.get_text() for t in axes.get_xticklabels()]))
            return f"<svg>{len(bars)}</svg>"

    spoken = {"end": "kind", "units": {"1/year": "year"}}
    Kept("n").figure(
        "bars", ax, "Values to {year:d}", of=SEEN, alt="Bars", year=2023, explorer={"days": 2, "words": spoken}
    )
    assert drawn == [("2 rows", "kind", ["large", "small"]), ("2 Zeilen", "Art", ["groß", "klein"])]
    assert plt.get_fignums() == before  # or the notebook shows it again
    assert "image/svg+xml" not in shown[1]  # a reader sees one language; the builder finds the other
    assert shown[1][MIME]["image/svg+xml"] == "<svg>2</svg>"
    assert shown[0][MIME]["explorer"] == {"days": 2, "words": spoken}
    assert shown[1][MIME]["explorer"] == {"days": 2, "words": {"end": "Art", "units": {"1/year": "Jahr"}}}
    assert shown[2]["text/markdown"].startswith("**Figure 1**\u2002Values to 2023. n = 2.")


@pytest.mark.parametrize(
    ("template", "values", "message"),
    [
        ("{nothing:.1f}", {}, r"speaks of \{nothing\}, and there is no variable of that name"),
        ("{x:.1f}", {"x": float("nan")}, r"\{x\} must be a text or a finite number; got nan"),
        ("{x:.1e}", {"x": 1.0}, "a number is written as"),
    ],
)
def test_a_sentence_refuses_what_it_cannot_say(shown, template, values, message):
    with pytest.raises(ParameterError, match=message):
        Page("n").say(template, of=SEEN, **values)


def test_words_that_come_with_the_data_bring_their_translations(shown, monkeypatch):
    monkeypatch.setenv(LANGUAGES, "en,de")
    page = Page("n")
    page.speak({"Trust": {"de": "Vertrauen"}, "much": {"de": "sehr"}, "TRU1": {}})
    page.table("t", pd.DataFrame({"kind": ["Trust", "TRU1", "much", "large"]}), "Bars", of=SEEN)
    assert [row for (row,) in shown[1][MIME]["rows"]] == ["Vertrauen", "TRU1", "sehr", "groß"]
    assert not any(key.startswith("untranslated") for data in shown for key in data[MIME])
    page.say("{both}", of=SEEN, both=page.listed(["Trust", page.words("{n:d} rows", n=2)]))
    assert shown[2][MIME]["texts"]["both"] == {"en": "Trust, 2 rows", "de": "Vertrauen, 2 Zeilen"}


def test_words_without_a_value_and_a_translation_stay_as_they_are():
    said = Page.words("Nobody translated this sentence.")
    assert Catalogue("de")(said) == said


def test_what_lacks_a_translation_is_listed_whatever_its_letters(folder):
    found = catalogue("n", "de")
    for text in ("a naïve guess – “seen”", "γC", "$R_0$", "12 %", "viel", "much"):
        found(text)
    assert [*found.missing] == ["a naïve guess – “seen”"]


def test_a_parameter_has_its_type_or_is_refused_when_the_page_is_made(folder, monkeypatch):
    cell = v4.new_code_cell("draws: int = 100  # of it\nshare: float = 0.5  # of it", metadata={"tags": ["parameters"]})
    nbformat.write(v4.new_notebook(cells=[cell]), folder / "notebooks" / "n.ipynb")
    given = {"draws": "40", "share": 1, "other": None}
    monkeypatch.setattr(module, "get_ipython", lambda: SimpleNamespace(user_ns=given))
    Page("n")
    assert given == {"draws": 40, "share": 1.0, "other": None}
    assert isinstance(given["share"], float)
    for wrong in ("many", 2.5, True, None):
        given["draws"] = wrong
        with pytest.raises(ParameterError, match="parameter draws takes a value of type int, such as 100; got"):
            Page("n")
    Page("no notebook")


def test_what_rests_on_nothing_is_refused(shown):
    with pytest.raises(ParameterError, match="of= names what a result rests on.*got a DataFrame without one"):
        Page("n").say("{x:.1f}", of=pd.DataFrame({"x": [1]}), x=1.0)
    frame = pd.DataFrame({"basis": ["seen", "seen"]})
    frame.attrs = {"basis": "seen", "source": "us"}
    assert Page("n").evidence(frame) == Evidence(2, ("seen",), "us")
    assert Page("n").evidence(frame, 1) | "model" == Evidence(1, ("model", "seen"), "us")


def test_a_translation_holds_the_same_fields(folder, monkeypatch):
    monkeypatch.setenv(LANGUAGES, "en,de")
    catalogue("n", "de")["{x:.1f} rows"] = "{x:.2f} Zeilen"
    with pytest.raises(ParameterError, match="translation of .* into de does not hold the same fields"):
        Page("n").say("{x:.1f} rows", of=SEEN, x=1.0)


def test_a_name_in_a_comprehension_is_found(shown):
    page = Page("n")
    [page.say("{each:.1f}", of=SEEN) for each in (1.5, 2.5)]
    assert [data["text/markdown"] for data in shown] == ["1.5", "2.5"]


SOURCE = """for kind in ("a",):
    page.say("a \u5bf9 \\"{x:.1f}\\"", of=seen)  # ü
    page.table("t", frame, "c", of=seen, heads={"a": "d"})"""


def test_the_notebook_of_a_language_differs_in_what_it_says_and_nowhere_else():
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# T\n\nprose"),
            v4.new_code_cell(SOURCE),
            v4.new_code_cell('language: str = "en"  # of the outputs', metadata={"tags": ["parameters"]}),
        ]
    )
    assert messages(notebook) == ["# T", "prose", 'a \u5bf9 "{x:.1f}"', "c", "d"]
    made = Catalogue("de")
    made.update({"# T": "# U", "prose": "Prosa", 'a \u5bf9 "{x:.1f}"': 'b "{x:.1f}"', "c": "e", "d": "f"})
    code = SOURCE.replace('a \u5bf9 \\"', 'b \\"').replace('"c"', '"e"').replace('"d"', '"f"')
    assert [cell["source"] for cell in localised(notebook, made)["cells"]] == [
        "# U\n\nProsa",
        code,
        'language: str = "de"  # of the outputs',
    ]
    assert made.missing == {}


def test_translate_brings_catalogue_and_notebook_up_to_date(folder):
    cells = [v4.new_markdown_cell("# A report"), v4.new_markdown_cell("A new sentence.")]
    nbformat.write(v4.new_notebook(cells=cells), folder / "notebooks" / "n.ipynb")
    assert [*translate()] == [("n.de.po", "A new sentence.")]
    written = (folder / "notebooks" / "locale" / "n.de.po").read_text(encoding="utf-8")
    assert 'msgid "# A report"\nmsgstr "# Ein Bericht"' in written
    assert "much" not in written  # what is no longer said
    made = nbformat.read(folder / "notebooks" / "de" / "n.ipynb", as_version=4)
    assert [cell.source for cell in made.cells] == ["# Ein Bericht", "A new sentence."]


def test_a_text_that_the_shared_catalogue_translates_alike_is_left_to_it(folder):
    cells = [v4.new_markdown_cell("# A report"), v4.new_markdown_cell("Shared."), v4.new_markdown_cell("$$x$$ {x:.1f}")]
    nbformat.write(v4.new_notebook(cells=cells), folder / "notebooks" / "n.ipynb")
    (folder / "notebooks" / "locale" / "common.de.po").write_text(
        'msgid "Shared."\nmsgstr "Geteilt."\n\nmsgid "# A report"\nmsgstr "# Bericht"\n', encoding="utf-8"
    )
    assert [*translate()] == []
    own = Catalogue("de", folder / "notebooks" / "locale" / "n.de.po")
    assert dict(own) == {"# A report": "# Ein Bericht"}  # its own wording stays
    made = nbformat.read(folder / "notebooks" / "de" / "n.ipynb", as_version=4)
    assert [cell.source for cell in made.cells] == ["# Ein Bericht", "Geteilt.", "$$x$$ {x:.1f}"]


def test_a_broken_catalogue_is_named(folder):
    (folder / "notebooks" / "locale" / "n.de.po").write_text('msgid "a"\nno catalogue\n', encoding="utf-8")
    with pytest.raises(NotebookError, match="n.de.po is no catalogue"):
        catalogue("n", "de")


@pytest.mark.parametrize(("rows", "tall"), [(40, False), (41, True)])
def test_a_tall_table_scrolls_in_a_frame_of_its_own(shown, rows, tall):
    Page("n").table("rows", pd.DataFrame({"value": range(rows)}), "Values", of=SEEN)
    notebook = executed(shown)
    page = render.html(document_of(notebook, results.collect(notebook, "n"), "en"), ("en", "de"))
    assert ('<div class="wide tall"' in page) == tall


class Known(Page):
    """A page that knows three kinds of evidence."""

    bases = ("model", "published figure", "own survey")


def test_unknown_kinds_of_evidence_and_languages(shown):
    with pytest.raises(UnknownNameError, match="unknown basis 'modle'; did you mean 'model'"):
        Known("x").say("{x:.1f}", of=Evidence(1, ("modle",), "us"), x=1.0)
    with pytest.raises(UnknownNameError, match="unknown language 'fr'"):
        Page("x", language="fr")


def test_a_count_is_exact(shown):
    Page("x").say("{claims:,} claims", of=SEEN, claims=np.int64(47))
    assert shown[0][MIME]["numbers"]["claims"] == {"value": 47, "digits": 0, "tolerance": 0.0, "basis": "model"}


def test_html_for_jupyterlab_is_escaped(shown):
    Page("x").table("t", pd.DataFrame({"year": ["<script>"], "value": [1]}), "Values", of=SEEN)
    assert "<script>" not in shown[0]["text/html"]


def test_missing_values_and_fractions(shown):
    frame = pd.DataFrame({"year": [2017, 2018], "value": [1.25, np.nan]})
    Page("x").table("t", frame, "Values", of=SEEN, digits=1)
    payload = shown[0][MIME]
    assert payload["rows"] == [["2017", "1.2"], ["2018", "–"]]
    assert payload["values"] == [[2017, 1.25], [2018, None]]
    assert payload["numeric"] == [True, True]
    with pytest.raises(ParameterError, match="column value holds fractions; say in `digits`"):
        Page("x").table("t", frame, "Values", of=SEEN)


def test_a_p_value_below_the_last_digit_is_said_to_be_so(shown):
    frame = pd.DataFrame({"p": [0.0004, 0.0006, 0.2], "d_pvalue": [0.0, 0.5, 1.0], "price": [0.0001, 1.0, 2.0]})
    Page("x").table("t", frame, "Values", of=SEEN, digits={"p": 3, "d_pvalue": 2, "price": 2})
    assert shown[-1][MIME]["rows"] == [
        ["<0.001", "<0.01", "0.00"],
        ["0.001", "0.50", "1.00"],
        ["0.200", "1.00", "2.00"],
    ]


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_a_written_number_reads_back_within_half_its_last_digit(value, digits):
    text = format_number(value, digits)
    snapped = Decimal(snap(value))  # what of the value is reported: 12 significant digits
    assert abs(Decimal(text.replace(",", "").replace("−", "-")) - snapped) <= Decimal(5).scaleb(-digits - 1)
    assert text != "−0"


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_kept_number_prints_as_the_value_itself_does(value, digits):
    """2.348 with one decimal is 2.3; kept as 2.35 and rounded again it would be 2.4."""
    for number in (value, 2.348, 2.2501, -0.0549):
        kept = module._kept(number, digits)
        assert format_number(kept, digits) == format_number(number, digits)
        assert abs(kept - snap(number)) <= 1.0001 * 10.0 ** -(digits + 1)


@given(st.floats(1e-3, 1e3), st.integers(0, 6))
def test_the_last_bits_of_a_processor_reach_no_number(value, digits):
    """Ties at the digit kept and at the digit printed: both neighbours in the last bits are reported alike."""
    for tie in (round(value, digits) + 0.5 * 10.0**-digits, round(value, digits + 1) + 0.05 * 10.0**-digits):
        below, above = np.nextafter(tie, 0), np.nextafter(tie, np.inf)
        assert module._kept(below, digits) == module._kept(above, digits)
        assert format_number(below, digits) == format_number(above, digits)


def test_a_kept_number_is_rounded_correctly():
    """Cut to .784 and .534, a reader of the JSON was off by a unit: .7849 and .5346 print as .78 and .53."""
    assert [module._kept(number, 2) for number in (0.7849, 0.5346, 0.12649)] == [0.7849, 0.5346, 0.126]


def test_large_counts_have_their_thousands_separated_and_years_do_not(shown):
    Page("x").table("t", pd.DataFrame({"year": [2023], "n": [12345]}), "Counts", of=SEEN)
    assert shown[0][MIME]["rows"] == [["2023", "12,345"]]
