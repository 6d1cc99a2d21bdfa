"""The schema of codebooks and the page with their keys say what the reader takes, no more and no less."""

from __future__ import annotations

import inspect
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import surveysem
from docs import keys
from surveysem import codebook
from surveysem.codebook import KEYS, _Reader

ROOT = Path(__file__).parents[1]
CODEBOOKS = [
    *ROOT.glob("data/survey/[ch]*.toml"),
    surveysem.TEMPLATE,
    *ROOT.glob("packages/surveysem/tests/helpers/s*.toml"),
]
SHORT = tomllib.loads(keys.PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0])
SCHEMA = Draft202012Validator(keys.tables()["codebook"])


def test_the_reader_takes_the_keys_of_the_schema_and_uses_each():
    """It asks for keys by the schema; what it does with them stands in its source, what screening does in `Rules`."""
    assert {*keys.HEADS} == {*KEYS}
    assert {*KEYS["screening"][1]} == {each.name for each in fields(surveysem.Rules)}
    used = {*re.findall(r'"(\w+)"', inspect.getsource(codebook._Reader))}
    used |= {*codebook.LANGUAGES, *(each.name for kind in (surveysem.Contact, surveysem.Item) for each in fields(kind))}
    told = {key for kind, (needed, optional) in KEYS.items() if kind != "screening" for key in {*needed, *optional}}
    assert told - used == set()
    read = {*re.findall(r'(?:found|top)(?:\.get\(|\[)"(\w+)"', inspect.getsource(codebook._Reader))}
    assert read - told == set()


def test_the_page_lists_every_key_of_the_schema():
    text = keys.PAGE.read_text(encoding="utf-8")
    assert keys.page(text) == text, "run `python docs/keys.py`"


@pytest.mark.parametrize("path", CODEBOOKS, ids=lambda path: path.name)
def test_the_schema_takes_codebooks_that_load(path):
    assert surveysem.load_codebook(path).constructs
    assert [fault.message for fault in SCHEMA.iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))] == []


def test_the_schema_takes_the_short_form_and_refuses_what_the_reader_refuses():
    assert SCHEMA.is_valid(SHORT)
    for key, wrong in (
        ("scale", [1]),
        ("path", ["buying ~ trust"]),
        ("missing", [1.5]),
        ("constructs", {"trust": [1]}),
        ("constructs", {"risk": {"items": ["RISK"], "reliability": 2}}),
        ("controls", [{"scale": [1, 2]}]),
        ("checks", [{"code": "C"}]),
        ("scales", {"five": {"high": 5}}),
        ("screening", {"sped": 2}),
    ):
        broken = SHORT | {key: wrong}
        assert not SCHEMA.is_valid(broken), key
        with pytest.raises(surveysem.DataError, match="codebook fuzz.toml"):
            _Reader("fuzz.toml").codebook(broken)
