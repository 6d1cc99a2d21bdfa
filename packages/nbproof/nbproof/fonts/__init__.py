"""The house fonts: cut on first use, kept in a cache folder, packed as web fonts, and which characters they cover.

The fonts are made of Noto Sans SC and Source Sans 3, from packages that the extra ``fonts`` brings, as static TrueType
files in a cache folder: two weights, each for Chinese text and for Latin text, where quotation marks and other shared
signs are narrow. No font of the system is used. What stands in the cache needs neither fontTools nor matplotlib.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import product
from pathlib import Path
from unicodedata import name, normalize

from filelock import FileLock

from nbproof.errors import MissingExtraError, OutputError, ParameterError, UnknownNameError
from nbproof.folder import file_hash, write_whole
from nbproof.machine import cache_folder

__all__ = [
    "UncoveredWarning",
    "family",
    "file",
    "folder",
    "register",
    "uncovered",
    "warn_uncovered",
    "woff2_formulas",
    "woff2_subset",
]

FAMILIES = {"zh": "Noto Sans SC House", "en": "Noto Sans SC House Latin"}
RECIPE = 4  # raise it with every change to cutting that changes the bytes
# package, font and licence, from the font's folder: each is the Open Font License
SOURCES = (
    ("justmytype-intl-cjk", "NotoSansSC[wght].ttf", "OFL.txt"),
    ("fontpkg-source-sans-3", "SourceSans3[wght].ttf", "../LICENSE"),
)
FORMULAS = "ziamath", "STIXTwoMath-Regular.ttf"  # likewise
WEIGHTS = {400: "Regular", 700: "Bold"}
COVERED = "characters.txt"
KEPT = 200  # web fonts, of 100 KB as a rule: 20 MB
DIGEST = 32  # bytes of sha256 before a kept one, against a file damaged on disk
UNDRAWN = frozenset("\t\n\r")


class UncoveredWarning(UserWarning):
    """A text holds characters that the house font cannot draw: the message names them."""


def family(language: str = "zh") -> str:
    """Return the name of the font for a language: both hold the same characters, and differ in the width of signs.

    Parameters
    ----------
    language : {"zh", "en"}
        Chinese for quotation marks, § and × one em wide; English for narrow ones.

    Raises
    ------
    UnknownNameError
        For any other language.

    Examples
    --------
    >>> family("en")
    'Noto Sans SC House Latin'
    """
    if language not in FAMILIES:
        raise UnknownNameError("language", language, FAMILIES)
    return FAMILIES[language]


def file(weight: int = 400, language: str = "zh") -> Path:
    """Return the file of a font, cutting all first where the cache has none.

    Parameters
    ----------
    weight : {400, 700}
        Regular or bold.
    language : {"zh", "en"}
        As in :func:`family`.

    Raises
    ------
    ParameterError
        For any other weight.
    """
    if weight not in WEIGHTS:
        raise ParameterError(f"the house font has no weight {weight!r}; allowed: {', '.join(map(str, WEIGHTS))}.")
    return folder() / f"{family(language)} {WEIGHTS[weight]}.ttf"


@cache
def register() -> None:
    """Tell matplotlib the fonts' files, so that `family` names them; no font of the system is asked."""
    from matplotlib.font_manager import fontManager

    for weight, language in product(WEIGHTS, FAMILIES):
        fontManager.addfont(file(weight, language))


def uncovered(text: str) -> str:
    """Return the characters of a text that the house font lacks, each once, in code order.

    Examples
    --------
    >>> len(uncovered("\u79c1\u57df ≈ 10⁸")), len(uncovered("a rare sign: \u9f98"))
    (0, 1)
    """
    return "".join(sorted(set(text) - _covered() - UNDRAWN))


def warn_uncovered(text: str, where: str) -> str:
    """Warn, by name, about the characters of a text that the house font lacks; return them.

    Parameters
    ----------
    text : str
        What is to be drawn or printed.
    where : str
        What the reader would look for: a file and column, a figure's name.
    """
    missing = uncovered(text)
    if missing:
        named = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in missing)
        warnings.warn(
            f"{where}: the report's font has no glyph for {named}; it covers GB 2312 and the common "
            "characters of Big5 (8,836 Chinese characters), Latin, Greek and Cyrillic.",
            UncoveredWarning,
            stacklevel=2,
        )
    return missing


def woff2_subset(text: str, weight: int = 400, language: str = "zh") -> bytes:
    """Return a web font with just the characters of a text, the same bytes for the same characters.

    Packing takes a second for a thousand characters, so that what was packed is kept beside the cut fonts.

    Parameters
    ----------
    text : str
        All that a page shows; characters the font lacks are left to the reader's own fonts.
    weight, language : int, str
        As in :func:`file`.
    """
    return kept(file(weight, language), "".join(sorted(set(text))), folder().parent / "web")


def woff2_formulas(text: str) -> bytes:
    """Return a web font for formulas, which says where their parts stand, with the signs of a text and italic letters.

    A browser sets a letter that stands alone in mathematical italic, a character of its own.
    """
    source, digest = _source(*FORMULAS)
    italic = [chr(code) for code in range(0x1D434, 0x1D7CC) if "MATHEMATICAL ITALIC" in name(chr(code), "")]
    characters = {*text, "\N{SQUARE ROOT}"}  # in no text: a root is an element
    characters |= {sign for sign in (*italic, "\N{PLANCK CONSTANT}") if normalize("NFKC", sign) in text}
    return kept(source, "".join(sorted(characters)), folder().parent / f"formulas-{digest[:16]}")


