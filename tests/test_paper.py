"""Claims, hypotheses and rules: what stands in the files, and what a slip in them is answered with."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from socialcommerce import paper
from socialcommerce.errors import PaperError
from socialcommerce.project import root
from tests.conftest import assessment

CLAIMS, HYPOTHESES = paper.load_claims(), paper.load_hypotheses()
FILES = {name: (root() / "paper" / name).read_text(encoding="utf-8") for name in ("claims.toml", "hypotheses.toml")}

# Sentences in each paragraph of the paper, counted by a script from its text by the rule at the top of claims.toml.
SENTENCES = {
    "1": (3, 5),
    "2.1": (2, 4, 5, 4),
    "2.2": (1, 6, 6),
    "3": (2,),
    "3.1": (2, 8),
    "3.2": (2, 5),
    "4.1": (8,),
    "4.2": (9,),
    "4.3": (4, 3),
    "5": (4,),
}


def mutated(folder: Path, name: str, old: str, new: str) -> Path:
    """Copy both files into a folder with one change in one of them."""
    for file, text in FILES.items():
        assert file != name or old in text, f"{old!r} is not in {name}: the mutation tests nothing"
        (folder / file).write_text(text.replace(old, new, 1) if file == name else text, encoding="utf-8")
    return folder


def test_every_section_speaks():
    assert len(CLAIMS) >= 30
    assert {claim.section for claim in CLAIMS} == set(paper.SECTIONS) == set(SENTENCES)


def test_claims_stand_in_reading_order_where_the_paper_has_sentences():
    places = [(paper.SECTIONS.index(c.section), c.paragraph, c.sentence) for c in CLAIMS]
    assert places == sorted(places)
    for claim in CLAIMS:
        assert claim.paragraph <= len(SENTENCES[claim.section]), claim.id
        assert claim.sentence <= SENTENCES[claim.section][claim.paragraph - 1], claim.id


def test_the_stated_numbers_are_claims():
    texts = " ".join(claim.text["zh"] for claim in CLAIMS if claim.kind == "number")
    assert all(number in texts for number in ("10.92", "77.5", "34165.8"))


def test_each_claim_is_tested_or_says_why_not():
    for claim in CLAIMS:
        assert bool(claim.hypotheses) != bool(claim.untested), claim.id


def test_every_language_is_written_in_its_own_script():
    for item in (*CLAIMS, *HYPOTHESES):
        for words in vars(item).values():
            if isinstance(words, dict) and set(words) == {"en", "zh"}:
                assert not re.search(r"[\u4e00-\u9fff]", words["en"]), (item.id, words)
                assert re.search(r"[\u4e00-\u9fff]", words["zh"]), (item.id, words)


def test_all_parts_of_the_project_have_hypotheses_and_numbers_are_decided():
    assert {h.part for h in HYPOTHESES} == set(paper.PARTS)


def test_every_family_is_used_and_every_smallest_effect_too():
    rules = paper.load_rules()
    assert {h.family.id for h in HYPOTHESES} == set(rules.families)
    entries = tomllib.loads(FILES["hypotheses.toml"])["hypothesis"]
    assert {entry.get("smallest_effect") for entry in entries} - {None} == set(rules.smallest_effects)


def test_a_family_without_correction_holds_one_data_set_each():
    single = [h for h in HYPOTHESES if h.family.alpha is not None and h.family.correction == "none"]
    assert max(Counter(d.name for h in single for d in h.data).values()) == 1


def test_cited_references_exist():
    bibliography = (root() / "paper" / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{(\w+),", bibliography, re.M)
    texts = "".join(path.read_text(encoding="utf-8") for path in (root() / "notebooks").glob("*.ipynb"))
    assert len(set(keys)) == len(keys)
    assert set(re.findall(r"@([a-z]+\d{4}\w*)", texts)) <= set(keys)
    for author, year in re.findall(r"\(([A-Z][a-z]+)(?: & [A-Z][a-z]+)? (\d{4})", FILES["hypotheses.toml"]):
        assert re.search(rf"author = \{{{author}, [^@]*year = \{{{year}\}}", bibliography), (author, year)


def test_summary_is_tidy_and_its_chinese_is_in_the_catalogue():
    from socialcommerce.paper import vocabulary

    frame = paper.summary(CLAIMS)
    assert list(frame["id"]) == [claim.id for claim in CLAIMS]
    assert frame.loc[0, "place"] == "§1, par. 1, s. 1"
    assert vocabulary("00_claims", "zh")(frame.loc[0, "place"]) == "第1节第1段第1句"
    hypotheses = paper.summary(HYPOTHESES).set_index("id")
    assert hypotheses.loc["H02", "evidence"] == "official statistic"
    assert hypotheses.loc["H08", "evidence"] == "none"
    for name in (*paper.BASES, *paper.GRADES, *paper.KINDS):
        assert re.search(r"[\u4e00-\u9fff]", vocabulary("00_claims", "zh")(name)), name


def test_every_text_has_one_translation():
    chinese = paper.translations()
    for item in (*CLAIMS, *HYPOTHESES):
        for words in vars(item).values():
            if isinstance(words, dict) and set(words) == {"en", "zh"}:
                assert chinese[words["en"]] == words["zh"]


def test_a_place_is_a_page_and_an_anchor():
    for place in {hypothesis.shown for hypothesis in HYPOTHESES} - {""}:
        assert re.fullmatch(r"\d\d_\w+\.html#(figure|table)-[\w-]+", place), place


def test_importing_paper_imports_no_pandas():
    code = "import sys, socialcommerce.paper, socialcommerce.verdicts; print({'pandas', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


HANOI = 'name = "hanoi", kind = "public data set"'
SLIPS = {
    "C01": ("claims.toml", 'id = "C02"', 'id = "C01"', r"claims.toml, claim 2, field id: got 'C01'; .*each id once"),
    "form": ("claims.toml", 'id = "C02"', 'id = "2"', r"claim 2, field id: got '2'; allowed: C and two digits"),
    "section": ("claims.toml", 'section = "2.1"', 'section = "2.9"', r"C11, field section: got '2.9'; allowed: 1, 2.1"),
    "paragraph": (
        "claims.toml",
        "paragraph = 1",
        "paragraph = 0",
        r"C01, field paragraph: got 0; .*whole number from 1",
    ),
    "true": ("claims.toml", "sentence = 1", "sentence = true", r"C01, field sentence: got True; .*whole number"),
    "kind": (
        "claims.toml",
        'kind = "number"',
        'kind = "numbr"',
        r"claims.toml, C01, field kind: got 'numbr'; allowed: ch",
    ),
    "zh": (
        "claims.toml",
        'zh = "2023年底',
        'z = "2023年底',
        r"C01, field z: an unknown field; allowed: zh \(nearest\)",
    ),
    "empty": ("claims.toml", 'en = "Hardly any growth', 'en = "" # ', r"C03, field en: got ''; allowed: a text"),
    "nothing": (
        "claims.toml",
        'hypotheses = ["H01"]',
        "hypotheses = []",
        r"C01, field hypotheses: got \[\]; .*untested",
    ),
    "both": (
        "claims.toml",
        'hypotheses = ["H01"]',
        'hypotheses = ["H01"]\nuntested = { en = "a", zh = "b" }',
        r"C01, field hypotheses: .*either hypotheses, or untested",
    ),
    "unknown": (
        "claims.toml",
        '["H01"]',
        '["H01", "H98"]',
        r"C01, field hypotheses: got 'H98'; allowed: an id of the other file, H01 to H72",
    ),
    "back": ("claims.toml", '["H02"]', '["H01"]', r"C02, field hypotheses: got 'H01'; .*H01 names \['C01'\]"),
    "other back": (
        "hypotheses.toml",
        'claims = ["C01"]',
        'claims = ["C01", "C02"]',
        r"hypotheses.toml, H01, field claims",
    ),
    "twice": ("hypotheses.toml", 'claims = ["C01"]', 'claims = ["C01", "C01"]', r"H01, field claims: .*each id once"),
    "text": (
        "hypotheses.toml",
        "statement.zh",
        "design.xx = 1\nstatement.zh",
        r"H01, field design: got .*a text in en",
    ),
    "null": ("hypotheses.toml", "null.zh", "# null.zh", r"H01, field null: got {'en'.*a text in en and one in zh"),
    "direction": (
        "hypotheses.toml",
        'direction = "equal"',
        'direction = "up"',
        r"H01, field direction: got 'up'; .*equal",
    ),
    "grade": (
        "hypotheses.toml",
        'grade = "direct"',
        'grade = "good"',
        r"H01, data 1, field grade: got 'good'; .*remote",
    ),
    "evidence": ("hypotheses.toml", '"official statistic"', '"statistic"', r"H01, data 1, field kind: got 'statistic'"),
    "family": (
        "hypotheses.toml",
        'family = "numbers"',
        'family = "number"',
        r"H01, field family: got 'number'; .*numbers",
    ),
    "part": ("hypotheses.toml", 'part = "modes"', 'part = "modus"', r"H53, field part: got 'modus'; allowed: modes"),
    "effect": ("hypotheses.toml", 'smallest_effect = "path"', 'smallest_effect = "pat"', r"H14, field smallest_effect"),
    "no effect": ("hypotheses.toml", 'smallest_effect = "path"', "", r"H14, field smallest_effect: got None; .*alpha"),
    "step": ("hypotheses.toml", 'step = "stated"', 'step = "said"', r"H01, field step: got 'said'; .*entailed"),
    "nothing added": ("hypotheses.toml", "added.", "# added.", r"H03, field added"),
    "added": (
        "hypotheses.toml",
        'step = "stated"',
        'step = "stated"\nadded = { en = "a", zh = "b" }',
        r"H01, field added: .*an extension adds",
    ),
    "no rule": ("hypotheses.toml", "rule.", "#", r"H01, .*field (rule|compare)"),
    "compare": ("hypotheses.toml", '"within"', '"near"', r"H01, rule, field compare: got 'near'; allowed: above"),
    "value": (
        "hypotheses.toml",
        "rule.value = 0.005",
        "rule.value = nan",
        r"H01, rule, field value: got nan; .*a number",
    ),
    "remote": (
        "hypotheses.toml",
        f'{HANOI}, grade = "proxy"',
        f'{HANOI}, grade = "remote"',
        r"H14, field reason: got None; .*no data",
    ),
    "mixed": (
        "hypotheses.toml",
        HANOI,
        f'name = "x", kind = "model", grade = "direct" }}, {{ {HANOI}',
        r"H14, field data: .*not a mixture",
    ),
    "holds": (
        "hypotheses.toml",
        'direction = "holds"',
        'direction = "positive"',
        r"H53, field direction: .*holds for a model",
    ),
    "alpha": ("hypotheses.toml", "alpha = 0.05", "alpha = 5", r"rules, field alpha: got 5; .*between 0 and 1"),
    "level": (
        "hypotheses.toml",
        "level = 0.90",
        "level = 0.95",
        r"field equivalence_level: got 0.95; .*0.9: two one-sided",
    ),
    "correction": ("hypotheses.toml", 'correction = "holm"', 'correction = "hulm"', r"family hanoi, field correction"),
    "size": (
        "hypotheses.toml",
        "value = 0.10\n",
        "value = -0.10\n",
        r"smallest effect path, field value: got -0.1; .*above 0",
    ),
    "syntax": (
        "claims.toml",
        "[[claim]]",
        "[[claim]",
        r"claims.toml cannot be read: .*line.*; it must be a toml file in UTF-8",
    ),
    "table": ("claims.toml", "[[claim]]", "[[clam]]\n[[claim]]", r"field clam: an unknown field; allowed: claim"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_with_file_entry_field_given_and_allowed(slip, tmp_path):
    name, old, new, message = SLIPS[slip]
    with pytest.raises(PaperError, match=message):
        paper.load_claims(mutated(tmp_path, name, old, new))


def test_two_codings_settle_what_stands_in_the_files():
    """Every claim and hypothesis is coded by both lists; each difference is settled, nothing else, and stands.

    What was changed after both codings, and only that, differs from them: its last entry in the log says so.
    """
    coding = paper.load_coding()
    by = {question: codes.set_index("item") for question, codes in coding.groupby("question")}
    assert list(by["testable"].index) == sorted(claim.id for claim in CLAIMS)
    last = paper.load_changes().query("what != 'rule'").groupby("hypothesis").tail(1).set_index("hypothesis")["what"]
    steps = by["step"]["code"].to_dict()
    moved = {h.id for h in HYPOTHESES if h.step != steps[h.id]}
    logged = set(last[last == "step"].index)
    assert moved <= logged
    assert len(moved) == 29
    graded = {
        h.id: max((d.grade for d in h.data), key=paper.GRADES.index, default="none")
        for h in HYPOTHESES
        if not {"model", "synthetic sample"} & set(h.kinds)
    }
    assert "grade" in set(paper.load_changes().query("hypothesis == 'H25'")["what"])
    assert by["grade"]["code"].to_dict() == graded | {"H25": "direct"}
    assert (coding["reason"].notna() == (coding["first"] != coding["second"])).all()
    for codes in by.values():
        assert all(
            code in (one, other)
            for one, other, code in zip(codes["first"], codes["second"], codes["code"], strict=True)
        )


def test_agreement_is_what_two_definitions_of_kappa_give():
    """By hand, (observed - expected) / (1 - expected), from the shares of each code; 00_claims takes statsmodels'."""
    from statsmodels.stats.inter_rater import cohens_kappa, to_table

    for _, codes in paper.load_coding().groupby("question"):
        pair = codes[["first", "second"]]
        shares = [pair[name].value_counts(normalize=True) for name in pair]
        expected = shares[0].mul(shares[1], fill_value=0).sum()
        by_hand = ((pair["first"] == pair["second"]).mean() - expected) / (1 - expected)
        numbers = pair.stack().astype("category").cat.codes.unstack()
        assert cohens_kappa(to_table(numbers.to_numpy())[0]).kappa == pytest.approx(by_hand)


def test_the_log_of_changes_ends_with_the_verdicts_of_today():
    changes = paper.load_changes()
    assert changes["date"].is_monotonic_increasing or set(changes["date"]) == {"2026-11-22", "2026-11-29", "2026-11-30"}
    last = changes.groupby("hypothesis", sort=False).tail(1).set_index("hypothesis")["after"]
    results = assessment().results
    said = {name: results[name].words if name in results else "removed" for name in last.index}
    asked = {name for name in last.index if name in results and results[name].side == "further questions"}
    assert last.to_dict() == {
        name: f"further question: {words}" if name in asked else words for name, words in said.items()
    }
    for _, of in changes.groupby("hypothesis"):
        assert of["before"].to_list()[1:] == of["after"].to_list()[:-1]  # no verdict moved without an entry


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PaperError, match="claims.toml cannot be read: No such file or directory; a file is needed"):
        paper.load_hypotheses(tmp_path)
