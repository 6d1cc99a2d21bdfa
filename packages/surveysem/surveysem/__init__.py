"""Take a survey from its codebook to answers, models, checks and tables an article prints.

A codebook (toml) says what is asked and which paths are expected. Answers are read by it, screened by declared rules,
and put to measurement and structural models; or respondents are drawn from a stated truth, to plan a survey and to see
a method find what was put in.

>>> import surveysem
>>> book = surveysem.load_codebook(surveysem.TEMPLATE)
>>> print(book.model().splitlines()[0])
welcome =~ W1 + W2 + W3

The modules
-----------
codebook      constructs, items, scales, expected paths, from toml or from a model in lavaan's language; questionnaire
              writes it as docx, html and csv
draft         a codebook guessed from a file of answers
responses     answers from csv, Excel and SPSS (tables, child), matched to the codebook's questions
screening     careless answers by declared rules, each case on record
synthetic     what is true of drawn respondents, and they themselves
study         answers and how they are analysed, settled before results are seen
measurement   cut-offs and tables of a measurement model, and checks for a common source
paths         standardised paths, direct and indirect; moderation, groups, waves, contact, segments beside them
pls           the same paths between composites, by partial least squares
sensitivity   power before a survey, least detectable effects after it
specification_curve  every path under the choices an analyst could have made otherwise
effects       an estimate with its error, tests, corrections, and what a test comes to
methods       what a report tells in words; script an R script that computes models and tables again
hypotheses    each by the label its author gave it: what it comes to; exploration: respondents, items, factors
article       tables of executed notebooks as Word and Excel files
report        notebooks (measurement and structure, or pls) run on a file, in two languages; notebook is their page
preregistration  a plan written before the answers, under one hash, and whether an analysis kept to it
said          how the package speaks another language, and fills its templates
commands      check, draft, app, template, sample, preregister and report, for any codebook
app           a page in the browser on which the draft is corrected, paths drawn, the report run and read
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

LOCALE = Path(__file__).parent / "locale"
"""Catalogues of what results, tables and figures say, for `nbproof.Project.locales`."""

_stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
_homes = {name: home for home, name in re.findall(r"from ([\w.]+) import (\w+) as", _stub)}

__all__ = ["LOCALE", "__version__", *_homes]  # noqa: PLE0604 - the names of the stub, each loaded when it is asked for


def __getattr__(name: str) -> Any:
    if name not in _homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _homes[name] == __name__:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(_homes[name]), name)
