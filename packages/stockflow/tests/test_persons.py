"""Persons one by one: draws by counter, the limit of many, runs that survive a kill, the same counts on any engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stockflow import Flow, OutputError, ParameterError, UnknownNameError, draws, integrate, networks
from stockflow.coefficients import coefficients
from stockflow.draws import key_of
from stockflow.examples import RUMOUR
from stockflow.persons import replicate, simulate

LIVELY = {"beta": 0.3, "omega": 0.01}


@cache
def network():
    return networks.barabasi_albert(5000, 4, seed=1)


@pytest.mark.slow
def test_many_well_mixed_persons_follow_the_map():
    limit = integrate(RUMOUR, LIVELY, 60, "map", initial={"S": 0.02}).values
    sizes = np.array([10**3, 10**4, 10**5])
    errors = [
        np.mean(
            [
                np.sqrt(np.mean((run.shares - limit) ** 2))
                for run in replicate(RUMOUR, LIVELY, 60, seeds=range(16), population=n, initial={"S": n // 50})
            ]
        )
        for n in sizes
    ]
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(-0.5, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "where",
    [{"network": network}, {"network": network, "annealed": True}, {"population": 5003}],
    ids=["network", "annealed", "mixed"],
)
def test_counts_are_the_same_whatever_engine_block_and_threads(where, monkeypatch):
    options = {name: value() if name == "network" else value for name, value in where.items()} | {"initial": {"S": 100}}
    first = simulate(RUMOUR, LIVELY, 40, seed=7, **options)
    for engine, block in (("numpy", 4096), ("numpy", 100), ("auto", 64)):
        monkeypatch.setattr("stockflow.persons.BLOCK", block)
        run = simulate(RUMOUR, LIVELY, 40, seed=7, **options, engine=engine)
        assert np.array_equal(first.counts, run.counts)
        assert np.array_equal(first.moves, run.moves)
        assert np.array_equal(first.state, run.state)
    many = replicate(RUMOUR, LIVELY, 40, seeds=[5, 6, 7], threads=3, **options)
    assert np.array_equal(many[2].counts, first.counts)
    assert not np.array_equal(many[1].counts, first.counts)
    assert np.array_equal(np.diff(first.counts, axis=0), (first.moves @ RUMOUR.incidence.T).astype(int))


def test_unknown_names_are_told():
    with pytest.raises(UnknownNameError, match="unknown engine 'cuda'"):
        simulate(RUMOUR, None, 30, seed=1, population=10, engine="cuda")
    with pytest.raises(UnknownNameError, match="unknown state"):
        simulate(RUMOUR, None, 30, seed=1, population=10).persons("X")


def test_numbers_are_splitmix64_and_uniform():
    """The first outputs of the published generator (Vigna's splitmix64.c) seeded with 1234567."""
    with np.errstate(over="ignore"):
        counters = np.uint64(1234567) + np.arange(1, 4, dtype=np.uint64) * draws.GOLDEN
        assert draws.mix(counters).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    from scipy.stats import kstest

    from stockflow.vectors import draw

    u = draw(draws.key_of(1), 3, np.arange(200_000))
    assert kstest(u, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4 / np.sqrt(len(u))
    assert abs(np.corrcoef(u, draw(draws.key_of(1), 4, np.arange(200_000)))[0, 1]) < 4 / np.sqrt(len(u))


def test_the_four_that_share_a_word_and_the_steps_of_one_person_are_independent():
    """Pairs of draws fill the cells of a square evenly: chi-square with 32 * 32 - 1 degrees of freedom."""
    from scipy.stats import chi2

    from stockflow.vectors import draw

    key, persons = draws.key_of(2), np.arange(400_000)
    u = [draw(key, step, persons) for step in (0, 1)]
    pairs = {f"persons {a} and {b} of a word": (u[0][a::4], u[0][b::4]) for a in range(4) for b in range(a)}
    pairs |= {
        "a person's next step": tuple(u),
        "a person of the next word": (u[0][:-4], u[0][4:]),
        "first bits and last": (u[0], u[0] * 2.0**16 % 1),
    }
    for name, (x, y) in pairs.items():
        cells, expected = np.histogram2d(x, y, 32, [(0, 1), (0, 1)])[0], len(x) / 1024
        assert 1e-4 < chi2.sf(((cells - expected) ** 2).sum() / expected, 1023) < 1 - 1e-4, name


def test_no_limit_is_below_a_draw_that_moves():
    """The smallest u above a limit is not below x = h dt, at the edges of the 16 bits and between them."""
    from stockflow import kernels

    edges = np.arange(1, 65536, 257) / 65536
    for x in np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 1), [0, 1e-9, 0.3, 1]]):
        highest = int(kernels.first_bits(x))
        assert (highest + 1) / 65536 >= x
        assert highest <= 65536 * x * (1 + 1e-9)


