"""Turn the variable Noto Sans SC into static house fonts for Chinese and Latin text, the same bytes on every machine.

Kept are GB 2312 whole and every sign of the font outside the Chinese characters. Superscripts, subscripts, thin spaces
and most accented Latin letters, which the font lacks, are composed of its own glyphs. The narrow quotation marks and
dots that the font offers beside the Chinese ones, and its Latin dash, stay in the file without a character.

The fonts for Latin text give them one: quotation marks and the three dots, drawn twice in the font, take their Latin
outlines. Every other sign that Latin and Chinese text share keeps its outline; the room beside it, one em wide among
Chinese, shrinks to what a letter or sign of the font, as narrow by nature, has.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.pens.recordingPen import DecomposingRecordingPen, RecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

__all__ = ["cut", "models", "wanted"]

SIGNS = (
    (0x20, 0x530),
    (0x1E00, 0x1F00),
    (0x2000, 0x2C00),
    (0x3000, 0x3130),
    (0x3200, 0x3400),
    (0xFE30, 0xFE50),
    (0xFF01, 0xFFA0),
    (0xFFE0, 0xFFE7),
)
DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "HVAR", "VVAR", "vhea", "vmtx", "prep", "gasp")
AXES = ("fvar", "avar", "gvar")

SPACES = {0x2007: 0.555, 0x2009: 0.2, 0x200A: 0.1, 0x202F: 0.2, 0x200B: 0, 0x200C: 0, 0x200D: 0, 0xFEFF: 0}  # em
RAISED = "⁰⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ"
LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"
NARROW = "‘’“”…"  # drawn twice in the font: one em wide, and as Latin text has them
OVERLAP = 0.005  # em, by which two dashes run into each other, lest a pixel shows between them
ACCENTED = (*range(0x100, 0x180), *range(0x1CD, 0x250), *range(0x1E00, 0x1F00))
# combining mark -> a letter of the font that wears it
MODELS = {
    0x300: "è",
    0x301: "é",
    0x302: "ê",
    0x303: "ñ",
    0x304: "ē",
    0x306: "ă",
    0x307: "i",
    0x308: "ë",
    0x30A: "å",
    0x30C: "ě",
}
DOUBLE_ACUTE, CEDILLA = 0x30B, 0x327
# Latin-1, general punctuation, letterlike signs and Roman numerals, arrows, mathematics
SHARED = (*range(0xA0, 0x100), *range(0x2010, 0x2060), *range(0x2100, 0x2190), *range(0x2190, 0x2300))
LIKE = {"-": "‐", "—": "―", "'": "‵", ".": "·•‧⋯", ":": "∶∷", "|": "‖∣∥∦", "*": "†‡※⁂⁑", "S": "§", "P": "¶"}
OTHERS = "+"  # operators, relations, arrows


def wanted() -> str:
    """Return the characters asked of the font: GB 2312 whole, and the blocks of letters, signs and punctuation.

    Examples
    --------
    >>> all(sign in wanted() for sign in "\u79c1\u57df Σ×±≤→²①＋")
    True
    """
    rows = range(0xA1, 0xFF)
    national = "".join(bytes([row, cell]).decode("gb2312", "ignore") for row in rows for cell in rows)
    return "".join(sorted({*national, *(chr(code) for low, high in SIGNS for code in range(low, high))}))


def cut(source: Path, weight: int, style: str, families: Sequence[str], recipe: int) -> tuple[bytes, bytes, str]:
    """Cut two static TrueType fonts, for Chinese and for Latin text; their time stamp is the source's.

    Parameters
    ----------
    source : Path
        The variable font, with an axis ``wght`` and the feature ``pwid``.
    weight : int
        A point of that axis: 400 is regular, 700 bold.
    style, families : str, sequence of two str
        The names the fonts go by.
    recipe : int
        Of this module: a part of the name that tells fonts apart.

    Returns
    -------
    (bytes, bytes, str)
        The two files, and the characters of either in code order.
    """
    font = TTFont(source, recalcTimestamp=False)
    heavier = TTFont(source, lazy=True).getGlyphSet(location={"wght": min(1.5 * weight, 900)})
    narrow = _narrow(font)
    varying = {tag: font[tag] for tag in AXES}  # aside: the subsetter would spend longer on them than on all the rest
    for tag in (*DROPPED, *AXES):
        if tag in font:
            del font[tag]
    options = subset.Options(layout_features=[], notdef_outline=True, name_IDs=[0, 13, 14], recalc_timestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(text=wanted(), glyphs=narrow.values())
    cutter.subset(font)
    for tag, table in varying.items():
        font[tag] = table
    # names are the same still: read anew, a glyph named after a radical (as U+65B9 is) would vary no more, and be thin
    deltas = font["gvar"].variations
    font["gvar"].variations = {name: deltas[name] for name in font.getGlyphOrder() if name in deltas}
    instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True, optimize=False)
    _compose(font, heavier)
    chinese, covered = _named_file(font, weight, families[0], style, recipe), sorted(font.getBestCmap())
    _narrow_signs(font, narrow)
    return chinese, _named_file(font, weight, families[1], style, recipe), "".join(map(chr, covered))


def _narrow(font: Any) -> dict[str, str]:
    """Read from the feature ``pwid`` which glyphs replace the signs that are one em wide."""
    table = font["GSUB"].table
    lookups = next(f.Feature.LookupListIndex for f in table.FeatureList.FeatureRecord if f.FeatureTag == "pwid")
    pairs: dict[str, str] = {}
    for lookup in lookups:
        for part in table.LookupList.Lookup[lookup].SubTable:
            pairs |= getattr(part, "ExtSubTable", part).mapping
    return {sign: pairs[_named(font, sign)] for sign in NARROW} | {"—": _named(font, "—")}


def _compose(font: Any, heavier: Any) -> None:
    """Add the signs the font lacks, each built of glyphs it has; small ones of a heavier weight, to look as black."""
    for code, width in SPACES.items():
        _add(font, code, TTGlyphPen(None).glyph(), round(width * font["head"].unitsPerEm))
    _dash(font)
    _script(font, heavier, RAISED, _bounds(font, _named(font, "⁴"))[1])
    _script(font, heavier, LOWERED, round(-0.16 * font["head"].unitsPerEm))
    marks = {mark: _mark(font, mark, model) for mark, model in MODELS.items()}
    for code in ACCENTED:
        parts = [ord(part) for part in unicodedata.normalize("NFD", chr(code))]
        if len(parts) == 2 and parts[0] in font.getBestCmap() and parts[0] not in map(ord, "ij"):
            _accent(font, code, (parts[0], parts[1]), marks)


def _dash(font: Any) -> None:
    """Give — the height of Chinese text and the whole em, so that the two signs of a Chinese dash are one line."""
    em, dash = font["head"].unitsPerEm, _named(font, "—")
    (left, low, right, high), (_, bottom, _, top) = _bounds(font, dash), _bounds(font, _named(font, "―"))
    scale, pen = (1 + 2 * OVERLAP) * em / (right - left), TTGlyphPen(None)
    move = (scale, 0, 0, 1, -left * scale - OVERLAP * em, round((bottom + top - low - high) / 2))
    font["glyf"][dash].draw(TransformPen(pen, move), font["glyf"])
    _insert(font, "dash", pen.glyph(), em)
    _encode(font, ord("—"), "dash")


def _script(font: Any, heavier: Any, signs: str, base_line: int) -> None:
    """Compose small raised or lowered signs, as high as the font's own raised four."""
    four, small = _bounds(font, _named(font, "4")), _bounds(font, _named(font, "⁴"))
    scale = (small[3] - small[1]) / (four[3] - four[1])
    for sign in signs:
        name = _named(font, unicodedata.normalize("NFKD", sign))
        pen = TTGlyphPen(None)
        heavier[name].draw(TransformPen(pen, (scale, 0, 0, scale, 0, base_line)))
        _add(font, ord(sign), pen.glyph(), round(heavier[name].width * scale))


