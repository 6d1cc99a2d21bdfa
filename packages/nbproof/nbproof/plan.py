"""Plan a build: hash what each report is made from, compare with the manifest, and say what to make again and why.

Nothing heavy is imported here, so that a build with nothing to do costs a fraction of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from nbproof.errors import NotebookError, ParameterError, UnknownNameError
from nbproof.folder import CRATE, check_buildable, check_free, file_hash, read_manifest
from nbproof.parameters import Literal, cells_of, chosen, parameters_of, profile_of
from nbproof.project import project

IMPORT = re.compile(
    r"(?:^|;)[ \t]*(?:from[ \t]+([a-zA-Z][\w.]*)[ \t]+import[ \t]+(\([^)]*\)|(?:\\\n|[^\n;])+)|"
    r"import[ \t]+((?:\\\n|[^\n;])+))",
    re.MULTILINE,
)
# what an executed notebook owes to the builder
RUNNERS = ("engine.py", "environment.toml", "machine.py", "page.py", "results.py", "run.py")
FORCED = "asked for by --force"
RENDERERS = ("nbproof.document", "nbproof.render", "nbproof.results")


@dataclass(frozen=True)
class ReportPlan:
    """One report: where it comes from, what it is made of, and why it has to be made again.

    ``run_inputs`` and ``render_inputs`` map what the report depends on (a file, a parameter, the environment) to a
    hash; ``reasons`` is empty when nothing changed. ``run`` says whether the notebook itself has to be run.
    """

    name: str
    notebook: Path
    parameters: Mapping[str, Literal]
    languages: tuple[str, ...]
    run_inputs: Mapping[str, str]
    render_inputs: Mapping[str, str]
    run: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class BuildPlan:
    """All reports of one build and where they go."""

    out: Path
    profile: str
    reports: tuple[ReportPlan, ...]
    environment: Mapping[str, str]

    @property
    def stale(self) -> tuple[ReportPlan, ...]:
        """The reports that have to be made again."""
        return tuple(report for report in self.reports if report.reasons)


def planned(
    names: Sequence[str] = (),
    *,
    out: Path | None = None,
    profile: str = "full",
    languages: Sequence[str] | None = None,
    given: Mapping[str, str] | None = None,
    force: bool = False,
) -> BuildPlan:
    """Plan which reports to make, having made sure that nothing of the reader's is in their place.

    Parameters
    ----------
    names : sequence of str
        Notebooks by name or path; all of them when empty.
    out : Path, optional
        Folder the reports go to; its ``manifest.json`` says what is there already. By default the project's for the
        full profile, one of the profile's name in it for another.
    profile : str
        A section of ``profiles.toml`` beside the notebooks.
    languages : sequence of str, optional
        Of the project's; all by default.
    given : mapping of str to str, optional
        Parameters set by the reader; each applies to every notebook named that knows it, and one has to.
    force : bool
        Make everything again.

    Raises
    ------
    UnknownNameError
        For an unknown notebook, parameter, profile or language, with the nearest known one.
    ParameterError
        When a notebook is not the project's, and no folder is given.
    OutputError
        When the folder holds what a build did not make, or lies among the sources.
    """
    _forget()
    used = project()
    home = used.path(used.notebooks)
    if out is None and (foreign := [path.name for path in find_notebooks(names) if path.parent != home]):
        raise ParameterError(
            f"{', '.join(foreign)} is not one of the project's notebooks; give a folder of its own "
            "with --out DIR, so that the project's reports stay as they are."
        )
    out = out or used.out / ("" if profile == "full" else profile)
    check_buildable(out)
    notebooks = find_notebooks(names)
    for language in languages or ():
        if language not in used.languages:
            raise UnknownNameError("language", language, used.languages)
    wanted = tuple(each for each in used.languages if languages is None or each in languages)
    before, environment, given = read_manifest(out), versions(), given or {}
    known = {notebook: parameters_of(notebook) if given else {} for notebook in notebooks}
    strange, rendering, reports = {*given}.difference(*known.values()), cache(render_inputs), []
    for notebook, own in known.items():
        old = before.get("reports", {}).get(notebook.stem, {})
        mine = {name: value for name, value in given.items() if name in strange | {*own}}
        parameters = chosen(notebook, profile_of(home, profile, notebook.stem), mine)
        both = tuple(each for each in used.languages if each in wanted or each in old.get("languages", ()))
        inputs = run_inputs(notebook, parameters, environment, old.get("read", ())), rendering(both)
        run, why = _reasons(notebook.stem, out, old, inputs, (before.get("environment", {}), environment), force)
        reports.append(ReportPlan(notebook.stem, notebook, parameters, both, *inputs, run, why))
    plan = BuildPlan(out, profile, tuple(reports), environment)
    of_run = [("notebooks", "ipynb"), ("results", "json"), ("search", "json")]
    sure = [
        f"{folder}/{report.name}.{kind}"
        for report in plan.stale
        for folder, kind in (*of_run, *product(report.languages, ("html", "pdf")))
    ]
    check_free(out, [CRATE, *(used.front("index", each) for each in wanted), *sure])
    _forget()
    return plan


def find_notebooks(names: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks named, by name or path; all of the project's when none is."""
    known = {path.stem: path for path in sorted(project().path(project().notebooks).glob("*.ipynb"))}
    found: dict[Path, None] = {}
    for name in names:
        path, elsewhere = Path(name), name not in known
        if elsewhere and not (path.suffix == ".ipynb" and path.is_file()):
            raise UnknownNameError("notebook", path.stem if path.suffix == ".ipynb" else name, known)
        if elsewhere and not re.fullmatch(r"[\w.\- ]+", path.stem):
            raise NotebookError(
                f"a report cannot be named {path.stem!r}; allowed are letters, digits, spaces "
                "and . _ -, so rename the notebook."
            )
        found[path.resolve() if elsewhere else known[name]] = None
    stems = [path.stem for path in found]
    if twice := next((stem for stem in stems if stems.count(stem) > 1), None):
        where = " and ".join(str(path) for path in found if path.stem == twice)
        raise NotebookError(
            f"two notebooks are named {twice!r}, {where}; a report goes by its notebook's name, "
            "so build them into two folders, or rename one."
        )
    if not names and not known:
        raise NotebookError(f"no notebook stands in {project().notebooks}; give a folder that holds some.")
    return list(found) if names else list(known.values())


