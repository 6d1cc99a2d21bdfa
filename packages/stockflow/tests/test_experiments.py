"""Experiments: the same table wherever it runs, whatever dies on the way; indices as published."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from experiment_calls import abs_, always, draw, fail, killer, odd, replicate, sleeper, stop

from stockflow import experiments
from stockflow.errors import ExperimentError, ParameterError

TABLE = experiments.sweep({"scale": [1.0, 2.0, 3.0], "seedless": [0]}).drop(columns="seedless")


@pytest.fixture(scope="module")
def client():
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster, Client(cluster) as made:
        yield made


# --- in this process --------------------------------------------------------------------------------------------------


def test_calls_get_the_streams_that_spawning_gives():
    frame = experiments.run(draw, TABLE, 42, replicates=3)
    streams = [row.spawn(3) for row in np.random.SeedSequence(42).spawn(3)]
    expected = [
        scale * np.random.default_rng(streams[i][r]).random()
        for i, scale in enumerate(TABLE["scale"])
        for r in range(3)
    ]
    assert frame["draw"].tolist() == expected
    assert frame.columns.tolist() == ["row", "replicate", "scale", "draw", "n", "name"]


def test_a_spawned_sequence_is_a_seed_of_its_own():
    one, two = np.random.SeedSequence(1).spawn(2)
    assert experiments.run(draw, TABLE, one)["draw"].tolist() != experiments.run(draw, TABLE, two)["draw"].tolist()
    again = experiments.run(draw, TABLE, np.random.SeedSequence(1).spawn(2)[0])
    assert experiments.run(draw, TABLE, one).equals(again)


def test_more_replicates_leave_the_first_ones_as_they_are():
    few, many = (experiments.run(draw, TABLE, 7, replicates=k) for k in (2, 5))
    assert few["draw"].tolist() == many.loc[many["replicate"] < 2, "draw"].tolist()


def steps(n):
    return pd.DataFrame({"t": range(n), "y": np.arange(n) ** 2})


def test_a_frame_from_a_call_becomes_rows():
    frame = experiments.run(steps, [{"n": 2}, {"n": 3}])
    assert frame[["row", "t", "y"]].values.tolist() == [[0, 0, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1], [1, 2, 4]]


def test_sweep_keeps_types_and_order():
    table = experiments.sweep({"g": [2, 3], "variant": ["capped", "open"]})
    assert table.values.tolist() == [[2, "capped"], [2, "open"], [3, "capped"], [3, "open"]]
    assert table["g"].dtype.kind == "i"


def test_an_error_names_row_parameters_and_a_seed_that_repeats_it():
    with pytest.raises(
        ValueError,
        match=r"x is 4\nin row 4 \(x=4\), replicate 0, "
        r"seed SeedSequence\(9, spawn_key=\(4, 0\)\)",
    ):
        experiments.run(fail, pd.DataFrame({"x": range(8)}), 9)


SLIPS = {
    "empty": ({"table": []}, "has no rows; allowed: one or more"),
    "own": ({"table": [{"x": 1, "row": 2}]}, "table, row 0: column 'row' belongs to the result"),
    "missing": ({"table": [{}]}, "row 0: its columns are not what fail takes .missing a required argument: 'x'."),
    "extra": ({"table": [{"x": 1}, {"x": 1, "y": 2}]}, "table, row 1: .*unexpected keyword argument 'y'.*got x, y"),
    "replicates": ({"replicates": 0}, "replicates is a count of calls; got 0; allowed: 1 or more"),
    "executor": ({"executor": "threads"}, "got 'threads'; allowed: 'serial', 'processes', a scheduler's address"),
    "workers": ({"executor": "processes", "workers": 0}, "workers is a count of processes; got 0"),
    "returned": ({"fn": lambda x: [x]}, "row 0 .*the function returned list; allowed: a number, a mapping"),
    "taken": ({"fn": lambda x: {"x": x}}, "the function returned 'x', which is a column already"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_says_what_was_given_and_what_is_allowed(slip):
    options, message = SLIPS[slip]
    with pytest.raises(ParameterError, match=message):
        experiments.run(**{"fn": fail, "table": [{"x": 1}], **options})


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_named_within_its_time():
    with socket.socket() as silent:  # takes the connection and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ExperimentError, match=f"no Dask scheduler answers at {address}; waited 1 s; allowed"):
            experiments.run(draw, TABLE, 0, address, timeout=1)
    with pytest.raises(ExperimentError, match="no Dask scheduler answers at tcp://127.0.0.1:1; waited 0.5 s"):
        experiments.run(draw, TABLE, 0, "tcp://127.0.0.1:1", timeout=0.5)


# --- elsewhere --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_table_is_the_same_on_every_executor(client):
    table = experiments.sweep({"scale": list(np.linspace(1, 9, 40))})
    here = experiments.run(draw, table, 3, replicates=5)
    for executor in ("processes", client, client.scheduler.address):
        frame = experiments.run(draw, table, 3, executor, replicates=5, workers=2)
        pd.testing.assert_frame_equal(frame, here, check_exact=True)


@pytest.mark.slow
def test_functions_of_a_notebook_can_be_sent(client):
    shift = 3
    for executor in ("processes", client):
        frame = experiments.run(lambda x: x + shift, [{"x": 1}, {"x": 2}], 0, executor, workers=1)
        assert frame["value"].tolist() == [4, 5]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["processes", "dask"])
def test_a_lost_worker_costs_its_calls_a_retry(client, where, tmp_path):
    table = pd.DataFrame({"x": range(40), "folder": str(tmp_path)})
    frame = experiments.run(killer, table, 5, client if where == "dask" else "processes", workers=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed-11", "killed-3"]
    pd.testing.assert_frame_equal(frame, experiments.run(killer, table, 5), check_exact=True)  # markers stand now


@pytest.mark.slow
def test_a_network_is_sent_as_its_seed_and_a_worker_killed_in_the_middle_costs_a_retry(client, tmp_path):
    table = [{"n": 20_000, "tie_seed": 1, "folder": str(tmp_path)}]
    frame = experiments.run(replicate, table, 5, client, replicates=8)
    begun = {path.name: path.read_text() for path in tmp_path.iterdir()}
    (lost,) = (name for name, text in begun.items() if not text)
    assert lost.startswith("3-")
    assert sorted({name[0] for name, text in begun.items() if text}) == [*"01234567"]  # the lost one too, elsewhere
    pd.testing.assert_frame_equal(frame, experiments.run(replicate, table, 5, replicates=8), check_exact=True)
    assert frame["digest"].nunique() == 8


@pytest.mark.slow
def test_a_call_that_always_kills_its_process_is_named():
    with pytest.raises(ExperimentError, match=r"row 5 \(x=5\), replicate 0, .*: the call lost its worker 3 times"):
        experiments.run(always, pd.DataFrame({"x": range(12)}), 0, "processes", workers=2)


@pytest.mark.slow
def test_a_call_that_always_kills_its_dask_worker_is_named():
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        pytest.raises(ExperimentError, match=r"row 5 \(x=5\), .*: the scheduler gave the call up"),
    ):
        experiments.run(always, pd.DataFrame({"x": range(8)}), 0, client)


@pytest.mark.slow
def test_a_cluster_without_workers_is_named():
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        pytest.raises(ExperimentError, match="has no worker; waited 1 s; allowed: one or more"),
    ):
        experiments.run(draw, TABLE, 0, cluster.scheduler_address, timeout=1)


@pytest.mark.slow
def test_a_scheduler_that_dies_on_the_way_is_said():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    calls = {"env": os.environ | {"PYTHONPATH": str(Path(__file__).parent / "helpers")}}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    host, port = address.split(":")
    dask = [sys.executable, "-m", "dask"]
    listen = ["--host", host, "--port", port, "--no-dashboard"]
    with (
        subprocess.Popen([*dask, "scheduler", *listen], **quiet) as scheduler,
        subprocess.Popen(
            [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"], **quiet, **calls
        ) as worker,
    ):
        try:
            with pytest.raises(ExperimentError, match="the call was cancelled, as when its scheduler is stopped"):
                experiments.run(
                    stop, experiments.sweep({"x": range(40), "pid": [scheduler.pid]}), 0, f"tcp://{address}", timeout=20
                )
        finally:
            worker.kill()
            scheduler.kill()


@pytest.mark.slow
def test_errors_come_home_the_first_of_the_table_with_its_note(client):
    for executor in ("processes", client):
        with pytest.raises(ValueError, match=r"x is 4\nin row 4 \(x=4\), replicate 0, seed SeedSequence\(9"):
            experiments.run(fail, pd.DataFrame({"x": range(8)}), 9, executor, workers=2)
        with pytest.raises(RuntimeError, match=r"Odd: 0 and more\nin row 0"):
            experiments.run(odd, [{"x": 0}], 9, executor, workers=1)


@pytest.mark.slow
def test_short_calls_travel_in_batches_and_the_bar_counts_them(client, capsys):
    sent, submit = [], client.submit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "submit", lambda *call, **how: sent.append(1) or submit(*call, **how))
        frame = experiments.run(abs_, pd.DataFrame({"x": range(-6000, 0)}), 0, client, progress=True)
    assert 0 < len(sent) < 600
    assert frame["value"].tolist() == list(range(6000, 0, -1))
    assert "6000/6000" in capsys.readouterr().err


@pytest.mark.slow
def test_long_calls_after_short_ones_do_not_stay_in_one_batch(client):
    table = pd.DataFrame({"seconds": [0.001] * 300 + [0.2] * 8})
    frame = experiments.run(sleeper, table, 0, client)
    assert frame.loc[frame["seconds"] > 0.1, "value"].nunique() == 2  # both workers took some


# --- indices ----------------------------------------------------------------------------------------------------------


def ishigami(x1, x2, x3):
    return np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)


@pytest.mark.slow
def test_sobol_indices_of_ishigami_are_its_closed_forms():
    """SALib samples and analyses, and `run` calls. Ishigami & Homma (1990), doi:10.1109/ISUMA.1990.151285."""
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as sampling

    a, b, pi = 7.0, 0.1, np.pi
    alone = (b * pi**4 / 5 + b**2 * pi**8 / 50 + 0.5, a**2 / 8, 0.0)
    both = b**2 * pi**8 * (1 / 18 - 1 / 50)  # of x1 and x3
    whole = sum(alone) + both
    problem = {"num_vars": 3, "names": ["x1", "x2", "x3"], "bounds": [[-pi, pi]] * 3}
    sample = sampling.sample(problem, 2048, calc_second_order=False, seed=1)
    table = experiments.run(ishigami, pd.DataFrame(sample, columns=problem["names"]))
    found = analysis.analyze(problem, table["value"].to_numpy(), calc_second_order=False, seed=1)
    assert found["S1"] == pytest.approx([v / whole for v in alone], abs=0.01)
    assert found["ST"] == pytest.approx([(alone[0] + both) / whole, alone[1] / whole, both / whole], abs=0.01)
