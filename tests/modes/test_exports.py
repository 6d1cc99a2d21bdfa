"""The same mode elsewhere: XMILE as PySD runs it, JavaScript as a browser's engine runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest

from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import VARIANTS, declare
from stockflow import ParameterError, integrate, next_generation, page, read_model, xmile
from tests.modes import CHINESE
from tests.modes.test_compartments import drawn, seed
from tests.reference import pysd_modes

KEPT = json.loads(pysd_modes.KEPT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", pysd_modes.CASES)
def test_pysd_agrees_on_the_exported_file(case):
    mode, parameters, initial = pysd_modes.CASES[case]
    kept = KEPT["cases"][case]
    assert pysd_modes.fingerprint(case) == kept["sha256"], "the model changed: run tests.reference.pysd_modes"
    ours = integrate(mode, parameters, 365, "euler", 0.5, initial, every=146).values
    assert np.abs(ours - np.array(kept["values"])).max() <= 1e-12


@pytest.mark.parametrize("case", pysd_modes.CASES)
def test_an_exported_mode_reads_back_and_runs_to_the_same_series(case, tmp_path):
    mode, parameters, initial = pysd_modes.CASES[case]
    path = tmp_path / "mode.xmile"
    path.write_text(pysd_modes.text(case), encoding="utf-8")
    read, run = read_model(path).run(), integrate(mode, parameters, 365, "euler", 0.5, initial)
    for name in mode.index:
        np.testing.assert_allclose(read[name], run.state(name), rtol=1e-12)


def test_the_file_speaks_chinese_and_holds_one_set():
    root = ElementTree.fromstring(xmile.to_xmile(CONTENT, translate=CHINESE))
    docs = [node.text for node in root.iter("{http://docs.oasis-open.org/xmile/ns/XMILE/v1.0}doc")]
    assert "意见领袖" in docs
    with pytest.raises(ParameterError, match="an XMILE file holds one set"):
        xmile.to_xmile(CONTENT, {"beta": [0.1, 0.2]})


@pytest.mark.slow
def test_javascript_agrees_with_python():
    if not (node := shutil.which("node")):
        pytest.skip("no JavaScript engine (node) on this machine")
    modes = [CONTENT, *map(declare, VARIANTS)]
    table = {mode.name: drawn(mode, 4, np.random.default_rng(7)) for mode in modes}
    jobs = [
        {
            "mode": mode.name,
            "p": {name: float(column[row]) for name, column in table[mode.name].items()},
            "y": mode.start(seed(mode)).tolist(),
        }
        for mode in modes
        for row in range(4)
    ]
    script = (
        page.to_javascript(*modes)
        + f"""
    const out = {json.dumps(jobs)}.map(({{mode, p, y}}) => {{
      const m = stockflowModes.modes[mode];
      return {{last: stockflowModes.simulate(m, p, y, 100, 1).at(-1), r0: stockflowModes.r0(m, p)}};
    }});
    console.log(JSON.stringify(out));"""
    )
    run = subprocess.run([node, "-"], input=script, capture_output=True, text=True, check=True, timeout=60)
    answers = iter(json.loads(run.stdout))
    for mode in modes:
        ours = integrate(mode, table[mode.name], 100, "rk4", 1.0, seed(mode), every=100)
        theirs = [next(answers) for _ in range(4)]
        np.testing.assert_allclose(np.array([a["last"] for a in theirs]).T, ours.values[-1], rtol=0, atol=1e-13)
        np.testing.assert_allclose([a["r0"] for a in theirs], next_generation(mode, table[mode.name]).r0, rtol=1e-7)