def _reasons(
    name: str,
    out: Path,
    old: Mapping[str, Any],
    inputs: Sequence[Mapping[str, str]],
    environments: Sequence[Mapping[str, str]],
    force: bool,
) -> tuple[bool, tuple[str, ...]]:
    """Say whether a notebook has to be run, and why its report has to be made again, from inputs of run and pages."""
    run = _changes(old["run_inputs"], inputs[0], *environments) if old.get("run_inputs") else ["never built"]
    damage = [
        f"output {each} {'is missing' if found == 'missing' else 'was changed'}"
        for each, digest in old.get("outputs", {}).items()
        if (found := file_hash(out / each)) != digest
    ]
    if not run and any(f"output notebooks/{name}.ipynb " in reason for reason in damage):
        run = damage  # pages are made from the executed copy: it has to be the one that was run
    if force:
        run = [FORCED]
    return bool(run), tuple(run or _changes(old.get("render_inputs", {}), inputs[1], {}, {}) + damage)


def run_inputs(
    notebook: Path, parameters: Mapping[str, Literal], environment: Mapping[str, str], read: Iterable[str]
) -> dict[str, str]:
    """Hash everything a run of the notebook depends on; ``read`` names the files it opened the last time."""
    source = "\n".join("".join(c["source"]) for c in cells_of(notebook) if c["cell_type"] == "code")
    return {
        **labelled([notebook]),
        **{f"parameter {name}": text_hash(repr(value)) for name, value in parameters.items()},
        **{
            f"file given as {name}": file_hash(Path(value))
            for name, value in parameters.items()
            if isinstance(value, str) and os.path.isfile(value)
        },
        **labelled([*modules_of(source), *map(Path(__file__).with_name, RUNNERS)]),
        **{label: file_hash(project().path(label)) for label in read},
        "environment": json_hash(environment),
    }


def render_inputs(languages: Sequence[str]) -> dict[str, str]:
    """Hash what turns an executed notebook into pages: renderers, their templates, the references, the languages."""
    files = [*rendering_files(*RENDERERS), *(project().path(name) for name in [project().bibliography] if name)]
    return {"languages": text_hash(",".join(languages)), **labelled(files)}


def rendering_files(*modules: str) -> list[Path]:
    """The files of modules, of the project's look, and of the templates and words of either."""
    used = project()
    code = modules_of("\n".join(f"import {name}" for name in (*modules, used.look.partition(":")[0])))
    assets = sorted((Path(__file__).parent / "assets").iterdir())
    return [*code, *assets, *map(used.path, used.assets), *(used.path(name) for name in [used.words] if name)]


