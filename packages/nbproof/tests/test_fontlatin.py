"""Check the fonts for Latin text against those for Chinese text and against the variable font they are cut from."""

import pytest

from nbproof import fonts
from nbproof.fonts.cutting import LARGER, LATIN_WEIGHTS

CHINESE = "“”‘’…—§±×÷·†‡≈≠→↑∑∫"  # one em wide among Chinese characters


@pytest.fixture(scope="module", params=[400, 700], ids=["regular", "bold"])
def pair(request):
    from fontTools.ttLib import TTFont

    return TTFont(fonts.file(request.param, "zh")), TTFont(fonts.file(request.param, "en"))


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
    assert latin["name"].getDebugName(1) == fonts.family("en")
    assert latin["name"].getDebugName(6).startswith("NotoSansSCHouseLatin-")


def test_only_signs_and_latin_letters_differ(pair):
    chinese, latin = pair
    differ = {
        chr(code) for code in chinese.getBestCmap() if abs(width(chinese, chr(code)) - width(latin, chr(code))) > 40
    }
    assert set(CHINESE) <= differ
    assert max(differ) < "\u3000"
    assert {width(chinese, sign) for sign in CHINESE} == {1000}
    assert [width(latin, sign) for sign in "\u79c1，・／（"] == [1000] * 5


def test_the_latin_letters_of_both_are_as_high_and_as_black(pair):
    """Noto Sans SC took its own from Source Sans: enlarged, the two are one design."""
    (left, low, right, high), (other, bottom, end, top) = (box(font, "I") for font in pair)
    assert (low, high) == pytest.approx((bottom, top), abs=15)
    assert right - left == pytest.approx(end - other, abs=6)
    assert box(pair[0], "x")[3] == pytest.approx(box(pair[1], "x")[3], abs=10)


def test_both_set_lines_of_one_height(pair):
    chinese, latin = pair
    for table, field in (("hhea", "ascent"), ("hhea", "descent"), ("OS/2", "usWinDescent"), ("OS/2", "sTypoAscender")):
        assert getattr(chinese[table], field) == getattr(latin[table], field)
    assert (chinese["hhea"].ascent, chinese["hhea"].descent) == (1160, -288)  # of the Chinese source


def test_no_sign_of_latin_text_stands_in_a_hole(pair):
    """Wide signs leave up to 0.8 em empty at a side; the most a letter has, an I, is 0.1 em; a bold V overhangs."""
    latin = pair[1]
    rooms = {sign: (box(latin, sign)[0], width(latin, sign) - box(latin, sign)[2]) for sign in CHINESE}
    assert {sign: room for sign, room in rooms.items() if not -10 < min(room) <= max(room) < 110} == {}


def test_quotation_marks_and_dots_are_those_of_the_latin_source(pair):
    """Against the variable font drawn at the weight."""
    from fontTools.ttLib import TTFont

    latin = pair[1]
    source = TTFont(fonts._source(*fonts.SOURCES[1][:2])[0], lazy=True)
    model = source.getGlyphSet(location={"wght": LATIN_WEIGHTS[latin["OS/2"].usWeightClass]})
    for sign in "‘’“”…—§±×Š⁸":
        expected = model[source.getBestCmap()[ord(sign)]].width * LARGER / 1000
        assert width(latin, sign) == pytest.approx(expected, abs=1), sign
    assert box(latin, "…")[1] == pytest.approx(box(latin, ".")[1], abs=2)  # on the line, not at mid height


def test_a_chinese_dash_is_one_line_at_mid_height(pair):
    chinese, latin = pair
    left, low, right, high = box(chinese, "—")
    assert left <= 0 < 1000 <= right
    assert high - low == pytest.approx(box(latin, "—")[3] - box(latin, "—")[1], abs=4)
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