def test_rare_and_common_moves_are_as_frequent_as_their_hazards_say():
    """Without contagion every flow is a binomial number of those in its state; a year of them, in standard errors."""
    mode = replace(
        RUMOUR,
        flows=(
            Flow("U", "S", "omega", enters=True),
            Flow("S", "R", "gamma"),
            Flow("S", "U", "beta"),
            Flow("R", "U", "omega"),
        ),
    )
    parameters = mode.values({"beta": 0.0005, "gamma": 0.9, "omega": 0.02})
    run = simulate(
        mode,
        {name: float(value) for name, value in parameters.items()},
        365,
        seed=4,
        population=200_000,
        initial={"S": 50_000, "R": 50_000},
    )
    hazard = mode.hazards(np.ones(len(mode.states)), parameters)
    leave = np.bincount(mode.sources, hazard)[mode.sources]
    p = -np.expm1(-leave) * hazard / leave
    there = run.counts[:-1, mode.sources]
    distance = (run.moves - there * p).sum(axis=0) / np.sqrt((there * p * (1 - p)).sum(axis=0))
    assert (run.moves.sum(axis=0) > 300).all()
    assert abs(distance).max() < 4


def test_a_person_alone_meets_the_declared_hazards():
    """base + near x shares is the mode's own rate law, for shares it has never seen."""
    p = RUMOUR.values({"omega": 0.01})
    flows = coefficients(RUMOUR, p)
    shares = np.array([0.6, 0.1, 0.3])
    expected = RUMOUR.hazards(shares, p)[flows.order]
    assert flows.base + (flows.near + flows.far) @ shares == pytest.approx(expected, rel=1e-12)


def test_any_declared_mode_runs():
    """One flow with both kinds of look: on a complete network near is like far."""
    law = "omega + beta*contact(S) + omega*anyone(S)"
    mode = replace(RUMOUR, flows=(Flow("U", "S", law, enters=True), Flow("S", "R", "gamma"), Flow("R", "U", "omega")))
    n = 400
    low, high = np.triu_indices(n, 1)
    complete = networks.from_pairs(n, np.column_stack([low, high]))
    parameters = {"beta": 0.2, "omega": 0.01}
    near = simulate(mode, parameters, 60, seed=1, network=complete, initial={"S": 20})
    numpy = simulate(mode, parameters, 60, seed=1, network=complete, initial={"S": 20}, engine="numpy")
    limit = integrate(mode, parameters, 60, "map", initial={"S": 0.05}).values
    assert np.array_equal(near.counts, numpy.counts)
    assert abs(near.shares - limit).max() < 0.1


@pytest.mark.parametrize(
    "ends", [(np.zeros(1000, int), np.arange(1, 1001)), np.triu_indices(300, 1)], ids=["star", "complete"]
)
def test_limits_hold_where_hazards_rise_and_fall_up_to_the_highest(ends):
    """Waves through everybody move the limits of all both ways; a hub's limit rises past its sixteen bits."""
    flows = (
        Flow("U", "S", "omega + beta*contact(S) + omega*anyone(S)", enters=True),
        Flow("S", "R", "omega + gamma*anyone(S) + gamma*contact(U)"),
        Flow("S", "U", "omega*contact(R)"),
        Flow("R", "U", "omega + gamma*contact(U) + omega*anyone(R)"),
    )
    mode, ties = replace(RUMOUR, flows=flows), networks.from_pairs(1 + max(map(max, ends)), np.column_stack(ends))
    for beta, gamma, omega in ((0.97, 0.4, 0.01), (0.3, 0.05, 0.003), (0.9, 0.001, 0.03)):
        given = {"beta": beta, "gamma": gamma, "omega": omega}
        runs = [
            simulate(mode, given, 150, seed=2, network=ties, initial={"S": 5}, engine=engine)
            for engine in ("auto", "numpy")
        ]
        assert np.array_equal(runs[0].moves, runs[1].moves)
        assert np.array_equal(runs[0].state, runs[1].state)


