"""Models from XMILE and Vensim files: the series that PySD gives, those of an exported mode, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from stockflow import DataError, UnknownNameError, integrate, read_model, to_xmile
from stockflow.examples import RUMOUR

REFERENCE = Path(__file__).parent / "reference"
KEPT = json.loads((REFERENCE / "pysd_models.json").read_text(encoding="utf-8"))
NEWS, SHOP = ((REFERENCE / "models" / name).read_text(encoding="utf-8") for name in ("news.mdl", "shop.xmile"))


def close(found, expected):
    """Equal to 1e-12 of the largest value of a series."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("run", KEPT["runs"], ids=lambda run: f"{run['model']} {run['parameters'] or ''}")
def test_pysd_runs_the_same_file_to_the_same_series(run):
    """Frozen by tests/reference/pysd_models.py."""
    ours = read_model(REFERENCE / "models" / run["model"]).run(run["parameters"])
    rows = np.searchsorted(ours["time"], np.array(run["time"]) - 1e-9)
    close(ours["time"][rows], run["time"])
    assert len(run["series"]) >= 15
    assert set(run["series"]) <= set(ours)
    for name, series in run["series"].items():
        close(ours[name][rows], series)


@pytest.mark.parametrize(("parameters", "dt"), [({}, 1.0), ({"beta": 0.7, "omega": 0.02}, 0.25)])
def test_an_exported_mode_reads_back_and_runs_as_the_mode(tmp_path, parameters, dt):
    path, initial = tmp_path / "rumour.xmile", {"S": 3.0}
    path.write_text(to_xmile(RUMOUR, parameters, initial, 1000.0, 90.0, dt), encoding="utf-8")
    read = read_model(path).run()
    mode = integrate(RUMOUR, parameters, 90.0, "euler", dt, initial, 1000.0)
    for name in RUMOUR.index:
        np.testing.assert_allclose(read[name], mode.state(name), rtol=1e-12)
    np.testing.assert_allclose(read["U_to_S"], mode.flow("U", "S"), rtol=1e-12)


def test_names_are_the_same_whatever_their_capitals_and_spaces():
    model = read_model(REFERENCE / "models" / "news.mdl")
    one, two = model.run({"telling time": 3}), model.run({"Telling_Time": 3.0})
    assert np.array_equal(one["people tired"], two["people tired"])
    assert model.run({"people tired": 5})["people tired"][0] == 5
    with pytest.raises(UnknownNameError, match="element of news.mdl 'teling_time'; did you mean 'telling_time'"):
        model.run({"teling time": 3})


