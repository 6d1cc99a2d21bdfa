"""What of an executed notebook is kept."""

from __future__ import annotations

import papermill
import pytest
from nbformat import v4

from nbproof import engine
from nbproof.engine import _places, normalised


def executed(*outputs, **metadata):
    cell = v4.new_code_cell(
        "x", outputs=list(outputs), metadata={"papermill": {"duration": 1.5}, "tags": ["parameters"]}
    )
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(
        cells=[v4.new_markdown_cell("a"), cell],
        metadata={"kernelspec": kernel, "papermill": {"start_time": "now"}, **metadata},
    )


def stream(name, text):
    return v4.new_output("stream", name=name, text=text)


def test_clocks_go_and_tags_stay():
    kept = normalised(executed())
    assert set(kept.metadata) == {"kernelspec", "language_info"}
    assert kept.cells[1].metadata == {"tags": ["parameters"]}
    assert [cell.id for cell in kept.cells] == ["cell-001", "cell-002"]


def test_neighbouring_streams_are_joined_output_first():
    shown = v4.new_output("display_data", data={"text/plain": "q"})
    streams = [stream("stderr", "e"), stream("stdout", "a"), stream("stdout", "b"), shown, stream("stdout", "c")]
    kept = normalised(executed(*streams)).cells[1].outputs
    assert [(o.output_type, o.get("name"), o.get("text")) for o in kept] == [
        ("stream", "stdout", "ab"),
        ("stream", "stderr", "e"),
        ("display_data", None, None),
        ("stream", "stdout", "c"),
    ]


def test_addresses_are_renumbered_consistently():
    text = "<object at 0x7f21ac7c6da0> <object at 0x7f21ac7c6db0> <object at 0x7f21ac7c6da0>"
    kept = normalised(executed(stream("stdout", text))).cells[1].outputs[0].text
    assert kept == "<object at 0x000000000001> <object at 0x000000000002> <object at 0x000000000001>"


def test_the_name_of_a_cell_in_a_warning_is_the_same_in_both_engines():
    named = ["<ipython-input-6-cd22beb242ab>", "/tmp/ipykernel_7279/4253252060.py"]
    warm, real = (
        normalised(executed(stream("stderr", f"{name}:1: UserWarning: hi"))).cells[1].outputs for name in named
    )
    assert warm == real


def test_folders_of_this_machine_are_named_by_what_they_hold(settings):
    import sysconfig

    root = settings()
    _places.cache_clear()
    library, package = root / "book" / "page.py", f"{sysconfig.get_path('purelib')}/pandas/core.py"
    said = f"{library}:3: UserWarning: hi\n{package}:4: FutureWarning: ho\n{root}\n{root}-other"
    kept = normalised(executed(stream("stderr", said))).cells[1].outputs[0].text
    assert kept == (f"book/page.py:3: UserWarning: hi\n<packages>/pandas/core.py:4: FutureWarning: ho\n.\n{root}-other")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["warm", "kernel"])
def test_an_output_is_updated_where_it_stands_by_either_engine(notebook, name):
    path = notebook(("", "shown = display('old', display_id=True)\nprint(1)"), ("", "print(2)\nshown.update('new')"))
    engine.register()
    made = papermill.execute_notebook(path, None, engine_name=name, progress_bar=False)
    outputs = [[dict(each.get("data", {})) or each.text for each in cell.outputs] for cell in made.cells]
    assert outputs == [[{"text/plain": "'new'"}, "1\n"], ["2\n"]]
