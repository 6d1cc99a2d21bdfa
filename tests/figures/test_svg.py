"""Check that an SVG keeps its shape when made small, and that nothing but a drawing reaches a page."""

import re
from xml.etree import ElementTree

import pytest

from socialcommerce.errors import DataError, ParameterError
from socialcommerce.figures import colours
from socialcommerce.figures.svg import inline, tidy
from tests.palette import check_palette

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'


def drawing(inside):
    return f"{OPEN}{inside}</svg>"


def points(d):
    """Follow a path of absolute or relative steps and return every point, control points included."""
    here, start, found = (0.0, 0.0), (0.0, 0.0), []
    size = {"m": 2, "l": 2, "h": 1, "v": 1, "q": 4, "c": 6}
    for letter, rest in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        numbers = [float(n) for n in re.findall(r"-?(?:\d*\.\d+|\d+)", rest)]
        if letter in "zZ":
            here = start
            continue
        step = size[letter.lower()]
        for i in range(0, len(numbers), step):
            chunk = numbers[i : i + step]
            if letter in "hv":
                chunk = [chunk[0], 0.0] if letter == "h" else [0.0, chunk[0]]
            base = here if letter.islower() else (0.0, 0.0)
            pairs = [(base[0] + x, base[1] + y) for x, y in zip(chunk[::2], chunk[1::2], strict=True)]
            found += pairs
            here = pairs[-1]
            start = here if letter in "mM" else start
    return found


LONG = (
    "M 10.004 220.5 L 453.6 220.5 L 453.6 0.25 L 100 0.25 z M 1 1 L 2.345678 2 "
    "Q 3 3.333333 4 4.1 Q 5 5 -6.001 0.001 C 1 2 3 4 5 6 L 5 9 L 5 9 z L 7 7"
)


def test_a_short_path_is_the_long_one_within_half_a_hundredth():
    short = ElementTree.fromstring(tidy(drawing(f'<path d="{LONG}"/>')))[0].get("d")
    assert len(short) < len(LONG)
    assert points(short) == [pytest.approx(point, abs=0.0051) for point in points(LONG)]


def test_rounding_does_not_add_up_along_a_path():
    steps = " ".join(f"L {0.004 * i:.3f} {0.006 * i:.3f}" for i in range(1000))
    short = ElementTree.fromstring(tidy(drawing(f'<path d="M 0 0 {steps}"/>')))[0].get("d")
    assert points(short)[-1] == pytest.approx((3.996, 5.994), abs=0.0051)


def test_tidy_drops_what_is_not_drawn_and_ids_nobody_refers_to():
    made = tidy(
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "y">'
        + drawing(
            "<!-- date --><metadata>2024</metadata><defs><style>*{stroke-linejoin: round}</style></defs>"
            '<g id="axes_1"><g id="patch_1"><path id="m1" d="M 0 0 L 1.23456 2" style="fill: none; stroke: #1b1f27"/>'
            "</g>"
            '<use xlink:href="#m1" transform="translate(12.3456 0)"/></g>'
        )
    )
    assert made == (
        OPEN[:-1] + ' style="stroke-linejoin:round;stroke-linecap:butt">'
        '<path d="M0 0l1.23 2" style="fill:none;stroke:#1b1f27" id="i1"/>'
        '<use xlink:href="#i1" x="12.35"/></svg>'
    )


def test_two_figures_in_one_page_share_no_id_and_lose_no_reference():
    source = drawing(
        '<defs><clipPath id="c"><path d="M0 0"/></clipPath><path id="m" d="M0 0"/></defs>'
        '<g clip-path="url(#c)"><use xlink:href="#m" style="fill:url(#c)"/></g>'
    )
    found = [set(re.findall(r'\bid="([^"]+)"', inline(source, name))) for name in ("size", "share")]
    assert found == [{"size-1", "size-2"}, {"share-1", "share-2"}]
    assert set(re.findall(r'#([\w-]+)[")]', inline(source, "size"))) == {"size-1", "size-2"}


