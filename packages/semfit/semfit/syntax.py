"""Read lavaan's model language and point at line and column where a text is not of that language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from semfit.errors import ParameterError, named, quoted
from semfit.expressions import Expression, Inequality

FORMS = {
    "=~": "latent =~ item + item",
    "<~": "composite <~ 1*variable + variable",
    "~": "outcome ~ predictor + predictor",
    "~~": "variable ~~ variable",
    "~1": "variable ~ 1",
    "|": "item | t1 + t2",
    "~*~": "item ~*~ item",
    ":=": "name := expression of labels",
    **{relation: f"expression of labels {relation} expression of labels" for relation in ("==", "<", ">")},
}
TOKEN = re.compile(
    r"(?P<space>[ \t\r]+)|(?P<newline>\n|;)|(?P<comment>[#!][^\n]*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d][\w.]*)|(?P<string>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<relation>=~|~~|~\*~|:=|==|<~|~|\||<|>)|(?P<sign>[+*(),\-/^:])|(?P<unknown>.)"
)


class Token(NamedTuple):
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


@dataclass(frozen=True)
class Term:
    """One relation between two variables with what is said about its parameter; tuples hold one entry or one per group.

    ``fixed`` holds numbers, ``nan`` for "free on purpose" (``NA*``) and None for "nothing said"; ``rhs`` is ``""``
    for ``~1``.
    """

    lhs: str
    op: str
    rhs: str
    fixed: tuple[float | None, ...] = (None,)
    label: tuple[str, ...] = ("",)
    start: tuple[float | None, ...] = (None,)
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class ModelText:
    """A parsed model: terms as written, defined parameters, and constraints: what must be zero, or not negative."""

    terms: tuple[Term, ...]
    defined: Mapping[str, Expression]
    constraints: tuple[Expression, ...]


def parse(text: str) -> ModelText:
    """Parse a model.

    Parameters
    ----------
    text : str
        Statements on lines of their own (or parted by ``;``), ``#`` or ``!`` before a comment. Relations are ``=~``,
        ``<~``, ``~``, ``~~``, ``~ 1``, ``|``, ``~*~``, ``:=``, ``==``, ``<`` and ``>``. A variable may carry
        ``number*``, ``NA*``, ``label*``, ``start(number)*``, ``label("x")*``, ``equal("f=~x1")*``, and ``c(…)*`` with
        one entry per group.

    Raises
    ------
    ParameterError
        With line, column, what was found and the form that is allowed.

    Examples
    --------
    >>> [(t.lhs, t.op, t.rhs, t.label) for t in parse("f =~ x1 + b*x2").terms]
    [('f', '=~', 'x1', ('',)), ('f', '=~', 'x2', ('b',))]
    >>> parse("f =~ x1 + + x2")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    semfit.errors.ParameterError: line 1, column 11: expected a variable, found '+'; the form is ...
    """
    if not isinstance(text, str):
        raise ParameterError(f"a model is a text such as 'f =~ x1 + x2 + x3'; got {type(text).__name__}.")
    terms: dict[tuple[str, str, str], Term] = {}
    defined: dict[str, Expression] = {}
    constraints: list[Expression] = []
    for tokens in statements(tokenize(text)):
        relation = _relation(tokens)
        if relation.text == ":=":
            left, right = _sides(tokens, relation)
            if tokens[0].kind != "name" or tokens[1] is not relation:
                raise error_at(tokens[0], f"expected one name before :=, found {quoted(left)}", ":=")
            if left in defined:
                raise error_at(tokens[0], f"{named(left)} is defined twice", ":=")
            defined[left] = _expression(right, relation)
        elif relation.text in ("==", "<", ">"):
            constraints.append(_constraint(tokens, relation))
        else:
            for term in _Statement(tokens, relation).terms():
                key = unordered(term.lhs, term.op, term.rhs)
                terms[key] = _merge(terms[key], term) if key in terms else term
    if not terms:
        raise ParameterError("the model holds no relation between variables; the form is `latent =~ item + item`.")
    return ModelText(tuple(terms.values()), defined, tuple(constraints))


def parse_constraints(text: str) -> tuple[Expression, ...]:
    """Parse lines of the form ``expression == expression`` into expressions that must be zero.

    Parameters
    ----------
    text : str
        One constraint a line, or parted by ``;``.

    Raises
    ------
    ParameterError
        With line and column, where a line is not of that form.

    Examples
    --------
    >>> [float(e({"a": 3.0, "b": 1.0})) for e in parse_constraints("a == 2*b")]
    [1.0]
    """
    found = []
    for tokens in statements(tokenize(text)):
        relation = _relation(tokens)
        if relation.text != "==":
            raise error_at(relation, f"expected '==', found {quoted(relation.text)}", "==")
        found.append(_constraint(tokens, relation))
    if not found:
        raise ParameterError("no constraint was given; the form is `expression of labels == expression of labels`.")
    return tuple(found)


def unordered(lhs: str, op: str, rhs: str) -> tuple[str, str, str]:
    """A covariance is the same whichever variable stands first."""
    first, second = sorted((lhs, rhs)) if op == "~~" else (lhs, rhs)
    return first, op, second


def _merge(old: Term, new: Term) -> Term:
    """Let a repeated term add a modifier: `x ~ a*z + NA*z`."""
    blank = {"fixed": (None,), "label": ("",), "start": (None,)}
    said = {k: getattr(new, k) if getattr(new, k) != v else getattr(old, k) for k, v in blank.items()}
    both = [k for k, v in blank.items() if getattr(new, k) != v and getattr(old, k) not in (v, getattr(new, k))]
    if both:
        raise ParameterError(
            f"line {new.line}, column {new.column}: {named(new.lhs)} {new.op} {named(new.rhs)} is given twice "
            f"with different modifiers; say it once, for example `{named(new.lhs)} {new.op} a*{named(new.rhs)}`."
        )
    return Term(old.lhs, old.op, old.rhs, line=old.line, column=old.column, **said)


def _relation(tokens: list[Token]) -> Token:
    relations = [t for t in tokens if t.kind == "relation"]
    if not relations:
        raise error_at(tokens[0], f"no relation in the statement that begins with {quoted(tokens[0].text)}", "=~")
    if len(relations) > 1:
        if tokens[tokens.index(relations[0]) + 1].line > relations[0].line < relations[1].line:
            raise error_at(relations[0], f"nothing stands right of {relations[0].text!r}", relations[0].text)
        raise error_at(relations[1], f"a second {quoted(relations[1].text)} in one statement", relations[0].text)
    return relations[0]


def _sides(tokens: list[Token], relation: Token) -> tuple[str, str]:
    """The raw text on both sides, comments and line ends taken out."""
    at = tokens.index(relation)
    left, right = tokens[:at], tokens[at + 1 :]
    if not left or not right:
        raise error_at(relation, "one side is empty", relation.text)
    return _joined(left), _joined(right)


def _joined(tokens: list[Token]) -> str:
    """Write tokens without blanks, but keep two words apart, so that they are refused and not made one."""
    words = ("name", "number", "string")
    gaps = [" " if a.kind in words and b.kind in words else "" for a, b in zip(tokens, tokens[1:], strict=False)]
    return "".join(t.text + gap for t, gap in zip(tokens, [*gaps, ""], strict=True))


def _constraint(tokens: list[Token], relation: Token) -> Expression:
    left, right = _sides(tokens, relation)
    _expression(left, relation)
    if relation.text == "==":
        return _expression(f"({left}) - ({right})", relation)
    larger, smaller = (left, right) if relation.text == ">" else (right, left)
    gap = _expression(f"({larger}) - ({smaller})", relation)
    return Inequality(gap.text, f"{left} {relation.text} {right}")


def _expression(text: str, at: Token) -> Expression:
    try:
        return Expression(text)
    except ParameterError as error:
        raise ParameterError(f"line {at.line}, column {at.column}: {error}") from None


class _Statement:
    """Walk over the tokens of one statement."""

    def __init__(self, tokens: list[Token], relation: Token) -> None:
        self.tokens, self.op, self.at = tokens, relation.text, 0
        end = tokens[-1]
        self.end = Token("end", "the end of the line", end.line, end.column + len(end.text))

    def terms(self) -> list[Term]:
        """Every left variable with every right term."""
        left = [self._variable()]
        while self._peek().text == "+":
            self._take()
            left.append(self._variable())
        if self._peek().text != self.op:
            raise self._wrong(f"{self.op!r}")
        self._take()
        found = [self._term(left)]
        while self._peek().kind != "end":
            if self._peek().text != "+":
                raise self._wrong("'+' or the end of the line")
            self._take()
            found.append(self._term(left))
        return [term for group in zip(*found, strict=True) for term in group]

    def _term(self, left: list[str]) -> list[Term]:
        first = self._peek()
        said: dict[str, tuple] = {}
        while (modifier := self._modifier()) is not None:
            if said.keys() & modifier.keys():
                raise error_at(first, "two modifiers of one kind before one variable", self.op)
            said.update(modifier)
        token = self._peek()
        op, rhs = self.op, token.text
        if op == "~" and token.kind == "number" and token.text in "01":
            self._take()
            op, rhs = "~1", ""
            if token.text == "0":
                said["fixed"] = (0.0,)
        else:
            rhs = self._variable()
            if self._peek().text == ":":
                raise error_at(self._peek(), "a product of variables is not a variable; add its column to the data", op)
        return [Term(name, op, rhs, line=first.line, column=first.column, **said) for name in left]

    def _modifier(self) -> dict[str, tuple] | None:
        """Read `number*`, `NA*`, `label*`, `"label"*` or `call(...)*`; None where a variable comes next."""
        start = self.at
        token = self._take()
        if token.text == "c" and self._peek().text == "(":
            entries = [self._atom(t) for t in self._arguments()]
        elif token.kind == "name" and self._peek().text == "(":
            entries = [self._call(token)]
        elif token.text == "-" or token.kind in ("number", "name", "string"):
            entries = [self._atom([token, self._take()] if token.text == "-" else [token])]
        else:
            self.at = start
            return None
        if self._peek().text != "*":
            if self.at > start + 1:
                raise self._wrong("'*' after a modifier")
            self.at = start
            return None
        self._take()
        kinds = {k for entry in entries for k in entry}
        blank = {"fixed": None, "label": "", "start": None}
        return {k: tuple(entry.get(k, blank[k]) for entry in entries) for k in kinds}

    def _arguments(self) -> list[list[Token]]:
        """The comma-separated tokens of a bracket."""
        self._take()
        parts: list[list[Token]] = [[]]
        while self._peek().text != ")":
            if self._peek().kind == "end":
                raise self._wrong("')'")
            token = self._take()
            if token.text == ",":
                parts.append([])
            else:
                parts[-1].append(token)
        self._take()
        return parts

    def _atom(self, tokens: list[Token]) -> dict[str, float | str]:
        """A number fixes, NA frees, a name labels."""
        texts = [t.text for t in tokens]
        if texts[:-1] in ([], ["-"]) and tokens and tokens[-1].kind == "number":
            return {"fixed": float("".join(texts))}
        if len(tokens) != 1 or tokens[0].kind not in ("name", "string"):
            raise error_at(tokens[0] if tokens else self._peek(), "expected a number, NA or a label", self.op)
        return {"fixed": float("nan")} if texts[0] == "NA" else {"label": texts[0].strip("\"'")}

    def _call(self, name: Token) -> dict[str, float | str]:
        allowed = {"start": "start", "label": "label", "equal": "label"}
        if name.text not in allowed:
            known = ", ".join(f"{k}()" for k in allowed)
            raise error_at(name, f"unknown modifier {named(name.text)}(); known are c(), {known}", self.op)
        arguments = self._arguments()
        value = self._atom(arguments[0]) if len(arguments) == 1 else {}
        wanted = "fixed" if name.text == "start" else "label"
        if wanted not in value:
            raise error_at(name, f"{name.text}() takes one {'number' if wanted == 'fixed' else 'label'}", self.op)
        text = value[wanted]
        return {allowed[name.text]: re.sub(r"\s", "", text) if isinstance(text, str) else text}

    def _variable(self) -> str:
        if self._peek().kind != "name":
            raise self._wrong("a variable")
        return self._take().text

    def _peek(self) -> Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else self.end

    def _take(self) -> Token:
        token = self._peek()
        self.at += 1
        return token

    def _wrong(self, expected: str) -> ParameterError:
        token = self._peek()
        found = token.text if token.kind == "end" else quoted(token.text)
        return error_at(token, f"expected {expected}, found {found}", self.op)
