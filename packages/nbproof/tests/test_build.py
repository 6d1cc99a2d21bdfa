"""The builder on a small checkout: what it makes, what it makes again, and what it leaves alone."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from small_project import ALPHA, BETA, PARAMETERS, TITLE, ZH, Checkout, write_notebook

from nbproof.run import _settled

pytestmark = pytest.mark.slow

UNHASHED = {"build.log", ".lock"}
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
HEARD = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in UNHASHED and path.suffix != ".pyc"
    }


def made(said: str) -> set[str]:
    return set(re.findall(r"^(\w+): built in", said, re.MULTILINE))


def test_a_build_makes_everything_a_reader_expects(built_checkout):
    found = set(hashes(built_checkout.reports))
    for name in ("alpha", "beta"):
        assert {
            f"en/{name}.html",
            f"zh/{name}.html",
            f"en/{name}.pdf",
            f"zh/{name}.pdf",
            f"notebooks/{name}.ipynb",
            f"results/{name}.json",
        } <= found
    assert {"index.html", "manifest.json", "ro-crate-metadata.json"} <= found
    assert not list(built_checkout.reports.rglob("*.[0-9]*"))
    results = json.loads((built_checkout.reports / "results" / "alpha.json").read_text())
    assert results["numbers"]["answer"]["value"] == 42.0
    page = (built_checkout.reports / "zh" / "alpha.html").read_text().replace("\n", " ")
    assert '<span class="result" data-result="answer">42.00</span>' in page


def test_the_manifest_says_what_was_made_from_what(built_checkout):
    manifest = json.loads((built_checkout.reports / "manifest.json").read_text())
    alpha = manifest["reports"]["alpha"]
    assert alpha["read"] == ["data/alpha.csv", "nbproof/assets/words.toml", "notebooks/locale/common.zh.po"]
    assert alpha["parameters"] == {"language": "en", "factor": 2.0}
    assert {
        "notebooks/alpha.ipynb",
        "data/alpha.csv",
        "book/series.py",
        "nbproof/page.py",
        "parameter factor",
        "environment",
    } <= set(alpha["run_inputs"])
    written = hashes(built_checkout.reports)
    assert all(written[name] == digest for name, digest in alpha["outputs"].items())
    assert str(built_checkout.root) not in (built_checkout.reports / "manifest.json").read_text()
    crate = json.loads((built_checkout.reports / "ro-crate-metadata.json").read_text())
    files = {entity["@id"] for entity in crate["@graph"] if entity["@type"] == "File"}
    assert set(alpha["outputs"]) <= files


def test_no_path_and_no_clock_reaches_an_output(built_checkout):
    for path in built_checkout.reports.rglob("*"):
        if path.is_file() and path.suffix in (".html", ".ipynb", ".json", ".svg") and path.name not in UNHASHED:
            assert str(built_checkout.root) not in path.read_text(encoding="utf-8"), path


def test_nothing_changed_nothing_made_and_nothing_heavy_imported(built_checkout):
    before = hashes(built_checkout.reports)
    command, environment = built_checkout.command("build")
    command[1:1] = ["-X", "importtime"]
    done = subprocess.run(command, env=environment, cwd=built_checkout.root, capture_output=True, text=True, check=True)
    assert "0 made, 2 up to date" in done.stdout
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "nbproof.plan" in imported
    assert not imported & {
        "pandas",
        "numpy",
        "matplotlib",
        "papermill",
        "nbformat",
        "IPython",
        "rich",
        "typst",
        "pypandoc",
        "jupyter_client",
    }
    assert hashes(built_checkout.reports) == before


def test_two_folders_the_same_bytes(built_checkout, tmp_path):
    """Another folder, time zone, locale, home, hash seed and number of jobs."""
    other = Checkout(tmp_path / "elsewhere" / "deeper")
    other.build(
        "--jobs", "1", TZ="Asia/Shanghai", LANG="C", LC_ALL="C", PYTHONHASHSEED="7", COLUMNS="200", MPLBACKEND="Agg"
    )
    assert hashes(other.reports) == hashes(built_checkout.reports)


def test_real_kernels_leave_the_same_bytes(built_checkout, tmp_path):
    other = Checkout(tmp_path / "kernels")
    other.build("alpha", "--engine", "kernel")
    wanted = {name: digest for name, digest in hashes(built_checkout.reports).items() if "alpha" in name}
    assert {name: digest for name, digest in hashes(other.reports).items() if "alpha" in name} == wanted


@pytest.mark.parametrize(
    ("change", "expected", "reason"),
    [
        (lambda c: (c.root / "data" / "alpha.csv").write_text("22.0\n"), {"alpha"}, "data/alpha.csv changed"),
        (lambda c: (c.root / "data" / "beta.csv").write_text("4.0\n"), {"beta"}, "data/beta.csv changed"),
        (
            lambda c: c.edit("book/series.py", "def read(name):", "def read(name):  # changed"),
            {"alpha"},
            "book/series.py changed",
        ),
        (
            lambda c: c.edit("book/errors.py", "class BookError", "# changed\nclass BookError"),
            {"alpha", "beta"},
            "book/errors.py changed",
        ),
        (
            lambda c: c.edit("nbproof/page.py", "class Page", "# changed\nclass Page"),
            {"alpha", "beta"},
            "nbproof/page.py changed",
        ),
        (
            lambda c: c.edit("notebooks/profiles.toml", "[full]", "[full]\nbeta = { factor = 3.0 }"),
            {"beta"},
            "parameter factor changed",
        ),
        (
            lambda c: c.edit("notebooks/beta.ipynb", "The other is", "The one is"),
            {"beta"},
            "notebooks/beta.ipynb changed",
        ),
        (lambda c: (c.reports / "en" / "beta.pdf").unlink(), {"beta"}, "output en/beta.pdf is missing"),
        (
            lambda c: c.edit("reports/zh/alpha.html", ZH["answer_is"], ZH["answer_was"]),
            {"alpha"},
            "output zh/alpha.html was changed",
        ),
        (
            lambda c: c.edit("nbproof/assets/page.css", "margin: 0;", "margin: 0 ;"),
            {"alpha", "beta"},
            "nbproof/assets/page.css changed",
        ),
        (
            lambda c: c.edit("nbproof/engine.py", "def normalised(", "# changed\ndef normalised("),
            {"alpha", "beta"},
            "nbproof/engine.py changed",
        ),
        (lambda c: c.edit("book/unused.py", "1", "2"), set(), None),
    ],
    ids=[
        "csv",
        "other csv",
        "library function",
        "shared function",
        "page",
        "parameter",
        "notebook",
        "lost output",
        "edited output",
        "style sheet",
        "engine",
        "unrelated module",
    ],
)
def test_exactly_what_depends_on_a_change_is_made_again(copy_of_built, change, expected, reason):
    (copy_of_built.root / "book" / "unused.py").write_text("x = 1\n")
    change(copy_of_built)
    said = copy_of_built.run("build", "--plan").stdout
    why = dict(re.findall(r"^(\w+): (.+)$", said, re.MULTILINE))
    assert {name for name in why if why[name] != "up to date"} == expected, said
    assert reason is None or all(reason in why[name] for name in expected)


def test_what_the_plan_names_is_made_and_then_no_more(copy_of_built):
    copy_of_built.edit("data/alpha.csv", "21.0", "22.0")
    said = copy_of_built.here("build").stdout
    assert made(said) == {"alpha"}
    assert "data/alpha.csv changed" in said
    assert made(copy_of_built.here("build").stdout) == set()


def test_a_report_whose_notebook_is_gone_leaves_the_front_page(copy_of_built):
    (copy_of_built.root / "notebooks" / "beta.ipynb").unlink()
    assert made(copy_of_built.here("build").stdout) == set()
    assert not (copy_of_built.reports / "en" / "beta.html").exists()
    assert "beta.html" not in (copy_of_built.reports / "index.html").read_text()
    assert set(json.loads((copy_of_built.reports / "manifest.json").read_text())["reports"]) == {"alpha"}
    before = hashes(copy_of_built.reports)
    copy_of_built.here("build")
    assert hashes(copy_of_built.reports) == before


def test_a_failing_cell_is_shown_and_the_rest_is_finished(copy_of_built):
    before = hashes(copy_of_built.reports)
    dividing = "wide = 1\n\ndef inner(x):\n    return x / 0\ninner(wide)"
    write_notebook(copy_of_built.root / "notebooks" / "alpha.ipynb", [*ALPHA, ("", dividing)])
    copy_of_built.edit("data/beta.csv", "3.5", "4.5")
    done = copy_of_built.here("build")
    assert done.returncode == 2
    said = r"error: alpha, cell In \[\d+\] at `inner\(wide\)`: ZeroDivisionError: .*division by zero"
    assert re.search(said, done.stderr)
    assert "Traceback" not in done.stderr
    assert made(done.stdout) == {"beta"}
    after = hashes(copy_of_built.reports)
    assert all(after[name] == before[name] for name in before if "alpha" in name)
    kept = json.loads((copy_of_built.reports / "failed" / "alpha.ipynb").read_text())
    assert any(o["output_type"] == "error" for cell in kept["cells"] for o in cell.get("outputs", []))


@pytest.mark.parametrize("engine", ["warm", "kernel"])
def test_bad_input_met_by_a_notebook_is_one_sentence(copy_of_built, engine):
    before = hashes(copy_of_built.reports)
    source = "from book import series\nseries.read('bad.csv')"
    write_notebook(copy_of_built.root / "notebooks" / "alpha.ipynb", [TITLE, PARAMETERS, ("", source)])
    (copy_of_built.root / "bad.csv").write_text("many")
    run = copy_of_built.here if engine == "warm" else copy_of_built.run  # where a kernel finds the project
    done = run("build", "alpha", "--engine", engine)
    assert done.returncode == 2
    assert re.fullmatch(r"error: alpha: bad\.csv, row 1: got 'many'; allowed: a number\.\n", done.stderr)
    assert hashes(copy_of_built.reports) == before


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        ("import os\nos._exit(3)", [], r"error: alpha: its process died \(exit code 3\)"),
        (
            "while True:\n    time.sleep(60)",
            ["--limit", "3"],
            r"error: alpha: took longer than its limit of 3 s and was",
        ),
        ("subprocess.run(['sleep', '600'])", ["--limit", "3"], "took longer than its limit"),
    ],
    ids=["dies", "hangs", "hangs in a child"],
)
def test_a_kernel_that_dies_or_hangs_is_reported(copy_of_built, source, arguments, message):
    before = hashes(copy_of_built.reports)
    source, children = with_children(copy_of_built, source)
    write_notebook(copy_of_built.root / "notebooks" / "alpha.ipynb", [TITLE, PARAMETERS, ("", source)])
    done = copy_of_built.here("build", *arguments)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
    assert hashes(copy_of_built.reports) == before
    assert "limit" in message and not children.exists() or ended(children)  # a busy machine is late before a cell runs


def with_children(checkout: Checkout, source: str) -> tuple[str, Path]:
    """A cell that first starts processes of its own, and the file it writes their numbers to."""
    pids = checkout.root / "pids"
    start = (
        "import multiprocessing, os, subprocess, time\n"
        "far = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "near = multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,))\nnear.start()\n"
        f"open({str(pids)!r}, 'w').write(f'{{far.pid}} {{near.pid}}')\n"
    )
    return start + source, pids


def ended(pids: Path) -> bool:
    alive = [pid for pid in map(int, pids.read_text().split()) if psutil.pid_exists(pid)]
    pids.unlink()
    return not alive


ACCOUNTS = """class BookError(Exception):
    input_is_wrong = True

