"""Know where the house font is, cut it on first use, and say which characters it covers.

The font is Noto Sans SC, from a locked package, as two static TrueType files in a cache folder; nothing of it is kept
in the repository, and no font of the system is used. What stands in the cache needs neither fontTools nor matplotlib.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import warnings
from base64 import urlsafe_b64decode
from functools import cache
from pathlib import Path

from socialcommerce.errors import DataError, OutputError
from socialcommerce.figures.fontcut import RECIPE, cut

__all__ = ["FAMILY", "UncoveredWarning", "bold", "folder", "licence", "regular", "uncovered", "warn_uncovered",
           "woff2_subset"]

FAMILY = "Noto Sans SC House"
PACKAGE, SOURCE = "justmytype-intl-cjk", "NotoSansSC[wght].ttf"
WEIGHTS = {400: "Regular", 700: "Bold"}
COVERED = "characters.txt"
UNDRAWN = frozenset("\t\n\r")


class UncoveredWarning(UserWarning):
    """A text holds characters that the house font cannot draw: the message names them."""


def regular() -> Path:
    """Return the regular font file (weight 400), cutting it first where the cache has none."""
    return folder() / "Regular.ttf"


def bold() -> Path:
    """Return the bold font file (weight 700), cutting it first where the cache has none."""
    return folder() / "Bold.ttf"


def licence() -> str:
    """Return the licence the font came with: the SIL Open Font License 1.1."""
    return (folder() / "OFL.txt").read_text(encoding="utf-8")


def uncovered(text: str) -> str:
    """Return the characters of a text that the house font lacks, each once, in code order.

    Examples
    --------
    >>> uncovered("私域流量 ≈ 10⁸ 元"), uncovered("龘😀")
    ('', '龘😀')
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
        warnings.warn(f"{where}: the report's font has no glyph for {named}; it covers GB 2312 (6,763 Chinese "
                      "characters), Latin, Greek and Cyrillic.", UncoveredWarning, stacklevel=2)
    return missing


def woff2_subset(text: str, weight: int = 400) -> bytes:
    """Return a web font with just the characters of a text, the same bytes for the same characters.

    Parameters
    ----------
    text : str
        All that a page shows; characters the font lacks are left to the reader's own fonts.
    weight : {400, 700}
        Regular or bold.
    """
    import io

    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(folder() / f"{WEIGHTS[weight]}.ttf", recalcTimestamp=False)
    options = subset.Options(hinting=False, notdef_outline=True, recalc_timestamp=False, name_IDs=[0, 1, 2, 13, 14])
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(set(text))))
    cutter.subset(font)
    font.flavor = "woff2"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


@cache
def folder() -> Path:
    """Return the cache folder of the cut fonts, filling it on first use.

    It lies under ``XDG_CACHE_HOME`` (or ``~/.cache``); its name follows from the source font, the recipe and the
    version of fontTools. Several first uses at once wait for one of them; one that is killed leaves no half font.

    Raises
    ------
    DataError
        When the font package is missing, or its font is not the one it registered.
    OutputError
        When the cache folder cannot be written.
    """
    source, digest = _source()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "socialcommerce"
    ready = home / f"fonts-{_key(digest)}"
    if not _whole(ready):
        try:
            home.mkdir(parents=True, exist_ok=True)
            with open(home / "fonts.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not _whole(ready):
                    _fill(ready, source, digest)
        except OSError as error:
            raise OutputError(f"the house font cannot be written to {home}: {error.strerror}; set XDG_CACHE_HOME to a "
                              "folder that can be written (5 MB).") from error
    return ready


def _source() -> tuple[Path, str]:
    """Return the variable font and the sha256 its package registered for it."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        entry = next(file for file in files(PACKAGE) or () if file.name == SOURCE)
    except (PackageNotFoundError, StopIteration):
        raise DataError(f"the font {SOURCE} is not installed; it comes with the package {PACKAGE}, which "
                        "requirements.lock names.") from None
    registered = urlsafe_b64decode(entry.hash.value + "=").hex()
    return Path(str(entry.locate())), registered


def _key(digest: str) -> str:
    from importlib.metadata import version

    return hashlib.sha256(f"{digest} {RECIPE} {version('fonttools')}".encode()).hexdigest()[:16]


def _whole(ready: Path) -> bool:
    return all((ready / name).is_file() for name in ("Regular.ttf", "Bold.ttf", COVERED, "OFL.txt"))


def _fill(ready: Path, source: Path, digest: str) -> None:
    """Cut both weights beside the final folder and rename them into place."""
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != digest:
        raise DataError(f"{source.name} has sha256 {found}, its package registered {digest}; reinstall {PACKAGE}.")
    shutil.rmtree(ready, ignore_errors=True)
    for left in ready.parent.glob(".cutting-*"):  # of a process that was killed: the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".cutting-", dir=ready.parent, ignore_cleanup_errors=True) as name:
        draft = Path(name) / "fonts"
        draft.mkdir()
        covered = ""
        for style, font, covered in cut(source, WEIGHTS, FAMILY):  # noqa: B007 - the same for every weight
            (draft / f"{style}.ttf").write_bytes(font)
        (draft / COVERED).write_text(covered, encoding="utf-8", newline="")
        shutil.copyfile(source.parent / "OFL.txt", draft / "OFL.txt")
        draft.rename(ready)


@cache
def _covered() -> frozenset[str]:
    with open(folder() / COVERED, encoding="utf-8", newline="") as file:
        return frozenset(file.read())