def modules_of(source: str) -> list[Path]:
    """Return the project's own modules that a source imports, directly or through one another, sorted.

    Imports are read from the text, lazy ones too, so that nothing has to be imported to know them.
    """
    found: set[Path] = set()
    folders = tuple(project().folders.items())
    waiting = set(_imported(source, folders))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting |= _imported(_text(path), folders)
            stub = path.with_suffix(".pyi")
            if stub.is_file() and "def __getattr__" not in _text(path):  # a package that loads all its names at once
                waiting |= _imported(_text(stub), folders)
    return sorted(found)


_text = cache(partial(Path.read_text, encoding="utf-8"))


@cache
def _imported(source: str, folders: tuple[tuple[str, Path], ...]) -> frozenset[Path]:
    """Read the modules one text imports; texts that many notebooks share are read once."""
    names: set[str] = set()
    for module, members, modules in IMPORT.findall(source):
        if module.partition(".")[0] in dict(folders):
            listed = re.sub(r"#.*|\bas\s+\w+", "", members)
            names |= {module, *(f"{module}.{name}" for name in re.findall(r"\w+", listed))}
        names |= set(re.findall(r"[\w.]+", re.sub(r"#.*|\bas\s+\w+", "", modules)))
    for package, folder in folders:
        homes = _homes(package, folder)
        used = names | {f"{package}.{name}" for name in homes and re.findall(rf"{package}\.(\w+)", source)}
        names |= {homes[name] for name in used & {*homes}}
    return frozenset(path for name in names for path in _files(name, folders))


@cache
def _homes(package: str, folder: Path) -> dict[str, str]:
    """In which module each name stands that a package loads when it is first asked for, as its stub says."""
    stub = folder / "__init__.pyi"
    listed = re.findall(r"from ([\w.]+) import \(?\s*(\w+) as", stub.read_text("utf-8")) if stub.is_file() else ()
    return {(full := f"{package}.{name}"): full if home == package else home for home, name in listed}


@cache
def _files(name: str, folders: tuple[tuple[str, Path], ...]) -> tuple[Path, ...]:
    """A dotted name's module file and the packages above it; empty where it names no module."""
    package, *parts = name.split(".")
    if (top := dict(folders).get(package)) is None:
        return ()
    base = top.joinpath(*parts)
    own = [path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()][:1]
    if not own:
        return ()
    return (*own, *(top.joinpath(*parts[:i], "__init__.py") for i in range(len(parts))))


def versions() -> dict[str, str]:
    """Return the versions of Python and of every installed package, of those the lock names where there is one."""
    lock = project().path(project().lock).read_text(encoding="utf-8") if project().lock else None
    wanted = {_normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)} if lock else None
    found: dict[str, str] = {}
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in os.listdir(folder):
            if entry.endswith(".dist-info"):
                name, _, version = entry.removesuffix(".dist-info").partition("-")
                if wanted is None or _normal(name) in wanted:
                    found[_normal(name)] = version
    return {"python": "{}.{}.{}".format(*sys.version_info), **dict(sorted(found.items()))}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _changes(
    old: Mapping[str, str], new: Mapping[str, str], old_versions: Mapping[str, str], new_versions: Mapping[str, str]
) -> list[str]:
    """Say in words what differs between the inputs of two builds."""
    changed = [key for key in new if key in old and old[key] != new[key]]
    reasons = [
        f"{key} changed" if new[key] != "missing" else f"{key} is missing" for key in changed if key != "environment"
    ]
    if "environment" in changed:
        reasons += [
            f"{name} {old_versions.get(name, 'none')} -> {new_versions.get(name, 'none')}"
            for name in sorted({*old_versions, *new_versions})
            if old_versions.get(name) != new_versions.get(name)
        ] or ["environment changed"]
    reasons += [f"{key} is new" for key in new if key not in old]
    return reasons + [f"{key} is gone" for key in old if key not in new]


def file_label(path: Path) -> str:
    """A file's name in the manifest: relative to the project or a package, so that no path of a machine is kept."""
    tops = (project().root, *(folder.parent for folder in project().folders.values()))
    return path.relative_to(next((top for top in tops if path.is_relative_to(top)), path.parent)).as_posix()


def labelled(paths: Iterable[Path]) -> dict[str, str]:
    """Return the names of files in the manifest, and their hashes."""
    return dict(map(_labelled, paths))


@cache
def _labelled(path: Path) -> tuple[str, str]:
    return file_label(path), file_hash(path)


def _forget() -> None:
    """Read files anew from here on: within one plan each is read once, however many notebooks it counts for."""
    _text.cache_clear()
    _labelled.cache_clear()


def json_hash(value: Any) -> str:
    """Return the sha256 of a value's JSON, whatever the order of its keys."""
    return text_hash(json.dumps(value, sort_keys=True))


def text_hash(text: str) -> str:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
