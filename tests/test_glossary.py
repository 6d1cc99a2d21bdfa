"""One name for one thing: catalogues, codebooks, the words of pages and the Chinese README keep to the glossary."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbproof import Catalogue

ROOT = Path(__file__).parents[1]
GLOSSARY = tomllib.loads((ROOT / "notebooks" / "locale" / "glossary.zh.toml").read_text(encoding="utf-8"))
CATALOGUES = sorted(
    [
        *(ROOT / "notebooks" / "locale").glob("*.po"),
        *(ROOT / "socialcommerce" / "locale").glob("*.po"),
        *(ROOT / "packages").glob("*/*/locale/*.po"),
    ]
)
TABLES = sorted(
    [
        *(ROOT / "data" / "survey").glob("*.toml"),
        *(ROOT / "paper").glob("*.toml"),
        *(ROOT / "socialcommerce" / "report").glob("*.toml"),
        ROOT / "packages" / "nbproof" / "nbproof" / "assets" / "words.toml",
        ROOT / "packages" / "surveysem" / "surveysem" / "app" / "words.toml",
    ]
)
CODE = re.compile(r"`[^`]*`|\$[^$]*\$|\{[^}]*\}")


def pairs(file: Path) -> Iterator[tuple[str, str, str]]:
    """Return what a file says: where, in English and in Chinese, one of them empty where there is no translation."""
    if file.suffix == ".po":
        yield from ((english[:40], english, chinese) for english, chinese in Catalogue("zh", file).items())
    elif file.suffix == ".toml":
        yield from _pairs(tomllib.loads(file.read_text(encoding="utf-8")), "")
    else:
        yield from ((line[:40], "", line) for line in file.read_text(encoding="utf-8").splitlines())


def _pairs(table: Any, where: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(table, dict) and {"en", "zh"} <= table.keys() and isinstance(table["zh"], str):
        yield where, table["en"], table["zh"]
        table = {key: each for key, each in table.items() if key not in ("en", "zh")}
    elif isinstance(table, str) and re.search("[\u4e00-\u9fff]", table):
        yield where, "", table
    inner = table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ()
    for key, each in inner:
        named = each.get("id", each.get("code", key)) if isinstance(each, dict) else key
        yield from _pairs(each, f"{where}.{named}".strip("."))


@pytest.mark.parametrize("file", [*CATALOGUES, *TABLES, ROOT / "README.zh-CN.md"], ids=lambda file: file.name)
def test_no_text_uses_a_variant(file):
    never = [(re.compile(variant), name) for _, name, *variants in GLOSSARY["terms"] for variant in variants]
    never += [(re.compile(pattern), "style") for pattern in GLOSSARY["style"]]
    instead = [(re.compile(variant), name) for name, *variants in GLOSSARY["english"] for variant in variants]
    faults = [
        f"{file.name}, {where}: {found[0]} → {name}"
        for where, english, chinese in pairs(file)
        for text, rules in ((CODE.sub("", chinese), never), (english, instead))
        for variant, name in rules
        if (found := variant.search(text))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("file", [*CATALOGUES, ROOT / "data" / "survey" / "codebook.toml"], ids=lambda file: file.name)
def test_a_term_that_stands_alone_has_its_name(file):
    names = {english: re.sub(r"（.*", "", name) for english, name, *_ in GLOSSARY["terms"]}
    faults = [
        f"{file.name}, {english}: {chinese}, not {names[english]}"
        for _, english, chinese in pairs(file)
        if english in names and names[english] not in chinese
    ]
    assert not faults, "\n".join(faults)


def test_the_glossary_names_each_thing_once():
    english = [english for english, *_ in GLOSSARY["terms"]]
    assert sorted(set(english)) == sorted(english)
    assert len(english) >= 200
    names = [name for _, name, *_ in GLOSSARY["terms"]]
    for _, name, *variants in GLOSSARY["terms"]:
        assert not [other for other in names for variant in variants if re.search(variant, other)], name