def kept(font: Path, characters: str, folder: Path) -> bytes:
    """Return a web font from a cache folder, packing and keeping it where the folder has none.

    Parameters
    ----------
    font : Path
        A TrueType file whose folder's name follows from all that made it.
    characters : str
        Those the web font holds; sorted, each once.
    folder : Path
        Where up to :data:`KEPT` of them are kept, those used last; a folder that cannot be written keeps none.
    """
    from importlib.metadata import version

    key = hashlib.sha256(f"{font.parent.name} {font.name} {version('brotli')} {characters}".encode()).hexdigest()
    file = folder / key
    with suppress(OSError):
        digest, found = (content := file.read_bytes())[:DIGEST], content[DIGEST:]
        if hashlib.sha256(found).digest() == digest:
            os.utime(file)  # used just now
            return found
    packed = pack(font, characters)
    with suppress(OSError, OutputError):
        write_whole(file, hashlib.sha256(packed).digest() + packed)
        for old in sorted(folder.iterdir(), key=os.path.getmtime)[:-KEPT]:
            old.unlink()  # what another process let go of ends this round
    return packed


def pack(font: Path, characters: str) -> bytes:
    """Return a WOFF2 font with just these characters."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    whole = TTFont(font, recalcTimestamp=False, recalcBBoxes=False)  # boxes are right already: a quarter less time
    options = subset.Options(hinting=False, notdef_outline=True, recalc_timestamp=False, name_IDs=[0, 1, 2, 13, 14])
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(whole)
    whole.flavor = "woff2"
    out = io.BytesIO()
    whole.save(out)
    return out.getvalue()


@cache
def folder() -> Path:
    """Return the cache folder of the cut fonts, filling it on first use.

    It lies in `nbproof.cache_folder`; its name follows from the source font, the recipe and the
    version of fontTools. Several first uses at once wait for one of them; one that is killed leaves no half font.

    Raises
    ------
    MissingExtraError
        When the font package is missing, or its font is not the one it registered.
    OutputError
        When the cache folder cannot be written.
    """
    from importlib.metadata import version

    sources = [_source(package, font) for package, font, _ in SOURCES]
    home = cache_folder("nbproof")
    made_of = " ".join([*(digest for _, digest in sources), str(RECIPE), version("fonttools")])
    ready = home / f"fonts-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    if not _whole(ready):
        try:
            home.mkdir(parents=True, exist_ok=True)
            with FileLock(home / "fonts.lock"):
                if not _whole(ready):
                    _fill(ready, sources)
        except OSError as error:
            raise OutputError(
                f"the house font cannot be written to {home}: {error.strerror}; set XDG_CACHE_HOME to a "
                "folder that can be written (35 MB)."
            ) from error
    return ready


def _source(package: str, source: str) -> tuple[Path, str]:
    """Return a package's font and the sha256 it registered for it."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        entry = next(file for file in files(package) or () if file.name == source)
    except (PackageNotFoundError, StopIteration):
        raise MissingExtraError(
            f"the font {source} is not installed; it comes with the package {package}, which nbproof[fonts] brings."
        ) from None
    registered = urlsafe_b64decode(entry.hash.value + "=").hex() if entry.hash else "none"
    return Path(str(entry.locate())), registered


def _whole(ready: Path) -> bool:
    """Say whether all fonts are there: what tidies a cache folder may have taken some."""
    fonts = (f"{family} {style}.ttf" for family, style in product(FAMILIES.values(), WEIGHTS.values()))
    return all((ready / name).is_file() for name in (*fonts, COVERED, "OFL.txt"))


def _fill(ready: Path, sources: Sequence[tuple[Path, str]]) -> None:
    """Cut all fonts beside the final folder and rename them into place."""
    from nbproof.fonts.cutting import cut  # fontTools: not where the fonts are there

    for (path, registered), (package, *_) in zip(sources, SOURCES, strict=True):
        if (found := file_hash(path)) != registered:
            raise MissingExtraError(
                f"{path.name} has sha256 {found}, its package registered {registered}; reinstall {package}."
            )
    shutil.rmtree(ready, ignore_errors=True)
    for left in ready.parent.glob(".cutting-*"):  # of a process that was killed: the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".cutting-", dir=ready.parent, ignore_cleanup_errors=True) as name:
        draft = Path(name) / "fonts"
        draft.mkdir()
        paths = [path for path, _ in sources]
        for weight, style in WEIGHTS.items():
            made, covered = cut(paths, weight, style, [*FAMILIES.values()], RECIPE)
            for family, font in zip(FAMILIES.values(), made, strict=True):
                (draft / f"{family} {style}.ttf").write_bytes(font)
        (draft / COVERED).write_bytes(covered.encode())  # the same in every font
        licences = (path.parent / licence for path, (_, _, licence) in zip(paths, SOURCES, strict=True))
        (draft / "OFL.txt").write_bytes(b"\n\n".join(licence.read_bytes() for licence in licences))
        draft.rename(ready)


@cache
def _covered() -> frozenset[str]:
    with open(folder() / COVERED, encoding="utf-8", newline="") as file:
        return frozenset(file.read())
