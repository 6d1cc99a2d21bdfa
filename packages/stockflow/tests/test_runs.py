"""A run saved as one small file is made again to the same numbers, or one sentence says why not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import stockflow
from stockflow import barabasi_albert, from_pairs, integrate, load_run, simulate, watts_strogatz
from stockflow.errors import DataError, OutputError, ParameterError
from stockflow.examples import RUMOUR
from stockflow.mode import Parameter

LIVELY = {"beta": 0.3, "omega": 0.01}
WHERE = {
    "mixed": lambda: {"population": np.int64(3000)},
    "hubs": lambda: {"network": barabasi_albert(3000, 4, seed=2)},
    "ring, by degree": lambda: {"network": watts_strogatz(3000, 8, 0.2, seed=2), "annealed": True},
}


def persons(seed=5, **where):
    return simulate(RUMOUR, LIVELY, 90, seed=seed, initial={"S": 30}, **where)


@pytest.fixture
def kept(tmp_path):
    """A saved run, and its file."""
    run, file = persons(population=3000), tmp_path / "run.json"
    run.save(file)
    return run, file


@pytest.mark.parametrize("where", WHERE)
def test_persons_go_where_they_went(tmp_path, where):
    run, file = persons(**WHERE[where]()), tmp_path / "run.json"
    run.save(file)
    again = load_run(file, RUMOUR)
    assert np.array_equal(again.counts, run.counts)
    assert np.array_equal(again.moves, run.moves)
    assert np.array_equal(again.state, run.state)
    assert file.stat().st_size < 4000
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.slow
def test_another_process_without_the_compiler_and_without_the_mode_makes_the_same(tmp_path):
    file = tmp_path / "run.json"
    run = persons(network=barabasi_albert(3000, 4, seed=2))
    run.save(file)
    program = """import sys
