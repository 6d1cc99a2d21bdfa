"""Persons one by one: their limit is the discrete map, counts depend on the seed alone, runs survive a kill."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import BUYING, SHARING, declare
from stockflow import (
    Mode,
    OutputError,
    ParameterError,
    UnknownNameError,
    draws,
    network_gap,
    networks,
    replicate,
    simulate,
    trajectory,
)
from stockflow.coefficients import Person, coefficients

ROOT = Path(__file__).parents[2]
LIVELY = {"beta": 0.1, "pi1": 0.05, "omega": 0.01}
GROUPS = {"thetaN": 0.06, "thetaF": 0.06, "epsilon": 0.002, "g": 3, "mA": 6.0}
RUNS = ("network", "annealed", "mixed", "groups", "groups on ties", "groups by degree")


@cache
def network():
    return networks.barabasi_albert(5000, 4, seed=1)


def slope(mode, parameters, days, place, sizes, seeds, **options):
    """Of the log of the mean distance to the map, on the log of the number of persons."""
    limit = trajectory.integrate(mode, parameters, days, "map", initial={place: 0.02}).values
    errors = [np.mean([np.sqrt(np.mean((run.shares - limit) ** 2)) for run in replicate(
        mode, parameters, days, seeds=range(seeds), population=n, initial={place: n // 50}, **options)])
        for n in sizes]
    return np.polyfit(np.log(sizes), np.log(errors), 1)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "parameters", "place", "groups"), [
    (CONTENT, LIVELY, "L", None),
    (SHARING, GROUPS, "F", None),
    (SHARING, GROUPS, "F", BUYING),
], ids=["content", "sharing", "sharing, group by group"])
def test_many_well_mixed_persons_follow_the_map(mode, parameters, place, groups):
    found = slope(mode, parameters, 60, place, np.array([10**3, 10**4, 10**5]), 16, groups=groups)
    assert found == pytest.approx(-0.5, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "seats"), [("capped", "anyone"), ("open", "new"), ("open", "anyone")])
def test_every_kind_of_group_has_the_declared_limit(variant, seats):
    mode, groups = declare(variant, seats), replace(BUYING, capped=variant == "capped", anyone=seats == "anyone")
    limit = trajectory.integrate(mode, GROUPS, 50, "map", initial={"F": 0.05}).values
    shares = np.stack([run.shares for run in replicate(mode, GROUPS, 50, seeds=range(6), population=40_000,
                                                       initial={"F": 2000}, groups=groups)])
    error = shares[:, -1].std(axis=0, ddof=1) / np.sqrt(len(shares))
    assert (abs(shares.mean(axis=0)[-1] - limit[-1]) < 4 * error + 1e-4).all()


def acquainted(n, group):
    """Acquaintances along a ring within each group, as many strangers anywhere."""
    me = np.arange(n)
    ring = np.column_stack([me, me // group * group + (me + 1) % group])
    far = np.sort(np.random.default_rng(1).integers(0, n, (n, 2)), axis=1)
    far = np.unique(far[far[:, 0] // group != far[:, 1] // group], axis=0)
    return networks.from_pairs(n, np.vstack([ring, far]), np.repeat([0, 1], [len(ring), len(far)]))


def runs():
    return {
        "network": (CONTENT, LIVELY, {"network": network(), "initial": {"L": 100}}),
        "annealed": (CONTENT, LIVELY, {"network": network(), "annealed": True, "initial": {"L": 100}}),
        "mixed": (SHARING, GROUPS, {"population": 5000, "initial": {"F": 100}}),
        "groups": (SHARING, GROUPS, {"population": 5003, "initial": {"F": 100}, "groups": BUYING}),
        "groups on ties": (SHARING, GROUPS, {"network": acquainted(5000, 50),
                                             "initial": {"F": 100}, "groups": BUYING}),
        "groups by degree": (SHARING, GROUPS, {"network": network(), "annealed": True, "initial": {"F": 100},
                                               "groups": BUYING}),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_counts_are_the_same_whatever_engine_block_and_threads(name):
    mode, parameters, options = runs()[name]
    first = simulate(mode, parameters, 40, seed=7, **options)
    assert first.counts[-1].min() > 0
    for other in ({"engine": "numpy"}, {"engine": "numpy", "block": 100}, {"block": 64}, {"engine": "numba"}):
        run = simulate(mode, parameters, 40, seed=7, **options, **other)
        assert np.array_equal(first.counts, run.counts)
        assert np.array_equal(first.moves, run.moves)
        assert np.array_equal(first.state, run.state)
    many = replicate(mode, parameters, 40, seeds=[5, 6, 7], threads=3, **options)
    assert np.array_equal(many[2].counts, first.counts)
    assert not np.array_equal(many[1].counts, first.counts)


@pytest.mark.parametrize("name", RUNS)
def test_persons_are_kept_and_moves_explain_every_change(name):
    mode, parameters, options = runs()[name]
    run = simulate(mode, parameters, 40, seed=3, **options)
    assert (run.counts.sum(axis=1) == len(run.state)).all()
    assert np.array_equal(np.diff(run.counts, axis=0), (run.moves @ mode.incidence.T).astype(int))
    assert np.array_equal(run.counts[-1], np.bincount(run.state, minlength=len(mode.states)))


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
    pairs |= {"a person's next step": tuple(u), "a person of the next word": (u[0][:-4], u[0][4:]),
              "first bits and last": (u[0], u[0] * 2.0**16 % 1)}
    for name, (x, y) in pairs.items():
        cells, expected = np.histogram2d(x, y, 32, [(0, 1), (0, 1)])[0], len(x) / 1024
        assert 1e-4 < chi2.sf(((cells - expected) ** 2).sum() / expected, 1023) < 1 - 1e-4, name


def test_no_limit_is_below_a_draw_that_moves():
    """The smallest u above a limit is not below x = h dt, at the edges of the 16 bits and between them."""
    from stockflow import kernels

    edges = np.arange(1, 65536, 257) / 65536
    for x in np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 1), [0, 1e-9, 0.3, 1]]):
        highest = int(kernels.ceiling(0, 0, np.array([x]), np.zeros((1, 0)), 1.0, np.zeros((0, 1), np.int32)))
        assert (highest + 1) / 65536 >= x
        assert highest <= 65536 * x * (1 + 1e-9)


def test_rare_and_common_moves_are_as_frequent_as_their_hazards_say():
    """Without contagion every flow is a binomial number of those in its state; a year of them, in standard errors."""
    parameters = CONTENT.values({"beta": 0.0, "lambda0": 0.0001, "kappa": 0.9, "omega": 0.02})
    run = simulate(CONTENT, {name: float(value) for name, value in parameters.items()}, 365, seed=4,
                   population=200_000, initial={"M": 50_000, "L": 50_000})
    hazard = CONTENT.hazards(np.ones(len(CONTENT.states)), parameters)
    leave = np.bincount(CONTENT.sources, hazard)[CONTENT.sources]
    p = -np.expm1(-leave) * hazard / leave
    there = run.counts[:-1, CONTENT.sources]
    distance = (run.moves - there * p).sum(axis=0) / np.sqrt((there * p * (1 - p)).sum(axis=0))
    assert (run.moves.sum(axis=0) > 1000).all()
    assert abs(distance).max() < 4


def test_a_person_alone_meets_the_declared_hazards():
    """base + near x shares is the mode's own rate law, for shares it has never seen."""
    p = CONTENT.values(LIVELY)
    flows = coefficients(CONTENT, Person(CONTENT, [float(p[name]) for name in CONTENT.parameter]))
    shares = np.array([0.2, 0.1, 0.05, 0.3, 0.15, 0.2])
    expected = CONTENT.hazards(shares, p)[flows.order]
    assert flows.base + (flows.near + flows.far) @ shares == pytest.approx(expected, rel=1e-12)


