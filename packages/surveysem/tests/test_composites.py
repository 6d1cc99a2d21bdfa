"""Composites in a codebook: what their models hold, what reports say of them and leave out, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from books import COMPOSITE

import semfit
import surveysem
from reports import run, written
from surveysem import (
    Codebook,
    DataError,
    NotTestable,
    Study,
    groups,
    measurement,
    methods,
    paths,
    report,
    specification_curve,
)
from surveysem.preregistration import register

TEXT = COMPOSITE.read_text(encoding="utf-8")
NOTHING: dict[str, dict] = {"tables": {}, "texts": {}}  # results of no notebook
LEFT_OUT = "it is made of its items, which have no error of measurement"


@pytest.fixture(scope="module")
def study() -> Study:
    return drawn()


def drawn(estimator: str = "MLR", nobs: int = 2000) -> Study:
    sample = surveysem.draw_respondents(surveysem.Truth(surveysem.load_codebook(COMPOSITE)), nobs, seed=3)
    return Study(sample.responses, surveysem.screen(sample.responses), estimator, draws=100)


@pytest.fixture
def load(tmp_path) -> Callable[..., Codebook]:
    def read(text: str, name: str = "book.toml") -> Codebook:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return surveysem.load_codebook(tmp_path / name)

    return read


def test_paths_and_weights_are_those_that_the_respondents_were_drawn_with(study):
    """Items of seven points blur a sum that has no error of its own: near the truth, not at it."""
    table = paths.path_table(study)
    assert table["std"].to_numpy() == pytest.approx(np.full(5, 0.25), abs=0.07)
    found = measurement.composites(study, study.measurement).set_index("construct")
    for name, codes in study.composed.items():
        own = found.loc[name]
        equal = 1 / (len(codes) * 0.75)  # of the mean of the items, which is the composite times the loading
        assert ((own["low"] < equal) & (equal < own["high"])).mean() >= 0.6
        assert own["weight"].mean() == pytest.approx(equal, abs=0.06)
        assert own["vif"].to_numpy() == pytest.approx(np.diag(np.linalg.inv(study.answers[codes].corr())))


def test_weights_by_pls_are_those_of_mode_b(study):
    by_pls = replace(study, estimator="PLS")
    found = measurement.composites(by_pls, by_pls.composites).set_index("item")
    fit = by_pls.composites
    assert fit.model.modes == ("B", "B", "A", "A")
    for name, codes in by_pls.composed.items():
        scores = fit.scores(by_pls.answers)[name]
        items = by_pls.answers[codes] / by_pls.answers[codes].std(ddof=0)
        design = np.column_stack([items, np.ones(len(items))])
        weights = np.linalg.lstsq(design.astype(float), scores.to_numpy(), rcond=None)[0][:-1]
        assert found.loc[codes, "weight"].to_numpy() == pytest.approx(weights, abs=1e-8)
    assert (found["low"] < found["weight"]).all()
    assert surveysem.pls.reliability(by_pls, fit)["construct"].tolist() == ["trust", "stay"]
    square = surveysem.pls.larcker(by_pls, fit)
    assert np.isnan(square.loc["image", "image"])
    assert square.loc["stay", "image"] == pytest.approx(fit.correlations.loc["stay", "image"])


def test_the_first_item_of_the_lines_is_one_that_says_something(study):
    answers = study.answers.copy()
    answers["SE1"] = np.random.default_rng(1).integers(1, 8, len(answers))  # the item asked first says nothing
    book = study.codebook.fitted_to(answers)
    (service,) = (one for one in book.constructs if one.name == "service")
    assert service.first in {"SE2", "SE3", "SE4"}
    model = book.model(study.constructs)
    assert f"service =~ NA*{service.first} + " in model
    fit = semfit.fit(model, answers)
    low, high = fit.standardized.set_index("lhs").loc["weight_SE1", ["ci_low", "ci_high"]]
    assert low < 0 < high


def test_what_asks_whether_items_measure_leaves_composites_out_and_says_why(study):
    quality = semfit.psychometrics.measurement_quality(study.measurement).frame.set_index("construct")
    assert set(quality.loc["service", "reason"]) == {LEFT_OUT}
    assert not {"cr_service", "omega_image"} & {*measurement.quality_model(study).split()}
    alike = groups.partially_alike(study)
    for found in (alike, groups.compare_groups(study, alike), groups.compare_means(study, alike)):
        assert isinstance(found, NotTestable)
        assert "tested by PLS" in found.reason
    checked = measurement.common_method(study)
    assert "no errors of their own" in checked.factor.reason
    assert {row.check for row in checked.summary().itertuples()} == {measurement.SINGLE}
    assert "ordered" not in {
        one.analysis for one in specification_curve.specifications(study, ["drop"], study.codebook.items)
    }


def test_each_way_of_several_is_the_product_of_its_paths(study):
    ways = paths.ways(study.codebook)
    assert ways == [("service", "image", "trust", "stay"), ("service", "image", "stay"), ("service", "trust", "stay")]
    std = paths.path_table(study).set_index(["predictor", "outcome"])["std"]
    found = paths.along(study, ways)
    products = [np.prod([std[step] for step in pairwise(way)]) for way in ways]
    assert found.estimates == pytest.approx(products)
    effects = paths.decomposition(study).set_index(["predictor", "outcome", "effect"])["estimate"]
    assert found.estimates.sum() == pytest.approx(effects["service", "stay", "indirect"])
    by_pls = replace(study, estimator="PLS")
    direct = by_pls.composites.paths.set_index(["rhs", "lhs"])["est"]
    products = [np.prod([direct[step] for step in pairwise(way)]) for way in ways]
    assert paths.along(by_pls, ways).estimates == pytest.approx(products)


def test_methods_name_composites_in_both_languages(study):
    said = methods.methods_text(study, NOTHING, "en")
    assert "composites of their items with estimated weights" in said
    assert "2023): service, image." in said
    assert "service\N{IDEOGRAPHIC COMMA}image" in methods.methods_text(study, NOTHING, "zh")
    assert "path weighting; Mode A, Mode B for service, image" in methods.methods_text(
        replace(study, estimator="PLS"), NOTHING, "en"
    )
    registered = register(study.codebook, 300)
    assert registered.plan["constructs"]["image"].endswith("IM3 (composite)")
    assert "image is a composite" in registered.page(study.codebook, "en")


@pytest.mark.slow
@pytest.mark.parametrize(("notebook", "estimator"), [("measurement", "MLR"), ("pls", "PLS")])
def test_a_report_has_a_section_on_composites_and_no_reliability_of_them(tmp_path, monkeypatch, notebook, estimator):
    answers, _, book = written(tmp_path, 300, COMPOSITE)
    given = {"estimator": estimator, "screening": "report-only", "draws": 60, "htmt_draws": 60}
    found = run(report.HERE / "notebooks" / f"{notebook}.ipynb", monkeypatch, answers=answers, codebook=book, **given)
    english = [each for each in found if each.get("language", "en") == "en"]
    tables = {each["name"]: each for each in english if each["kind"] == "table"}
    assert [row[1] for row in tables["composites_table"]["rows"]] == ["SE1", "SE2", "SE3", "SE4", "IM1", "IM2", "IM3"]
    assert {row[0] for row in tables["reliability_table"]["rows"]} == {"trust", "stay"}
    assert {name for row in tables["htmt_table"]["rows"] for name in row[:2]} == {"trust", "stay"}
    whole = json.dumps(english)
    assert "## Composites" in whole
    assert "service, image" in whole
    assert ("composites_diagram" in {each.get("name") for each in english}) == (notebook == "measurement")


def test_a_model_in_lavaans_language_may_hold_composites(load):
    book = load("q <~ Q1 + Q2\nt =~ T1 + T2 + T3\nt ~ q", "model.txt")
    assert book.composites == ("q",)
    assert book.model() == f"{semfit.composite('q', ['Q1', 'Q2'])}\nt =~ T1 + T2 + T3\nt ~ q"
    with pytest.raises(DataError, match=r"model.txt, line 1: q <~ Q2 is fixed"):
        load("q <~ Q1 + 0.5*Q2\nt =~ T1 + T2 + T3\nt ~ q", "model.txt")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '["IM1", "IM2", "IM3"]',
            '["IM1"]',
            "construct image: it is a composite of one item, which is that item; allowed: two items or",
        ),
        (
            '["IM1", "IM2", "IM3"]',
            '["trust", "stay", "service"]',
            "construct image: it is a composite of trust, stay, service",
        ),
        ('"composite" }\ntrust', '"formative" }\ntrust', "construct 2, field kind: got 'formative'"),
        (
            'trust = ["TR1", "TR2", "TR3"]',
            'trust = ["service", "image", "more"]\nmore = ["TR1", "TR2"]',
            "construct trust: service is a composite itself; allowed: constructs that items measure",
        ),
        (
            'group = "CITY"',
            'covariances = ["TR1 ~~ SE1"]',
            "covariances: got .TR1 ~~ SE1.; allowed: .*items of a composite covary freely among themselves",
        ),
        ('group = "CITY"', 'marker = "image"', "marker: unknown construct 'image'; allowed: trust, stay"),
        (
            "[scales.city]",
            '[moderation]\nstay = ["image * trust"]\n[scales.city]',
            "image is a composite, and a product needs items that measure it",
        ),
        (
            "[scales.city]",
            '[moderation]\nstay = ["trust * image"]\n[scales.city]',
            "moderator is 'image'; allowed: another construct, measured by items",
        ),
    ],
)
def test_what_a_composite_cannot_be_is_refused_where_it_stands(load, old, new, message):
    assert old in TEXT
    with pytest.raises(DataError, match=message):
        load(TEXT.replace(old, new, 1))


def test_estimators_that_take_no_composites_say_so(study):
    with pytest.raises(
        DataError, match="service, image is made of its items, and composites of ordered answers are not"
    ):
        replace(study, estimator="WLSMV")
    book = study.responses.codebook
    alone = replace(study.responses, codebook=replace(book, paths=book.paths[:1]))
    with pytest.raises(
        DataError, match="every construct is a composite, so there is no measurement to report; allowed"
    ):
        replace(study, responses=alone)
    assert replace(study, responses=alone, estimator="PLS").compose().converged


def test_a_covariate_that_does_nothing_leaves_the_weights_as_they_are(study):
    held = replace(study.responses, codebook=replace(study.responses.codebook, covariates=("CITY",), group=""))
    other = replace(study, responses=held)
    assert measurement.composites(study, study.measurement)["item"].tolist() == study.items[:7]
    own, beside = (measurement.composites(each, each.structural)["weight"].to_numpy() for each in (study, other))
    assert own == pytest.approx(beside, abs=0.01)
    assert paths.covariate_table(other)["std"].abs().max() < 0.2
