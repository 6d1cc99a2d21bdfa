"""Codebooks: what they hold, what is made of them, and what a broken one is told."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib

import pandas as pd
import pytest
from books import HANOI, LARGE, SMALL, ZH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape

import semfit
import surveysem
from semfit.syntax import parse
from surveysem.errors import DataError, SurveysemError, UnknownNameError
from surveysem.questionnaire import item_table, write_docx, write_html
from surveysem.tables import write_csv


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return surveysem.load_codebook(path)


def test_a_codebook_brings_its_words_in_both_languages(small, tmp_path):
    assert small.called == {"trust": "Trust", "buying": "buying"}
    words = small.translations
    found = (words["Trust"], words["buying"], words["Neither"], words["T1"])
    assert found == ({"zh": ZH["trust"]}, {}, {"zh": ZH["neither"]}, {})
    path = tmp_path / "alike.toml"
    path.write_text(SMALL.replace('name = "buying"', 'name = "buying"\nen = "Trust"'), encoding="utf-8")
    assert surveysem.load_codebook(path).called == {"trust": "trust", "buying": "buying"}  # a shared word tells neither


def test_the_model_is_one_that_sem_reads():
    book = surveysem.load_codebook(LARGE)
    text = book.model()
    parse(text)
    assert "satisfaction ~ logistics + service + personalisation + disclosure + segmentation + intrusiveness" in text
    assert "tie =~" not in text
    assert book.model(["trust", "price"]) == "trust =~ TRU1 + TRU2 + TRU3 + TRU4\nprice =~ PRI1 + PRI2 + PRI3"
    assert " ~ " not in book.model(structural=False)
    with pytest.raises(UnknownNameError, match="unknown construct 'trsut'; did you mean 'trust'"):
        book.model(["trsut"])


def test_the_model_fits_answers_drawn_from_it(small):
    truth = "trust =~ .8*T1 + -.7*T2 + .6*T3\nbuying =~ .8*B1 + .8*B2 + .8*B3\nbuying ~ .5*trust"
    noise = "".join(f"\n{code} ~~ .4*{code}" for code in small.items)
    answers = semfit.simulate(truth + noise, 2000, seed=3)
    fit = semfit.fit(small.model(), small.score(answers))  # scoring turns T2 round
    assert fit.estimates.set_index(["lhs", "rhs"]).loc[("trust", "T2"), "est"] > 0


def test_hypotheses_keep_the_labels_their_author_gave_them(tmp_path):
    book = surveysem.load_codebook(surveysem.TEMPLATE)
    assert [one.label for one in book.hypotheses] == ["H1a", "H1b", "H2", "H3", "H4"]
    assert (book.hypotheses[4].mediator, book.hypotheses[4].predictor) == ("enjoyment", "welcome")
    path = tmp_path / "own.toml"
    moderated = 'moderation.buying = ["-trust * tie"]\n'  # at the top, before any table
    tie = '[[constructs]]\nname = "tie"\nscale = "five"\nitems = [{ code = "I1" }, { code = "I2" }]\n'
    stated = '[hypotheses]\n"H1" = "buying ~ 0*trust"\n"H1a" = "buying ~ trust * tie"\n'
    path.write_text(moderated + SMALL + tie + stated, encoding="utf-8")
    first, second = surveysem.load_codebook(path).hypotheses
    assert first == surveysem.Labelled("H1", "buying", "trust", nil=True)
    assert (second.moderator, second.nil) == ("tie", False)


def test_a_moderator_may_change_either_path_of_an_indirect_effect(tmp_path):
    path = tmp_path / "own.toml"
    top = "constructs = { a = ['A1'], b = ['B1'], c = ['C1'], d = ['D1'] }\npaths = ['b ~ a', 'c ~ b']\n"
    top += "moderation = { b = ['a * d'], c = ['b * d'] }\n[hypotheses]\n"
    path.write_text(f"{top}H1 = 'c ~ b ~ a * d'\nH2 = 'c ~ b * d ~ 0*a'\n", encoding="utf-8")
    assert surveysem.load_codebook(path).hypotheses == (
        surveysem.Labelled("H1", "c", "a", "d", "b"),
        surveysem.Labelled("H2", "c", "a", "d", "b", nil=True, second=True),
    )
    path.write_text(top.replace("c = ['b * d']", "c = []") + "H1 = 'c ~ b * d ~ a'\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"no moderation 'c ~ b \* d' is stated; allowed: b ~ a \* d\."):
        surveysem.load_codebook(path)
    path.write_text(top.replace("b = ['a * d']", "b = ['a * d', 'd * a']").replace("'b ~ a'", "'b ~ a + d'"), "utf-8")
    with pytest.raises(DataError, match=r"moderation of b 'a \* d': it is there twice"):
        surveysem.load_codebook(path)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ('H1 = "buying"', r"hypotheses, 'H1': got 'buying'; allowed: 'outcome ~ predictor'"),
        ("H1 = 3", r"hypotheses, 'H1': got 3; allowed: "),
        ('H1 = "trust ~ buying"', r"'H1': there is no path 'trust ~ buying'; allowed: buying ~ trust\."),
        ('H1 = "buying ~ tie ~ trust"', r"'H1': there is no path 'tie ~ trust'; allowed: buying ~ trust\."),
        ('H1 = "buying ~ trust * tie"', r"'H1': no moderation 'buying ~ trust \* tie' is stated; allowed: none\."),
        (
            'H1 = "buying ~ trust * a ~ tie * b"',
            r"'H1': b and a moderate both of its paths; allowed: a moderator of one",
        ),
    ],
)
def test_a_hypothesis_about_nothing_stated_is_refused(tmp_path, stated, message):
    path = tmp_path / "own.toml"
    path.write_text(f"{SMALL}[hypotheses]\n{stated}\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        surveysem.load_codebook(path)


def test_questions_stand_in_the_order_asked(small):
    assert list(small.by_code) == ["T1", "T2", "T3", "C1", "B1", "B2", "B3", "MODE", "N"]
    assert small.items == ["T1", "T2", "T3", "B1", "B2", "B3"]


def test_hanoi_states_no_wording():
    book = surveysem.load_codebook(HANOI)
    assert len(book.items) == 52
    assert not any(item.en or item.zh for item in book.questions)
    assert "URG ~ PAR + INT + HED + CON" in book.model()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"T2", en', '"T1", en', r"small.toml, item 'T1': it is there twice"),
        ('"B1", en', '"t1", en', r"item 'T1': it is there twice"),
        ('name = "buying"', 'name = "trust"', r"construct 'trust': it is there twice"),
        ('en = "It is honest."', 'en = "I trust it."', r"wording \(en\) 'I trust it.': it is there twice"),
        ('"Rather no"', '"Yes"', r"scale 'five': label 'yes' \(en\) stands for two codes"),
        (f'"{ZH["unwilling"]}", ', "", r"scale 'five': 5 English and 4 Chinese labels"),
        ("expected = 4", "expected = 9", r"check C1: expected is 9; allowed: whole numbers from 1 to 5"),
        ('after = "T3"', 'after = "T9"', r"check C1: it stands after 'T9'"),
        ('scale = "count"', 'scale = "cuont"', r"control N: unknown scale 'cuont'; allowed: five, two, count"),
        ('group = "MODE"', 'group = "T1"', r"group: got 'T1'; allowed: a control: MODE, N"),
        (
            'buying = ["trust"]',
            'buying = ["thrust"]',
            r"paths: unknown construct 'thrust'; allowed: trust \(nearest\) of trust, buying",
        ),
        ('buying = ["trust"]', 'buying = "trust"', r"paths, 'buying': got 'trust'; allowed: a list of constructs"),
        (
            "reverse = true",
            'reverse = "yes"',
            r"construct trust, item, field reverse: got 'yes'; allowed: true or false",
        ),
        (
            "reverse = true",
            "reversed = true",
            r"construct trust, item, field reversed: an unknown field; allowed: reverse \(nearest\)",
        ),
        ('code = "T3"', 'code = "3 T"', r"item: got '3 T'; allowed: a letter"),
        ("high = 99", "high = -1", r"scale 'count': low 0, high -1"),
        ("high = 99", "", r"scale 'count': neither high nor labels"),
        ('name = "trust"', "", r"construct 1, field name: got nothing; allowed: one line"),
        ("[scales.two]", "[scales.two", r"small.toml cannot be read"),
        ("[scales.two]", '[scales."a\\nb"]', r"scales: got 'a\\nb'; allowed: a letter"),
        ('"Content"', '"Con\\u0000tent"', r"scale 'two', field en: got .*; allowed: a list of texts"),
        ('code = "T1"', 'code = "buying"', r"item buying: a construct has the same name"),
        ('buying = ["trust"]', 'buying = ["-buying"]', r"paths, 'buying': it depends on itself"),
        (
            'name = "small"',
            'name = "small"\nstrategies = "trust"',
            r"top, field strategies: got 'trust'; allowed: a list",
        ),
        ('name = "small"', 'name = "small"\nstrategies = ["buying"]', r"strategies: got 'buying'; allowed: trust"),
        ('name = "small"', 'name = "small"\nstrategies = ["trust", "trust"]', r"strategies 'trust': it is there twice"),
        ('name = "small"', 'name = "small"\noutcomes = [["trust"]]', r"outcomes: got \['trust'\]; allowed: buying"),
        (
            'name = "small"',
            'name = "small"\nmarker = "blue"',
            r"marker: unknown construct 'blue'; allowed: trust, buying",
        ),
        ('name = "small"', 'name = "small"\ncontact = { frequency = "N" }', r"contact, field outcome: got nothing"),
        (
            'name = "small"',
            'name = "small"\ncontact = { frequency = "N", outcome = "MODE" }',
            r"contact: outcome is 'MODE'; allowed: a counted control: N",
        ),
        (
            'name = "small"',
            'name = "small"\ncontact = { frequency = "N", outcome = "N" }',
            r"contact 'N': it is there twice",
        ),
        (
            "[paths]",
            '[moderation]\nbuying = "trust * T1"\n[paths]',
            r"moderation, 'buying': got 'trust \* T1'; allowed: a list",
        ),
        (
            "[paths]",
            '[moderation]\nbuying = ["trust"]\n[paths]',
            r"moderation, 'buying': got 'trust'; allowed: 'predictor",
        ),
        ("[paths]", "[moderation]\nbuying = [3]\n[paths]", r"moderation, 'buying': got 3; allowed: 'predictor"),
        ("[paths]", '[moderation]\ntrust = ["buying * trust"]\n[paths]', r"'buying' has no path to it; allowed: none"),
        ("[paths]", '[moderation]\nbuying = ["-trust * N"]\n[paths]', r"moderator is 'N'; allowed: another construct"),
    ],
)
def test_a_broken_codebook_is_told_where(tmp_path, old, new, message):
    assert old in SMALL
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        surveysem.load_codebook(path)


def test_a_minus_turns_a_moderation_round(tmp_path):
    text = SMALL.replace(
        "[paths]",
        """[[constructs]]
