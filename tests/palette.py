"""Which colours of a figure are not the house's, and would not change with a page's theme."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from socialcommerce.figures.colours import VARIABLES
from socialcommerce.figures.svg import COLOURED, HREF, LOCAL, NAMES, SVG

COLOURLESS = frozenset({"none", "inherit", "transparent"})


def check_palette(svg: str) -> list[str]:
    """List the colours of an SVG that are not the house's, and would not change with the page's theme.

    A shape that names no colour is black by default and counts as ``#000000``. Pictures inside are not looked into.

    Examples
    --------
    >>> check_palette('<svg xmlns="http://www.w3.org/2000/svg"><path style="fill:#ff0000"/><path/></svg>')
    ['#000000', '#ff0000']
    """
    root = ElementTree.fromstring(svg)
    named = {element.get("id"): element for element in root.iter()}
    found = set(_black(root, named, filled=False))
    for element in root.iter():
        found |= {value for name, value in _declared(element) if name in COLOURED}
    own = {*VARIABLES, *(f"var({name})" for name in VARIABLES.values()), *COLOURLESS}
    return sorted(colour for colour in found - own if not LOCAL.fullmatch(colour))


def _declared(element: Element) -> Iterator[tuple[str, str]]:
    for part in element.get("style", "").split(";"):
        name, _, value = part.partition(":")
        yield name.strip(), value.strip().lower()
    yield from ((name, value.strip().lower()) for name, value in element.items() if name in COLOURED)


def _black(element: Element, named: dict[str | None, Element], filled: bool) -> Iterator[str]:
    """Yield black for every drawn shape on whose way down nothing names a fill."""
    filled = filled or any(name == "fill" for name, _ in _declared(element))
    tag = element.tag.removeprefix(f"{{{SVG}}}")
    if tag == "use":
        target = named.get(element.get(HREF, "#")[1:])
        filled = filled or (target is not None and any(name == "fill" for name, _ in _declared(target)))
    if tag in NAMES["shapes"] | {"text"} and not filled:
        yield "#000000"
    if tag not in ("defs", "clipPath", "mask"):
        for child in element:
            yield from _black(child, named, filled)
