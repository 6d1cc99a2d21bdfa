"""Finish the site and check it: built reports beside it, no dead link, nothing that asks another host.

python docs/links.py build/site
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
ASKED = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """What a page leads to, what it loads, and the anchors in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = ASKED.findall(text)
        self.anchors = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note links, what is loaded, and anchors."""
        given = {key: value or "" for key, value in attributes}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.leads.append(given["href"])
        if given.get(LOADED.get(tag, "")) and given.get("rel") not in ("canonical", "alternate"):
            self.loads.append(given[LOADED[tag]])


@cache
def read(path: Path) -> Page:
    """Read a page."""
    return Page(path.read_text(encoding="utf-8"))


def faults(site: Path) -> Iterator[str]:
    """Go through the pages, but those of the reports, which have tests of their own, and say what is wrong."""
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site)
        if name.parts[0] == "reports":
            continue
        page = read(path)
        for link in [*page.leads, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loads and parts.scheme != "data":
                    yield f"{name} asks another host for {link}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{name} leads to {link}, which is not there"
            elif target.suffix == ".html" and unquote(parts.fragment) not in read(target).anchors:
                yield f"{name} leads to {link}, where no such anchor is"
    for path in sorted(site.rglob("*.css")):
        for link in ASKED.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} asks another host for {link}"


def main(site: Path) -> int:
    """Put in place what Sphinx does not make, and check all."""
    shutil.copy(ROOT / "docs" / "first.html", site / "index.html")
    if (ROOT / "reports" / "index.html").is_file():
        shutil.copytree(ROOT / "reports", site / "reports", ignore=shutil.ignore_patterns(".*", "failed", "quick"))
    wrong = list(faults(site))
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    pages = sum(1 for _ in site.rglob("*.html"))
    print(f"{pages} pages, {len(wrong) or 'no'} dead links or requests; open {site / 'index.html'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
