"""Turn notebooks into offline reports, in one language or several, that verify their own numbers.

A notebook is run once for all languages; its executed copy becomes a document, the document an HTML page and a PDF,
and its numbers a file of results. What a report was made from is kept in the manifest, so that the next build makes
again only what changed and says why; `verify` recomputes every number and compares.

>>> import nbproof
>>> nbproof.Project().notebooks
'notebooks'

The modules
-----------
page         what a notebook says, draws and lists
translation  one catalogue a language, and the notebooks made from it
fonts        a font for Chinese and for Latin text, cut on first use (extra ``fonts``)
project      the settings of a build; look: how reports look, and the words around what notebooks tell
parameters   what a notebook lets its reader choose, typed
cache        runs shared between checkouts and machines; picture: what is built from what, drawn
folder       whose a file is, and how reports and whole folders appear: whole or not at all
plan         what has to be made again, and why
engine       papermill engines, in this process (for a warm fork) and on real kernels, what they read and leave
run          one report from notebook to finished files, in a process of its own
machine      what a build is given, and how what a notebook started is ended
results      the numbers: written, kept, named in prose, and how far a new one may lie from a committed one
document     an executed notebook as a pandoc document of one language
render       pandoc to HTML, typst to PDF, and the front page: search and language switch
manifest     where a build comes from, and its RO-Crate description
builder      all reports, in parallel, with progress
verifier     every number again, against the committed ones, and every file
shapes       files that are handed over, and whether a toml file has the fields and forms declared for it
commands     ``build``, ``verify`` and ``translate``; a command's streams, signals and errors
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

_stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
_homes = {name: home for home, name in re.findall(r"from ([\w.]+) import (\w+) as", _stub)}

__all__ = ["__version__", *_homes]  # noqa: PLE0604 - the names of the stub, each loaded when it is asked for


def __getattr__(name: str) -> Any:
    if name not in _homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_homes[name]), name)
