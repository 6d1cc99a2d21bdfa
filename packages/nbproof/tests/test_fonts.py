"""Check the cut font against GB 2312, the variable font it was cut from, and itself cut again."""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import time

import pytest

from nbproof import fonts
from nbproof.errors import MissingExtraError, OutputError, ParameterError, UnknownNameError
from nbproof.fonts import cutting

ROWS, CELLS = range(0xA1, 0xF8), range(0xA1, 0xFF)
GB2312 = "".join(bytes([row, cell]).decode("gb2312", "ignore") for row in ROWS for cell in CELLS)


@pytest.fixture(scope="module", params=[400, 700], ids=["regular", "bold"])
def font(request):
    from fontTools.ttLib import TTFont

    return TTFont(fonts.file(request.param))


def bounds(glyphs, names, sign):
    from fontTools.pens.boundsPen import BoundsPen

    pen = BoundsPen(glyphs)
    glyphs[names[ord(sign)]].draw(pen)
    return pen.bounds


def test_the_national_set_is_whole():
    assert len(GB2312) == 7445  # 6,763 Chinese characters and 682 signs, as the standard counts them
    assert fonts.uncovered(GB2312) == ""


def test_the_common_characters_of_taiwan_and_hong_kong_are_covered():
    rows = (bytes([row, cell]) for row in range(0xA4, 0xC7) for cell in range(0x40, 0xFF))
    big5 = [sign for pair in rows for sign in pair.decode("big5", "ignore") if "\u4e00" <= sign <= "\u9fff"]
    assert len(big5) == 5401  # of level 1, as the standard counts them
    assert fonts.uncovered("".join(big5)) == ""


@pytest.mark.slow
def test_every_sign_of_the_national_set_has_an_outline(font):
    names, glyphs = font.getBestCmap(), font["glyf"]
    empty = [sign for sign in GB2312 if glyphs[names[ord(sign)]].numberOfContours == 0]
    assert empty == ["\u3000"]


def test_letters_and_signs_of_the_reports_are_covered():
    latin = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100))))
    accents = "ČčĆćĎďĚěĞğŇňŐőŘřŠšŞşŮůŰűŻżŽž"
    greek = "ΑΒΓΔΘΛΠΣΦΨΩαβγδεζηθικλμνξοπρστυφχψω"
    signs = "–—‘’“”…•−×÷±≤≥≠≈∞√∑∫→←↑↓⇒∈∂∇°′″‰¹²³⁰⁴⁵⁶⁷⁸⁹⁻⁺ⁿ₀₁₂₉①②✓□■▲△●○\u2009\u202f"
    assert fonts.uncovered(latin + accents + greek + signs) == ""


@pytest.mark.slow
def test_outlines_are_those_of_the_variable_font(font):
    """fontTools draws the variable font at a weight without cutting it: another way to the same outlines."""
    from fontTools.ttLib import TTFont

    source = TTFont(fonts._source(*fonts.SOURCES[0][:2])[0], lazy=True)
    cut, names = font.getGlyphSet(), font.getBestCmap()
    model = source.getGlyphSet(location={"wght": font["OS/2"].usWeightClass})
    for sign in GB2312[::40] + "\u7f51\u65b9\u6bd4\u91cfRQgß,°，–":
        expected = bounds(model, source.getBestCmap(), sign)
        assert bounds(cut, names, sign) == (pytest.approx(expected, abs=2) if expected else expected), sign
        assert font["hmtx"][names[ord(sign)]][0] == pytest.approx(model[source.getBestCmap()[ord(sign)]].width, abs=1)


@pytest.mark.slow
def test_bold_is_heavier_in_every_character():
    from fontTools.pens.areaPen import AreaPen
    from fontTools.ttLib import TTFont

    areas = []
    for path in (fonts.file(), fonts.file(700)):
        file = TTFont(path)
        glyphs, names, row = file.getGlyphSet(), file.getBestCmap(), []
        for sign in GB2312[682::7]:
            pen = AreaPen(glyphs)
            glyphs[names[ord(sign)]].draw(pen)
            row.append(abs(pen.value))
        areas.append(row)
    assert min(heavy / light for light, heavy in zip(*areas, strict=True)) > 1.2
    assert stem(fonts.file(700)) / stem(fonts.file()) > 1.5


def stem(path):
    from fontTools.ttLib import TTFont

    file = TTFont(path)
    left, _, right, _ = bounds(file.getGlyphSet(), file.getBestCmap(), "\u4e28")
    return right - left