def ask():
    raise BookError("no such account; allowed: 1.")
"""


def test_a_package_of_the_project_is_an_input_and_its_errors_are_said_as_ours(copy_of_built):
    module = copy_of_built.root / "packages" / "accounts" / "accounts" / "book.py"
    module.parent.mkdir(parents=True)
    (module.parent / "__init__.py").write_text('"""Books."""\n')
    module.write_text(ACCOUNTS.replace("raise", "return"))
    cells = [TITLE, PARAMETERS, ("", "from accounts.book import ask\nask()")]
    write_notebook(copy_of_built.root / "notebooks" / "alpha.ipynb", cells)
    assert copy_of_built.here("build", "alpha").returncode == 0
    manifest = json.loads((copy_of_built.reports / "manifest.json").read_text())
    named = [name for name in manifest["reports"]["alpha"]["run_inputs"] if name.startswith("packages")]
    assert named == ["packages/accounts/accounts/__init__.py", "packages/accounts/accounts/book.py"]
    module.write_text(ACCOUNTS)
    assert "packages/accounts/accounts/book.py changed" in copy_of_built.here("build", "alpha", "--plan").stdout
    done = copy_of_built.here("build", "alpha")
    assert (done.returncode, done.stderr) == (2, "error: alpha: no such account; allowed: 1.\n")


@pytest.mark.parametrize("engine", ["warm", "kernel"])
def test_what_a_notebook_started_ends_with_it(copy_of_built, engine):
    source, children = with_children(copy_of_built, "")
    write_notebook(copy_of_built.root / "notebooks" / "beta.ipynb", [*BETA, ("", source)])
    run = copy_of_built.here if engine == "warm" else copy_of_built.run
    assert run("build", "beta", "--engine", engine).returncode == 0
    assert ended(children)


@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file's size")
def test_a_full_disk_leaves_the_last_good_reports(copy_of_built):
    import resource

    before = hashes(copy_of_built.reports)
    copy_of_built.edit("data/alpha.csv", "21.0", "23.0")
    command, environment = copy_of_built.command("build")
    done = subprocess.run(
        command,
        env=environment,
        cwd=copy_of_built.root,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 2
    assert "cannot write its files" in done.stderr
    assert "Traceback" not in done.stderr
    after = hashes(copy_of_built.reports)
    assert {name: after[name] for name in before} == before
    assert "alpha: data/alpha.csv changed" in copy_of_built.run("build", "--plan").stdout  # killed below: it succeeds


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_interrupting_a_build_leaves_the_last_good_reports(copy_of_built):
    before = hashes(copy_of_built.reports)
    marker = copy_of_built.root / "started"
    sleeping = [TITLE, PARAMETERS, ("", f"import time\nopen({str(marker)!r}, 'w').close()\ntime.sleep(60)")]
    write_notebook(copy_of_built.root / "notebooks" / "alpha.ipynb", sleeping)
    command, environment = copy_of_built.command("build")
    running = subprocess.Popen(
        command,
        env=environment,
        cwd=copy_of_built.root,
        **HEARD,
        # what runs in the background of a shell ignores it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "interrupted; what was published before is unchanged" in error
    assert "Traceback" not in error
    assert hashes(copy_of_built.reports) == before


def whole(path: Path) -> bool:
    """Whether a published file is complete in itself."""
    content = path.read_bytes()
    if path.suffix == ".html":
        return content.startswith(b"<!DOCTYPE html>") and content.rstrip().endswith(b"</html>")
    if path.suffix == ".pdf":
        return content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF")
    if path.suffix in (".json", ".ipynb"):
        return bool(json.loads(content))
    return bool(content)


def test_kill_at_random_moments_leaves_valid_reports_and_a_build_that_succeeds(copy_of_built):
    before = hashes(copy_of_built.reports)
    names = [name for name in before if name.endswith((".html", ".pdf", ".ipynb", ".json"))]
    began = time.monotonic()
    copy_of_built.build("--force")
    usual = time.monotonic() - began
    moments = random.Random(20240531)
    for _ in range(2):
        (copy_of_built.root / "data" / "alpha.csv").write_text(f"{moments.randint(1, 99)}.0\n")
        command, environment = copy_of_built.command("build", "--force")
        running = subprocess.Popen(command, env=environment, cwd=copy_of_built.root, **QUIET)
        try:
            running.wait(timeout=moments.uniform(0.05, 1.05) * usual)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        for name in names:
            assert whole(copy_of_built.reports / name), name
    (copy_of_built.root / "data" / "alpha.csv").write_text("21.0\n")
    copy_of_built.build()
    assert hashes(copy_of_built.reports) == before
    assert not list(copy_of_built.reports.rglob(".*html*"))


def test_killing_the_builder_ends_what_it_started(copy_of_built):
    marker = copy_of_built.root / "still-here"
    counting = f"import time\nfor i in range(100):\n    open({str(marker)!r}, 'w').write(str(i)); time.sleep(0.1)"
    counting, children = with_children(copy_of_built, counting)
    write_notebook(copy_of_built.root / "notebooks" / "alpha.ipynb", [TITLE, PARAMETERS, ("", counting)])
    command, environment = copy_of_built.command("build", "alpha")
    running = subprocess.Popen(command, env=environment, cwd=copy_of_built.root, **QUIET)
    deadline = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.kill()
    running.wait()
    time.sleep(1.0)
    last = marker.read_text()
    time.sleep(0.6)
    assert marker.read_text() == last
    assert ended(children)


def test_two_builds_at_once_both_end_well(copy_of_built):
    copy_of_built.edit("data/alpha.csv", "21.0", "24.0")
    command, environment = copy_of_built.command("build")
    both = [subprocess.Popen(command, env=environment, cwd=copy_of_built.root, **HEARD) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(made(out) for out, _ in said) == [set(), {"alpha"}]
    assert any("waiting for it to end" in error for _, error in said)


def test_a_notebook_without_a_parameters_cell_is_refused_before_anything_is_written(checkout):
    write_notebook(checkout.root / "notebooks" / "gamma.ipynb", [TITLE, ("", "x = 1")])
    done = checkout.here("build")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: gamma\.ipynb has 0 cells tagged 'parameters'; .*\n", done.stderr)
    assert not checkout.reports.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alhpa"], "unknown notebook 'alhpa'; did you mean 'alpha'?"),
        (["--language", "en,zn"], "unknown language 'zn'; did you mean 'zh'?"),
        (["--profile", "quik"], "unknown profile 'quik'; did you mean 'quick'?"),
        (["alpha", "--out", "o", "-p", "fcator", "3"], "unknown parameter of alpha 'fcator'; did you mean 'factor'?"),
        (
            ["alpha", "--out", "o", "-p", "factor", "much"],
            "parameter factor takes a value of type float, such as 2.0; got 'much'.",
        ),
        (["alpha", "-p", "factor", "3"], "give a folder of its own with --out DIR"),
        (["--jobs", "0"], "--jobs must be above 0; got 0."),
        (["--limit", "nan"], "--limit must be above 0; got nan."),
        (["alpha", "--out", "o", "-p", "factor", "3", "-p", "factor", "4"], "parameter factor is given 2 times"),
        (["--out", "requirements.lock"], "cannot write to the output folder requirements.lock: "),
        pytest.param(
            ["--out", "/proc/nowhere"],
            "cannot write to the output folder /proc/nowhere: ",
            marks=pytest.mark.skipif(os.name == "nt", reason="Windows makes such a folder"),
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(built_checkout, arguments, message):
    before = hashes(built_checkout.root)
    done = built_checkout.here("build", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert hashes(built_checkout.root) == before


def test_a_folder_without_write_permission(built_checkout, tmp_path):
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("root may write anywhere; /proc stands in for such a folder above")
    tmp_path.chmod(0o500)
    done = built_checkout.run("build", "--out", str(tmp_path / "reports"))
    assert done.returncode == 2
    assert "cannot write to the output folder" in done.stderr


def test_own_parameters_go_to_a_folder_of_their_own(built_checkout, tmp_path):
    given = ["--out", str(tmp_path / "mine"), "-p", "factor", "3", "--language", "zh"]
    assert made(built_checkout.here("build", "alpha", *given).stdout) == {"alpha"}
    assert json.loads((tmp_path / "mine" / "results" / "alpha.json").read_text())["numbers"]["answer"]["value"] == 63.0
    assert not (tmp_path / "mine" / "en").exists()


def test_the_quick_profile_has_its_own_folder(copy_of_built):
    before = (copy_of_built.reports / "results" / "alpha.json").read_bytes()
    copy_of_built.here("build", "alpha", "--profile", "quick")
    results = copy_of_built.reports / "quick" / "results" / "alpha.json"
    assert json.loads(results.read_text())["numbers"]["answer"]["value"] == 21.0
    assert (copy_of_built.reports / "results" / "alpha.json").read_bytes() == before


def test_results_within_tolerance_keep_their_committed_bytes(copy_of_built):
    path = copy_of_built.reports / "results" / "alpha.json"
    slightly = path.read_text().replace('"value": 42.0,', '"value": 42.0005,')
    path.write_text(slightly)
    assert made(copy_of_built.here("build", "alpha", "--force").stdout) == {"alpha"}
    assert path.read_text() == slightly
    path.write_text(slightly.replace("42.0005", "42.01"))
    found = json.loads(slightly.replace("42.0005", "42.0"))
    assert b'"value": 42.0,' in _settled(found, path)


def test_an_executed_notebook_somebody_saved_is_run_again(copy_of_built):
    before = hashes(copy_of_built.reports)
    copy_of_built.edit("reports/notebooks/alpha.ipynb", '"value": 42.0', '"value": 43.0')
    (copy_of_built.reports / "notebooks" / "beta.ipynb").unlink()
    said = copy_of_built.build()
    assert "output notebooks/alpha.ipynb was changed" in said
    assert hashes(copy_of_built.reports) == before


def test_what_a_notebook_does_to_its_process_stays_in_it(copy_of_built):
    """It changes folder, leaves a thread behind, warns from the library, and a file it read changes while it runs."""
    source = (
        "import os, threading, time, warnings\nfrom book import series\n"
        "print(open('mine.csv').read())\n"
        "warnings.warn_explicit('hi', UserWarning, series.__file__, 1)\nhere = os.getcwd()\nos.chdir('/')\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "open(os.path.join(here, 'data', 'beta.csv'), 'w').write('4.5')"
    )
    write_notebook(copy_of_built.root / "notebooks" / "beta.ipynb", [*BETA, ("", source)])
    (copy_of_built.root / "mine.csv").write_text("1.5")
    began = time.monotonic()
    copy_of_built.here("build", "beta")
    assert time.monotonic() - began < 40
    executed = (copy_of_built.reports / "notebooks" / "beta.ipynb").read_text()
    assert "UserWarning: hi" in executed
    assert str(copy_of_built.root) not in executed
    (copy_of_built.root / "mine.csv").write_text("2.5")  # a file beside the notebooks' folder is an input too
    said = copy_of_built.here("build", "--plan").stdout
    assert "data/beta.csv changed" in said
    assert "mine.csv changed" in said


def test_a_notebook_from_elsewhere_never_takes_the_place_of_a_report(copy_of_built, tmp_path):
    before = hashes(copy_of_built.root)
    write_notebook(tmp_path / "mine" / "alpha.ipynb", BETA)
    done = copy_of_built.here("build", str(tmp_path / "mine" / "alpha.ipynb"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "give a folder of its own with --out DIR" in done.stderr
    assert hashes(copy_of_built.root) == before
