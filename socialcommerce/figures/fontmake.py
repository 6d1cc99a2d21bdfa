"""Know how the house fonts are made: one weight in this process, the other at the same time in a second one.

The second process is a fresh interpreter that answers through a pipe: it writes no file, so that none is left when this
process is killed, and it shares nothing with a fork server or a notebook's kernel.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from socialcommerce.figures.fontcut import cut
from socialcommerce.figures.fontlatin import latin

__all__ = ["COVERED", "make"]

COVERED = "characters.txt"
CHILD = "from socialcommerce.figures.fontmake import _answer; _answer()"


def make(source: Path, weights: Mapping[int, str], families: tuple[str, str]) -> dict[str, bytes]:
    """Make the fonts of two weights, for Chinese and for Latin text.

    Parameters
    ----------
    source : Path
        The variable font.
    weights : mapping of int to str
        Two points of its axis ``wght``, and the style each goes by.
    families : tuple of str
        Names of the Chinese and of the Latin fonts.

    Returns
    -------
    dict of str to bytes
        Files by name; :data:`COVERED` lists the characters, the same in every font.
    """
    (weight, style), (other, its_style) = weights.items()
    words = [str(source), str(other), its_style, *families]
    with subprocess.Popen([sys.executable, "-c", CHILD, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}) as child:
        try:
            files = _weight(source, weight, style, families)
            answer, _ = child.communicate()
        except BaseException:
            child.kill()
            raise
    if child.returncode:  # too little memory for two, perhaps: here it works, or tells why not
        return files | _weight(source, other, its_style, families)
    return files | pickle.loads(answer)  # noqa: S301 - our own process wrote it


def _weight(source: Path, weight: int, style: str, families: tuple[str, str]) -> dict[str, bytes]:
    chinese = cut(source, weight, style, families[0])
    return {f"{style}.ttf": chinese.file, f"Latin{style}.ttf": latin(chinese, families[1]),
            COVERED: chinese.covered.encode()}


def _answer() -> None:
    """Be the second process."""
    source, weight, style, chinese, narrow = sys.argv[1:]
    sys.stdout.buffer.write(pickle.dumps(_weight(Path(source), int(weight), style, (chinese, narrow))))
