"""The R script of a study: run in R, each of its tables equals the one here; the largest differences are printed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import panel
import pytest
from books import COMPOSITE, HANOI, PANEL, SECOND
from chance_of_r import Chance

import surveysem
from semfit import psychometrics
from surveysem import groups, measurement, moderation, paths, script, waves, write_csv
from surveysem.codebook import Labelled, Moderation
from surveysem.study import Study

DRAWS = 40  # resamples there and here: R's own are drawn again
FEW = 3  # where the resamples are not looked at
WRITE = """
for (name in names(tables)) {
  table <- tables[[name]]
  exact <- sapply(table, is.numeric)
  table[exact] <- lapply(table[exact], function(x) trimws(format(x, digits = 15)))
  write.csv(table, paste0(name, ".csv"), row.names = FALSE)
}
"""


SEM_TOOLS = """
if (requireNamespace("semTools", quietly = TRUE)) {
  tables[["semTools"]] <- data.frame(t(semTools::reliabilityL2(measurement, "quality")[c("omegaL1", "omegaL2")]))
}
"""


def drawn_by(book: Path, holes: int = 0) -> Study:
    """Two kinds of respondents, 500, to the questions of a codebook; some answers are missing."""
    defects = surveysem.Defects(missing_cells=holes)
    sample = surveysem.draw_respondents(surveysem.Truth(surveysem.load_codebook(book)), 500, defects=defects, seed=3)
    return Study(sample.responses, surveysem.screen(sample.responses), draws=DRAWS)


def library(estimator: str = "MLR", nobs: int = 400, holes: int = 0, plain: bool = False, **more: object) -> Study:
    """Respondents of the template: four constructs; unless plain two branches, and a moderation beside its paths."""
    book = surveysem.load_codebook(surveysem.TEMPLATE)
    moderated = (Moderation("revisit", "enjoyment", "choice", 1),)
    book = replace(book, **({"group": ""} if plain else {"moderations": moderated}) | more)
    sample = surveysem.draw_respondents(
        surveysem.Truth(book), nobs, seed=3, defects=surveysem.Defects(missing_cells=holes)
    )
    return Study(sample.responses, surveysem.screen(sample.responses), estimator, DRAWS)


@pytest.fixture(scope="session")
def rscript() -> str:
    found = shutil.which("Rscript")
    if not found or subprocess.run([found, "-e", "library(lavaan)"], capture_output=True, check=False).returncode:
        pytest.skip("needs R with lavaan")
    return found


def in_r(study: Study, folder: Path, rscript: str, draws: int = FEW, more: str = "") -> dict[str, pd.DataFrame]:
    """Run the script beside its data; return its tables."""
    write_csv(script.script_data(study), folder / "data.csv")
    (folder / "model.R").write_text(script.lavaan_script(study) + more + WRITE, encoding="utf-8")
    command = [rscript, "model.R", str(draws)]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Std.all" in ran.stdout
    return {path.stem: pd.read_csv(path) for path in folder.glob("*.csv") if path.stem != "data"}


def compare(name: str, theirs: pd.DataFrame, ours: pd.DataFrame, columns: dict[str, str], most: float = 1e-5) -> None:
    """Require columns of two tables, rows in the same order, to differ by at most ``most``, of 1 or of themselves."""
    there, here = theirs[list(columns)].to_numpy(float), ours[list(columns.values())].to_numpy(float)
    assert there.shape == here.shape, name
    assert (np.isnan(there) == np.isnan(here)).all(), name
    largest = np.nanmax(np.abs((there - here) / np.maximum(1, np.abs(there))))
    print(f"{name}: {largest:.1e}")
    assert largest <= most, (name, there, here)


def at(frame: pd.DataFrame, keys: Iterable[tuple], by: list[str]) -> pd.DataFrame:
    return frame.set_index(by).loc[list(keys)].reset_index()


def measured(study: Study, tables: dict[str, pd.DataFrame], most: float) -> None:
    scales = {name: study.codebook.scales[name] for name in study.constructs if name not in study.composed}
    ours = study.answers[study.items].agg(["count", "mean", "std"]).T
    compare("items", tables["items"], ours, {"answers": "count", "mean": "mean", "sd": "std"})
    found = study.measurement.standardized.query("op == '=~' and lhs not in @study.composed")
    loadings = {"est.std": "std_all", "se": "se", "ci.lower": "ci_low", "ci.upper": "ci_high"}
    compare("loadings", tables["loadings"], found, loadings, most)
    quality = psychometrics.measurement_quality(study.measurement).frame
    lines = tables["reliability"]["label"].str.split("_", n=1, expand=True)
    ours = at(quality, zip(lines[0], lines[1], strict=True), ["measure", "construct"])
    ends = {"est": "estimate", "ci.lower": "ci_low", "ci.upper": "ci_high"}
    compare("reliability", tables["reliability"], ours, ends, most)
    compare(
        "alpha",
        tables["alpha"],
        quality.query("measure == 'alpha' and construct in @scales"),
        {"alpha": "estimate"},
        most,
    )
    if "omega" in tables:  # semTools integrates by other means
        compare("omega", tables["omega"], quality.query("measure == 'omega'"), {"omega": "estimate"}, 1e-4)
    matrix = psychometrics.fornell_larcker(study.measurement).matrix
    below = np.tril_indices(len(matrix))
    theirs = tables["correlations"][list(matrix)].to_numpy()[below]
    compare("correlations", pd.DataFrame({0: theirs}), pd.DataFrame({0: matrix.to_numpy()[below]}), {0: 0}, most)
    several = {name: codes for name, codes in scales.items() if len(codes) > 1}
    ratios = psychometrics.htmt(study.answers, several, bootstrap=0).frame.query("measure == 'htmt'")
    compare("htmt", tables["htmt"], ratios, {"htmt": "estimate"})


def structured(study: Study, tables: dict[str, pd.DataFrame], most: float) -> None:
    theirs = tables["fit"].set_index("measure").T
    ours = pd.DataFrame([fit.fit_measures for fit in (study.measurement, study.structural)])
    kind = {"ML": "", "MLR": ".robust", "WLSMV": ".scaled"}[study.estimator]
    known = [*dict.fromkeys(["chisq", "df", "pvalue", "srmr", "cfi" + kind, "tli" + kind, "rmsea" + kind])]
    compare("fit", theirs, ours, {name: name for name in known}, most)
    table = paths.path_table(study)
    keys = zip(tables["paths"]["lhs"], tables["paths"]["rhs"], strict=True)
    ours = at(table, keys, ["outcome", "predictor"])
    columns = {"est": "estimate", "se": "estimate_se", "std": "std", "std.se": "std_se", "low": "low", "high": "high"}
    compare("paths", tables["paths"], ours, columns, most)
    if isinstance(found := paths.indirect(study), surveysem.NotTestable):
        assert "indirect" not in tables
        return
    indirect = found.summary()
    assert tables["indirect"][["strategy", "outcome", "via"]].equals(indirect[["strategy", "outcome", "via"]])
    compare("indirect effects", tables["indirect"], indirect, {"estimate": "estimate"}, most)
    if ways := paths.ways(study.codebook):
        assert tables["specific"]["way"].tolist() == [" ".join(way) for way in ways]
        specific = paths.along(study, ways).summary()
        compare("specific effects", tables["specific"], specific, {"estimate": "estimate"}, most)


def resampled(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    """Compare what rests on chance, which is R's."""
    scales = {name: study.codebook.scales[name] for name in study.constructs}
    ratios = psychometrics.htmt(study.answers, scales, bootstrap=DRAWS, level=0.9).frame.query("measure == 'htmt'")
    compare("intervals of htmt", tables["htmt"], ratios, {"low": "ci_low", "high": "ci_high"})
    ends = {name: name for name in ("se", "low", "high", "p")}
    compare("of indirect effects", tables["indirect"], paths.indirect(study).summary(), ends, 2e-5)
    p = groups.permuted(study, groups.compare_groups(study))
    compare("permutation", tables["groups"], pd.DataFrame({"p": p}), {"p.permutation": "p"})