sys.modules["numba"] = None
import stockflow
print(stockflow.load_run(sys.argv[1]).counts.tolist())"""
    said = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == run.counts.tolist()


@pytest.mark.parametrize("method", ["ode", "rk4", "map"])
def test_the_equations_come_to_the_same(tmp_path, method):
    table = LIVELY if method == "ode" else pd.DataFrame({"beta": [0.2, 0.3], "omega": [0.0, 0.01]})
    initial = {"S": 5.0 if method == "ode" else np.array([5.0, 9.0])}
    run = integrate(RUMOUR, table, 200, method, 0.5, initial, 1000.0, every=4)
    run.save(tmp_path / "run.json")
    again = load_run(tmp_path / "run.json")
    np.testing.assert_allclose(again.values, run.values, rtol=1e-9)
    assert again.times.tolist() == run.times.tolist()
    assert again.method == method


def test_a_digest_tells_one_person_from_none_and_no_last_bit_from_another():
    run = persons(population=3000)
    moved = run.counts.copy()
    moved[40, :2] += [1, -1]
    assert replace(run, values=moved).digest != run.digest == persons(population=3000, engine="numpy").digest
    crowd = integrate(RUMOUR, LIVELY, 200, initial={"S": 0.01})
    assert replace(crowd, values=crowd.values * (1 + 1e-13)).digest == crowd.digest
    assert replace(crowd, values=crowd.values + [1e-5, -1e-5, 0]).digest != crowd.digest


def test_ties_that_no_seed_grew_are_asked_for(tmp_path):
    ring = np.column_stack([np.arange(3000), (np.arange(3000) + 1) % 3000])
    run = persons(network=from_pairs(3000, ring))
    run.save(tmp_path / "run.json")
    with pytest.raises(DataError, match=r"^run.json: its network was not grown from a seed; allowed is .* network=\.$"):
        load_run(tmp_path / "run.json")
    assert load_run(tmp_path / "run.json", network=from_pairs(3000, ring)).counts.tolist() == run.counts.tolist()
    with pytest.raises(DataError, match="run.json gives other numbers than it was saved with"):
        load_run(tmp_path / "run.json", network=watts_strogatz(3000, 2, 0.5, seed=1))


def test_another_version_or_another_mode_is_told(kept):
    run, file = kept
    file.write_text(file.read_text().replace(f'"stockflow": "{stockflow.__version__}"', '"stockflow": "9.1"'))
    with pytest.warns(UserWarning, match=r"^run.json was saved by stockflow '9.1'; \S+ gives the same numbers\.$"):
        assert load_run(file).counts.tolist() == run.counts.tolist()
    with pytest.raises(DataError, match=r"^run.json: its mode rumour differs in its external from the one given"):
        load_run(file, replace(RUMOUR, external=("omega",)))


BAD = {
    "no text": (lambda data: b"\x80\x81", "holds no run that stockflow .* got UnicodeDecodeError"),
    "no json": (lambda data: b"persons, day", "holds no run that stockflow .* got JSONDecodeError"),
    "too deep": (lambda data: b"[" * 200_000, "holds no run that stockflow .* got RecursionError"),
    "a list": (lambda data: [], "holds no run that stockflow .* got TypeError"),
    "no mode": (lambda data: {**data, "mode": {}}, "holds no run that stockflow .* got KeyError: .*states"),
    "a parameter": (lambda data: call(data, parameters={"beta": -1}), "run.json: beta is a rate; got -1"),
    "no name": (lambda data: call(data, parameters={"speed": 1}), "run.json: unknown parameter of rumour 'speed'"),
    "a day more": (lambda data: call(data, days=91), "gives other numbers than it was saved with; saved by"),
    "the seed": (lambda data: call(data, seed=6), "gives other numbers than it was saved with; saved by"),
    "a text for a seed": (
        lambda data: call(data, seed="x"),
        "holds no run that stockflow .* got TypeError: .SeedSequence",
    ),
    "an option": (lambda data: call(data, shell="rm"), "holds no run that stockflow .* got TypeError"),
    "another digest": (lambda data: {**data, "digest": 1}, "gives other numbers than it was saved with"),
    "no person": (lambda data: call(data, population=-1), "run.json: population is a number of persons from 1"),
    "too many days": (lambda data: call(data, days=1e15), "holds no run that stockflow .* got .*MemoryError"),
    "a law that is none": (
        lambda data: law(data, "__import__('os').system('true')"),
        "run.json: a rate law cannot be read; got",
    ),
    "a law without end": (lambda data: law(data, "gamma*9**999"), "holds no run that stockflow .* got OverflowErr"),
}


def call(data, **changes):
    return {**data, "call": data["call"] | changes}


def law(data, text):
    data["mode"]["flows"][1]["hazard"] = text
    return data


@pytest.mark.parametrize("slip", BAD)
def test_a_file_that_holds_no_run_is_refused_in_one_sentence(kept, slip):
    change, message = BAD[slip]
    made = change(json.loads(kept[1].read_text()))
    kept[1].write_bytes(made if isinstance(made, bytes) else json.dumps(made).encode())
    with pytest.raises(DataError, match=message) as caught:
        load_run(kept[1])
    assert re.fullmatch(r"run\.json[^\n]*\.", str(caught.value))


def test_a_file_neither_writes_others_nor_runs_what_it_names(kept, tmp_path):
    data = json.loads(kept[1].read_text())
    kept[1].write_text(json.dumps(call(data, checkpoint=str(tmp_path / "state.npz"), save_every=1)))
    load_run(kept[1])
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    with pytest.raises(
        ParameterError, match="a name is of letters, digits and _, no keyword of Python; got 'x=1;import os'"
    ):
        replace(RUMOUR, parameters=(*RUMOUR.parameters, Parameter("x=1;import os", "x", 0.0, "1", 0, 1)))


def test_what_cannot_be_written_or_read_is_said(kept, tmp_path):
    run, _ = kept
    with pytest.raises(OutputError, match=r"a run cannot be written to .*nowhere.run.json: No such file"):
        run.save(tmp_path / "nowhere" / "run.json")
    with pytest.raises(DataError, match=r"nowhere.json cannot be read: No such file or directory; a file is needed."):
        load_run(tmp_path / "nowhere.json")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(DataError, match=r"pipe.json is a pipe; a regular file is needed."):
        load_run(tmp_path / "pipe.json")
    odd = persons(network=watts_strogatz(3000, seed=np.random.SeedSequence(1)))
    with pytest.raises(ParameterError, match=r"a run is saved with numbers and texts; got SeedSequence"):
        odd.save(tmp_path / "odd.json")
    assert not (tmp_path / "odd.json").exists()
