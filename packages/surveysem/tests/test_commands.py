"""The command: what it writes for any codebook, and what it says is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from books import LARGE, TRUTH_OF_LARGE, ZH

import surveysem
from surveysem import Defects, Truth, draw_respondents
from surveysem.__main__ import main

BOOK = ["--codebook", str(surveysem.TEMPLATE)]


def test_a_survey_as_a_chinese_platform_exports_it_comes_back_whole(tmp_path, capsys):
    """66 questions: numbered Chinese headings, answer texts, GB18030, then the command."""
    book = surveysem.load_codebook(LARGE)
    sample = draw_respondents(Truth(book), 120, defects=Defects(speeders=3, straight_liners=2, missing_cells=9), seed=4)
    head = {item.code: ZH["number"].format(k=k, text=item.zh) for k, item in enumerate(book.questions, 1)}
    frame = sample.cells.drop(columns="basis").astype(object)
    for item in book.questions:
        texts = dict(enumerate(item.scale.zh, item.scale.low))
        frame[item.code] = [texts.get(code, code) if pd.notna(code) else ZH["skipped"] for code in frame[item.code]]
    frame = frame.rename(columns=head | {"duration": ZH["duration"]})
    frame[ZH["duration"]] = [
        ZH["minutes"].format(minutes=int(seconds // 60), seconds=seconds % 60) for seconds in frame[ZH["duration"]]
    ]
    frame.to_csv(tmp_path / "export.csv", index=False, encoding="gb18030")
    found = surveysem.read_responses(tmp_path / "export.csv", book)
    pd.testing.assert_frame_equal(found.answers, sample.responses.answers)
    assert found.duration.to_numpy() == pytest.approx(sample.responses.duration.to_numpy(), abs=1e-6)
    assert found.mapping["skipped"].sum() == 9
    assert main(["check", str(tmp_path / "export.csv"), "--codebook", str(LARGE), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "export.csv (gb18030, survey): 120 respondents, 5 flagged, 115 kept" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "invalid.csv",
        "manifest.json",
        "mapping.csv",
        "screening.csv",
    ]


def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("W1\n", encoding="utf-8")
    for arguments, message in (
        (["check", str(tmp_path / "a.csv"), *BOOK], "a.csv has a heading and no rows"),
        (["check", "none.csv", "--codebook", "none.toml"], "codebook none.toml cannot be read"),
        (["check", "a.csv"], "one of the arguments --codebook --model is required"),
        (["chekc"], "unknown command 'chekc'; did you mean 'check'?"),
    ):
        assert main(arguments) == 2
        said = capsys.readouterr()
        assert message in said.err
        assert said.out == ""
        assert said.err.count("\n") == 1
    assert main(["check", str(tmp_path / "a.csv"), *BOOK, "--out", str(tmp_path / "out")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_the_template_is_a_codebook_that_loads(tmp_path, capsys):
    out = tmp_path / "survey"
    assert main(["template", "--out", str(out)]) == 0
    said = capsys.readouterr().out.split()
    assert len(said) == 6
    assert {Path(name).name for name in said} == {path.name for path in out.iterdir()} - {"manifest.json"}
    assert surveysem.load_codebook(out / "codebook.toml") == surveysem.load_codebook(surveysem.TEMPLATE)
    assert main(["template", "--out", str(out)]) == 0  # nobody changed it
    (out / "codebook.toml").write_text("mine")
    capsys.readouterr()
    assert main(["template", "--out", str(out)]) == 2
    assert "codebook.toml was changed since surveysem template wrote it" in capsys.readouterr().err
    assert (out / "codebook.toml").read_text() == "mine"


def test_a_sample_is_drawn_by_any_codebook_and_checked(tmp_path, capsys):
    assert main(["sample", *BOOK, "--respondents", "60", "--seed", "3", "--out", str(tmp_path / "out")]) == 0
    said = [Path(line).name for line in capsys.readouterr().out.split()]
    assert said == ["sample.csv", "planted.csv", "truth.json", "codebook.toml"]
    stated = json.loads((tmp_path / "out" / "truth.json").read_text(encoding="utf-8"))
    assert (stated["nobs"], stated["seed"], stated["codebook"]) == (60, 3, "library")
    assert main(["check", str(tmp_path / "out" / "sample.csv"), *BOOK]) == 0
    assert "sample.csv (utf-8 with byte-order mark, synthetic sample): 60 respondents" in capsys.readouterr().out
    wide = pd.read_csv(tmp_path / "out" / "sample.csv").assign(**{"What else? " * 30: 1})
    wide.to_csv(tmp_path / "wide.csv", index=False)
    assert main(["check", str(tmp_path / "wide.csv"), *BOOK, "--unknown", "leave"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 140  # a long heading is cut short


def test_a_first_try_needs_no_data_and_no_codebook(tmp_path, capsys, monkeypatch):
    """What is drawn says that it is, reads by the codebook beside it, and has someone to screen out."""
    monkeypatch.chdir(tmp_path)
    assert main(["sample"]) == 0
    assert capsys.readouterr().out.split()[0] == str(Path("example", "sample.csv"))
    assert main(["check", "example/sample.csv", "--codebook", "example/codebook.toml"]) == 0
    said = capsys.readouterr().out
    assert "sample.csv (utf-8 with byte-order mark, synthetic sample): 300 respondents, 13 flagged, 289 kept" in said
    assert pd.read_csv("example/planted.csv")["defect"].value_counts().to_dict() == {
        "missing cell": 20, "speeder": 4, "failed check": 4, "straight-liner": 3, "duplicate": 2
    }  # fmt: skip
    assert main(["sample"]) == 0  # nobody changed it
    Path("example", "codebook.toml").write_text("mine")
    assert main(["sample"]) == 2
    assert "codebook.toml was changed since surveysem sample wrote it" in capsys.readouterr().err


def test_a_stated_truth_is_drawn_and_a_wrong_one_named(tmp_path, capsys):
    stated = ["sample", "--codebook", str(LARGE), "--truth"]
    assert main([*stated, str(TRUTH_OF_LARGE), "--out", str(tmp_path / "out")]) == 0
    drawn = pd.read_csv(tmp_path / "out" / "sample.csv", dtype=str)
    assert len(drawn) == 1200
    assert pd.read_csv(tmp_path / "out" / "planted.csv")["defect"].nunique() == 6
    text = TRUTH_OF_LARGE.read_text(encoding="utf-8")
    for old, new, message in (
        ("nobs = 1200", "nobs = 0.5", "truth mine.toml, field nobs: got 0.5; allowed: a whole"),
        ("loading =", "lodaing =", "truth mine.toml, measurement, field lodaing: an unknown"),
        ("quality = 0.25", 'quality = "big"', "truth mine.toml, paths, field trust: got"),
        ("speeders = 25", "speeders = -1", "truth mine.toml, defects, field speeders: got -1"),
        ("[measurement]", "[measure]", "truth mine.toml, field measure: an unknown field"),
    ):
        (tmp_path / "mine.toml").write_text(text.replace(old, new), encoding="utf-8")
        capsys.readouterr()
        assert main([*stated, str(tmp_path / "mine.toml"), "--out", str(tmp_path / "no")]) == 2
        assert message in capsys.readouterr().err
    for option, message in (
        (["--seed", "-1"], "seed is -1; allowed: a whole number from 0"),
        (["--respondents", "0"], "nobs is 0; allowed: a whole number from 1"),
    ):
        assert main(["sample", *BOOK, *option, "--out", str(tmp_path / "no")]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_help_imports_nothing_heavy():
    code = "import sys, surveysem.__main__; print({'numpy', 'pandas', 'semfit', 'papermill'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_the_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out.strip()) == (0, surveysem.__version__)