def moderated(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    ours = moderation.moderations(study).summary()
    columns = {"est": "estimate", "se": "estimate_se", "std": "std"}
    compare("moderation", tables["moderation 1"], ours, columns, 2e-5)


def mediated(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    for k, found in enumerate(moderation.moderations(study).mediated.values(), 1):
        assert found.method == "refit"
        columns = {name: name for name in ("estimate", "se", "low", "high")}
        compare(f"mediation {k}", tables[f"moderated mediation {k}"], found.summary(), columns, 2e-5)


def compared(study: Study, tables: dict[str, pd.DataFrame], most: float) -> None:
    ladder = groups.measured_alike(study)
    alike = groups.partially_alike(study)
    theirs = tables["invariance"].set_index("measure").T
    compare("invariance", theirs, ladder.table, {"df": "df", "srmr": "srmr"}, most)
    compare("its fits", theirs, pd.DataFrame([f.fit_measures for f in ladder.fits.values()]), {"chisq": "chisq"}, most)
    for level in ("metric", "scalar"):
        steps = {"chisq": "d_chisq", "df": "d_df", "p": "d_pvalue"}
        compare(level, tables[level], ladder.table.loc[[level]], steps, 10 * most)
    if len(alike.freed):
        fits = {level: fit.fit_measures for level, fit in alike.ladder.fits.items()}
        theirs = tables["partial invariance"].set_index("measure").T
        compare("partial invariance", theirs, pd.DataFrame(fits.values()), {"chisq": "chisq", "df": "df"}, most)
    found = groups.compare_groups(study, alike).summary()
    ours = at(found, zip(tables["groups"]["lhs"], tables["groups"]["rhs"], strict=True), ["outcome", "predictor"])
    columns = {"std": "std", "std.other": "std_other", "difference": "difference", "se": "se", "low": "low", "p": "p"}
    compare("groups", tables["groups"], ours, columns, 10 * most)


@pytest.mark.slow
def test_every_table_is_the_same_in_r(tmp_path, rscript):
    study = library()
    tables = in_r(study, tmp_path, rscript)
    measured(study, tables, 1e-5)
    structured(study, tables, 1e-5)
    moderated(study, tables)
    compared(study, tables, 1e-5)


@pytest.mark.slow
def test_and_where_answers_are_missing(tmp_path, rscript):
    study = library(nobs=200, holes=75, plain=True)  # lavaan takes seconds for every model with holes
    assert study.options["missing"] == "fiml"
    tables = in_r(study, tmp_path, rscript)
    measured(study, tables, 2e-5)
    structured(study, tables, 2e-5)


@pytest.mark.slow
def test_and_with_covariates_and_errors_that_covary(tmp_path, rscript):
    study = library(covariates=("BRANCH", "VISITS"), covariances=(("W1", "W2"), ("C1", "E1")))
    assert list(study.covariates) == ["BRANCH_2", "VISITS"]
    tables = in_r(study, tmp_path, rscript)
    measured(study, tables, 2e-5)
    structured(study, tables, 2e-5)
    columns = {"est": "estimate", "se": "se", "ci.lower": "low", "ci.upper": "high", "pvalue": "p"}
    ours = paths.covariate_table(study).assign(name=2 * [*study.covariates])
    theirs = tables["covariates"][tables["covariates"]["lhs"].isin(ours["outcome"])]
    compare(
        "covariates", theirs, at(ours, zip(theirs["lhs"], theirs["rhs"], strict=True), ["outcome", "name"]), columns
    )
    moderated(study, tables)
    compared(study, tables, 2e-5)


@pytest.mark.slow
def test_and_with_moderated_mediations(tmp_path, rscript, monkeypatch):
    moderated = (Moderation("revisit", "enjoyment", "choice", 1), Moderation("enjoyment", "welcome", "choice", 1))
    both = [Labelled("M", "revisit", "welcome", "choice", "enjoyment", second=second) for second in (False, True)]
    study = library(group="", moderations=moderated, hypotheses=tuple(both))
    tables = in_r(study, tmp_path, rscript, DRAWS)
    monkeypatch.setattr(np.random, "default_rng", lambda *_: Chance(study.seed))
    mediated(study, tables)


@pytest.mark.slow
def test_and_where_some_items_do_not_measure_alike_with_all_that_is_drawn_again(tmp_path, rscript, monkeypatch):
    study = library(moderations=())
    answers, rng = study.responses.answers.sort_values("BRANCH", kind="stable"), np.random.default_rng(1)  # as in R
    other = answers["BRANCH"] == 2
    answers.loc[other, "C1"] = rng.permutation(answers.loc[other, "C1"])
    answers.loc[other, "E2"] = (answers.loc[other, "E2"] + 1).clip(upper=5)
    responses = replace(study.responses, answers=answers)
    study = Study(responses, surveysem.screen(responses), draws=DRAWS)
    assert [*groups.partially_alike(study).freed["level"]] == ["metric", "scalar"]
    tables = in_r(study, tmp_path, rscript, DRAWS)
    compared(study, tables, 1e-5)
    monkeypatch.setattr(np.random, "default_rng", lambda *_: Chance(study.seed))
    resampled(study, tables)


@pytest.mark.slow
def test_and_of_ordered_answers(tmp_path, rscript):
    study = library("WLSMV")
    tables = in_r(study, tmp_path, rscript)
    measured(study, tables, 1e-4)
    structured(study, tables, 1e-4)
    assert "groups" not in tables  # Wu and Estabrook's ladder is not lavaan's own


@pytest.mark.slow
def test_and_of_a_published_survey(tmp_path, rscript):
    file = Path(os.environ.get("SOCIALCOMMERCE_DATA", "nowhere")) / "hanoi_social_commerce_impulse.xlsx"
    if not file.is_file():
        pytest.skip("needs the raw Hanoi file in SOCIALCOMMERCE_DATA")
    study = surveysem.read_study(file, HANOI, screening="report-only")
    tables = in_r(study, tmp_path, rscript)
    measured(study, tables, 1e-5)
    structured(study, tables, 1e-5)


def test_the_script_leaves_out_what_the_study_has_not(tmp_path):
    book = surveysem.load_codebook(surveysem.TEMPLATE)
    plain = replace(book, group="", paths=tuple(path for path in book.paths if path.outcome == "revisit"))
    sample = surveysem.draw_respondents(surveysem.Truth(plain), 200, seed=3)
    study = Study(sample.responses, surveysem.screen(sample.responses))
    said = script.lavaan_script(study)
    assert not any(word in said for word in ("indirect", "group", "moderated", "omega of summed"))
    assert list(script.script_data(study)) == plain.items


@pytest.mark.slow
def test_and_with_a_construct_of_second_order(tmp_path, rscript):
    study = drawn_by(SECOND)
    tables = in_r(study, tmp_path, rscript, more=SEM_TOOLS)
    found = measurement.second_order(study)
    ends = {"est.std": "loading", "ci.lower": "low", "ci.upper": "high"}
    compare("second order", tables["second order"], found, ends)
    ours = found.iloc[[0]].melt(value_vars=["omega", "omega2", "cr", "ave"]).set_index("variable")
    theirs = tables["second order, reliability"]
    names = theirs["label"].str.removesuffix("_quality")
    compare("its reliability", theirs, ours.loc[names].reset_index(), {"est": "value"})
    compare(
        "its interval", theirs[names == "omega"], found.iloc[[0]], {"ci.lower": "omega_low", "ci.upper": "omega_high"}
    )
    if "semTools" in tables:  # where it is installed
        compare("of semTools", tables["semTools"], found.iloc[[0]], {"omegaL1": "omega", "omegaL2": "omega2"})
    reliable = psychometrics.measurement_quality(study.measurement).frame.query("measure == 'ave'")
    ave = tables["reliability"].query("label.str.startswith('ave_')").set_index("label")
    names = [f"ave_{name}" for name in study.scales]
    compare("of dimensions", ave.loc[names], at(reliable, study.scales, ["construct"]), {"est": "estimate"})
    structured(study, tables, 1e-5)
    compared(study, tables, 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("holes", [0, 300])
def test_and_with_composites(tmp_path, rscript, holes):
    study = drawn_by(COMPOSITE, holes)
    tables = in_r(study, tmp_path, rscript)
    measured(study, tables, 2e-5)
    structured(study, tables, 2e-5)
    found = measurement.composites(study, study.measurement)
    theirs = tables["composites"].set_index("label")
    ends = {"est.std": "weight", "ci.lower": "low", "ci.upper": "high"}
    compare("weights", theirs.loc[[f"weight_{item}" for item in found["item"]]], found, ends, 2e-5)
    loaded = theirs.loc[[f"loading_{item}" for item in found["item"]]]
    compare("correlations with items", loaded, found, {"est.std": "loading"}, 2e-5)
    compare("variance inflation", tables["variance inflation"], found, {"vif": "vif"})


def waved(study: Study, tables: dict[str, pd.DataFrame], most: float) -> None:
    again = waves.partially_again(study)
    index = ".scaled" if study.estimator == "WLSMV" else ".robust"
    wanted = {"chisq.scaled": "chisq", "df.scaled": "df", "pvalue.scaled": "pvalue", "srmr": "srmr"}
    wanted |= {f"{name}{index}": name for name in ("cfi", "tli", "rmsea")}
    for name, ladder in (("waves", again.whole), ("waves in part", again.ladder)):
        if name not in tables:
            assert not len(again.freed)
            continue
        ours = ladder.table.assign(tli=[fit.fit_measures[f"tli{index}"] for fit in ladder.fits.values()])
        compare(name, tables[name].set_index("measure").T, ours, wanted, most)
        steps = {"chisq": "d_chisq", "df": "d_df", "p": "d_pvalue"}
        assert tables[f"{name}, steps"]["level"].tolist() == [*ladder.fits][1:]
        compare(f"{name}, steps", tables[f"{name}, steps"], ours.iloc[1:], steps, 10 * most)
    found = waves.changes(study, again)
    stable = at(tables["stability"], zip(found["earlier"], found["later"], strict=True), ["lhs", "rhs"])
    compare("stability", stable, found, {"est.std": "r", "ci.lower": "r_low", "ci.upper": "r_high"}, most)
    assert ("changes" in tables) == ("change" in found)
    if "change" in found:
        ends = {"est": "change", "se": "se", "ci.lower": "low", "ci.upper": "high", "pvalue": "p"}
        compare("changes", tables["changes"], found, ends, most)


@pytest.mark.slow
@pytest.mark.parametrize("holes", [0, 60])
def test_and_of_a_panel(tmp_path, rscript, holes):
    text = PANEL.read_text(encoding="utf-8").replace("[title]", "equal_loadings = true\n\n[title]")
    study = panel.study(tmp_path, text=text, holes=holes, nobs=200 if holes else 500)
    assert study.options["missing"] == ("fiml" if holes else "listwise")
    tables = in_r(study, tmp_path, rscript)
    measured(study, tables, 2e-5)
    structured(study, tables, 2e-5)
    waved(study, tables, 2e-5)


@pytest.mark.slow
def test_and_of_a_panel_of_ordered_answers(tmp_path, rscript):
    study = panel.study(tmp_path, "WLSMV", shift=0)
    tables = in_r(study, tmp_path, rscript)
    waved(study, tables, 1e-4)
    structured(study, tables, 1e-4)
