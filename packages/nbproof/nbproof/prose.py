"""Prose with ``{{names}}``: where results enter the text.

``{{name}}`` stands for a number, a word, a figure or a table of the same notebook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nbproof.errors import NotebookError, nearest
from nbproof.look import words
from nbproof.numbers import format_number

__all__ = ["REFERENCE", "Reference", "References"]

REFERENCE = re.compile(r"\{\{([^\W\d]\w*)\}\}")


@dataclass(frozen=True)
class Reference:
    """What a ``{{name}}`` becomes: the text printed, the result it names, and the anchor it links to, if any."""

    text: str
    result: str
    anchor: str = ""


@dataclass(frozen=True)
class References:
    """All that the prose of one notebook can refer to, in one language."""

    results: Mapping[str, Any]
    floats: Mapping[str, tuple[str, int]]  # name -> ("figure" | "table", its number)
    language: str
    notebook: str

    def look_up(self, name: str) -> Reference:
        """Return what ``{{name}}`` stands for.

        Raises
        ------
        NotebookError
            When nothing has that name; the nearest name is given.
        """
        numbers, texts = self.results["numbers"], self.results["texts"]
        if name in self.floats:
            kind, position = self.floats[name]
            return Reference(words(self.language)[kind].format(position), name, f"{kind}-{name}")
        if name in texts:
            return Reference(texts[name][self.language], name)
        if name in numbers:
            return Reference(format_number(numbers[name]["value"], numbers[name]["digits"]), name)
        known = [*numbers, *texts, *self.floats]
        guess = nearest(name, known)
        raise NotebookError(f"{self.notebook}: the prose refers to {{{{{name}}}}}, which no cell recorded;"
                            f"{f' did you mean {guess}?' if guess else ''} Recorded: {', '.join(known) or 'nothing'}.")

    def fill(self, text: str) -> str:
        """Replace every ``{{name}}`` in a plain text."""
        return REFERENCE.sub(lambda match: self.look_up(match[1]).text, text)

    def split(self, text: str, words: Callable[[str], Any], reference: Callable[[Reference], Any]) -> list[Any]:
        """Cut a text at its references and turn each part into something."""
        parts = REFERENCE.split(text)
        return [reference(self.look_up(part)) if i % 2 else words(part) for i, part in enumerate(parts) if part]
