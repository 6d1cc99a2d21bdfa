"""What verification finds: every kind of tampering with built reports, and nothing where another processor ran."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_project import ALPHA, ZH, Checkout, made_once, write_notebook

from nbproof import project
from nbproof import verifier as verify
from nbproof.builder import index_of
from nbproof.manifest import ro_crate
from nbproof.verifier import differences, same_run

pytestmark = pytest.mark.slow

NAMES = ["alpha", "beta"]
DRAWING = """from IPython.display import display
for key in ('en', 'zh'):
    svg = ('<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="60pt" viewBox="0 0 90 60">'
           f'<path d="M10.25 50.5h{20 if key == "en" else 30}v-30.75z" style="fill:#1b1f27;stroke-width:0.125"/></svg>')
    payload = {'kind': 'figure', 'name': 'shape', 'language': key, 'alt': key, 'caption': key, 'n': '1',
               'basis': ['model'], 'source': key, 'note': ''}
    display({'text/plain': key, 'image/svg+xml': svg, 'application/vnd.nbproof+json': payload}, raw=True)"""


@pytest.fixture(scope="module")
def drawn(built_checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The built checkout with a drawing in one of its reports; tests must leave it as they find it."""

    def make(root: Path) -> None:
        shutil.copytree(built_checkout.root, root)
        write_notebook(root / "notebooks" / "alpha.ipynb", [*ALPHA, ("", DRAWING)])
        Checkout.at(root).build()

    return Checkout.at(made_once(tmp_path_factory, "drawn", make))