name = "price"
scale = "five"
items = [{ code = "P1" }, { code = "P2" }]

[moderation]
buying = ["-trust*price"]

[paths]""",
    )
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    (found,) = surveysem.load_codebook(tmp_path / "c.toml").moderations
    assert (found.outcome, found.predictor, found.moderator, found.direction) == ("buying", "trust", "price", -1)
    (tmp_path / "c.toml").write_text(text.replace('price"]', 'price", "trust * price"]'), encoding="utf-8")
    with pytest.raises(DataError, match=r"moderation of buying 'trust \* price': it is there twice"):
        surveysem.load_codebook(tmp_path / "c.toml")


def test_a_construct_without_an_item_is_named(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(re.sub(r"  \{ code = \"B[123]\".*\n", "", SMALL), encoding="utf-8")
    with pytest.raises(DataError, match="one.toml, construct buying: no item; allowed: one or more"):
        surveysem.load_codebook(path)


def test_a_codebook_that_is_not_there_or_not_utf8(tmp_path):
    with pytest.raises(DataError, match="none.toml cannot be read: No such file"):
        surveysem.load_codebook(tmp_path / "none.toml")
    (tmp_path / "gb.toml").write_bytes(f'name = "{ZH["survey"]}"'.encode("gb18030"))
    with pytest.raises(DataError, match="gb.toml cannot be read: .*utf-8.*it must be a toml file in UTF-8"):
        surveysem.load_codebook(tmp_path / "gb.toml")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_codebook_ends_in_a_questionnaire_or_in_one_of_our_errors(tmp_path, data):
    from surveysem.codebook import _Reader

    folder = tmp_path / "out"
    folder.mkdir(exist_ok=True)

    raw = tomllib.loads(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):  # something somewhere is replaced
        node = raw
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(node[key], dict | list) and data.draw(st.booleans()):
                node = node[key]
                continue
            node[key] = data.draw(VALUES)
            break
    try:
        book = _Reader("fuzz.toml").codebook(raw)
    except SurveysemError as wrong:
        said = str(wrong)
    else:
        said = "codebook fuzz.toml, " if book.items and parse(book.model()) else "nothing"
        if all(item.en for item in book.questions):
            write_html(book, folder / "q.html")
            write_docx(book, folder / "q.docx")
    assert {path.name for path in folder.iterdir()} <= {"q.html", "q.docx"}
    assert said.startswith("codebook fuzz.toml, ")


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_as_a_codebook(tmp_path, raw):
    path = tmp_path / "bytes.toml"
    path.write_bytes(raw)
    with pytest.raises(SurveysemError, match="bytes.toml"):
        surveysem.load_codebook(path)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_questionnaire_shows_every_question_and_no_key(tmp_path, language):
    from docx import Document

    book = surveysem.load_codebook(LARGE)
    page = write_html(book, tmp_path / "q.html", language).read_text(encoding="utf-8")
    made = Document(write_docx(book, tmp_path / "q.docx", language))
    word = "\n".join(
        [p.text for p in made.paragraphs]
        + [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    )
    for item in book.questions:
        wording = getattr(item, language)
        assert escape(wording) in page
        assert wording in word
        assert all(escape(label) in page and label in word for label in getattr(item.scale, language))
        assert item.code not in page
    assert f'<html lang="{language}">' in page
    assert "src=" not in page
    assert "http" not in page
    assert len(made.tables) == page.count("<table>") == 3  # seven points, five points (interaction), seven again


def test_the_questionnaire_shows_markup_and_does_not_run_it(tmp_path):
    from docx import Document

    text = SMALL.replace("I trust it.", "<script>alert(1)</script> & more")
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    book = surveysem.load_codebook(tmp_path / "c.toml")
    page = write_html(book, tmp_path / "q.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    cells = Document(write_docx(book, tmp_path / "q.docx")).tables[0].column_cells(1)
    assert cells[1].text == "<script>alert(1)</script> & more"


def test_the_table_of_items_names_every_key(tmp_path):
    book = surveysem.load_codebook(LARGE)
    table = pd.read_csv(write_csv(item_table(book), tmp_path / "items.csv"))
    assert table["code"].tolist() == list(book.by_code)
    assert table.query("reverse")["code"].tolist() == ["QUA3", "TRU3", "SAT3"]
    assert table.dropna(subset="expected").set_index("code")["expected"].to_dict() == {"CHK1": 6, "CHK2": 2}


def test_libreoffice_opens_the_word_document(tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        pytest.skip("needs LibreOffice: apt-get install libreoffice-writer")
    path = write_docx(surveysem.load_codebook(LARGE), tmp_path / "q.docx", "zh")
    home = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    subprocess.run(
        [office, home, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, path],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert (tmp_path / "q.pdf").read_bytes().startswith(b"%PDF")


def test_a_questionnaire_needs_wording_and_a_known_language(tmp_path):
    with pytest.raises(DataError, match=r"codebook hanoi: no wording \(en\) for INF1, INF2"):
        write_html(surveysem.load_codebook(HANOI), tmp_path / "q.html")
    with pytest.raises(UnknownNameError, match="unknown language 'de'"):
        write_docx(surveysem.load_codebook(LARGE), tmp_path / "q.docx", "de")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", ["NA", "if", "TRUE", "NULL", "function", "next", "in", "NA_integer_", "intercept"])
def test_words_that_r_or_lavaan_reserves_are_no_names_and_t_is_one(tmp_path, word):
    path = tmp_path / "small.toml"
    for old, where in (('"T2"', "construct trust, item"), ('"buying"', "construct 2")):
        path.write_text(SMALL.replace(old, f'"{word}"'), encoding="utf-8")
        with pytest.raises(DataError, match=rf"small.toml, {where}: {word} is a word that R or lavaan reserves; "):
            surveysem.load_codebook(path)
    path.write_text(SMALL.replace('"T2"', '"T"').replace('"B1"', '"F"'), encoding="utf-8")
    assert {"T", "F"} <= set(surveysem.load_codebook(path).items)


def test_a_key_of_many_parts_is_refused_in_no_time(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text("x = 1\n" + "a." * 100_000 + "a = 1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"codebook deep.toml, row 2 has 100,000 dots; at most 200 are read"):
        surveysem.load_codebook(path)


def test_screening_rules_are_the_codebooks(tmp_path):
    file = tmp_path / "book.toml"

    def rules(table: str) -> surveysem.Rules:
        file.write_text(f"{SMALL}\n[screening]\n{table}\n", encoding="utf-8")
        return surveysem.load_codebook(file).screening

    assert rules("") == surveysem.Rules()
    assert rules('sd = false\nmissing = 0.3\nreport = ["duplicates", "missing"]') == surveysem.Rules(
        sd=None, missing=0.3, report=("duplicates", "missing")
    )
    for table, said in {
        'report = ["speed"]': "unknown screening rule 'speed'",
        "missing = 2": "a share from 0 to 1",
        "duplicates = 3": "rule duplicates is 3; allowed: True, False",
        "sped = 2": "field sped: an unknown field",
        'seconds = "fast"': "rule seconds is 'fast'; allowed: a number from 0",
    }.items():
        with pytest.raises(DataError, match=rf"codebook book\.toml, screening.*{said}"):
            rules(table)
