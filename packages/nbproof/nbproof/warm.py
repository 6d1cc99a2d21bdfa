"""Import once what every notebook and page needs: the fork server loads this module, each report is a fork of it."""

import atexit
import gc
import os
import sys
from importlib import import_module
from multiprocessing import forkserver

# jsonschema loads this optional grammar where JupyterLab is installed; it costs seconds and checks nothing here.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import IPython.core.completer  # noqa: E402, F401
import IPython.core.magics  # noqa: E402, F401
import IPython.core.pylabtools  # noqa: E402, F401
import nbformat.v4  # noqa: E402
import papermill  # noqa: E402, F401
import psutil  # noqa: E402, F401
import typst  # noqa: E402, F401

from nbproof import engine, look, render, results, run  # noqa: E402, F401

# compiles the schema: 0.4 s that every report would pay
nbformat.reads(nbformat.writes(nbformat.v4.new_notebook()), as_version=4)
look.template("parts.html"), look.template("page.html")
gc.freeze()  # what stands here stays: no report has to look through it for garbage
if getattr(sys.modules["__main__"], "main", None) is forkserver.main:
    atexit.register(os._exit, 0)  # the server itself leaves nothing: taking its modules apart costs a third of a second

if __name__ == "__main__":  # with the names of what a project loads beside these: shows what cannot be loaded
    for each in sys.argv[1:]:
        import_module(each)