def _mark(font: Any, mark: int, model: str) -> str:
    """Lift a mark off a letter that wears it: the outlines above the height of x become a glyph; return its name."""
    letter, pen, outline = RecordingPen(), TTGlyphPen(font["glyf"]), []
    font["glyf"][_named(font, model)].draw(letter, font["glyf"])
    for verb, points in letter.value:
        outline.append((verb, points))
        if verb == "closePath":
            if min(y for _, places in outline for _, y in places) > _x_height(font):
                for step, places in outline:
                    getattr(pen, step)(*places)
            outline = []
    _insert(font, lifted := f"mark{mark:04X}", pen.glyph(), 0)
    return lifted


def _accent(font: Any, code: int, parts: tuple[int, int], marks: dict[int, str]) -> None:
    """Compose an accented letter: the mark over the middle of the letter, as far above its top as above an x."""
    base, mark = parts
    shifts = (-0.4, 0.4) if mark == DOUBLE_ACUTE else (0,)  # in widths of the mark
    sign = _named(font, "¸") if mark == CEDILLA else marks.get(0x301 if mark == DOUBLE_ACUTE else mark)
    if sign is None:
        return
    letter = font.getBestCmap()[base]
    (left, _, right, top), (x0, _, x1, _) = _bounds(font, letter), _bounds(font, sign)
    up = 0 if mark == CEDILLA else top - _x_height(font)
    pen = TTGlyphPen(font["glyf"])
    pen.addComponent(letter, (1, 0, 0, 1, 0, 0))
    for shift in shifts:
        pen.addComponent(sign, (1, 0, 0, 1, round((left + right - x0 - x1) / 2 + shift * (x1 - x0)), up))
    _add(font, code, pen.glyph(), font["hmtx"][letter][0])


