"""Know how wide the signs are that Latin and Chinese text share: one em among Chinese, their ink and a little in Latin.

Quotation marks and the three dots are drawn twice in the font and take their Latin outlines. Every other sign keeps its
outline; the room beside it shrinks to what a letter or sign of the font, as narrow by nature, has.
"""

from __future__ import annotations

import io
import unicodedata
from typing import Any

from socialcommerce.figures.fontcut import Cut, bounds, encode, file_of, insert, named, rename

__all__ = ["latin", "models"]

# Latin-1, general punctuation, letterlike signs and Roman numerals, arrows, mathematics
SHARED = (*range(0xA0, 0x100), *range(0x2010, 0x2060), *range(0x2100, 0x2190), *range(0x2190, 0x2300))
LIKE = {"-": "‐", "—": "―", "'": "‵", ".": "·•‧⋯", ":": "∶∷", "|": "‖∣∥∦", "*": "†‡※⁂⁑", "S": "§", "P": "¶"}
OTHERS = "+"  # operators, relations, arrows


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


def latin(chinese: Cut, family: str) -> bytes:
    """Return the file of a cut font made for Latin text: the same glyphs and characters, the shared signs narrow.

    Parameters
    ----------
    chinese : Cut
        From :func:`socialcommerce.figures.fontcut.cut`.
    family : str
        The name the font goes by.
    """
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(chinese.file), recalcTimestamp=False, recalcBBoxes=False)  # glyphs stay as they are
    font.setGlyphOrder(list(chinese.order))
    em, before = font["head"].unitsPerEm, font.getBestCmap().copy()
    for sign, glyph in chinese.narrow.items():
        encode(font, ord(sign), glyph)
    for code in SHARED:
        if code in before and chr(code) not in chinese.narrow and font["hmtx"][before[code]][0] == em:
            _trim(font, code)
    rename(font, chinese.weight, family, chinese.style)
    return file_of(font)


def _trim(font: Any, code: int) -> None:
    """Give a character a glyph of its own: Chinese characters may share the wide one, as ・ does with ·."""
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    wide = named(font, chr(code))
    if not font["glyf"][wide].numberOfContours:
        return
    before, after = (_room(font, named(font, sign)) for sign in models(chr(code)))
    left, right = _room(font, wide)
    left, right, ink = min(left, before[0]), min(right, after[1]), _ink(font, wide)
    outline, pen = DecomposingRecordingPen(font.getGlyphSet()), TTGlyphPen(None)
    font.getGlyphSet()[wide].draw(outline)
    outline.replay(TransformPen(pen, (1, 0, 0, 1, left - _room(font, wide)[0], 0)))
    insert(font, f"latin{code:04X}", pen.glyph(), left + ink + right)
    encode(font, code, f"latin{code:04X}")


def _ink(font: Any, glyph: str) -> int:
    left, _, right, _ = bounds(font, glyph)
    return right - left


def _room(font: Any, glyph: str) -> tuple[int, int]:
    """Return the side bearings of a glyph: the empty room left and right of its ink."""
    left, _, right, _ = bounds(font, glyph)
    return left, font["hmtx"][glyph][0] - right
