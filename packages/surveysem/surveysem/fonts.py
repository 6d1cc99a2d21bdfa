"""A font for Chinese text in figures and PDFs, cut once from an installed one and kept in a cache folder."""

from __future__ import annotations

import io
from functools import cache
from importlib.metadata import files
from pathlib import Path

import nbproof
from surveysem.errors import DataError

PACKAGE, SOURCE = "justmytype-intl-cjk", "NotoSansSC[wght].ttf"  # under the Open Font License
FAMILY = "Noto Sans SC Survey"  # a name of its own: a system's font of the name may have other characters
WEIGHTS = {"Regular": 400, "Bold": 700}
VARYING, LEFT_OUT = ("fvar", "avar", "gvar"), ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "HVAR", "VVAR", "vhea", "vmtx")


@cache
def chinese() -> Path:
    """Return the folder of the font, regular and bold, for the characters of GB 2312 and what a font has of Latin.

    Raises
    ------
    DataError
        When the package that brings the font is not whole.
    """
    entry = next((file for file in files(PACKAGE) or () if file.name == SOURCE), None)
    if entry is None:
        raise DataError(f"the font {SOURCE} is not there; the package {PACKAGE} brings it: install it again.")
    folder = nbproof.cache_folder("surveysem") / "fonts"
    for style, weight in WEIGHTS.items():
        if not (folder / f"{style}.ttf").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            nbproof.write_whole(folder / f"{style}.ttf", _cut(Path(str(entry.locate())), style, weight))
    return folder


def _cut(source: Path, style: str, weight: int) -> bytes:
    """Return a static font of one weight; a PDF's and a figure's programs take the lightest of a variable one."""
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    font = TTFont(source, recalcTimestamp=False)
    varying = {tag: font[tag] for tag in VARYING}  # aside: the subsetter would spend longer on them than on the rest
    for tag in (*VARYING, *LEFT_OUT):
        if tag in font:
            del font[tag]
    rows = range(0xA1, 0xFF)
    national = "".join(bytes([row, cell]).decode("gb2312", "ignore") for row in rows for cell in rows)
    cutter = subset.Subsetter(subset.Options(notdef_outline=True, name_IDs=[0, 13, 14], recalc_timestamp=False))
    cutter.populate(text=national, unicodes=[*range(0x20, 0x530), *range(0x2000, 0x2C00), *range(0xFF00, 0xFFF0)])
    cutter.subset(font)
    for tag, table in varying.items():
        font[tag] = table
    deltas = font["gvar"].variations
    font["gvar"].variations = {name: deltas[name] for name in font.getGlyphOrder() if name in deltas}
    instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True, optimize=False)
    for number, text in ((1, FAMILY), (2, style), (4, f"{FAMILY} {style}"), (6, f"NotoSansSCSurvey-{style}")):
        font["name"].setName(text, number, 3, 1, 0x409)
    font["OS/2"].usWeightClass = weight
    font["OS/2"].fsSelection = 0x20 if weight > 400 else 0x40
    font["head"].macStyle = int(weight > 400)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
