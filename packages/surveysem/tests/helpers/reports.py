"""What the tests of several reports share: files of drawn answers, notebooks run in this process, pages as read."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest
from books import GYM

import nbproof
import surveysem
from nbproof.results import LANGUAGES, MIME
from surveysem import report


def written(folder: Path, respondents: int = 200, book: Path = GYM) -> list[str]:
    """Write drawn answers as a file of people's, and return the arguments that read it."""
    sample = surveysem.draw_respondents(surveysem.Truth(surveysem.load_codebook(book)), respondents, seed=1)
    sample.cells.drop(columns="basis").to_csv(folder / "answers.csv", index=False)
    shutil.copy(book, folder / "codebook.toml")
    return [str(folder / "answers.csv"), "--codebook", str(folder / "codebook.toml")]


def told(page: Path) -> str:
    """What a page shows its reader: no code, no letters drawn as outlines."""
    text = re.sub(
        r'<details class="code">.*?</details>|<style.*?</style>|<script.*?</script>',
        "",
        page.read_text("utf-8"),
        flags=re.S,
    )
    return unescape(re.sub(r"<[^>]*>", " ", text))


def run(path: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> list[Mapping[str, Any]]:
    """Run a notebook's cells in this process, and return what its page shows in both languages."""
    shown: list[Mapping[str, Any]] = []
    monkeypatch.setenv(LANGUAGES, "en,zh")
    monkeypatch.setattr("nbproof.page.display", lambda data, **_: shown.append(data[MIME]))
    nbproof.use(report.settings)
    plt.close("all")  # cells draw where others left off
    names: dict[str, Any] = {"display": lambda shown: None}
    with matplotlib.rc_context():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), path.name, "exec"), names)  # noqa: S102 - our own notebook
                names |= {k: v for k, v in given.items() if "parameters" in cell["metadata"].get("tags", ())}
    return shown
