"""Run the models beside this file in PySD and keep what it says: `python pysd_models.py` where PySD 3.14 is installed.

The three were written for these tests. Kept are all columns that PySD returns under the names of the files' elements,
at some forty times.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from shutil import copy

HERE = Path(__file__).parent
MODELS = ("cooling.mdl", "news.mdl", "shop.xmile")
CHANGED = {"cooling.mdl": {"Cooling Time": 6.0}, "news.mdl": {"chance": 0.05}, "shop.xmile": {"delivery time": 4.0}}


def main() -> None:
    """Write pysd_models.json: by model, without and with a changed constant, times and series."""
    import pysd

    kept: dict = {"pysd": pysd.__version__, "runs": []}
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            path = copy(HERE / "models" / name, folder)  # PySD writes its translation beside the file
            model = pysd.read_vensim(path) if name.endswith(".mdl") else pysd.read_xmile(path)
            for parameters in ({}, CHANGED[name]):
                run = model.run(params=parameters)
                run = run.iloc[:: max(1, len(run) // 40)]
                series = {column: run[column].astype(float).tolist() for column in run.columns}
                kept["runs"].append(
                    {"model": name, "parameters": parameters, "time": run.index.tolist(), "series": series}
                )
    (HERE / "pysd_models.json").write_text(json.dumps(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
