"""A panel: what was put in is found, what cannot be compared is withheld, and what a codebook may say of waves."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import panel
import pytest
from books import PANEL

import semfit
import surveysem
from reports import run
from surveysem import DataError, NotTestable, measurement, methods, paths, report, waves
from surveysem.__main__ import main
from surveysem.app import model
from surveysem.draft import PATTERN, draft_codebook
from surveysem.preregistration import compare, register
from surveysem.study import Study

TEXT = PANEL.read_text(encoding="utf-8")
NOTHING: dict[str, dict] = {"tables": {}, "texts": {}}  # results of no notebook
TOP = "[title]"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return panel.study(tmp_path_factory.mktemp("panel"))


@pytest.fixture(scope="module")
def again(study) -> semfit.PartialInvariance:
    found = waves.partially_again(study)
    assert isinstance(found, semfit.PartialInvariance)
    return found


def test_the_item_that_was_moved_is_let_go_and_the_changes_are_those_put_in(study, again):
    assert again.freed[["level", "construct", "item"]].to_numpy().tolist() == [["scalar", "trust", "TR4_t1"]]
    assert str(again.whole.highest) == "metric"
    assert [*again.ladder.fits] == ["configural", "metric", "scalar", "strict"]
    assert again.ladder.table["holds_indices"].iloc[1:].all()
    found = waves.changes(study, again)
    assert found["later"].tolist() == ["trust_t2", "content_t2"]
    for row, change in zip(found.itertuples(), panel.CHANGE.values(), strict=True):
        assert row.low - row.se < change < row.high + row.se
        assert row.change == pytest.approx((row.low + row.high) / 2)
        assert row.r_low < row.r < row.r_high
    first, second = 1.0, 0.6**2 + 0.25**2 + 2 * 0.6 * 0.25 * 0.4 + 0.5  # variances of trust
    assert found["r"].iloc[0] == pytest.approx((0.6 + 0.25 * 0.4) / np.sqrt(first * second), abs=0.08)


def test_errors_of_the_same_item_covary_in_every_model_unless_switched_off(study, tmp_path):
    for text in (study.measurement.model, study.structural.model, measurement.quality_model(study)):
        for code in ("TR1", "TR4", "CO3"):
            assert re.search(rf"^{code}_t1 ~~ (\w+\*)?{code}_t2$", text, re.MULTILINE)
    off = panel.study(tmp_path, text=TEXT.replace(TOP, "wave_errors = false\n\n[title]"))
    assert off.codebook.covariances == ()
    assert off.structural.test.df == study.structural.test.df + 7
    assert off.structural.test.chisq > study.structural.test.chisq + 100
    stated = TEXT.replace(TOP, 'covariances = ["TR1_t2 ~~ TR1_t1"]\n\n[title]')  # once, though it is said twice
    assert len(panel.study(tmp_path, text=stated).codebook.covariances) == 8
    assert study.codebook.covariances[-1] == ("trust_t2", "content_t2")  # what the paths leave of them


def test_the_paths_model_holds_loadings_equal_where_that_is_asked(study, tmp_path):
    held = panel.study(tmp_path, text=TEXT.replace(TOP, "equal_loadings = true\n\n[title]"))
    assert held.structural.test.df == study.structural.test.df + 5
    loads = held.structural.estimates.query("op == '=~'").set_index("rhs")["est"]
    assert loads["TR3_t1"] == pytest.approx(loads["TR3_t2"], abs=1e-12)
    assert held.measurement.test.df == study.measurement.test.df
    each = paths.path_table(held).merge(paths.path_table(study), on=["outcome", "predictor"])
    assert each["std_x"].to_numpy() == pytest.approx(each["std_y"].to_numpy(), abs=0.02)
    assert "load_trust" not in held.model(ordered=True)
    with pytest.raises(DataError, match="equal thresholds as well; allowed with it: MLR, ML"):
        panel.study(tmp_path, "WLSMV", text=TEXT.replace(TOP, "equal_loadings = true\n\n[title]"))


def test_changes_are_withheld_where_too_few_items_stay_equal(tmp_path):
    """Three of four items are easier to agree to later: two equal ones are not left."""
    answers = panel.answers(shift=0)
    for code, by in (("TR2_t2", 1), ("TR3_t2", 2), ("TR4_t2", 3), ("CO1_t2", 1), ("CO2_t2", 2)):
        answers[code] = (answers[code] + by).clip(upper=9)
    answers.to_csv(tmp_path / "answers.csv", index=False)
    (tmp_path / "book.toml").write_text(TEXT.replace("[1, 7]", "[1, 9]"), encoding="utf-8")
    study = surveysem.read_study(tmp_path / "answers.csv", tmp_path / "book.toml")
    again = waves.partially_again(study)
    assert [*again.ladder.fits] == ["configural", "metric"]
    assert waves.means_level(again) == ""
    found = waves.changes(study, again)
    assert "change" not in found
    assert found["r"].between(0.5, 0.8).all()


def test_a_panel_that_its_constructs_do_not_fit_is_not_compared(tmp_path):
    answers = panel.answers(nobs=300)
    rng = np.random.default_rng(2)
    kept = rng.standard_normal(300)
    for code in ("TR1_t2", "CO1_t2", "TR2_t1", "CO2_t1"):
        answers[code] = np.digitize(kept + 0.4 * rng.standard_normal(300), panel.CUTS) + 1
    answers.to_csv(tmp_path / "answers.csv", index=False)
    (tmp_path / "book.toml").write_text(TEXT, encoding="utf-8")
    found = waves.partially_again(surveysem.read_study(tmp_path / "answers.csv", tmp_path / "book.toml"))
    assert isinstance(found, NotTestable)
    assert "at the waves even where nothing is held equal (CFI 0." in found.reason


def test_ordered_answers_have_their_own_ladder(tmp_path):
    study = panel.study(tmp_path, "WLSMV", shift=0)
    again = waves.partially_again(study)
    assert [*again.whole.fits] == ["configural", "thresholds", "loadings", "intercepts"]
    assert waves.means_level(again) == "intercepts"
    assert waves.changes(study, again)["change"].to_numpy() == pytest.approx([*panel.CHANGE.values()], abs=0.12)
    answers = panel.answers(shift=0)
    answers["CO1_t2"] = answers["CO1_t2"].clip(lower=2)  # nobody chooses 1 any more
    answers.to_csv(tmp_path / "answers.csv", index=False)
    again = waves.partially_again(
        surveysem.read_study(tmp_path / "answers.csv", tmp_path / "book.toml", estimator="WLSMV")
    )
    assert "CO1_t1 has 7, CO1_t2 has 6 categories" in again.reason
    answers["CO1_t1"] = answers["CO1_t1"].clip(upper=6)  # as many, but one higher at the second wave
    answers.to_csv(tmp_path / "answers.csv", index=False)
    again = waves.partially_again(
        surveysem.read_study(tmp_path / "answers.csv", tmp_path / "book.toml", estimator="WLSMV")
    )
    assert "CO1_t1 is never 7, CO1_t2 never 1; the same categories are needed in every wave." in again.reason


def test_who_missed_a_wave_stays_and_who_skipped_questions_of_one_does_not(tmp_path):
    answers = panel.answers(nobs=200)
    later = [name for name in answers if name.endswith("_t2")]
    answers.loc[:59, later] = pd.NA  # took no part
    answers.loc[60, ["TR1_t2", "TR2_t2", "CO1_t2"]] = pd.NA  # 3 of 14
    answers.loc[61, [*later, "TR1_t1", "TR2_t1"]] = pd.NA  # 2 of the 7 that were asked
    answers.loc[62, list(answers)[:-1]] = pd.NA
    answers.assign(seconds=70).to_csv(tmp_path / "answers.csv", index=False)
    timed = TEXT.replace(TOP, 'duration = "seconds"\n\n[title]') + '\n[screening]\nseconds = 7\nreport = ["seconds"]\n'
    (tmp_path / "book.toml").write_text(timed, encoding="utf-8")
    study = surveysem.read_study(tmp_path / "answers.csv", tmp_path / "book.toml")
    unanswered = study.screened.record.query("rule == 'missing'").set_index("row")["value"]
    assert unanswered.to_dict() == pytest.approx({62: 3 / 14, 63: 2 / 7, 64: 1.0})
    asked = len(study.codebook.questions)
    hasty = study.screened.record.query("rule == 'speeder'").set_index("row")["value"]
    assert hasty.to_dict() == dict.fromkeys(range(64, 202), 70 / asked) | {62: 70 / asked}
    said = methods.respondents_text(study, "en")
    assert "more than 20% of the items unanswered, those of missed waves aside (3)" in said
    assert said.endswith("(spring) 197, Trust (autumn) 137; Content (spring) 197, Content (autumn) 137.")


def drafted(folder: Path, answers: pd.DataFrame, names: dict[str, str]) -> dict[str, list[str]]:
    """Return the waves that a draft finds under other names of the columns."""
    answers.rename(columns=names)[[*names.values()]].to_csv(folder / "answers.csv", index=False)
    return draft_codebook(folder / "answers.csv").waves


def test_waves_told_by_a_digit_or_a_letter_are_seen_where_the_answers_bear_it_out(tmp_path):
    answers = panel.answers(nobs=300)
    items = [name.split("_t") for name in answers if "_t" in name]
    hundreds = {f"{item}_t{wave}": f"{item[:2]}{wave}0{item[2]}" for item, wave in items}  # TR101
    assert drafted(tmp_path, answers, hundreds) == {"TR": ["TR_t1", "TR_t2"], "CO": ["CO_t1", "CO_t2"]}
    letters = {f"{item}_t{wave}": f"{' ab'[int(wave)]}_{item}" for item, wave in items}  # b_TR1
    assert drafted(tmp_path, answers, letters) == {"TR": ["TR_ta", "TR_tb"], "CO": ["CO_ta", "CO_tb"]}
    rows = {f"{item}_t{wave}": f"Q{6 if item[0] == 'T' else 8}_Row{item[2]}{wave}" for item, wave in items}
    assert drafted(tmp_path, answers, rows) == {}  # no wave is told by the w of a row
    assert [*draft_codebook(tmp_path / "answers.csv").constructs] == ["Q6_Row", "Q8_Row"]
    rng = np.random.default_rng(1)
    latent = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 300)
    scales = np.digitize(np.repeat(latent, 8, axis=1) + 0.6 * rng.standard_normal((300, 16)), panel.CUTS)
    codes = [f"TR{scale}0{item}" for scale in (1, 2) for item in range(1, 9)]  # different questions, numbered alike
    assert drafted(tmp_path, pd.DataFrame(scales, columns=codes), dict(zip(codes, codes, strict=True))) == {}


def test_of_three_waves_each_is_compared_with_the_next_and_the_first_with_the_last(tmp_path):
    more = panel.answers(seed=6).drop(columns="gender").filter(like="_t1").add_suffix("x")
    answers = panel.answers(shift=0).join(more.rename(columns=lambda name: name.replace("_t1x", "_t3")))
    answers.to_csv(tmp_path / "answers.csv", index=False)
    third = TEXT[TEXT.index("trust_t2 =") : TEXT.index("[waves]")].replace("t2", "t3").replace(")", " 3)")
    text = TEXT.replace("[waves]", re.sub("\uff08.*?\uff09", "3", third) + "[waves]")
    text = re.sub(r'"(\w+)_t2"\]\n', r'"\1_t2", "\1_t3"]\n', text)
    (tmp_path / "book.toml").write_text(text, encoding="utf-8")
    study = surveysem.read_study(tmp_path / "answers.csv", tmp_path / "book.toml")
    assert len(study.codebook.covariances) == 22
    onwards = text.replace('"content_t2 ~', '"trust_t3 ~ trust_t2", "content_t3 ~ content_t2", "content_t2 ~')
    (tmp_path / "more.toml").write_text(onwards, encoding="utf-8")
    assert surveysem.load_codebook(tmp_path / "more.toml").covariances[-2:] == (
        ("trust_t2", "content_t2"),
        ("trust_t3", "content_t3"),
    )
    (tmp_path / "more.toml").write_text(onwards.replace('"trust_t3 ~ ', '"trust_t3 ~ content_t3 + '), encoding="utf-8")
    assert surveysem.load_codebook(tmp_path / "more.toml").covariances[-1] == ("trust_t2", "content_t2")  # a cause
    assert "trust_t3" not in study.constructs  # no path names it; the ladder does
    found = waves.changes(study, waves.partially_again(study)).set_index(["earlier", "later"])
    assert [*found.index][:3] == [("trust_t1", "trust_t2"), ("trust_t2", "trust_t3"), ("trust_t1", "trust_t3")]
    change = found["change"].iloc[:3].to_numpy()
    assert change[0] + change[1] == pytest.approx(change[2])
    assert found["r"].iloc[2] == pytest.approx(0, abs=0.15)  # other people


def test_stability_is_no_lack_of_distinctness(study):
    book = study.codebook
    pairs = pd.DataFrame([("trust_t1", "trust_t2"), ("trust_t1", "content_t1")], columns=["construct", "other"])
    assert waves.apart(book, pairs)["other"].tolist() == ["content_t1"]


def test_open_scales_are_settled_for_all_waves_together(tmp_path):
    answers = panel.answers()
    answers[[*answers.filter(like="_t1")]] = answers.filter(like="_t1").clip(upper=5)
    answers.to_csv(tmp_path / "answers.csv", index=False)
    (tmp_path / "book.toml").write_text(TEXT.replace("scale = [1, 7]\n", ""), encoding="utf-8")
    study = surveysem.read_study(tmp_path / "answers.csv", tmp_path / "book.toml")
    assert {study.codebook.by_code[code].scale.high for code in study.items} == {7}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"content_t2"]\n',
            '"content_t3"]\n',
            "waves, 'content': unknown construct 'content_t3'; allowed: content_t2 (nearest)",
        ),
        ('"content_t1", "content_t2"]\n', '"content_t1"]\n', "one wave, content_t1; allowed: two constructs or more"),
        (', "CO3_t2"]', "]", "content_t1 has 3, content_t2 has 2 items; allowed: the same items, by position"),
        ('content = ["content_t1"', 'content = ["trust_t1"', "trust_t1 has 4, content_t2 has 3 items"),
        (
            "content = [",
            'twice = ["trust_t2", "trust_t1"]\ncontent = [',
            "construct in [waves] 'trust_t1': it is there twice",
        ),
        ('"CO3_t2"]', '"CO3_t2"], kind = "composite"', "content_t2 is a composite; allowed: constructs that two items"),
        (
            '["CO1_t2", "CO2_t2", "CO3_t2"]',
            '["CO1_t2"]',
            "content_t2 is measured by a single item; allowed: constructs",
        ),
        ('"CO3_t2"]', '"CO3_t2"], scale = [1, 5]', "unlike scales, CO1_t1 is 1 to 7, CO1_t2 is 1 to 5; allowed: one"),
        ('content = ["content_t1", "content_t2"]', "content = 3", "got 3; allowed: a list of constructs in order of"),
        (
            'controls = ["gender"]',
            'controls = ["gender"]\ngroup = "gender"',
            "group: there are [waves] too; allowed: one",
        ),
        ("content = [", '"1st" = [', "waves: got '1st'; allowed: a letter, then letters"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(tmp_path, old, new, said):
    assert old in TEXT
    (tmp_path / "book.toml").write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(said)):
        surveysem.load_codebook(tmp_path / "book.toml")


def test_keys_of_waves_need_waves(tmp_path):
    without = TEXT[: TEXT.index("[waves]")].replace(TOP, "equal_loadings = true\n\n[title]")
    (tmp_path / "book.toml").write_text(without, encoding="utf-8")
    with pytest.raises(DataError, match=r"equal_loadings: no waves are stated; allowed: with a table \[waves\]"):
        surveysem.load_codebook(tmp_path / "book.toml")


def test_methods_say_what_was_done_in_both_languages(study, tmp_path):
    levels = {"over_time": dict.fromkeys(("en", "zh"), "metric invariance"), "in_part": {"en": "strict invariance"}}
    results = {"tables": {}, "texts": levels, "numbers": {"smallest": {"value": 0.1}}}
    said = methods.methods_text(study, results, "en")
    assert "flagged nobody: more than 20% of the items unanswered, those of missed waves aside; answers that do" in said
    likely = replace(study.screened.chance, alike=0.5)
    many = replace(study, screened=surveysem.screen(study.responses, likely=likely))
    assert "do not vary" not in methods.respondents_text(many, "en")  # a rule that cannot be applied is not claimed
    off = surveysem.Rules(None, None, None, False, None, None, None, False, ())
    none = replace(study, screened=surveysem.screen(study.responses, off))
    assert "and flagged nobody. So n = 500" in methods.respondents_text(none, "en")
    assert "reached the smallest effect of interest (0.10), and as negligible if" in said
    assert "smallest effect" not in methods.methods_text(study, NOTHING, "en")
    assert "measured at several waves: Trust (spring) → Trust (autumn); Content (spring) → Content (autumn)." in said
    assert "errors of the same item at different waves were allowed to covary" in said
    assert "metric invariance holds and, without the equality of single items, partial strict invariance." in said
    assert "left loadings free across waves" in said
    zh = methods.methods_text(study, {"tables": {}, "texts": levels}, "zh")
    assert not re.search("[a-z]{4,} (holds|invariance)", zh)
    assert "Widaman" in zh
    found = {"tables": {}, "texts": {"over_time": dict.fromkeys(("en", "zh"), "loading invariance")}}
    ordered = [methods.methods_text(panel.study(tmp_path, "WLSMV"), found, language) for language in ("en", "zh")]
    assert "step by step (Liu et al., 2017; Wu & Estabrook, 2016)" in ordered[0]
    assert "Estabrook" in ordered[1]
    assert "Widaman" not in "".join(ordered)
    off = TEXT.replace(TOP, "wave_errors = false\nequal_loadings = true\n\n[title]")
    assert "Invariance" not in methods.methods_text(study, NOTHING, "en")  # where none could be tested
    off_said = methods.methods_text(panel.study(tmp_path, text=off), NOTHING, "en")
    assert "covary" not in off_said
    assert "held loadings equal across waves" in off_said
    assert "several waves" not in methods.methods_text(panel.study(tmp_path, "PLS"), NOTHING, "en")


def test_a_registration_names_waves(tmp_path):
    study = panel.study(tmp_path)
    book = surveysem.load_codebook(tmp_path / "book.toml")
    registered = register(book, 400)
    assert registered.plan["analysis"]["waves"] == "trust (trust_t1, trust_t2), content (content_t1, content_t2)"
    assert registered.plan["model"]["TR1_t1 ~~ TR1_t2"] == "free"
    assert "Asked at several waves: trust (trust_t1, trust_t2)" in registered.page(book, "en")
    registered.write(tmp_path, book)
    other = TEXT.replace(TOP, "equal_loadings = true\n\n[title]")
    (tmp_path / "book.toml").write_text(other, encoding="utf-8")
    followed = compare(tmp_path / "registration.json", tmp_path / "book.toml", study).query("not same")
    assert "constructs asked again" in followed["item"].tolist()


def test_a_draft_proposes_waves_that_the_page_keeps(tmp_path):
    panel.answers().to_csv(tmp_path / "answers.csv", index=False)
    draft = draft_codebook(tmp_path / "answers.csv")
    assert draft.waves == {"TR": ["TR_t1", "TR_t2"], "CO": ["CO_t1", "CO_t2"]}
    opened = model.Opened.of(draft, draft.write(tmp_path / "drafted.toml"), own=False)
    assert "# GUESSED FROM NAMES" in opened.text
    wanted = model.model_of(opened)
    assert wanted["kept"] == ['waves."TR" = ["TR_t1", "TR_t2"]', 'waves."CO" = ["CO_t1", "CO_t2"]']
    wanted["paths"] = [{"from": "TR_t1", "to": "TR_t2", "sign": 1}]
    model.check(opened, wanted, tmp_path / "saved.toml")
    saved = surveysem.load_codebook(tmp_path / "saved.toml")
    assert [each.constructs for each in saved.waves] == [("TR_t1", "TR_t2"), ("CO_t1", "CO_t2")]
    assert ("TR4_t1", "TR4_t2") in saved.covariances


@pytest.mark.parametrize(
    ("name", "wave"),
    [
        ("TR1_t2", ("TR1", "2")), ("y1t2", ("y1", "2")), ("t2_TR1", ("TR1", "2")), ("TR1.wave2", ("TR1", "2")),
        ("TR1_2nd", ("TR1", "2")), ("w2 TR1", ("TR1", "2")), ("TR12", None), ("W1", None), ("T1_2", None),
        ("wt2", None),
    ],
)  # fmt: skip
def test_the_wave_is_told_from_the_code(name, wave):
    told = PATTERN["wave"].match(name)
    found = told and (told["behind"] or told["before"], told["first"] or told["last"] or told["nth"])
    assert found == wave


@pytest.mark.slow
def test_the_report_tells_a_panel_in_both_languages(study, tmp_path, monkeypatch):
    panel.answers().to_csv(tmp_path / "answers.csv", index=False)
    given = {"answers": str(tmp_path / "answers.csv"), "codebook": str(PANEL), "parallel_draws": 20, "htmt_draws": 20}
    shown = run(report.HERE / "notebooks" / "measurement.ipynb", monkeypatch, **given)
    text = str(shown)
    assert [value for each in shown for key, value in each.items() if "untranslated" in key] == []
    for said in ("{{over_time}} holds across waves", "{{in_part}} holds in part", "metric invariance", "TR4_t2"):
        assert said in text
    assert "{{moved_n}} of {{changes_n}}" in text
    assert "'moved_n': {'value': 1," in text
    given = {"answers": given["answers"], "codebook": str(PANEL), "draws": 20, "estimator": "PLS"}
    shown = run(report.HERE / "notebooks" / "pls.ipynb", monkeypatch, **given)
    assert "PLS leaves them aside" in str(shown)
    assert [value for each in shown for key, value in each.items() if "untranslated" in key] == []


@pytest.mark.slow
def test_a_panel_becomes_a_whole_report(tmp_path):
    panel.answers().to_csv(tmp_path / "answers.csv", index=False)
    given = ["report", str(tmp_path / "answers.csv"), "--codebook", str(PANEL), "--draws", "100"]
    assert main([*given, "--out", str(tmp_path / "out")]) == 0
    said = {each: (tmp_path / "out" / f"summary-{each}.txt").read_text(encoding="utf-8") for each in ("en", "zh")}
    assert "Of 2 changes of latent means between waves, 1 has a 95% interval that excludes zero." in said["en"]
    assert (
        "\u5404\u6ce2\u6b21\u95f4\u76842\u9879\u6f5c\u5747\u503c\u53d8\u5316\u4e2d，1\u9879\u768495%\u7f6e\u4fe1\u533a\u95f4\u4e0d\u5305\u542b0。"
        in said["zh"]
    )


def test_the_models_of_the_ladder_are_those_that_were_fitted(study, again):
    texts = waves.wave_models(study, again.freed)
    assert {level: fit.model for level, fit in again.ladder.fits.items()} == {
        **texts, **{level: fit.model for level, fit in again.whole.fits.items() if level in ("configural", "metric")}
    }  # fmt: skip
    fit = semfit.fit(texts["scalar"], study.answers, **waves.fit_options(study))
    assert fit.test.chisq == pytest.approx(again.ladder.fits["scalar"].test.chisq)
