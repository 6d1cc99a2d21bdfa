"""Make the SVG that matplotlib writes small and the same everywhere, and set it into a page that colours it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from nbproof import read_toml
from socialcommerce.errors import DataError, ParameterError
from socialcommerce.figures.colours import VARIABLES

__all__ = ["inline", "tidy"]

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
NAMES = {kind: frozenset(names) for kind, names in read_toml(Path(__file__).with_name("house.toml"))["svg"].items()}
COLOURED = frozenset({"fill", "stroke", "stop-color"})
LOCAL = re.compile(r"url\(#([^)\s'\"]+)\)")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
THEMED = {**VARIABLES, "#000000": "--ink", "#333333": "--ink", "#808080": "--muted"}  # a notebook's "k" and grey
STEP = re.compile(r"([A-Za-z])([^A-Za-z]*)")
GLYPH = "scale(0.015625)"  # matplotlib writes letters in 1/6400 em; a tenth of the font's 1/1000 em is as exact
ALLOWED = NAMES["shapes"] | NAMES["holders"]
ATTRIBUTES = NAMES["paint"] | NAMES["lengths"] | NAMES["others"]
PLAIN = re.compile(r"[-+\w#.,%\s]*(?:\([-+\w.,%\s]*\)[-+\w#.,%\s]*)*")  # numbers, names, functions of them


def tidy(svg: str) -> str:
    """Make an SVG of matplotlib small and stable: two decimals of a point, short names, nothing that is not drawn.

    Parameters
    ----------
    svg : str
        A whole SVG file as matplotlib writes it.

    Returns
    -------
    str
        One ``<svg>`` element without prolog, comments, metadata, style sheet or dates.
    """
    root = _parsed(svg)
    for parent in list(root.iter()):
        for child in [child for child in parent if _local(child) in ("metadata", "style")]:
            parent.remove(child)
    root.attrib.pop("version", None)
    root.set("style", "stroke-linejoin:round;stroke-linecap:butt")  # said by the style sheet just removed
    for element in root.iter():
        element.text = element.tail = None
        letter = element.get("transform") == GLYPH
        for name, value in element.items():
            element.set(name, _rounded(name, value, letter))
        _place(element)
    _renamed(root, "i")
    _unwrap(root)
    return _written(root)


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
    root = _parsed(svg)
    _sanitise(root)
    _renamed(root, f"{prefix}-")
    for element in root.iter():
        for name in {"style", *COLOURED} & set(element.keys()):
            element.set(
                name,
                COLOUR.sub(lambda hit: f"var({THEMED[hit[0]]})" if hit[0] in THEMED else hit[0], element.get(name, "")),
            )
    width = re.fullmatch(r"([\d.]+)pt", root.attrib.pop("width", ""))
    root.attrib.pop("height", None)
    natural = f"max-width:{float(width[1]) * 4 / 3:g}px;" if width else ""  # as wide as it was drawn, and no wider
    root.set("style", f"display:block;width:100%;{natural}height:auto;" + root.get("style", ""))
    root.set("role", "img")
    if alt:
        root.set("aria-label", alt)
    return _written(root)


def _parsed(svg: str) -> Element:
    """Read an SVG, refusing what is not one."""
    if "<!ENTITY" in svg:
        raise DataError("the figure's SVG declares entities; only plain SVG is allowed.")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise DataError(f"the figure is not well-formed SVG: {error}.") from error
    if root.tag != f"{{{SVG}}}svg":
        raise DataError(f"a figure must be an <svg> element; got <{root.tag}>.")
    return root


def _local(element: Element) -> str:
    """Return an element's name without its namespace; other namespaces stay."""
    return element.tag.removeprefix(f"{{{SVG}}}") if isinstance(element.tag, str) else ""


def _unwrap(parent: Element) -> None:
    """Replace groups that say nothing by what they hold; drop empty definitions."""
    kept: list[Element] = []
    for child in parent:
        _unwrap(child)
        if _local(child) == "g" and not child.attrib:
            kept += list(child)
        elif _local(child) not in ("defs", "g") or len(child):
            kept.append(child)
    parent[:] = kept