def _named(font: Any, sign: str) -> str:
    """Return the name of a character's glyph."""
    return font.getBestCmap()[ord(sign)]


def _x_height(font: Any) -> int:
    return _bounds(font, _named(font, "x"))[3]


def _bounds(font: Any, glyph_name: str) -> tuple[int, int, int, int]:
    """Return the box around a glyph's ink: left, bottom, right, top."""
    glyph = font["glyf"][glyph_name]
    glyph.recalcBounds(font["glyf"])
    return glyph.xMin, glyph.yMin, glyph.xMax, glyph.yMax


def _add(font: Any, code: int, glyph: Any, width: int) -> None:
    """Give a character a glyph, unless it has one."""
    if code not in font.getBestCmap():
        _insert(font, f"house{code:04X}", glyph, width)
        _encode(font, code, f"house{code:04X}")


def _encode(font: Any, code: int, glyph_name: str) -> None:
    """Let a character be drawn by a glyph, whichever it had."""
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[code] = glyph_name


def _insert(font: Any, glyph_name: str, glyph: Any, width: int) -> None:
    """Append a glyph that no character has yet."""
    font["glyf"][glyph_name] = glyph
    font.setGlyphOrder(font["glyf"].glyphOrder)
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][glyph_name] = (width, getattr(glyph, "xMin", 0))


def _named_file(font: Any, weight: int, family: str, style: str, recipe: int) -> bytes:
    """Return a font as the bytes of a file, with the names and weights by which systems tell regular from bold."""
    plain = family.replace(" ", "")
    for number, words in {
        1: family,
        2: style,
        3: f"{plain}-{style}-{recipe}",
        4: f"{family} {style}",
        6: f"{plain}-{style}",
    }.items():
        font["name"].setName(words, number, 3, 1, 0x409)
    bold = weight >= 600
    font["OS/2"].usWeightClass = weight
    font["OS/2"].fsSelection = 0x20 if bold else 0x40
    font["head"].macStyle = int(bold)
    out = io.BytesIO()
    font.save(out, reorderTables=None)
    return out.getvalue()


def models(sign: str) -> tuple[str, str]:
    """Return the characters whose room on the left, and on the right, a shared sign takes in Latin text.

    Examples
    --------
    >>> models("§"), models("±"), models("Ⅳ"), models("℃")
    (('S', 'S'), ('+', '+'), ('I', 'V'), ('°', 'C'))
    """
    for model, signs in LIKE.items():
        if sign in signs:
            return model, model
    letters = unicodedata.normalize("NFKD", sign)
    return (letters[0], letters[-1]) if letters.strip("°").isascii() and letters[-1].isalpha() else (OTHERS, OTHERS)


def _narrow_signs(font: Any, narrow: Mapping[str, str]) -> None:
    """Make a font one for Latin text: the same glyphs and characters, the signs it shares with Chinese narrow."""
    em, before = font["head"].unitsPerEm, font.getBestCmap().copy()
    for sign, glyph in narrow.items():
        _encode(font, ord(sign), glyph)
    for code in SHARED:
        if code in before and chr(code) not in narrow and font["hmtx"][before[code]][0] == em:
            _trim(font, code)


def _trim(font: Any, code: int) -> None:
    """Give a character a glyph of its own: Chinese characters may share the wide one, as ・ does with ·."""
    wide = _named(font, chr(code))
    if not font["glyf"][wide].numberOfContours:
        return
    before, after = (_room(font, _named(font, sign)) for sign in models(chr(code)))
    left, right = _room(font, wide)
    low, _, high, _ = _bounds(font, wide)
    left, right, ink = min(left, before[0]), min(right, after[1]), high - low
    outline, pen = DecomposingRecordingPen(font.getGlyphSet()), TTGlyphPen(None)
    font.getGlyphSet()[wide].draw(outline)
    outline.replay(TransformPen(pen, (1, 0, 0, 1, left - low, 0)))
    _insert(font, f"latin{code:04X}", pen.glyph(), left + ink + right)
    _encode(font, code, f"latin{code:04X}")


def _room(font: Any, glyph: str) -> tuple[int, int]:
    """Return the side bearings of a glyph: the empty room left and right of its ink."""
    left, _, right, _ = _bounds(font, glyph)
    return left, font["hmtx"][glyph][0] - right
