"""The plan: what depends on what, read without importing anything heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from socialcommerce.errors import NotebookError, UnknownNameError
from socialcommerce.report import plan
from tests.conftest import write_notebook

ROOT = Path(__file__).parents[2]


def names(source: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in plan.modules_of(source)}


@pytest.mark.parametrize("source", [
    "from socialcommerce import page", "import socialcommerce.page", "import socialcommerce.page as p",
    "def f():\n    from socialcommerce.page import Page",
    "from socialcommerce import (\n    project,  # where\n    page as p,\n)",
])
def test_every_way_to_import_a_module_is_seen(source):
    assert "socialcommerce/page.py" in names(source)


def test_imports_are_followed_lazy_ones_too():
    found = names("from socialcommerce.page import Page")
    assert {"socialcommerce/errors.py", "socialcommerce/figures/style.py", "socialcommerce/__init__.py"} <= found
    assert not any(name.startswith("socialcommerce/report/") for name in found)


def test_a_text_that_only_mentions_an_import_is_no_import():
    assert names(">>> from socialcommerce import page\n# import socialcommerce.cli") == set()


@pytest.mark.slow
def test_the_closure_holds_everything_that_python_itself_loads():
    """Compare with what an import really brings in, in a process of its own."""
    script = ("import sys, socialcommerce.evidence\n"
              "print([m.__file__ for n, m in sys.modules.items() if n.startswith(('socialcommerce', 'semfit'))])")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {Path(p).relative_to(ROOT).as_posix() for p in re.findall(r"'([^']+\.py)'", done.stdout)}
    assert {"socialcommerce/strategies/study.py", "packages/semfit/semfit/resampling.py"} <= loaded
    assert loaded <= names("import socialcommerce.evidence")


def test_versions_are_those_installed():
    import pandas
    import pypandoc

    found = plan.versions()
    assert found["pandas"] == pandas.__version__
    assert found["python"] == "{}.{}.{}".format(*sys.version_info)
    assert "pypandoc-binary" in found
    assert pypandoc


@pytest.mark.parametrize(("call", "message"), [
    (lambda out: plan.plan_build(["00_clams"], out=out), "unknown notebook '00_clams'; did you mean '00_claims'"),
    (lambda out: plan.plan_build(["no/such.ipynb"], out=out), "unknown notebook 'such'"),
    (lambda out: plan.plan_build([], out=out, languages=["zn"]), "unknown language 'zn'; did you mean 'zh'"),
    (lambda out: plan.plan_build([], out=out, profile="ful"), "unknown profile 'ful'; did you mean 'full'"),
    (lambda out: plan.plan_build(["00_claims"], out=out, given={"langauge": "en"}), "did you mean 'language'"),
])
def test_unknown_names_are_refused_with_the_nearest(tmp_path, call, message):
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
        "data/a.csv is missing", "parameter x changed", "pandas 3.0 -> 3.1", "new.py is new", "gone.py is gone"]


@pytest.mark.parametrize("source", [
    "import os, socialcommerce.page", "import socialcommerce.errors as e, socialcommerce.page as p",
    "x = 1; from socialcommerce import page", "from socialcommerce import errors, \\\n    page",
])
def test_imports_that_share_a_line_are_seen(source):
    assert "socialcommerce/page.py" in names(source)


def test_two_notebooks_of_one_name_are_refused(tmp_path, notebook):
    mine = notebook(("parameters", "x: int = 1"), name="00_claims")
    other = write_notebook(tmp_path / "other" / "00_claims.ipynb", [("parameters", "x: int = 1")])
    for names_given in (["00_claims", str(mine)], [str(mine), str(other)]):
        with pytest.raises(NotebookError, match="two notebooks are named '00_claims'"):
            plan.plan_build(names_given, out=tmp_path / "out")
    assert len(plan.find_notebooks([str(mine), str(mine), f"{tmp_path}/other/../00_claims.ipynb"])) == 1


@pytest.mark.parametrize("name", ['a"b', "a#b", "a<b>", "100%"])
def test_a_notebook_whose_name_would_break_a_link_is_refused(notebook, name):
    with pytest.raises(NotebookError, match="allowed are letters, digits"):
        plan.find_notebooks([str(notebook(("parameters", "x: int = 1"), name=name))])


def test_a_long_text_is_a_parameter_like_any_other(notebook):
    plan.run_inputs(notebook(("parameters", 'x: str = ""')), {"x": "long " * 2000, "y": "\0"}, {}, [])


def test_modules_outside_the_checkout_keep_their_folders(monkeypatch, tmp_path):
    monkeypatch.setattr(plan, "root", lambda: tmp_path)
    labels = [plan.file_label(path) for path in plan.modules_of("from socialcommerce import page, data")]
    assert len(set(labels)) == len(labels)
    assert "socialcommerce/data/__init__.py" in labels
