"""The parameters cell: typed, refused, explained."""

from __future__ import annotations

import json

import pytest

from nbproof.__main__ import main
from nbproof.errors import NotebookError, ParameterError, UnknownNameError
from nbproof.parameters import Parameter, cells_of, chosen, parameters_of, profile_of

CELL = (
    "parameters",
    'language: str = "both"  # of the outputs\ndraws: int = 100  # Monte-Carlo draws\n'
    "level: float = 0.95\nfast: bool = False",
)


def test_reads_name_type_default_and_meaning(notebook):
    found = parameters_of(notebook(CELL))
    assert list(found) == ["language", "draws", "level", "fast"]
    assert found["draws"] == Parameter("draws", "int", 100, "Monte-Carlo draws")


def test_values_given_as_text_take_the_declared_type(notebook):
    path = notebook(CELL)
    assert chosen(path, {"draws": 7}, {"level": "0.9", "fast": "true"}) == {
        "language": "both",
        "draws": 7,
        "level": 0.9,
        "fast": True,
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("draws", "many", r"parameter draws takes a value of type int, such as 100; got 'many'\."),
        ("draws", "1.5", r"parameter draws takes a value of type int"),
        ("fast", "perhaps", r"parameter fast takes true or false; got 'perhaps'\."),
        ("level", "", r"parameter level takes a value of type float"),
    ],
)
def test_wrong_types_are_refused(notebook, name, value, message):
    with pytest.raises(ParameterError, match=message):
        chosen(notebook(CELL), {}, {name: value})


def test_a_number_is_not_a_text():
    with pytest.raises(ParameterError, match="takes a value of type str"):
        Parameter("language", "str", "both", "").read(3)


def test_a_seed_is_not_below_zero():
    assert Parameter("seed", "int", 7, "").read("0") == 0
    with pytest.raises(ParameterError, match="parameter seed takes a value of type int from 0, such as 7; got '?-1"):
        Parameter("seed", "int", 7, "").read(-1)


def test_unknown_parameter_names_the_nearest(notebook):
    with pytest.raises(UnknownNameError, match=r"unknown parameter of small 'drwas'; did you mean 'draws'\?"):
        chosen(notebook(CELL), {}, {"drwas": "3"})


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([("", "x = 1")], "has 0 cells tagged 'parameters'; a report needs exactly one"),
        ([CELL, CELL], "has 2 cells tagged 'parameters'"),
        ([("parameters", "x: int = len('a')")], r"holds \"x: int = len\('a'\)\"; allowed is one literal a line"),
        ([("parameters", "x: list = [1]")], "allowed is one literal a line"),
        ([("parameters", "x: int = ")], "is not Python"),
    ],
)
def test_a_bad_parameters_cell_is_explained(notebook, cells, message):
    with pytest.raises(NotebookError, match=message):
        parameters_of(notebook(*cells))


def test_a_file_that_is_no_notebook(tmp_path):
    path = tmp_path / "no.ipynb"
    path.write_text("not json")
    with pytest.raises(NotebookError, match=r"no\.ipynb is not a notebook that can be read"):
        parameters_of(path)


def test_profiles(tmp_path):
    (tmp_path / "profiles.toml").write_text("[full]\n[quick]\n01_market_size = { draws = 10 }\n")
    assert profile_of(tmp_path, "quick", "01_market_size") == {"draws": 10}
    assert profile_of(tmp_path, "full", "01_market_size") == {}
    with pytest.raises(UnknownNameError, match="unknown profile 'quik'; did you mean 'quick'"):
        profile_of(tmp_path, "quik", "01_market_size")


GOOD = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
PLAIN = {"cell_type": "code", "source": "x: int = 1", "metadata": {"tags": ["parameters"]}, "outputs": []}
MALFORMED = {
    "empty": "",
    "no JSON": "print('hello')",
    "cut": json.dumps(GOOD)[:-5],
    "a list": "[]",
    "a text": '"x"',
    "a number": "3",
    "another kind": '{"a": 1}',
    "too deep": '{"a":' * 100_000,
    "not text": b"\xff\xfe\x00",
    "format 2": json.dumps({"nbformat": 2, "nbformat_minor": 0, "worksheets": []}),
    "no cells": json.dumps({k: v for k, v in GOOD.items() if k != "cells"}),
    "metadata": json.dumps(GOOD | {"metadata": []}),
    "kernel": json.dumps(GOOD | {"metadata": {"kernelspec": 3}}),
    "minor": json.dumps(GOOD | {"nbformat_minor": "x"}),
    "cells as text": json.dumps(GOOD | {"cells": "x"}),
    **{
        f"cell {k}": json.dumps(GOOD | {"cells": [cell]})
        for k, cell in enumerate(
            [
                3,
                None,
                {},
                PLAIN | {"cell_type": "heading"},
                PLAIN | {"cell_type": []},
                PLAIN | {"source": None},
                PLAIN | {"source": [1]},
                PLAIN | {"metadata": None},
                PLAIN | {"metadata": {"tags": 3}},
                PLAIN | {"metadata": {"tags": [[]]}},
                PLAIN | {"outputs": "x"},
            ]
        )
    },
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_notebook_is_one_sentence_with_its_name(tmp_path, capsys, case):
    content = MALFORMED[case]
    (tmp_path / "mine.ipynb").write_bytes(content if isinstance(content, bytes) else content.encode())
    for more in ([], ["-p", "x", "1"]):
        assert main(["build", str(tmp_path / "mine.ipynb"), "--out", str(tmp_path / "out"), *more]) == 2
        said = capsys.readouterr()
        assert said.err.startswith("error: mine.ipynb is not a notebook that can be read: ")
        assert (said.out, said.err.count("\n")) == ("", 1)
    assert not (tmp_path / "out").exists()


def test_a_plain_notebook_is_read(tmp_path):
    (tmp_path / "mine.ipynb").write_text(json.dumps(GOOD | {"cells": [PLAIN | {"source": ["x: int", " = 1"]}]}))
    assert set(parameters_of(tmp_path / "mine.ipynb")) == {"x"}
    with pytest.raises(NotebookError, match=r"none\.ipynb cannot be read: No such file"):
        cells_of(tmp_path / "none.ipynb")