def _rounded(name: str, value: str, letter: bool) -> str:
    """Round a length in points, and a letter's outline to thousandths of its size; leave scales and angles alone."""
    if name == "d":
        return _path(value, 10 / 64, 1) if letter else _path(value, 100, 100)
    if name == "points" or name in NAMES["lengths"]:
        return NUMBER.sub(_two, " ".join(value.split()))
    if name == "transform":
        move = re.sub(r"translate\([^)]*\)", lambda move: NUMBER.sub(_two, move[0]), value)
        return "scale(0.1)" if letter else move
    if name == "style":
        return ";".join(":".join(map(str.strip, part.split(":", 1))) for part in value.split(";") if part.strip())
    return value


def _place(element: Element) -> None:
    """Say where a repeated letter or mark stands by x and y, which is shorter than a transform."""
    move = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    if move and _local(element) == "use" and not {"x", "y"} & set(element.keys()):
        del element.attrib["transform"]
        element.attrib |= {name: value for name, value in zip("xy", move.groups(), strict=True) if value != "0"}


def _two(number: re.Match[str]) -> str:
    return _short(round(float(number[0]), 2))


def _short(number: float) -> str:
    """Write a number without noughts that say nothing: ``-0.50`` is ``-.5``."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{number + 0.0:.10g}")  # and no minus before zero


def _path(d: str, times: float, over: int) -> str:
    """Write a path in relative steps, in whole numbers of its own times ``times``, and these over ``over``.

    Each step starts where the rounded one before it ended.
    """
    here, start, written, last = (0, 0), (0, 0), [], ""
    for letter, numbers in STEP.findall(d):
        if letter not in "MLQCZz":
            raise DataError(f"a path of the figure has the step {letter!r}; matplotlib writes M, L, Q, C and z.")
        values = [round(float(number) * times) for number in NUMBER.findall(numbers)]
        points = list(zip(values[::2], values[1::2], strict=True))
        step, shifts = _relative(letter, points, here)
        written.append((" " if step == last else step) + " ".join(_short(shift / over) for shift in shifts))
        here = points[-1] if points else start
        start = here if letter == "M" else start
        last = step if step != "M" else ""
    return "".join(written).replace(" -", "-")


def _relative(letter: str, points: list[tuple[int, int]], here: tuple[int, int]) -> tuple[str, list[int]]:
    """Return the shortest letter for a step and its numbers."""
    if letter in "MZz":
        return letter.replace("Z", "z"), [value for point in points for value in point]
    shifts = [value - origin for point in points for value, origin in zip(point, here, strict=True)]
    if letter == "L" and 0 in shifts:
        return ("v", shifts[1:]) if shifts[0] == 0 else ("h", shifts[:1])
    return letter.lower(), shifts


def _renamed(root: Element, prefix: str) -> None:
    """Number the ids that something refers to, and drop the others."""
    used = {name for element in root.iter() for name in _references(element)}
    names: dict[str, str] = {}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in used and old not in names:
            names[old] = f"{prefix}{len(names) + 1}"
            element.set("id", names[old])
    for element in root.iter():
        for name, value in element.items():
            if name == HREF and value.startswith("#"):
                element.set(name, f"#{names.get(value[1:], prefix)}")
            elif "url(#" in value:
                element.set(name, LOCAL.sub(lambda use: f"url(#{names.get(use[1], prefix)})", value))


def _references(element: Element) -> Iterator[str]:
    for name, value in element.items():
        if name == HREF and value.startswith("#"):
            yield value[1:]
        yield from LOCAL.findall(value)


def _written(root: Element) -> str:
    """Write an SVG as one line of text."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def _sanitise(parent: Element) -> None:
    """Leave only drawing: known elements, known attributes, references inside the drawing."""
    for name, value in parent.items():
        if not _harmless(_local(parent), name, value):
            del parent.attrib[name]
    for child in list(parent):
        if _local(child) in ALLOWED:
            _sanitise(child)
        else:
            parent.remove(child)


def _harmless(tag: str, name: str, value: str) -> bool:
    if name == HREF:
        return value.startswith("#") or (tag == "image" and value.startswith("data:image/png;base64,"))
    if name == "style":
        pairs = [part.partition(":") for part in value.split(";") if part.strip()]
        return all(key.strip() in NAMES["paint"] and _plain(paint) for key, _, paint in pairs)
    return name in ATTRIBUTES and _plain(value)


def _plain(value: str) -> bool:
    """Tell whether a value is made of numbers, words and references inside the drawing."""
    rest = LOCAL.sub("", value)
    return bool(PLAIN.fullmatch(rest)) and "url" not in rest.lower()