def test_systems_can_tell_the_two_apart(font):
    heavy = font["OS/2"].usWeightClass == 700
    assert font["OS/2"].usWeightClass in (400, 700)
    assert (font["head"].macStyle & 1, font["OS/2"].fsSelection >> 5 & 1) == (heavy, heavy)
    assert [font["name"].getDebugName(i) for i in (1, 2)] == [fonts.family(), "Bold" if heavy else "Regular"]
    assert "fvar" not in font


def test_letters_only_the_latin_font_has_stand_as_it_draws_them(font):
    """Against the Latin source drawn at its weight and enlarged; and no mark is lost or moved from its letter."""
    from fontTools.ttLib import TTFont

    source = TTFont(fonts._source(*fonts.SOURCES[1][:2])[0], lazy=True)
    model = source.getGlyphSet(location={"wght": cutting.LATIN_WEIGHTS[font["OS/2"].usWeightClass]})
    glyphs, names = font.getGlyphSet(), font.getBestCmap()
    for sign in "\u2078\u0161\u0160\u015e":
        expected = [end * cutting.LARGER / 1000 for end in bounds(model, source.getBestCmap(), sign)]
        assert bounds(glyphs, names, sign) == pytest.approx(expected, abs=2), sign
    caron, plain = bounds(glyphs, names, "\u0161"), bounds(glyphs, names, "s")
    assert (caron[0] + caron[2]) / 2 == pytest.approx((plain[0] + plain[2]) / 2, abs=20)
    assert bounds(glyphs, names, "\u015e")[1] < -100 < bounds(glyphs, names, "S")[1]


def test_a_web_font_holds_just_the_text():
    from fontTools.ttLib import TTFont

    made = fonts.woff2_subset("\u79c1\u57df\u6d41\u91cf，\u79c1\u57df\u6d41\u91cf！")
    assert made[:4] == b"wOF2"
    assert len(made) < 3000
    assert set(map(chr, TTFont(io.BytesIO(made)).getBestCmap())) == set("\u79c1\u57df\u6d41\u91cf，！")
    assert made == fonts.woff2_subset("！\u91cf\u6d41\u57df\u79c1，")
    assert made != fonts.woff2_subset("\u79c1\u57df\u6d41\u91cf，！", weight=700)


def test_a_web_font_is_of_the_asked_language():
    from fontTools.ttLib import TTFont

    widths = [TTFont(io.BytesIO(fonts.woff2_subset("’", 400, language)))["hmtx"].metrics for language in ("zh", "en")]
    assert [max(w for name, (w, _) in font.items() if name != ".notdef") for font in widths] == [1000, 278]


def test_unknown_languages_and_weights_are_named():
    with pytest.raises(UnknownNameError, match="unknown language 'eng'; did you mean 'en'"):
        fonts.family("eng")
    with pytest.raises(ParameterError, match="no weight 500; allowed: 400, 700"):
        fonts.woff2_subset("a", 500)


def test_a_font_of_formulas_holds_the_root_sign_that_no_text_names():
    from fontTools.ttLib import TTFont

    held = TTFont(io.BytesIO(fonts.woff2_formulas("x = 2"))).getBestCmap()
    assert {ord("x"), ord("2"), ord("\N{SQUARE ROOT}"), ord("\N{MATHEMATICAL ITALIC SMALL X}")} <= held.keys()
    assert ord("y") not in held


def test_uncovered_characters_are_named():
    message = r"brands\.csv, name: .* no glyph for \u9f98 \(U\+9F98\), \U0001f600 \(U\+1F600\)"
    with pytest.warns(fonts.UncoveredWarning, match=message):
        assert fonts.warn_uncovered("\u56fd\u8d27\n\u9f98\U0001f600\u9f98", "brands.csv, name") == "\u9f98\U0001f600"
    assert fonts.warn_uncovered("\u56fd\u8d27\n", "brands.csv, name") == ""


def test_the_licence_is_at_hand():
    licences = (fonts.folder() / "OFL.txt").read_text(encoding="utf-8")
    assert licences.count("SIL OPEN FONT LICENSE Version 1.1") == 2
    assert licences.count("with Reserved Font Name 'Source'") == 2  # both are of one maker


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Point the cache to an empty folder for this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fonts.folder.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    fonts.folder.cache_clear()