@pytest.fixture
def folders(drawn: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Built reports to tamper with, and the same built once more."""
    monkeypatch.setattr(project, "_source", lambda: project._read(drawn.root))
    for name in ("standing", "fresh"):
        shutil.copytree(drawn.reports, tmp_path / name)
    return tmp_path / "standing", tmp_path / "fresh"


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def swapped(one: str, other: str) -> Callable[[Path], None]:
    def swap(folder: Path) -> None:
        first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
        assert first != second
        (folder / one).write_bytes(second)
        (folder / other).write_bytes(first)

    return swap


def changed_pdf(folder: Path) -> None:
    content = bytearray((folder / "en/alpha.pdf").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "en/alpha.pdf").write_bytes(content)


def cut_pdf(folder: Path) -> None:
    (folder / "zh/beta.pdf").write_bytes((folder / "zh/beta.pdf").read_bytes()[:-200])


def added(folder: Path) -> None:
    (folder / "en" / "gamma.html").write_text("<p>more</p>")


def in_manifest(*path: str, value: object = "0" * 64) -> Callable[[Path], None]:
    """An edited manifest, its own hash made to fit."""

    def edit(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        inner = manifest
        for key in path[:-1]:
            inner = inner[key]
        assert inner[path[-1]] != value
        inner[path[-1]] = value
        consistent(folder, manifest)

    return edit


def consistent(folder: Path, manifest: dict) -> None:
    """Write a manifest with everything in it that depends on the rest."""
    for entry in manifest["reports"].values():
        entry["outputs"] = {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in entry["outputs"]
            if (folder / name).is_file()
        }
    (folder / "ro-crate-metadata.json").write_bytes(ro_crate(manifest))
    manifest["index"] = index_of(manifest, folder)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def and_the_manifest(change: Callable[[Path], None]) -> Callable[[Path], None]:
    """A change of a file, with manifest and crate rewritten so that all of them agree."""

    def both(folder: Path) -> None:
        change(folder)
        consistent(folder, json.loads((folder / "manifest.json").read_text()))

    return both


CELL = ('<td style="text-align: right;">1.2</td>', '<td style="text-align: right;">1.3</td>')
SPAN = ('<span class="result"', '<b class="result"')
TAMPERED = {
    "table cell": (edited("en/alpha.html", *CELL), "en/alpha.html"),
    "number in the prose": (edited("en/alpha.html", ">42.00<", ">42.01<"), "en/alpha.html"),
    "span": (edited("en/alpha.html", *SPAN), "en/alpha.html"),
    "dropped word": (edited("en/beta.html", "The other is", "The is"), "en/beta.html"),
    "only in Chinese": (edited("zh/alpha.html", ZH["answer_is"], ZH["answer_not"]), "zh/alpha.html"),
    "script": (edited("en/beta.html", "</body>", "<script>1</script></body>"), "en/beta.html"),
    "deleted page": (lambda folder: (folder / "zh/beta.html").unlink(), "zh/beta.html"),
    "deleted page, rewritten manifest": (
        and_the_manifest(lambda folder: (folder / "zh/beta.html").unlink()),
        "zh/beta.html",
    ),
    "languages swapped": (swapped("en/alpha.html", "zh/alpha.html"), "en/alpha.html"),
    "drawing in the page": (edited("en/alpha.html", "v-30.75z", "v-30.76z"), "en/alpha.html"),
    "drawing": (edited("figures/alpha/shape.en.svg", "h20", "h25"), "figures/alpha/shape.en.svg"),
    "drawings swapped": (
        swapped("figures/alpha/shape.en.svg", "figures/alpha/shape.zh.svg"),
        "figures/alpha/shape.en.svg",
    ),
    "pdf": (changed_pdf, "en/alpha.pdf"),
    "cut pdf": (cut_pdf, "zh/beta.pdf"),
    "executed notebook": (
        edited("notebooks/alpha.ipynb", "answer is 42.00", "answer is 42.01"),
        "notebooks/alpha.ipynb",
    ),
    "search": (edited("search/beta.json", "The other", "Another"), "search/beta.json"),
    "front page": (edited("index.html", "Read", "Reed"), "index.html"),
    "crate": (edited("ro-crate-metadata.json", "CC BY 4.0", "CC BY 3.0"), "ro-crate-metadata.json"),
    "added file": (added, "en/gamma.html"),
    "added results": (lambda folder: (folder / "results" / "gamma.json").write_text("{}"), "results file"),
    "no results": (lambda folder: (folder / "results" / "beta.json").unlink(), "results file"),
    "result": (edited("results/alpha.json", '"value": 42.0', '"value": 42.1'), "number answer, value"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json"),
    "date": (edited("manifest.json", '"date": "', '"date": "2'), "seal"),
    "input": (in_manifest("reports", "beta", "run_inputs", "data/beta.csv"), "data/beta.csv"),
    "renderer": (in_manifest("reports", "beta", "render_inputs", "paper/references.bib"), "paper/references.bib"),
    "seed": (in_manifest("reports", "alpha", "parameters", "factor", value=3.0), "factor"),
    "versions": (edited("manifest.json", '"numpy": "', '"numpy": "9'), "seal"),
    "output's hash": (edited("manifest.json", '"en/beta.pdf": "', '"en/beta.pdf": "0'), "en/beta.pdf"),
    "page and its hash": (and_the_manifest(edited("en/alpha.html", *CELL)), "en/alpha.html"),
    "pdf and its hash": (and_the_manifest(changed_pdf), "en/alpha.pdf"),
    "notebook and its hash": (
        and_the_manifest(edited("notebooks/beta.ipynb", "other is 5.5", "other is 6.5")),
        "notebooks/beta.ipynb",
    ),
    "front page and its hash": (and_the_manifest(edited("index.html", "Read", "Reed")), "index.html"),
    "report left out": (in_manifest("reports", value={}), "manifest.json, reports"),
}


def test_the_same_build_twice_differs_in_nothing(folders):
    assert differences(*folders, NAMES) == []


@pytest.mark.parametrize("tampering", TAMPERED)
def test_every_tampering_is_found_and_named(folders, tampering):
    change, where = TAMPERED[tampering]
    change(folders[0])
    found = differences(*folders, NAMES)
    assert any(where in drift.where for drift in found), found
    assert str(folders[0]) not in verify.as_table(found)


# executed elsewhere


def run_elsewhere(text: str) -> str:
    """The executed notebook alpha as another processor might make it: a last kept digit, a last coordinate."""
    for old, new in (("h20v-30.75z", "h20v-30.76z"), ('"value": 42.0', '"value": 42.0004')):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("h20v-30.75z", "h20v-30.80z"),
        ("fill:#1b1f27", "fill:#1b1f28"),
        ("stroke-width:0.125", "stroke-width:0.130"),
        ('"value": 42.0', '"value": 42.002'),
        ("answer is 42.00", "answer is 42.01"),
        ("factor * series", "factor + series"),
        ('"1.2"', '"1.3"'),
        ("2.5\n", "2.8\n"),
        ("a small", "a large"),
        ("{", ""),
    ],
    ids=["coordinate", "colour", "width", "value", "text", "code", "cell", "kept cell", "word", "JSON"],
)
def test_a_run_on_another_processor_is_told_from_another_run(drawn, old, new):
    text = (drawn.reports / "notebooks" / "alpha.ipynb").read_text(encoding="utf-8").replace("A small", "a small")
    assert old in text
    assert same_run(text.encode(), run_elsewhere(text).encode())
    assert not same_run(text.encode(), text.replace(old, new, 1).encode())


def test_reports_made_on_another_processor_raise_no_alarm(drawn, tmp_path):
    """Theirs are whole: pages, manifest and crate of their own run; so is what is made of a changed one of them."""
    checkout = Checkout.__new__(Checkout)
    checkout.root = tmp_path / "checkout"
    shutil.copytree(drawn.root, checkout.root)
    reports = checkout.reports
    notebook = reports / "notebooks" / "alpha.ipynb"
    notebook.write_text(run_elsewhere(notebook.read_text(encoding="utf-8")), encoding="utf-8")
    manifest = json.loads((reports / "manifest.json").read_text())
    manifest["reports"]["alpha"]["outputs"]["notebooks/alpha.ipynb"] = hashlib.sha256(notebook.read_bytes()).hexdigest()
    (reports / "manifest.json").write_text(json.dumps(manifest))
    (reports / "en" / "alpha.pdf").unlink()
    assert "output en/alpha.pdf is missing" in checkout.build()
    assert "v-30.76z" in (reports / "en" / "alpha.html").read_text(encoding="utf-8")
    done = checkout.run("verify")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert re.search(r"^\d+ results and \d+ built files recomputed, none drifted$", done.stdout, re.MULTILINE)


# the command


def test_one_report_is_compared_alone_and_the_table_says_where_what_and_what_instead(folders):
    edited("zh/alpha.html", ">42.00<", ">42.10<")(folders[0])
    edited("en/beta.html", "The other is", "The is")(folders[0])
    added(folders[0])
    said = verify.as_table(differences(*folders, ["alpha"], whole=False))
    assert re.search(r"^alpha +zh/alpha.html, line \d+ .*>42\.10<.*>42\.00<.* the same$", said, re.MULTILINE)
    assert "beta" not in said
    assert "gamma" not in said


def test_a_page_of_an_older_notebook_or_module_is_stale(copy_of_built):
    copy_of_built.edit("notebooks/beta.ipynb", "The other is", "The second is")
    copy_of_built.edit("nbproof/assets/page.css", "margin: 0;", "margin: 0 ;")
    done = copy_of_built.run("verify")
    assert done.returncode == 1
    for where in ("zh/alpha.html, line", "en/beta.html, line", "en/beta.pdf", "notebooks/beta.ipynb, line"):
        assert where in done.stdout
    assert re.search(r"manifest.json, reports, beta, run_inputs, notebooks/beta.ipynb", done.stdout)


def test_a_clone_without_pages_has_its_results_compared_and_is_told(copy_of_built):
    for path in copy_of_built.reports.iterdir():
        if path.name != "results":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = sorted(copy_of_built.reports.rglob("*"))
    done = copy_of_built.here("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds no built pages: only results were compared" in done.stdout
    assert sorted(copy_of_built.reports.rglob("*")) == before


def test_what_no_later_build_can_repeat_is_said(folders):
    standing, fresh = folders
    assert verify.notes(standing, fresh, NAMES) == []
    in_manifest("commit", value="abc")(standing)
    edited("manifest.json", '"numpy": "', '"numpy": "9')(standing)
    edited("manifest.json", '"languages": [\n    "en",\n    "zh"\n   ]', '"languages": []')(fresh)
    partly, versions, commit = verify.notes(standing, fresh, NAMES)
    assert partly == "alpha: no pages of it are built, only its results were compared"
    assert re.fullmatch(r"the reports say they were built with numpy 9(\S+) \(here \1\)", versions)
    assert commit == "the reports say they were built at commit abc; here is None"


def test_a_number_changed_in_a_readme_is_found_in_either_language(tmp_path, settings):
    settings(tmp_path)
    results = {"alpha": {"numbers": {"answer": {"value": 42.0, "digits": 1}}}}
    for name in ("README.md", "README.zh-CN.md"):
        (tmp_path / name).write_text("It is <!--alpha.answer-->42.0<!--/-->; <!--other.n-->1<!--/-->.")
    assert verify.readme_drifts(results) == []
    (tmp_path / "README.zh-CN.md").write_text("<!--alpha.answer-->43.0<!--/-->")
    changed, missing = verify.readme_drifts(results)
    assert (changed.notebook, changed.where, changed.committed, changed.found) == (
        "README.zh-CN.md",
        "alpha.answer",
        "43.0",
        "42.0",
    )
    assert missing.where == "results marked"
