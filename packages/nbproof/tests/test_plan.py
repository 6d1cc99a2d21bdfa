"""The plan: what depends on what, read without importing anything heavy."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from small_project import write_notebook

from nbproof import page, plan
from nbproof.errors import NotebookError, UnknownNameError

ROOT = Path(plan.__file__).parents[1]


def names(source: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in plan.modules_of(source)}


@pytest.mark.parametrize(
    "source",
    [
        "from nbproof import page",
        "import nbproof.page",
        "import nbproof.page as p",
        "def f():\n    from nbproof.page import Page",
        "from nbproof import (\n    project,  # where\n    page as p,\n)",
    ],
)
def test_every_way_to_import_a_module_is_seen(source):
    assert "nbproof/page.py" in names(source)


def test_imports_are_followed_lazy_ones_too():
    found = names("from nbproof.page import Page")
    assert {"nbproof/errors.py", "nbproof/results.py", "nbproof/__init__.py"} <= found
    assert not {"nbproof/render.py", "nbproof/builder.py"} & found
    assert "nbproof/render.py" in names("import nbproof.warm")


def test_a_text_that_only_mentions_an_import_is_no_import():
    assert names(">>> from nbproof import page\n# import nbproof.builder") == set()


def test_versions_are_those_installed_and_named_by_the_lock(settings):
    import pandas
    import pypandoc

    found = plan.versions()
    assert found["pandas"] == pandas.__version__
    assert found["python"] == "{}.{}.{}".format(*sys.version_info)
    assert "pypandoc-binary" in found
    assert pypandoc
    (settings(lock="lock.txt") / "lock.txt").write_text("pandas==1.0\n")
    assert {*plan.versions()} == {"python", "pandas"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda out: plan.planned(["coffe"], out=out), "unknown notebook 'coffe'; did you mean 'coffee'"),
        (lambda out: plan.planned(["no/such.ipynb"], out=out), "unknown notebook 'such'"),
        (lambda out: plan.planned([], out=out, languages=["zn"]), "unknown language 'zn'; did you mean 'zh'"),
        (lambda out: plan.planned([], out=out, profile="ful"), "unknown profile 'ful'; did you mean 'full'"),
        (lambda out: plan.planned(["coffee"], out=out, given={"langauge": "en"}), "did you mean 'language'"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(tmp_path, settings, call, message):
    write_notebook(settings() / "notebooks" / "coffee.ipynb", [("parameters", 'language: str = "all"')])
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_path_of_a_machine_reaches_the_inputs(notebook):
    outside = notebook(("parameters", "x: int = 1"))
    labels = plan.run_inputs(outside, {"x": 1}, {}, [])
    assert all(not label.startswith("/") and ".." not in label for label in labels)


def test_reasons_name_what_changed():
    old = {"data/a.csv": "1", "gone.py": "1", "environment": "1", "parameter x": "1"}
    new = {"data/a.csv": "missing", "new.py": "1", "environment": "2", "parameter x": "2"}
    assert plan._changes(old, new, {"pandas": "3.0", "numpy": "2.4"}, {"pandas": "3.1", "numpy": "2.4"}) == [
        "data/a.csv is missing",
        "parameter x changed",
        "pandas 3.0 -> 3.1",
        "new.py is new",
        "gone.py is gone",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import os, nbproof.page",
        "import nbproof.errors as e, nbproof.page as p",
        "x = 1; from nbproof import page",
        "from nbproof import errors, \\\n    page",
    ],
)
def test_imports_that_share_a_line_are_seen(source):
    assert "nbproof/page.py" in names(source)


def test_a_folder_without_notebooks_is_said_to_be_so(tmp_path):
    with pytest.raises(NotebookError, match="no notebook stands in notebooks"):
        plan.planned(out=tmp_path)


def test_two_notebooks_of_one_name_are_refused(tmp_path, notebook, settings):
    write_notebook(settings() / "notebooks" / "coffee.ipynb", [("parameters", "x: int = 1")])
    mine = notebook(("parameters", "x: int = 1"), name="coffee")
    other = write_notebook(tmp_path / "other" / "coffee.ipynb", [("parameters", "x: int = 1")])
    for names_given in (["coffee", str(mine)], [str(mine), str(other)]):
        with pytest.raises(NotebookError, match="two notebooks are named 'coffee'"):
            plan.planned(names_given, out=tmp_path / "out")
    assert len(plan.find_notebooks([str(mine), str(mine), f"{tmp_path}/other/../coffee.ipynb"])) == 1


@pytest.mark.parametrize("name", ['a"b', "a#b", "a<b>", "100%"])
def test_a_notebook_whose_name_would_break_a_link_is_refused(notebook, name):
    with pytest.raises(NotebookError, match="allowed are letters, digits"):
        plan.find_notebooks([str(notebook(("parameters", "x: int = 1"), name=name))])


def test_a_long_text_is_a_parameter_like_any_other(notebook):
    plan.run_inputs(notebook(("parameters", 'x: str = ""')), {"x": "long " * 2000, "y": "\0"}, {}, [])


def test_modules_outside_the_project_keep_their_folders():
    labels = [plan.file_label(path) for path in plan.modules_of("from nbproof import page, shapes")]
    assert len(set(labels)) == len(labels)
    assert "nbproof/shapes/__init__.py" in labels


def test_names_that_a_package_loads_when_asked_for_lead_to_their_modules(tmp_path, settings):
    """A stub says where they stand; a folder without an ``__init__.py``, such as one left by git, hides no module."""
    top = tmp_path / "lazy"
    (top / "b").mkdir(parents=True)
    asked = "def __getattr__(name): ..."
    for name, text in (("__init__", asked), ("a", ""), ("b", "from lazy.c import x"), ("c", ""), ("d", "")):
        (top / f"{name}.py").write_text(text)
    stub = "from lazy import d as d\nfrom lazy.a import (\n    A as A,\n)\nfrom lazy.b import B as B\n"
    (top / "__init__.pyi").write_text(stub)
    settings(packages={"lazy": top})

    def found(source: str) -> list[str]:
        return [path.name for path in plan.modules_of(source)]

    assert found("from lazy import A") == ["__init__.py", "a.py"]
    assert found("import lazy\nx = lazy.B(lazy.unknown)") == ["__init__.py", "b.py", "c.py"]
    assert found("from lazy import d") == ["__init__.py", "d.py"]
    assert found("import lazy") == ["__init__.py"]
    (top / "__init__.py").write_text("# all names at once")
    plan._text.cache_clear()
    assert found("import lazy") == ["__init__.py", "a.py", "b.py", "c.py", "d.py"]


def test_languages_are_those_asked_for_of_the_projects(notebook, settings, tmp_path):
    settings(languages=("en", "zh"), parameterised=False)
    found = str(notebook(("md", "# A")))
    asked = {
        given: plan.planned([found], out=tmp_path / "out", languages=given).reports[0].languages
        for given in (None, ("zh",), ())
    }
    assert asked == {None: ("en", "zh"), ("zh",): ("zh",), (): ()}


def test_a_plan_hashes_each_file_once_and_the_next_one_anew(notebook, tmp_path, monkeypatch):
    hashed = Counter()
    monkeypatch.setattr(plan, "file_hash", lambda path: hashed.update([path]) or str(hashed[path]))
    cells = ("parameters", "x: int = 1"), ("", "from nbproof import page")
    books = [str(notebook(*cells, name=name)) for name in ("one", "two", "three")]
    first, second = (plan.planned(books, out=tmp_path / "out").reports for _ in range(2))
    assert Path(page.__file__) in hashed
    assert {*hashed.values()} == {2}
    assert len(first) == 3
    assert {*first[0].render_inputs} == {*second[0].render_inputs}
    assert first[0].render_inputs["nbproof/page.py"] != second[0].render_inputs["nbproof/page.py"]
