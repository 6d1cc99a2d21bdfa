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
project      the settings of a build; look: how reports look, and the words around what notebooks tell
parameters   what a notebook lets its reader choose, typed
owned        where may be written, what is ours there, and which names a manifest may give
plan         what has to be made again, and why
engine       papermill engines: in this process (for a warm fork) and on real kernels
run          one report from notebook to finished files, in a process of its own
children     what a notebook started ends with it
prose        markdown with {{names}}, numbers filled in from results
document     an executed notebook as a pandoc document of one language
render       pandoc to HTML, typst to PDF
index        the front page: search and language switch
results      the committed numbers, and how far a new one may lie from them
publish      staging, journal, lock: a report is whole or not there
folder       a whole folder that is there or not, and drafts that a killed run leaves to the next
manifest     what was made from what, and its RO-Crate description
builder      all reports, in parallel, with progress
verifier     every number again, against the committed ones
shapes       whether a toml file has the fields and forms declared for it
console      a command's streams, signals and errors; commands: ``build`` and ``verify``
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "builder": ("Built", "build", "failure", "planned"),
    "commands": ("CommandParser", "add_build", "add_command", "add_translate", "add_verify", "folder_option", "shown"),
    "console": ("check_positive", "ended", "run_command"),
    "errors": ("MissingExtraError", "NbproofError", "NotebookError", "OutputError", "ParameterError",
               "UnknownNameError", "named", "nearest", "quoted"),
    "files": ("check_file", "read_bytes", "read_toml"),
    "folder": ("check_replaceable", "held_folder", "whole_folder"),
    "index": ("Front", "front_page"),
    "look": ("Look", "provenance"),
    "machine": ("cache_folder", "processors"),
    "numbers": ("format_number", "snap", "text_table"),
    "owned": ("read_manifest",),
    "page": ("Evidence", "Page", "translated"),
    "parameters": ("parameters_of",),
    "project": ("Project", "use"),
    "prose": ("REFERENCE", "References"),
    "publish": ("as_json", "write_whole"),
    "results": ("MIME", "collect", "compare", "payloads"),
    "translation": ("Catalogue", "catalogue", "filled", "listed", "words"),
    "verifier": ("MARKED", "Verified", "as_table", "readme_drifts", "verify"),
}
_WHERE = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_WHERE]  # noqa: PLE0604 - the names above, each loaded when it is asked for


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nbproof.{_WHERE[name]}"), name)