def test_any_declared_mode_runs():
    """One flow with both kinds of look, in a mode written for the purpose: on a complete network near is like far."""
    mode = Mode("rumour", (CONTENT.states[0], CONTENT.states[3]), CONTENT.parameters[:2],
                (replace(CONTENT.flows[0], target="C", hazard="lambda0 + beta*contact(C) + lambda0*anyone(C)"),
                 replace(CONTENT.flows[0], source="C", target="P", hazard="lambda0")), {"P": 1.0})
    n = 400
    low, high = np.triu_indices(n, 1)
    complete = networks.from_pairs(n, np.column_stack([low, high]))
    parameters = {"beta": 0.2, "lambda0": 0.01}
    near = simulate(mode, parameters, 60, seed=1, network=complete, initial={"C": 20})
    numpy = simulate(mode, parameters, 60, seed=1, network=complete, initial={"C": 20}, engine="numpy")
    limit = trajectory.integrate(mode, parameters, 60, "map", initial={"C": 0.05}).values
    assert np.array_equal(near.counts, numpy.counts)
    assert abs(near.shares - limit).max() < 0.1


@pytest.mark.slow
def test_a_fixed_network_stays_away_from_the_equations_and_the_gap_is_told():
    """The prototype's figures: 0.09 to 0.12 in the content mode; 1.3 to 3.2 times the active customers otherwise."""
    network = networks.barabasi_albert(20_000, 4, seed=2)
    content = network_gap(CONTENT, network, days=730, initial={"L": 0.01}, seeds=range(4))
    assert 0.05 < content.share < 0.15
    assert content.share > 10 * content.error
    sharing = network_gap(SHARING, network, days=730, initial={"F": 0.01}, seeds=range(4), groups=BUYING)
    assert 1.3 < sharing.overstated < 3.2
    mixed = simulate(CONTENT, None, 730, seed=1, population=20_000, initial={"L": 200})
    assert abs(mixed.shares - content.equations).max() < content.share / 2


