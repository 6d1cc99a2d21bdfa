"""Know how a figure is set into an HTML page: coloured by the page's theme, and unable to run or fetch anything."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from socialcommerce.errors import ParameterError
from socialcommerce.figures.colours import VARIABLES
from socialcommerce.figures.svg import COLOURED, HREF, LOCAL, SHAPES, local, parsed, renamed, written

__all__ = ["inline"]

ALLOWED = SHAPES - {"text"} | frozenset({
    "svg", "g", "defs", "clipPath", "image", "title", "desc", "linearGradient", "radialGradient", "stop", "pattern",
    "mask",
})
PAINT = frozenset({
    "clip-path", "clip-rule", "fill", "fill-opacity", "fill-rule", "image-rendering", "mask", "opacity",
    "stop-color", "stop-opacity", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width",
})
ATTRIBUTES = PAINT | frozenset({
    "id", "d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "points",
    "transform", "viewBox", "style", "clipPathUnits", "patternUnits", "patternTransform", "patternContentUnits",
    "gradientUnits", "gradientTransform", "offset", "preserveAspectRatio",
})
PLAIN = re.compile(r"[-+\w#.,%\s]*(?:\([-+\w.,%\s]*\)[-+\w#.,%\s]*)*")  # numbers, names, functions of them


def inline(svg: str, prefix: str, alt: str = "") -> str:
    """Set an SVG into an HTML page: the page's theme colours it, and nothing in it can run or be fetched.

    Elements and attributes that are not plain drawing are left out. The drawing keeps its size and shrinks on a narrow
    page.

    Parameters
    ----------
    svg : str
        What ``style.draw`` returned.
    prefix : str
        A name unique in the page, such as the figure's; letters, digits, ``-`` and ``_``. It starts every id.
    alt : str
        What somebody who cannot see the figure should know.

    Raises
    ------
    ParameterError
        When the prefix is no name.
    DataError
        When the text is no SVG.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", prefix):
        raise ParameterError(f"a figure's prefix is a letter, then letters, digits, - and _; got {prefix!r}.")
    root = parsed(svg)
    _sanitise(root)
    renamed(root, f"{prefix}-")
    for element in root.iter():
        for name in {"style", *COLOURED} & set(element.keys()):
            element.set(name, _themed(element.get(name, "")))
    width = root.attrib.pop("width", "")
    root.attrib.pop("height", None)
    root.set("style", f"display:block;width:100%;{_natural(width)}height:auto;" + root.get("style", ""))
    root.set("role", "img")
    if alt:
        root.set("aria-label", alt)
    return written(root)


def _sanitise(parent: Element) -> None:
    """Leave only drawing: known elements, known attributes, references inside the drawing."""
    for name, value in parent.items():
        if not _harmless(local(parent), name, value):
            del parent.attrib[name]
    for child in list(parent):
        if local(child) in ALLOWED:
            _sanitise(child)
        else:
            parent.remove(child)


def _harmless(tag: str, name: str, value: str) -> bool:
    if name == HREF:
        return value.startswith("#") or (tag == "image" and value.startswith("data:image/png;base64,"))
    if name == "style":
        pairs = [part.partition(":") for part in value.split(";") if part.strip()]
        return all(key.strip() in PAINT and _plain(paint) for key, _, paint in pairs)
    return name in ATTRIBUTES and _plain(value)


def _plain(value: str) -> bool:
    """Tell whether a value is made of numbers, words and references inside the drawing."""
    rest = LOCAL.sub("", value)
    return bool(PLAIN.fullmatch(rest)) and "url" not in rest.lower()


def _themed(value: str) -> str:
    return re.sub(r"#[0-9a-f]{6}\b", lambda hit: f"var({VARIABLES[hit[0]]})" if hit[0] in VARIABLES else hit[0], value)


def _natural(width: str) -> str:
    """Keep a drawing from growing beyond its own width, given in points or pixels (96 to the inch)."""
    given = re.fullmatch(r"(\d+(?:\.\d+)?)(pt|px)?", width)
    return f"max-width:{float(given[1]) * (4 / 3 if given[2] == 'pt' else 1):g}px;" if given else ""
