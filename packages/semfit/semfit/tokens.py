"""Cut model text into tokens that know their line and column, and tokens into statements."""

from __future__ import annotations

import re
from dataclasses import dataclass

from semfit.errors import ParameterError, quoted

FORMS = {
    "=~": "latent =~ item + item",
    "<~": "composite <~ 1*variable + variable",
    "~": "outcome ~ predictor + predictor",
    "~~": "variable ~~ variable",
    "~1": "variable ~ 1",
    "|": "item | t1 + t2",
    "~*~": "item ~*~ item",
    ":=": "name := expression of labels",
    "==": "expression of labels == expression of labels",
    "<": "expression of labels < expression of labels",
    ">": "expression of labels > expression of labels",
}
TOKEN = re.compile(
    r"(?P<space>[ \t\r]+)|(?P<newline>\n|;)|(?P<comment>[#!][^\n]*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d][\w.]*)|(?P<string>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<relation>=~|~~|~\*~|:=|==|<~|~|\||<|>)|(?P<sign>[+*(),\-/^:])|(?P<unknown>.)"
)


@dataclass(frozen=True)
class Token:
    """A piece of the text and where it stands (line and column from 1)."""

    kind: str
    text: str
    line: int
    column: int


def tokenize(text: str) -> list[Token]:
    """Cut a model text into tokens, each with its line and column counted from 1.

    Raises
    ------
    ParameterError
        At the first character that belongs to no token.
    """
    found, line, begin = [], 1, 0
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or "unknown"
        token = Token(kind, match.group(), line, match.start() - begin + 1)
        if kind == "unknown":
            raise error_at(token, f"cannot read {quoted(token.text)}", "=~")
        if kind not in ("space", "comment"):
            found.append(token)
        if match.group() == "\n":
            line, begin = line + 1, match.end()
    return found


def statements(tokens: list[Token]) -> list[list[Token]]:
    """Cut at line ends, except inside brackets, after an operator, and before a line that opens with one."""
    statements: list[list[Token]] = [[]]
    depth = 0
    after: list[Token | None] = [None]  # for each token, from the last: the next one that is no line's end
    for token in reversed(tokens):
        after.append(after[-1] if token.kind == "newline" else token)
    for token, following in zip(tokens, after[-2::-1], strict=True):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.kind != "newline":
            statements[-1].append(token)
            continue
        last = statements[-1][-1] if statements[-1] else None
        opens = last is not None and (depth > 0 or last.kind == "relation" or last.text in "+*,-/^")
        if not (last is not None and token.text == "\n" and (opens or following and following.text in "+*")):
            statements.append([])
    return [s for s in statements if s]


def error_at(token: Token, what: str, op: str) -> ParameterError:
    """Return an error that points at a token and shows the form allowed for an operator; the caller raises it."""
    form = FORMS.get(op, FORMS["=~"])
    return ParameterError(f"line {token.line}, column {token.column}: {what}; the form is `{form}`.")