def test_the_page_colours_an_inline_figure():
    source = drawing("".join(f'<path d="M0 0" style="fill:{c};stroke:{c}"/>' for c in colours.VARIABLES))
    made = inline(source, "f")
    assert "#" not in made
    assert all(made.count(f"var({name})") == 2 for name in colours.VARIABLES.values())
    assert check_palette(made) == []


def test_an_inline_figure_keeps_its_size_and_says_what_it_shows():
    source = drawing("").replace("<svg ", '<svg width="453.6pt" height="252pt" ')
    root = ElementTree.fromstring(inline(source, "f", alt='Bars "up" & <more>'))
    assert root.get("width") is root.get("height") is None
    assert root.get("style") == "display:block;width:100%;max-width:604.8px;height:auto;"
    assert (root.get("role"), root.get("aria-label")) == ("img", 'Bars "up" & <more>')


EVIL = [
    "<script>alert(1)</script>",
    '<g onload="alert(1)"><path d="M0 0" onclick="alert(1)"/></g>',
    '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">alert(1)</p></foreignObject>',
    '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
    '<a xlink:href="javascript:alert(1)"><path d="M0 0"/></a>',
    '<use xlink:href="http://evil.example/x.svg#alert"/>',
    '<use xlink:href="data:image/svg+xml;base64,alert"/>',
    '<image xlink:href="http://evil.example/alert.png"/>',
    '<image href="http://evil.example/alert.png"/>',
    '<image xlink:href="data:image/svg+xml,alert"/>',
    '<path d="M0 0" style="fill:url(http://evil.example/alert)"/>',
    '<path d="M0 0" fill="url(\'//evil.example/alert\')"/>',
    '<path d="M0 0" style="background:image-set(\'//evil.example/alert\' 1x)"/>',
    '<path d="M0 0" style="fill:u\\72l(//evil.example/alert)"/>',
    '<style>@import "//evil.example/alert.css";</style>',
    '<set attributeName="href" to="javascript:alert(1)"/>',
    '<animate attributeName="fill" values="url(//evil.example/alert)"/>',
    '<path xml:base="http://evil.example/alert" d="M0 0"/>',
]


@pytest.mark.parametrize("inside", EVIL)
def test_nothing_in_a_page_runs_or_is_fetched(inside):
    made = inline(drawing(inside), "f")
    assert "alert" not in made
    assert "evil" not in made


def test_a_picture_inside_stays():
    assert "data:image/png;base64,AAAA" in inline(drawing('<image xlink:href="data:image/png;base64,AAAA"/>'), "f")


def test_foreign_colours_are_listed_with_the_black_nobody_asked_for():
    shown = drawing(
        '<defs><path id="m" d="M0 0" style="stroke:#1b1f27"/></defs><use xlink:href="#m"/>'
        '<g style="fill:red"><path d="M0 0" stroke="#ABCDEF"/></g><clipPath><rect/></clipPath>'
    )
    assert check_palette(shown) == ["#000000", "#abcdef", "red"]


@pytest.mark.parametrize(
    ("svg", "message"),
    [
        ("<svg", "not well-formed SVG"),
        ("<html/>", "must be an <svg> element; got <html>"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + drawing("&a;"), "declares entities"),
    ],
)
def test_what_is_no_figure_is_refused(svg, message):
    with pytest.raises(DataError, match=message):
        inline(svg, "f")


@pytest.mark.parametrize("prefix", ["", "1", 'a"b', "a b", "图"])
def test_a_prefix_is_a_name(prefix):
    with pytest.raises(ParameterError, match="a figure's prefix is a letter"):
        inline(drawing(""), prefix)


def test_a_path_of_another_maker_is_refused():
    with pytest.raises(DataError, match="has the step 'A'"):
        tidy(drawing('<path d="M 0 0 A 1 1 0 0 0 2 2"/>'))
