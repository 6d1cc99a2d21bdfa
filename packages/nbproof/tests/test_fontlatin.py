"""Check the fonts for Latin text against those for Chinese text and against the variable font's own narrow glyphs."""

import pytest

from nbproof import fonts
from nbproof.fonts import cutting

CHINESE = "“”‘’…—§±×÷·†‡≈≠↑Ⅳ∑∫"  # one em wide among Chinese characters


@pytest.fixture(scope="module", params=[400, 700], ids=["regular", "bold"])
def pair(request):
    from fontTools.ttLib import TTFont

    opened = fonts.bold if request.param == 700 else fonts.regular
    return TTFont(opened("zh")), TTFont(opened("en"))


def box(font, sign):
    from fontTools.pens.boundsPen import BoundsPen

    glyphs = font.getGlyphSet()
    pen = BoundsPen(glyphs)
    glyphs[font.getBestCmap()[ord(sign)]].draw(pen)
    return pen.bounds


def width(font, sign):
    return font["hmtx"][font.getBestCmap()[ord(sign)]][0]


def test_both_hold_the_same_characters(pair):
    chinese, latin = pair
    assert set(chinese.getBestCmap()) == set(latin.getBestCmap())
    assert latin["name"].getDebugName(1) == fonts.FAMILY_LATIN
    assert latin["name"].getDebugName(6).startswith("NotoSansSCHouseLatin-")


def test_only_shared_signs_differ(pair):
    chinese, latin = pair
    differ = {chr(code) for code in chinese.getBestCmap() if width(chinese, chr(code)) != width(latin, chr(code))}
    assert differ <= set(map(chr, cutting.SHARED))
    assert set(CHINESE) <= differ
    assert {width(chinese, sign) for sign in CHINESE} == {1000}
    assert [width(latin, sign) for sign in "\u79c1，・／（"] == [1000] * 5  # though · and ・ were one glyph


def test_no_sign_of_latin_text_stands_in_a_hole(pair):
    """Wide signs leave up to 0.8 em empty at a side; the most a letter has, an I, is 0.1 em; a bold V overhangs."""
    latin = pair[1]
    rooms = {sign: (box(latin, sign)[0], width(latin, sign) - box(latin, sign)[2]) for sign in CHINESE}
    assert {sign: room for sign, room in rooms.items() if not -10 < min(room) <= max(room) < 110} == {}


def test_trimming_moves_ink_and_changes_none(pair):
    chinese, latin = pair
    for sign in "§±×÷·†‡≈≠↑Ⅳ∑∫":
        (left, *rest), (moved, *after) = box(chinese, sign), box(latin, sign)
        assert (rest[1] - left, rest[0], rest[2]) == (after[1] - moved, after[0], after[2]), sign


def test_quotation_marks_and_dots_are_the_narrow_ones_of_the_source(pair):
    """Against the variable font drawn at the weight; it names the glyphs of its feature pwid by number."""
    from fontTools.ttLib import TTFont

    latin = pair[1]
    source = TTFont(fonts._source(fonts.PACKAGE, fonts.SOURCE)[0], lazy=True)
    model = source.getGlyphSet(location={"wght": latin["OS/2"].usWeightClass})
    for sign, name in {
        "‘": "glyph30535",
        "’": "glyph30536",
        "“": "glyph30538",
        "”": "glyph30539",
        "…": "glyph30569",
        "—": "emdash",
    }.items():
        assert width(latin, sign) == pytest.approx(model[name].width, abs=1), sign
    assert box(latin, "…")[1] == pytest.approx(box(latin, ".")[1], abs=2)  # on the line, not at mid height


def test_a_chinese_dash_is_one_line_at_mid_height(pair):
    chinese, latin = pair
    left, low, right, high = box(chinese, "—")
    assert left <= 0 < 1000 <= right
    assert high - low == pytest.approx(box(latin, "—")[3] - box(latin, "—")[1], abs=1)
    assert (low + high) / 2 == pytest.approx((box(chinese, "―")[1] + box(chinese, "―")[3]) / 2, abs=1)


@pytest.mark.slow
def test_stated_maxima_hold(pair):
    """The Latin font is written without counting anew: what it states must still bound what it holds."""
    latin = pair[1]
    stated = dict(vars(latin["maxp"]))
    latin["maxp"].recalc(latin)
    for field in (
        "maxPoints",
        "maxContours",
        "maxCompositePoints",
        "maxCompositeContours",
        "maxComponentElements",
        "maxComponentDepth",
    ):
        assert getattr(latin["maxp"], field) <= stated[field], field