CRASH = """
import sys
from stockflow import networks
from stockflow.persons import simulate
from stockflow.examples import RUMOUR
network = networks.barabasi_albert(20_000, 4, seed=1)
run = simulate(RUMOUR, {"beta": 0.3, "omega": 0.01}, 3000, seed=3, network=network, initial={"S": 200},
               checkpoint=sys.argv[1], save_every=200)
print(run.counts[-1].tolist(), (run.counts.T @ range(3001)).tolist(), run.moves.sum(axis=0).tolist())
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    def start(file):
        return subprocess.Popen([sys.executable, "-c", CRASH, str(file)], text=True, stdout=subprocess.PIPE)

    whole, _ = start(tmp_path / "whole.npz").communicate(timeout=300)
    file = tmp_path / "broken.npz"
    for _ in range(2):
        process, seen = start(file), file.stat().st_mtime_ns if file.exists() else 0
        while process.poll() is None and (not file.exists() or file.stat().st_mtime_ns == seen):
            time.sleep(0.005)
        assert process.poll() is None
        process.kill()
        process.wait()
    resumed, _ = start(file).communicate(timeout=300)
    assert resumed == whole != ""
    assert start(file).communicate(timeout=300)[0] == whole  # done: nothing is run again


def test_a_checkpoint_of_another_run_or_no_checkpoint_is_refused(tmp_path):
    file = tmp_path / "run.npz"
    options = {"population": 1000, "initial": {"S": 10}, "checkpoint": file, "save_every": 7}
    run = simulate(RUMOUR, None, 30, seed=1, **options)
    assert np.array_equal(run.counts, simulate(RUMOUR, None, 30, seed=1, **options).counts)
    assert not list(tmp_path.glob("*.partial"))
    with pytest.raises(ParameterError, match=r"run.npz is the checkpoint of another run"):
        simulate(RUMOUR, {"beta": 0.2}, 30, seed=1, **options)
    whole = file.read_bytes()
    for damaged in (b"PK nothing", whole[:-50], whole[:200] + b"?" * 40 + whole[240:]):
        file.write_bytes(damaged)
        with pytest.raises(ParameterError, match=r"run.npz is not a checkpoint"):
            simulate(RUMOUR, None, 30, seed=1, **options)
    with pytest.raises(OutputError, match="cannot be written to .*nowhere"):
        simulate(RUMOUR, None, 30, seed=1, **options | {"checkpoint": tmp_path / "nowhere" / "run.npz"})


def test_a_run_draws_by_a_key_of_its_own_and_not_by_that_of_a_network_of_the_same_seed():
    """A part's key is that of numpy's own spawned sequences."""
    spawned = np.random.SeedSequence(7).spawn(2)
    assert [key_of(7, part) for part in (0, 1)] == [each.generate_state(1, np.uint64)[0] for each in spawned]
    assert len({key_of(7), key_of(7, 0), key_of(7, 1)}) == 3


def test_progress_is_shown_where_asked(capsys):
    simulate(RUMOUR, None, 30, seed=1, population=100, progress=True)
    assert "30/30" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either population= or network="),
        ({"population": 0}, "population is a number of persons from 1"),
        ({"population": 100, "dt": 0.7}, "days is a whole number of steps"),
        ({"population": 100, "parameters": {"gamma": 3.0}}, "leaving S times dt is at most 1; got 3 at dt=1"),
        ({"network": network, "parameters": {"beta": 2.0}}, "the hazard of leaving U times dt is at most 1; got 2"),
        ({"population": 100, "parameters": {"beta": -1}}, "beta is a rate; got -1"),
        ({"population": 100, "initial": {"S": 200}}, "S starts with a number of persons; got 200"),
    ],
)
def test_misuse_is_named(options, message):
    options = {name: value() if name == "network" else value for name, value in options.items()}
    with pytest.raises(ParameterError, match=message):
        simulate(RUMOUR, options.pop("parameters", None), 30, seed=1, **options)


@pytest.mark.slow
def test_another_process_compiles_nothing_again():
    pytest.importorskip("numba")
    program = (
        "from stockflow import kernels, networks\n"
        "from stockflow.persons import simulate\nfrom stockflow.examples import RUMOUR\n"
        "network = networks.barabasi_albert(1000, 4, seed=1)\n"
        "simulate(RUMOUR, None, 5, seed=1, network=network)\n"
        "used = [f.stats for f in vars(kernels).values() if hasattr(f, 'stats')]\n"
        "print(sum(sum(s.cache_hits.values()) for s in used), sum(sum(s.cache_misses.values()) for s in used))"
    )
    simulate(RUMOUR, None, 5, seed=1, network=network())  # compiled by now, and kept
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    hits, misses = map(int, said.split())
    assert hits > 0
    assert misses == 0


@pytest.mark.slow
def test_counts_are_the_same_where_numba_is_not_installed():
    program = (
        "import sys; sys.modules['numba'] = None\nfrom stockflow import networks\n"
        "from stockflow.persons import simulate\nfrom stockflow.examples import RUMOUR\n"
        "run = simulate(RUMOUR, {'beta': 0.3, 'omega': 0.01}, 60, seed=1, initial={'S': 50},\n"
        "               network=networks.barabasi_albert(2000, 4, seed=1))\nprint(run.moves.tolist())"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    network = networks.barabasi_albert(2000, 4, seed=1)
    run = simulate(RUMOUR, {"beta": 0.3, "omega": 0.01}, 60, seed=1, initial={"S": 50}, network=network)
    assert run.moves.tolist() == json.loads(said)
