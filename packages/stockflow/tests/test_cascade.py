"""Cascades: the closed form of percolation theory, other programs on the same network, and both engines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy.optimize import brentq

from stockflow import networks
from stockflow.cascades import cascade
from stockflow.edgelists import read_edges
from stockflow.errors import ParameterError, UnknownNameError

REFERENCE = Path(__file__).parent / "reference"


def paired(degrees, seed):
    """A random network of nearly these degrees: ends of ties paired at random, loops and repeats erased."""
    ends = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(degrees)), degrees)).reshape(-1, 2)
    low, high = np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1).T
    once = np.unique(low * len(degrees) + high)
    return networks.from_pairs(len(degrees), np.column_stack(np.divmod(once, len(degrees))))


def outbreak(degrees, p):
    """Share reached by a large cascade, and mean size of a small one, by generating functions (Newman 2002)."""
    weight = Polynomial(np.bincount(degrees) / len(degrees))
    mean = weight.deriv()(1)
    excess = weight.deriv() / mean
    u = brentq(lambda v: excess(1 - p + p * v) - v, 0.0, 1 - 1e-9, xtol=1e-14)
    x = 1 - p + p * u
    return 1 - weight(x), 1 + p * mean * u**2 / (weight(x) * (1 - p * excess.deriv()(x)))


def sizes_of(network, p, runs, seed, **options):
    """How many persons each of so many cascades reaches, one random person at its start."""
    starts = np.random.default_rng(seed).integers(0, network.n, runs)
    return np.array([cascade(network, p, [start], seed=k, **options).sum() for k, start in enumerate(starts)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("p", "make"),
    [
        (0.2, lambda rng: rng.poisson(8, 100_000)),
        (0.35, lambda rng: np.minimum(rng.zipf(2.8, 100_000), 400)),
        (0.6, lambda rng: np.repeat([1, 3, 6], [40_000, 40_000, 20_000])),
    ],
)
def test_cascades_on_random_networks_follow_the_closed_form(p, make):
    degrees = make(np.random.default_rng(2))
    degrees[0] += degrees.sum() % 2
    network = paired(degrees, seed=3)
    (share, small), sizes = outbreak(network.degree, p), sizes_of(network, p, 400, seed=4)
    large = sizes > 2000
    assert large.mean() == pytest.approx(share, abs=3 * np.sqrt(share * (1 - share) / 400))
    shares = sizes[large] / network.n
    assert shares.mean() == pytest.approx(share, abs=0.002)  # one network: its own share varies as n^-1/2
    error = sizes[~large].std(ddof=1) / np.sqrt((~large).sum())
    assert sizes[~large].mean() == pytest.approx(small, abs=3 * error)


@pytest.mark.slow
@pytest.mark.parametrize("program", ["EoN", "ndlib", "igraph"])
def test_sizes_agree_with_other_programs(program):
    """Frozen by tests/reference/cascades.py, which says how each was asked."""
    reference = json.loads((REFERENCE / "cascades.json").read_text())
    theirs = reference["programs"][program]
    network = read_edges(REFERENCE / "cascades.csv")
    sizes = sizes_of(network, reference["p"], 4000, seed=5)
    large = sizes >= reference["large"]
    error = np.hypot(sizes.std(ddof=1) / np.sqrt(len(sizes)), theirs["sd"] / np.sqrt(theirs["runs"]))
    assert abs(sizes.mean() - theirs["mean"]) < 3 * error
    runs = large.sum(), theirs["large"] * theirs["runs"]
    error = np.hypot(sizes[large].std(ddof=1) / np.sqrt(runs[0]), theirs["large_sd"] / np.sqrt(runs[1]))
    assert abs(sizes[large].mean() - theirs["large_mean"]) < 3 * error


def test_both_engines_reach_the_same_persons():
    network = networks.barabasi_albert(5000, 4, seed=1)
    first = cascade(network, 0.15, [3, 3, 70], seed=2, engine="numba")
    assert np.array_equal(first, cascade(network, 0.15, [70, 3], seed=2, engine="numpy"))
    assert first[[3, 70]].all()
    sizes = sizes_of(network, 0.1, 40, seed=1)
    assert np.array_equal(sizes, sizes_of(network, 0.1, 40, seed=1, engine="numpy"))


def test_more_chance_never_reaches_fewer():
    """The coin of a tie is the same at every p, so those reached grow with p one by one."""
    network = networks.watts_strogatz(3000, 8, 0.2, seed=1)
    reached = [cascade(network, p, [0], seed=3) for p in (0.05, 0.2, 0.3, 0.6, 1.0)]
    assert all((low <= high).all() for low, high in zip(reached, reached[1:], strict=False))
    assert reached[-1].all()


def test_misuse_is_named():
    network = networks.watts_strogatz(100, 4, 0.2, seed=1)
    with pytest.raises(ParameterError, match=r"is a probability in \[0, 1\]; got 1.2"):
        cascade(network, 1.2, [0], seed=1)
    with pytest.raises(ParameterError, match=r"persons 0\.\.99; got 100"):
        cascade(network, 0.2, [0, 100], seed=1)
    with pytest.raises(UnknownNameError, match="unknown engine 'cuda'"):
        cascade(network, 0.2, [0], seed=1, engine="cuda")