def test_a_folder_that_lost_a_font_is_filled_again(tmp_path, monkeypatch):
    ready, filled = fonts.folder(), []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    copy = tmp_path / ready.parent.name / ready.name
    copy.mkdir(parents=True)
    for file in ready.iterdir():
        (copy / file.name).symlink_to(file)
    monkeypatch.setattr(fonts, "_fill", lambda folder, sources: filled.append(folder.name))
    for lost in (None, "OFL.txt"):
        if lost:
            (copy / lost).unlink()
        fonts.folder.cache_clear()
        fonts.folder()
    fonts.folder.cache_clear()
    assert filled == [ready.name]


def test_a_changed_source_is_refused_and_leaves_nothing(elsewhere, monkeypatch):
    changed = elsewhere / "NotoSansSC[wght].ttf"
    changed.write_bytes(b"another font")
    monkeypatch.setattr(fonts, "_source", lambda *_: (changed, "a" * 64))
    found = hashlib.sha256(b"another font").hexdigest()
    with pytest.raises(MissingExtraError, match=f"has sha256 {found}, its package registered {'a' * 64}"):
        fonts.folder()
    assert list((elsewhere / "nbproof").glob("*fonts-*")) == []


def test_a_missing_package_is_named(elsewhere, monkeypatch):
    monkeypatch.setattr(fonts, "SOURCES", (("no-such-font-package", "x.ttf", "OFL.txt"),))
    with pytest.raises(MissingExtraError, match="comes with the package no-such-font-package"):
        fonts.folder()


def test_a_cache_that_cannot_be_written_is_named_where_nothing_can_stand_in(elsewhere, monkeypatch):
    (elsewhere / "nbproof").write_text("a file where the folder should be")
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere / "nbproof"))
    with pytest.raises(OutputError, match="set XDG_CACHE_HOME or TMPDIR to a folder"):
        fonts.folder()


@pytest.fixture(scope="module")
def few():
    """All signs that either font may give, and some of the 6,763 characters of the Chinese one."""
    from nbproof.fonts import cutting

    return (
        "".join(sign for sign in cutting.wanted() if not "\u3400" <= sign < "\ufe30")
        + "\u79c1\u57df\u6d41\u91cf\u7f51\u65b9"
    )


def start(cache, characters):
    use = "import sys; from nbproof.fonts import cutting, file\ncutting.wanted = lambda: sys.argv[1]; print(file())"
    return subprocess.Popen(
        [sys.executable, "-c", use, characters],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
    )


def drawn(path, characters):
    """How a font draws each character, and how wide."""
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    from fontTools.ttLib import TTFont

    font = TTFont(path)
    glyphs, names, found = font.getGlyphSet(), font.getBestCmap(), {}
    for sign in characters:
        if ord(sign) in names:
            pen = DecomposingRecordingPen(glyphs)
            glyphs[names[ord(sign)]].draw(pen)
            found[sign] = pen.value, glyphs[names[ord(sign)]].width
    return found


@pytest.mark.slow
def test_every_cut_gives_the_same_bytes_and_none_gives_half(tmp_path, few, monkeypatch):
    """Kill a first use; then let two run at once in its cache, and compare with this process's cut and its cache."""
    from nbproof.fonts import cutting

    killed = start(tmp_path, few)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("nbproof/.cutting-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    assert list(tmp_path.glob("nbproof/fonts-*")) == []
    both = [start(tmp_path, few), start(tmp_path, few)]
    ready = tmp_path / "nbproof" / fonts.folder().name
    assert [process.communicate()[0] for process in both] == [f"{ready / fonts.file().name}\n"] * 2
    assert list(tmp_path.glob("nbproof/.cutting-*")) == []
    monkeypatch.setattr(cutting, "wanted", lambda: few)
    sources = [fonts._source(*each[:2])[0] for each in fonts.SOURCES]
    made, covered = cutting.cut(sources, 700, "Bold", [*fonts.FAMILIES.values()], fonts.RECIPE)
    assert [(ready / fonts.file(700, language).name).read_bytes() for language in ("zh", "en")] == made
    assert (ready / fonts.COVERED).read_bytes() == covered.encode()
    for file in sorted(ready.glob("*.ttf")):  # of an unchanged recipe
        again, here = drawn(file, few), drawn(fonts.folder() / file.name, few)
        assert len(again) > 1000
        assert [sign for sign in again | here if again.get(sign) != here.get(sign)] == [], file.name