CRASH = """
import sys
from stockflow import networks
from stockflow.persons import simulate
from socialcommerce.modes.content import CONTENT
network = networks.barabasi_albert(20_000, 4, seed=1)
run = simulate(CONTENT, {"beta": 0.1}, 3000, seed=3, network=network, initial={"L": 200}, checkpoint=sys.argv[1],
               save_every=200)
print(run.counts[-1].tolist(), (run.counts.T @ range(3001)).tolist(), run.moves.sum(axis=0).tolist())
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    def start(file):
        return subprocess.Popen([sys.executable, "-c", CRASH, str(file)], cwd=ROOT, text=True, stdout=subprocess.PIPE)

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
    options = {"population": 1000, "initial": {"L": 10}, "checkpoint": file, "save_every": 7}
    run = simulate(CONTENT, None, 30, seed=1, **options)
    assert np.array_equal(run.counts, simulate(CONTENT, None, 30, seed=1, **options).counts)
    assert not list(tmp_path.glob("*.partial"))
    with pytest.raises(ParameterError, match=r"run.npz is the checkpoint of another run"):
        simulate(CONTENT, {"beta": 0.2}, 30, seed=1, **options)
    whole = file.read_bytes()
    for damaged in (b"PK nothing", whole[:-50], whole[:200] + b"?" * 40 + whole[240:]):
        file.write_bytes(damaged)
        with pytest.raises(ParameterError, match=r"run.npz is not a checkpoint"):
            simulate(CONTENT, None, 30, seed=1, **options)
    with pytest.raises(OutputError, match="cannot be written to .*nowhere"):
        simulate(CONTENT, None, 30, seed=1, **options | {"checkpoint": tmp_path / "nowhere" / "run.npz"})


def test_progress_is_shown_where_asked(capsys):
    simulate(CONTENT, None, 30, seed=1, population=100, progress=True)
    assert "30/30" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "message"), [
    ({"population": 100, "engine": "numpy", "block": 6}, "a multiple of 4 from 4; got 6"),
    ({}, "either population= or network="),
    ({"population": 0}, "population is a number of persons from 1"),
    ({"population": 100, "dt": 0.7}, "days is a whole number of steps"),
    ({"population": 100, "parameters": {"kappa": 3.0}}, "leaving O times dt is at most 1; got 3 with dt=1"),
    ({"network": network, "parameters": {"beta": 2.0}}, "the hazard of leaving P times dt is at most 1; got 2"),
    ({"population": 100, "parameters": {"beta": -1}}, "beta is a rate; got -1"),
    ({"population": 100, "initial": {"L": 200}}, "L starts with a number of persons; got 200"),
])
def test_misuse_is_named(options, message):
    options = {name: value() if name == "network" else value for name, value in options.items()}
    with pytest.raises(ParameterError, match=message):
        simulate(CONTENT, options.pop("parameters", None), 30, seed=1, **options)


def test_unknown_names_and_unfit_modes_are_named():
    with pytest.raises(UnknownNameError, match="unknown engine 'cuda'"):
        simulate(CONTENT, None, 30, seed=1, population=10, engine="cuda")
    with pytest.raises(UnknownNameError, match="unknown state"):
        simulate(CONTENT, None, 30, seed=1, population=10).persons("X")
    with pytest.raises(ParameterError, match="linear in contact.* for U -> A of sharing"):
        simulate(SHARING, None, 30, seed=1, network=network())


@pytest.mark.slow
def test_the_first_call_from_a_warm_cache_is_quick():
    program = ("import time\nfrom stockflow import networks\n"
               "from stockflow.persons import simulate\nfrom socialcommerce.modes.content import CONTENT\n"
               "begin = time.perf_counter()\nnetwork = networks.barabasi_albert(1000, 4, seed=1)\n"
               "simulate(CONTENT, None, 5, seed=1, network=network)\nprint(time.perf_counter() - begin)")
    simulate(CONTENT, None, 5, seed=1, network=network())  # compiled by now, and kept
    took = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert float(took) < 3  # 1 s on an idle machine, which benchmarks/modes.py measures


@pytest.mark.slow
def test_counts_are_the_same_where_numba_is_not_installed():
    program = ("import sys; sys.modules['numba'] = None\nfrom stockflow import networks\n"
               "from stockflow.persons import simulate\nfrom socialcommerce.modes.content import CONTENT\n"
               "run = simulate(CONTENT, {'beta': 0.1, 'pi1': 0.05}, 60, seed=1, initial={'L': 50},\n"
               "               network=networks.barabasi_albert(2000, 4, seed=1))\nprint(run.moves.tolist())")
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    network = networks.barabasi_albert(2000, 4, seed=1)
    run = simulate(CONTENT, {"beta": 0.1, "pi1": 0.05}, 60, seed=1, initial={"L": 50}, network=network)
    assert run.moves.tolist() == json.loads(said)
