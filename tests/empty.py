"""Install each package alone into an empty environment, its wheel and what that needs, and run its README.

``make empty`` takes from the index the newest versions that a pyproject allows, not those of the lock: what somebody
gets who installs today.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from time import perf_counter

ROOT = Path(__file__).parents[1]
FOLDERS = {
    **{path.parent.name: path.parent for path in sorted(ROOT.glob("packages/*/pyproject.toml"))},
    "socialcommerce": ROOT,
}
BRINGS = {  # what comes, what one version or another brings besides; and nothing else
    "semfit": ({"numpy", "pandas", "scipy"}, {"python-dateutil", "pytz", "six", "tzdata"}),
    "stockflow": ({"numpy", "scipy"}, set()),
}
STANDS_ON = {"semfit": (), "stockflow": (), "nbproof": (), "surveysem": ("semfit", "nbproof")}  # the study on all
FOREIGN = {"dask", "distributed", "flit-core", "hatchling", "hypothesis", "jupyterlab", "pytest"}
SAYS = {
    "semfit": "semfit ended normally",
    "stockflow": "R0 3.0; reached: 94% well mixed",
    "nbproof": "recomputed, none drifted",
    "surveysem": "300 respondents, ",
    "socialcommerce": "open my-report/index.html",
}
ANSWERS = """from pathlib import Path
import surveysem
from socialcommerce import survey
surveysem.draw_respondents(survey.own_truth(), 1000, seed=1).write(Path("."))
Path("sample.csv").rename("answers.csv")"""
"""Answers to the questionnaire, which the front page takes for granted."""


def build_wheels(folder: Path) -> list[Path]:
    """Build the wheels of all packages, by the backend each names (PEP 517), which this environment holds."""
    folder.mkdir(parents=True, exist_ok=True)
    for place in FOLDERS.values():
        backend = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["build-backend"]
        code = f"import sys, {backend} as backend; backend.build_wheel(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, str(folder)], cwd=place, check=True, capture_output=True)
    return sorted(folder.glob("*.whl"))


def installed(python: Path, wheels: list[Path]) -> dict[str, str]:
    """Make an environment with the wheels and what they bring; return name and version of all that is in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(python.parents[1])], check=True)
    # -qq: no word of an index that lacks a package where another has it
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "-qq", *map(str, wheels)], check=True)
    subprocess.run([*pip, "check"], check=True, stdout=subprocess.DEVNULL)
    listed = subprocess.run([*pip, "list", "--format", "json"], check=True, capture_output=True, text=True).stdout
    return {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in json.loads(listed)}


def check_brought(name: str, brought: set[str]) -> None:
    """Refuse what the package should not bring, and what it lacks."""
    wrong = brought & FOREIGN
    if name in BRINGS:
        needed, besides = BRINGS[name]
        wrong |= (brought - besides) ^ (needed | {name})
    if wrong:
        raise SystemExit(f"{name} brings or lacks {', '.join(sorted(wrong))}.")


def commands(name: str) -> Iterator[list[str]]:
    """What the README shows, in its order: Python first, then the commands."""
    text = (FOLDERS[name] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^( *)```(python|sh)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    yield ["python", "-c", "\n".join(dedent(code) for _, kind, code in blocks if kind == "python")]
    yield from (["sh", "-e", "-c", code] for _, kind, code in blocks if kind == "sh")
    if name == "socialcommerce":
        (series,) = re.findall(r"```csv\n(.*?)```", (ROOT / "docs/series-schema.md").read_text("utf-8"), re.DOTALL)
        yield ["python", "-c", f"{ANSWERS}\nPath('my.csv').write_text({series!r})"]
        shown = re.findall(r"^    \.venv/bin/(.*)$", text, re.MULTILINE)
        yield ["sh", "-e", "-c", "\n".join([*shown, "socialcommerce data list"])]


def try_readme(name: str, python: Path, folder: Path) -> None:
    """Run the README in an empty folder with the environment alone."""
    folder.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SOCIALCOMMERCE", "PYTHON"))}
    kept["PATH"] = os.pathsep.join([str(python.parent), kept["PATH"]])
    said = ""
    for command in commands(name):
        done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
        said += done.stdout + done.stderr
        if done.returncode:
            raise SystemExit(f"{name}: the README fails:\n{command[-1]}\n{done.stdout}{done.stderr}")
    if SAYS[name] not in said:
        raise SystemExit(f"{name}: the README runs, but does not say {SAYS[name]!r}:\n{said}")


def main() -> None:
    with TemporaryDirectory() as temporary:
        top = Path(temporary)
        wheels = build_wheels(top / "wheels")
        print(f"{'package':16}{'installs':>10}{'MB':>8}{'install s':>11}{'README s':>10}")
        for name in FOLDERS:
            start = perf_counter()
            python = top / name / ("Scripts" if os.name == "nt" else "bin") / "python"
            own = [path for path in wheels if path.name.partition("-")[0] in {name, *STANDS_ON.get(name, FOLDERS)}]
            brought = installed(python, own)
            check_brought(name, {*brought})
            made = perf_counter()
            size = sum(path.stat().st_size for path in (top / name).rglob("*") if path.is_file()) / 1e6
            try_readme(name, python, top / f"{name}-empty")
            print(f"{name:16}{len(brought):>10}{size:>8.0f}{made - start:>11.1f}{perf_counter() - made:>10.1f}")


if __name__ == "__main__":
    main()
