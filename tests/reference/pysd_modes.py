"""Run the exported XMILE in PySD and keep what it says: `python -m tests.reference.pysd_modes` where PySD 3.14 is."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import declare
from stockflow import Mode, to_xmile


def open_to_buyers(variant: str) -> Mode:
    """The interaction mode with a law that the study does not declare: existing buyers fill seats too."""
    mode = declare(variant)
    everybody = replace(mode.auxiliaries[0], text="mA*qA + mB*qB")
    return replace(mode, name=f"sharing ({variant}, anyone)", auxiliaries=(everybody, *mode.auxiliaries[1:]))


KEPT = Path(__file__).with_name("pysd_modes.json")
CASES = {  # mode, parameters, start
    "content": (CONTENT, {"beta": 0.1}, {"L": 0.01}),
    "content with social proof": (CONTENT, {"pi1": 0.02, "n": 1.0}, {"C": 0.02, "L": 0.01}),
    "capped": (declare("capped"), {"g": 3}, {"F": 0.05}),
    "open": (declare("open"), {"g": 3}, {"F": 0.05}),
    "capped, anyone": (open_to_buyers("capped"), {"g": 4}, {"F": 0.05}),
    "open, anyone": (open_to_buyers("open"), {"g": 2}, {"F": 0.05, "A": 0.01}),
}


def text(case: str) -> str:
    """The XMILE file of a case: a year in steps of half a day."""
    mode, parameters, initial = CASES[case]
    return to_xmile(mode, parameters, initial, days=365.0, dt=0.5)


def fingerprint(case: str) -> str:
    """Ties a kept result to the very model that PySD read, whoever signs the file's header."""
    return hashlib.sha256(text(case).partition("</header>")[2].encode()).hexdigest()


def main() -> None:
    """Write pysd_modes.json: by case the model's hash and persons by state, every 73 days."""
    import pysd

    kept = {"pysd": pysd.__version__, "days": [0, 73, 146, 219, 292, 365], "cases": {}}
    for case, (mode, _, _) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "mode.xmile")
            path.write_text(text(case), encoding="utf-8")
            run = pysd.read_xmile(str(path)).run(return_columns=list(mode.index))
        values = run.loc[kept["days"], list(mode.index)].to_numpy().tolist()
        kept["cases"][case] = {"sha256": fingerprint(case), "values": values}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
