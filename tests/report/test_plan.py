"""The plan: what depends on what, read without importing anything heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from socialcommerce.errors import UnknownNameError
from socialcommerce.report import plan

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


def test_the_closure_holds_everything_that_python_itself_loads():
    """Compare with what an import really brings in, in a process of its own."""
    script = ("import sys, socialcommerce.evidence\n"
              "print([m.__file__ for n, m in sys.modules.items() if n.startswith('socialcommerce')])")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {Path(p).relative_to(ROOT).as_posix() for p in re.findall(r"'([^']+\.py)'", done.stdout)}
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
