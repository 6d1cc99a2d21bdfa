"""The site: what Sphinx reads for ``make site``, and what it is taught here about two languages.

Pages stand in the repository where people look for them, so the whole of it is the source and links between files
are links between pages. A page of ``docs/`` that no table of contents names is listed under "More pages".
"""

from __future__ import annotations

import gettext
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import sphinx
from pygments.lexers.special import TextLexer
from sphinx.domains.python import PythonDomain
from sphinx.search.en import SearchEnglish

ROOT = Path(__file__).parents[1]
PACKAGES = ("semfit", "stockflow", "nbproof", "surveysem", "socialcommerce")

project = "socialcommerce"
author = "The socialcommerce authors"
project_copyright = f"{author}; text and figures CC BY 4.0, code MIT"
root_doc = "docs/index"
include_patterns = ["docs/**", "README*.md", "CHANGELOG.md", "CONTRIBUTING.md", "packages/*/README.md"]
include_patterns += ["packages/*/CHANGELOG.md", "LICENSE-TEXT.md"]
exclude_patterns = [".*", "build", "reports", "notebooks", "tests", "benchmarks", "socialcommerce", "packages/*/*/**"]
exclude_patterns += ["docs/*.txt", "docs/requirements.*"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "literal"
myst_heading_anchors = 4
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"  # the sections of a docstring say what is given and returned
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
toc_object_entries = False

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True, "source_view_link": "", "source_edit_link": ""}

HAN = "[\u3400-\u4dbf\u4e00-\u9fff]"


class BothLanguages(SearchEnglish):
    """English words, and of Chinese, which writes no spaces, every two neighbouring characters."""

    js_splitter_code = r"""
var splitQuery = (query) => query.split(/[^\p{Letter}\p{Number}_]+/gu).filter((term) => term)
  .flatMap((term) => term.match(/\p{Script=Han}+|[^\p{Script=Han}]+/gu))
  .flatMap((term) => /\p{Script=Han}/u.test(term) && term.length > 2
    ? Array.from({ length: term.length - 1 }, (_, at) => term.slice(at, at + 2)) : [term]);
"""

    def split(self, input: str) -> list[str]:
        found: list[str] = []
        for term in re.findall(rf"{HAN}+|(?:(?!{HAN})\w)+", input):
            pairs = [term[at : at + 2] for at in range(len(term) - 1)] if re.match(HAN, term) else []
            found += pairs or [term]
        return found


class Names(PythonDomain):
    """A name that several packages have is a link only where it is the page's own."""

    def find_obj(self, *arguments: Any, **options: Any) -> list[Any]:
        found = super().find_obj(*arguments, **options)
        return found if len(found) == 1 else []


def setup(app: Any) -> None:
    """Load every name that a package gives, choose search and links, and let three things be done to pages."""
    for name in PACKAGES:
        package = import_module(name)
        for each in getattr(package, "__all__", ()):
            setattr(package, each, getattr(package, each))
    app.add_search_language(BothLanguages)
    app.add_domain(Names, override=True)
    app.add_lexer("csv", TextLexer)
    app.connect("autodoc-process-docstring", laid_out, priority=100)
    app.connect("source-read", filled)
    app.connect("html-page-context", in_its_language)


def laid_out(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Show the list of modules at the end of a package's docstring, names in a column, as it was laid out."""
    for at, line in enumerate(lines):
        if what == "module" and line and set(line) == {"-"}:
            listed = [f"    {each}".rstrip() for each in lines[at + 1 :]]
            lines[at - 1 :] = [f"{lines[at - 1]}::", "", *listed, ""]
            return


def filled(app: Any, page: str, source: list[str]) -> None:
    """Let a link to a folder lead to its list, or be none; on front pages list other pages, and link built reports."""
    here = (ROOT / page).parent

    def leads(link: re.Match[str]) -> str:
        if not (here / link[2]).is_dir():
            return link[0]
        return f"[{link[1]}]({link[2]}/index.md)" if (here / link[2] / "index.md").is_file() else link[1]

    source[0] = re.sub(r"(?<!!)\[([^\]]*)\]\(([\w./-]+)\)", leads, source[0])
    if page not in (root_doc, "docs/zh/index"):
        return
    named = {*re.findall(r"^(?:.*<)?([\w/.-]+)>?$", source[0], re.MULTILINE), "index", "zh/index"}
    for marker, folder in (("% others", ""), ("% zh others", "zh/")):
        found = sorted(f"{folder}{path.stem}" for path in (ROOT / "docs" / folder).glob("*.md"))
        source[0] = source[0].replace(f"{marker}\n", "".join(f"{each}\n" for each in found if each not in named))
    if not (ROOT / "reports" / "index.html").is_file():
        source[0] = re.sub(r"^<!-- reports -->.*?^<!-- /reports -->\n", "", source[0], flags=re.MULTILINE | re.DOTALL)


def in_its_language(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Say of a Chinese page that it is Chinese, and take the words around it from Sphinx's own translation."""
    if page.startswith("docs/zh/") or page == "README.zh-CN":
        locale = Path(sphinx.__file__).parent / "locale"
        words = gettext.translation("sphinx", locale, ["zh_CN"])
        context.update(language="zh-CN", _=words.gettext, gettext=words.gettext)
