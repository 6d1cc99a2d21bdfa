"""Networks: known laws of the random ones, what a file may hold, what is refused and what is repaired."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockflow import networks
from stockflow.edgelists import read_edges
from stockflow.errors import DataError, ParameterError

ROOT = Path(__file__).parents[2]
MADE = {
    "barabasi_albert": lambda seed: networks.barabasi_albert(3000, 4, seed=seed),
    "watts_strogatz": lambda seed: networks.watts_strogatz(3000, 8, 0.3, seed=seed),
}


def ties(network):
    """Every (person, contact), both ways."""
    return np.column_stack([np.repeat(np.arange(network.n), network.degree), network.indices])


@pytest.mark.parametrize("name", MADE)
def test_random_networks_are_simple_mutual_and_fixed_by_their_seed(name):
    network, again, other = MADE[name](1), MADE[name](1), MADE[name](2)
    pairs = ties(network)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    forward = set(map(tuple, pairs.tolist()))
    assert len(forward) == len(pairs)
    assert forward == {(b, a) for a, b in forward}
    assert (network.indices == again.indices).all()
    assert not np.array_equal(network.indices, other.indices)
    assert (network.indptr.dtype, network.indices.dtype) == (np.int64, np.int32)


def test_barabasi_albert_degrees_follow_their_law():
    """P(k) = 2 m (m + 1) / (k (k + 1) (k + 2)); Dorogovtsev, Mendes & Samukhin (2000), 10.1103/PhysRevLett.85.4633."""
    n, m = 200_000, 4
    degree = networks.barabasi_albert(n, m, seed=3).degree
    assert degree.sum() == 2 * m * (n - m)
    for k in (4, 5, 8, 16):
        expected = 2 * m * (m + 1) / (k * (k + 1) * (k + 2))
        assert (degree == k).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / n))


@pytest.mark.slow
def test_the_growing_network_is_the_same_without_the_compiler():
    program = (
        "import sys; sys.modules['numba'] = None\nfrom stockflow import kernels, networks\n"
        "assert not kernels.COMPILED\nprint(networks.barabasi_albert(200, 3, seed=5).indices.tolist())"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert networks.barabasi_albert(200, 3, seed=5).indices.tolist() == json.loads(said)


def test_watts_strogatz_clustering_falls_with_rewiring_as_known():
    """C(p) / C(0) = (1 - p)^3 and C(0) = 3 (k - 2) / (4 (k - 1)); Barrat & Weigt (2000), 10.1007/s100510050067."""

    def clustering(network):
        contacts = [set(network.contacts(i).tolist()) for i in range(network.n)]
        closed = sum(len(contacts[i] & contacts[j]) for i, j in ties(network))
        return closed / (network.degree * (network.degree - 1)).sum()

    assert clustering(networks.watts_strogatz(500, 8, 0.0, seed=1)) == pytest.approx(18 / 28)
    moved = clustering(networks.watts_strogatz(5000, 8, 0.2, seed=1))
    assert moved == pytest.approx(18 / 28 * 0.8**3, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: networks.barabasi_albert(4, 4, seed=1),
            r"m, the ties of a newcomer, is between 1 and n - 1 = 3; got 4",
        ),
        (lambda: networks.watts_strogatz(10, 3, seed=1), "k, the ties of a person on the ring, is even .* got 3"),
        (lambda: networks.watts_strogatz(10, 2, 1.5, seed=1), r"rewired is a probability in \[0, 1\]; got 1.5"),
        (lambda: networks.barabasi_albert(1, 1, seed=1), "a network has from 2 to .* got 1"),
        (lambda: networks.from_pairs(3, [[0, 0]]), "a tie joins two persons; got 0 with himself"),
        (lambda: networks.from_pairs(3, [[0, 3]]), r"persons are numbered 0\.\.2; got 3"),
        (lambda: networks.from_pairs(3, [[0, 1], [1, 0]]), "got 0 and 1 more than once"),
    ],
)
def test_misuse_is_named(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


@pytest.mark.slow
def test_a_network_larger_than_memory_says_what_it_would_take():
    message = (
        r"2,000,000,000 persons and 15,999,999,936 ties takes 134 GiB of memory, 194 GiB while it is made, and "
        r"a run on it up to 14.9 GiB more; this process may take [\d.]+ GiB"
    )
    with pytest.raises(ParameterError, match=message):
        networks.barabasi_albert(2_000_000_000, 8, seed=1)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))\n"
        "from stockflow import networks\nnetworks.watts_strogatz(100_000_000, 8, seed=1)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT).stderr
    assert "this process may take 4 GiB" in said


def write(path, rows, columns=("source", "target")):
    frame = pd.DataFrame(rows, columns=list(columns))
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_edge_list_becomes_the_network_it_says(tmp_path, suffix):
    rows = [(0, 1, "acquaintance"), (1, 2, "stranger"), (0, 2, "acquaintance")]
    path = write(tmp_path / f"ties{suffix}", rows, ("source", "target", "kind"))
    network = read_edges(path, kind="kind")
    assert network.contacts(1).tolist() == [0, 2]
    assert (network.split - network.indptr[:-1]).tolist() == [2, 1, 1]
    assert network.repairs == ()


def test_ids_with_gaps_and_names_are_numbered_and_kept(tmp_path):
    network = read_edges(write(tmp_path / "ties.csv", [(10, 7), (7, 99)]))
    assert network.ids.tolist() == [7, 10, 99]
    assert network.repairs == ("numbered 3 persons, 7 to 99 in the file, from 0 to 2",)
    named = read_edges(write(tmp_path / "named.csv", [("wang", "li"), ("li", "zhao")]))
    assert named.ids.tolist() == ["li", "wang", "zhao"]
    assert named.contacts(0).tolist() == [1, 2]


def test_a_list_in_both_directions_is_one_network(tmp_path):
    both = read_edges(write(tmp_path / "both.csv", [(0, 1), (1, 0), (1, 2), (2, 1)]))
    assert both.edges == 2
    assert both.repairs == ()


@pytest.mark.parametrize(
    ("rows", "message", "repair"),
    [
        (
            [(0, 1), (2, 2), (1, 2)],
            r"row 3: a tie joins two persons; got 2 and 2 \(1 such rows\)",
            "dropped 1 self-loops",
        ),
        (
            [(0, 1), (1, 2), (0, 1)],
            "row 4: a tie stands once in either direction; got 0 and 1",
            "dropped 1 repeated rows",
        ),
        ([(0, 1), (1, 0), (1, 2)], "row 4: ties are mutual, .* got 1 and 2", "took 1 one-way ties as mutual"),
    ],
)
def test_faulty_lists_are_refused_or_repaired_and_said(tmp_path, rows, message, repair):
    path = write(tmp_path / "ties.csv", rows)
    with pytest.raises(DataError, match=f"ties.csv, {message}"):
        read_edges(path)
    network = read_edges(path, repair=True)
    assert network.edges == 2
    assert network.repairs[0].startswith(repair)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ties.txt", "a b", r"its name ends in '.txt'; allowed: .csv, .parquet"),
        ("ties.csv", "", "cannot be read as csv: No columns"),
        ("ties.csv", "from,to\n1,2\n", "no column 'source'; its columns are 'from', 'to'"),
        ("ties.csv", "source,target\n", "it has no rows"),
        ("ties.csv", "source,target\n1,2\n3,\n", "row 3, column 'target': no person is named"),
        (
            "ties.csv",
            "source,target\n1,2\n3,4.5\n",
            r"row 3, column 'target': a person is a whole number or a text; got",
        ),
        ("ties.parquet", "source,target\n1,2\n", "cannot be read as parquet"),
    ],
)
def test_what_is_no_edge_list_is_refused(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_edges(path)


def test_a_missing_file_and_wrong_kinds_are_named(tmp_path):
    with pytest.raises(DataError, match="nowhere.csv cannot be read"):
        read_edges(tmp_path / "nowhere.csv")
    columns = ("source", "target", "kind")
    with pytest.raises(DataError, match="row 3, column 'kind': the kind of a tie is one of .* got 'enemy'"):
        read_edges(write(tmp_path / "k.csv", [(0, 1, "stranger"), (1, 2, "enemy")], columns), kind="kind")
    with pytest.raises(DataError, match="row 3: a tie is of one kind; got both kinds"):
        read_edges(write(tmp_path / "k.csv", [(0, 1, "stranger"), (1, 0, "acquaintance")], columns), kind="kind")


@pytest.mark.slow
def test_a_million_persons_take_the_memory_of_their_ties():
    network = networks.barabasi_albert(1_000_000, 4, seed=1)
    assert network.nbytes == 8 * (network.n + 1) + 4 * 2 * network.edges