def written(folder, suffix, text):
    path = folder / f"model{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DELAY1(tiring, memory)", "DELAY BATCH(tiring, memory)", "element 'forgetting': calls 'delay batch'; allowed"),
        (
            "memory= 60",
            "memory[region]= 60",
            r"element 'memory\[region\]= 60': cannot be read; got 'memory\[region\]= 60'",
        ),
        ("memory= 60", "memory= RANDOM UNIFORM(0, 1, 2)", "element 'memory': calls 'random uniform'"),
        (
            "memory= 60",
            "memory= forgetting",
            "element '[a-z]+': needs itself, by .*memory.*; allowed is that by way of",
        ),
        ("memory= 60", "memory= recall", "element 'memory': needs 'recall'; allowed is what the file defines"),
        ("memory= 60", "memory= 60 +", r"element 'memory': cannot be read; got '60 \+'; allowed is what vensim writes"),
        ("memory= 60", "memory= SQRT(1, 2)", "element 'memory': is no number or calls a function with other arg"),
        ("memory= 60", "memory= 60, 70", "element 'memory': is no number or"),
        (
            "memory= 60",
            "memory= people tired / people tired",
            "element 'memory': has no finite value at time 0; allowed",
        ),
        ("memory= 60", "Telling Time= 60", "element 'telling time': is there twice"),
        ("memory= 60", "memory([(0,0)-(1,1)],(0,1),(1))", "element 'memory': cannot be read; got"),
        ("FINAL TIME = 180", "LAST TIME = 180", "element 'FINAL TIME': is missing"),
        ("SAVEPER = 5", "SAVEPER = 0.3", "news.mdl runs from 0 to 180 by 0.25, kept every 0.3; allowed"),
    ],
)
def test_what_vensim_can_and_we_cannot_is_refused_with_the_name_of_the_element(tmp_path, old, new, message):
    assert old in NEWS
    path = tmp_path / "news.mdl"
    path.write_text(NEWS.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=message) as said:
        read_model(path).run()
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('method="Euler"', 'method="RK4"', "got RK4, .*; allowed is one model by Euler's method"),
        (
            "<units>boxes</units>",
            '<dimensions><dim name="town"/></dimensions>',
            "'Goods in store': is <stock> with dim",
        ),
        ("<units>boxes</units>", "<non_negative/>", "'Goods in store': is <stock> with non_negative; allowed are"),
        ("<gf>", '<gf type="discrete">', "'share served': has a lookup of type 'discrete'; allowed is continuous"),
        ("0,0.4,0.7,0.9,1<", "0,0.4,x<", "'share served': cannot be read"),
        ("THEN (", "THEN ((", "'spoilt, thrown away': cannot be read; got 'IF Goods"),
        ("</model>", "</model><model/>", "got 2 models, 1 sim_specs; allowed is one model"),
        ("</xmile>", "", "element 'the file': cannot be read; got '<.xml"),
    ],
)
def test_what_xmile_can_and_we_cannot_is_refused(tmp_path, old, new, message):
    assert old in SHOP
    with pytest.raises(DataError, match=message):
        read_model(written(tmp_path, ".xmile", SHOP.replace(old, new)))


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"model.txt is no model by its name; allowed are names in .xmile"):
        read_model(written(tmp_path, ".txt", NEWS))
    with pytest.raises(DataError, match="nowhere.mdl cannot be read"):
        read_model(tmp_path / "nowhere.mdl")
    (tmp_path / "old.mdl").write_bytes("memory= 60 ~ \u00e9 ~ |".encode("latin-1"))
    with pytest.raises(DataError, match="old.mdl, element 'the file': cannot be read"):
        read_model(tmp_path / "old.mdl")


def test_logic_conditions_and_operators_are_those_of_the_two_languages(tmp_path):
    """Expected values by hand; Vensim's powers go before a sign, its remainder has the sign of the dividend."""
    tail = "INITIAL TIME = 0 ~ ~ | FINAL TIME = 4 ~ ~ | TIME STEP = 1 ~ ~ | SAVEPER = 1 ~ ~ | s = INTEG(1, 0) ~ ~ |"
    equations = {
        "-s^2": [0, -1, -4, -9, -16],
        "MODULO(0 - s, 3)": [0, -1, -2, 0, -1],
        "INTEGER(s / -2)": [0, 0, -1, -1, -2],
        "(s > 1 :AND: :NOT: s = 3) * 2": [0, 0, 2, 0, 2],
        "(s :OR: 0) + 1": [1, 2, 2, 2, 2],
        "IF THEN ELSE(s = 0, 7, 6 / s)": [7, 6, 3, 2, 1.5],
        "STEP(3, 2)": [0, 0, 3, 3, 3],
        "PULSE(1, 2)": [0, 1, 1, 0, 0],
        "RAMP(2, 1, 3)": [0, 0, 2, 4, 4],
        "2 * {a remark} 3": [6] * 5,
    }
    text = tail + "".join(f"a{k} = {equation} ~ ~ |" for k, equation in enumerate(equations))
    run = read_model(written(tmp_path, ".mdl", text)).run()
    for k, expected in enumerate(equations.values()):
        assert run[f"a{k}"].tolist() == expected, re.sub(" +", " ", list(equations)[k])
