"""Turn two variable fonts into static house fonts for Chinese and for Latin text, the same bytes on every machine.

Noto Sans SC has the Chinese characters; its Latin letters are those of Source Sans, enlarged. Each house font holds all
that either has. In that for Chinese text the first goes before, and signs that both scripts share, as quotation marks,
are one em wide; in that for Latin text the second goes before, with narrow ones. Kept are GB 2312 whole, the
common characters of Big5 (Taiwan, Hong Kong) and every sign outside the Chinese characters.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.merge import Merger
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from fontTools.varLib import instancer

SIGNS = ((0x20, 0x2C00), (0x3000, 0x3130), (0x3200, 0x3400), (0xFE30, 0xFE50), (0xFF01, 0xFFE7))  # blocks of them
AXES = ("fvar", "avar", "gvar")
DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "HVAR", "VVAR", "MVAR", "DSIG", "vhea", "vmtx", "prep", "gasp")
LINES = {
    "hhea": ("ascent", "descent", "lineGap"),
    "OS/2": ("sTypoAscender", "sTypoDescender", "sTypoLineGap", "usWinAscent", "usWinDescent"),
}
EM = 1000
LARGER = 1117  # thousandths: by which Latin capitals and the x are as high as those of the Chinese font
LATIN_WEIGHTS = {400: 400, 700: 650}  # so enlarged, stems are as thick as its own
DASH = (-5, 380)  # where a Chinese dash begins, lest a pixel shows between two, and the middle of its height


def wanted() -> str:
    """Return the characters asked of the fonts: GB 2312, the common ones of Big5, and blocks of letters and signs.

    Examples
    --------
    >>> all(sign in wanted() for sign in "\u79c1\u57df Σ×±≤→²①＋")
    True
    """
    sets = {"gb2312": (range(0xA1, 0xFF), range(0xA1, 0xFF)), "big5": (range(0xA4, 0xC7), range(0x40, 0xFF))}
    pairs = [(name, bytes([row, cell])) for name, (rows, cells) in sets.items() for row in rows for cell in cells]
    signs = (chr(code) for low, high in SIGNS for code in range(low, high))
    return "".join(sorted({*signs, *"".join(pair.decode(name, "ignore") for name, pair in pairs)}))


def cut(
    sources: Sequence[Path], weight: int, style: str, families: Sequence[str], recipe: int
) -> tuple[list[bytes], str]:
    """Make two static TrueType fonts, for Chinese and for Latin text; their time stamp is the first source's.

    Parameters
    ----------
    sources : sequence of two Path
        The variable fonts for Chinese and for Latin text.
    weight : int
        A point of their axis ``wght``: 400 is regular, 700 bold.
    style, families : str, sequence of two str
        The names the fonts go by.
    recipe : int
        Of this module: a part of the name that tells fonts apart.

    Returns
    -------
    (list of bytes, str)
        The two files, and the characters of either in code order.
    """
    chinese, latin = _instance(sources[0], weight), _instance(sources[1], LATIN_WEIGHTS[weight])
    scale_upem(latin, LARGER)
    latin["head"].unitsPerEm = EM
    for tag, fields in LINES.items():  # lines as high as among Chinese
        for field in fields:
            setattr(latin[tag], field, getattr(chinese[tag], field))
    _widen_dash(chinese)
    files, modified = (_saved(chinese), _saved(latin)), chinese["head"].modified
    made = [
        _named_file(_merged(*pair), modified, weight, family, style, recipe)
        for family, pair in zip(families, (files, files[::-1]), strict=True)
    ]
    return made, "".join(map(chr, sorted({*chinese.getBestCmap(), *latin.getBestCmap()})))


def _instance(source: Path, weight: int) -> Any:
    """Cut a variable font at a weight, to what is wanted of it."""
    font = TTFont(source, recalcTimestamp=False)
    varying = {tag: font[tag] for tag in AXES}  # aside: the subsetter would spend longer on them than on all the rest
    for tag in {*DROPPED, *AXES} & {*font.keys()}:
        del font[tag]
    cutter = subset.Subsetter(subset.Options(layout_features=[], notdef_outline=True, name_IDs=[0, 13, 14]))
    cutter.populate(text=wanted())
    cutter.subset(font)
    for tag, table in varying.items():
        font[tag] = table
    # names are the same still: read anew, a glyph named after a radical (as U+65B9 is) would vary no more, and be thin
    deltas = font["gvar"].variations
    font["gvar"].variations = {name: deltas[name] for name in font.getGlyphOrder() if name in deltas}
    return instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True, optimize=False)


def _widen_dash(font: Any) -> None:
    """Give — the whole em at mid height, so that the two signs of a Chinese dash are one line."""
    name, pen = font.getBestCmap()[ord("—")], TTGlyphPen(None)
    glyph, (start, middle) = font["glyf"][name], DASH
    scale = (EM - 2 * start) / (glyph.xMax - glyph.xMin)
    move = (scale, 0, 0, 1, start - scale * glyph.xMin, middle - (glyph.yMin + glyph.yMax) // 2)
    glyph.draw(TransformPen(pen, move), font["glyf"])
    font["glyf"][name], font["hmtx"][name] = pen.glyph(), (EM, start)


def _merged(first: bytes, second: bytes) -> Any:
    """Return one font with the characters of both; of those that both have, the first's."""
    known, rest = TTFont(io.BytesIO(first)).getBestCmap(), TTFont(io.BytesIO(second), recalcBBoxes=False)
    for table in rest["cmap"].tables:
        table.cmap = {code: name for code, name in table.cmap.items() if code not in known}
    return Merger().merge([io.BytesIO(first), io.BytesIO(_saved(rest))])


def _saved(font: Any) -> bytes:
    out = io.BytesIO()
    font.save(out, reorderTables=None)
    return out.getvalue()


def _named_file(font: Any, modified: int, weight: int, family: str, style: str, recipe: int) -> bytes:
    """Return a font as the bytes of a file, with the names and weights by which systems tell regular from bold."""
    plain = family.replace(" ", "")
    names = {1: family, 2: style, 3: f"{plain}-{style}-{recipe}", 4: f"{family} {style}", 6: f"{plain}-{style}"}
    for number, words in names.items():
        font["name"].setName(words, number, 3, 1, 0x409)
    bold = weight >= 600
    font["OS/2"].usWeightClass = weight
    font["OS/2"].fsSelection = 0x20 if bold else 0x40
    font["head"].macStyle = int(bold)
    font["head"].created = font["head"].modified = modified
    font["post"].formatType = 3.0  # no names of glyphs
    font.recalcTimestamp = font.recalcBBoxes = False  # boxes are right already
    return _saved(font)
