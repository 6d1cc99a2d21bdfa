"""A rate law as text: read it, check its names and its unit, write it out as Python, JavaScript or XMILE."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from types import CodeType

import numpy as np

from stockflow.errors import ParameterError, UnknownNameError, quoted

TIES = ("contact", "anyone")
"""``contact(w)`` is the mean of w over a person's contacts, ``anyone(w)`` over everybody; both sum(w)/N well mixed."""
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
FUNCTIONS = {"exp": 1, "safediv": 2, "poisson_tail": 2, "contact": 1, "anyone": 1}
DEEPEST = 100  # operations inside one another: each takes several calls to write out
ALLOWED = "names, numbers, + - * / ** ( ) and " + ", ".join(FUNCTIONS)


@dataclass(frozen=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True)
class Name:
    """A parameter, a state or an auxiliary."""

    name: str


@dataclass(frozen=True)
class Call:
    """An operator or a known function with its arguments; a leading minus is ``0 - x``."""

    function: str
    args: tuple[Tree, ...]


Tree = Number | Name | Call
Unit = dict[str, float]
Table = Mapping[str, str | Callable[..., str]]


@lru_cache(1024)
def parse(text: str) -> Tree:
    """Read an expression.

    Raises
    ------
    ParameterError
        Where it holds anything but names, numbers, arithmetic and the known functions.

    Examples
    --------
    >>> write(parse("lambda0 + beta*contact(eta*C + L)"), PYTHON | {"contact": "(({}) / N)"})
    '(lambda0 + (beta * ((((eta * C) + L)) / N)))'
    """
    try:
        return _tree(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, TypeError, ValueError, OverflowError, RecursionError, MemoryError):
        raise ParameterError(f"a rate law cannot be read; got {quoted(text)}; allowed are {ALLOWED}.") from None


def _tree(node: ast.AST, depth: int = 0) -> Tree:
    if depth > DEEPEST:
        raise RecursionError
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return Number(float(value))
        case ast.Name(id=name):
            return Name(name)
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            return Call(OPERATORS[type(op)], (_tree(left, depth + 1), _tree(right, depth + 1)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Call("-", (Number(0.0), _tree(operand, depth + 1)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if FUNCTIONS.get(name) == len(args):
            return Call(name, tuple(_tree(arg, depth + 1) for arg in args))
    raise TypeError(node)


def by_tie(tree: Tree, states: Collection[str], tie: str = "") -> Tree:
    """Return a tree in which a state says who looks at it: ``contact_S`` in contact(S), ``anyone_S`` in anyone(S)."""
    if isinstance(tree, Call):
        inner = tree.function if tree.function in TIES else tie
        return Call(tree.function, tuple(by_tie(arg, states, inner) for arg in tree.args))
    return Name(f"{tie}_{tree.name}") if isinstance(tree, Name) and tree.name in states else tree


def unit(text: str) -> Unit:
    """Read a unit.

    Examples
    --------
    >>> unit("persons/day"), unit("1/day"), unit("1")
    ({'persons': 1.0, 'day': -1.0}, {'day': -1.0}, {})
    """
    powers: Unit = {}
    for position, part in enumerate(text.split("/")):
        for factor in part.split("*"):
            base, _, power = factor.strip().partition("^")
            if base != "1":
                powers[base] = powers.get(base, 0.0) + (float(power or 1) * (-1 if position else 1))
    return {base: power for base, power in powers.items() if power}


def dimension(tree: Tree, units: Mapping[str, Unit], text: str) -> Unit:
    """Return the unit of an expression by dimensional algebra.

    Parameters
    ----------
    tree : Tree
    units : mapping
        The unit of every name.
    text : str
        The expression as written, for the message.

    Raises
    ------
    ParameterError
        Where unlike units are added, a function's argument has a unit, or an exponent is no number.
    UnknownNameError
        For a name that is neither parameter, state nor auxiliary.
    """
    if isinstance(tree, Number):
        return {}
    if isinstance(tree, Name):
        if tree.name not in units:
            raise UnknownNameError(f"name in {quoted(text)}", tree.name, units)
        return units[tree.name]
    given = [dimension(arg, units, text) for arg in tree.args]
    match tree.function:
        case "+" | "-":
            zero = [isinstance(arg, Number) and arg.value == 0 for arg in tree.args]
            if given[0] != given[1] and not any(zero):
                got = f"{_say(given[0])} and {_say(given[1])}; allowed is the same unit on both sides"
                raise ParameterError(f"only like units can be added in {quoted(text)}; got {got}.")
            return given[1] if zero[0] else given[0]
        case "*" | "/" | "safediv":
            return _times(given[0], given[1], 1 if tree.function == "*" else -1)
        case "**":
            if not isinstance(tree.args[1], Number):
                raise ParameterError(f"an exponent is a number in {quoted(text)}; got a name; allowed is a literal.")
            return {base: power * tree.args[1].value for base, power in given[0].items()}
        case "contact" | "anyone":
            if given[0].get("persons") != 1.0:
                got = f"{_say(given[0])}; allowed is a sum of states, each with a weight"
                raise ParameterError(f"{tree.function}(w) averages persons in {quoted(text)}; got {got}.")
            return _times(given[0], {"persons": 1.0}, -1)
    if any(given):
        got = f"{', '.join(map(_say, given))}; allowed is 1"
        raise ParameterError(f"{tree.function}() takes numbers without a unit in {quoted(text)}; got {got}.")
    return {}


def _times(left: Unit, right: Unit, sign: int) -> Unit:
    powers = {base: left.get(base, 0.0) + sign * right.get(base, 0.0) for base in {**left, **right}}
    return {base: power for base, power in powers.items() if power}


def _say(given: Unit) -> str:
    return "*".join(base if power == 1 else f"{base}^{power:g}" for base, power in given.items()) or "1"


def write(tree: Tree, table: Table, names: Mapping[str, str] | Callable[[str], str] | None = None) -> str:
    """Write an expression out in another language.

    Parameters
    ----------
    tree : Tree
    table : mapping
        For every operator and function a template with one ``{}`` an argument, or a callable that takes the written
        arguments and then the call itself.
    names : mapping or callable, optional
        What a name is written as; itself where left out.

    Examples
    --------
    >>> write(parse("a**2/exp(b)"), JAVASCRIPT)
    '(Math.pow(a, 2) / Math.exp(b))'
    """
    if isinstance(tree, Number):
        return f"{tree.value:g}" if float(f"{tree.value:g}") == tree.value else repr(tree.value)
    if isinstance(tree, Name):
        return names(tree.name) if callable(names) else (names or {}).get(tree.name, tree.name)
    args = [write(arg, table, names) for arg in tree.args]
    rule = table[tree.function]
    return rule(*args, tree) if callable(rule) else rule.format(*args)


_ARITHMETIC = {"+": "({} + {})", "-": "({} - {})", "*": "({} * {})", "/": "({} / {})", "**": "({} ** {})"}
_MIXED = {"contact": "({} / N)", "anyone": "({} / N)"}
_CALLS = {"safediv": "safediv({}, {})", "poisson_tail": "poisson_tail({}, {})"}
PYTHON = _ARITHMETIC | _MIXED | _CALLS | {"exp": "exp({})"}
JAVASCRIPT = PYTHON | {"**": "Math.pow({}, {})", "exp": "Math.exp({})"}


def xmile(values: Mapping[str, float]) -> dict:
    """Return the table for XMILE equations; a Poisson tail is written out for the group size among ``values``."""

    def tail(_: str, x: str, call: Call) -> str:
        m = int(eval(write(call.args[0], PYTHON), {"__builtins__": {}}, dict(values)))  # a checked tree, integer
        terms = " + ".join(f"{x}^{k}/{factorial(k)}" if k else "1" for k in range(m))
        return f"(1 - EXP(-{x})*({terms}))" if m > 0 else "1"

    calls = {"**": "({}^{})", "exp": "EXP({})", "safediv": "SAFEDIV({}, {})", "poisson_tail": tail}
    return _ARITHMETIC | _MIXED | calls


def _poisson_tail(m: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return P(Poisson(x) >= m) for integers m >= 0, to 1e-15; x may be complex, so that it can be differentiated."""
    m, x = np.asarray(m), np.asarray(x)
    term, total = np.ones_like(x), np.zeros(np.broadcast(m, x).shape, np.result_type(x, float))
    for k in range(int(np.max(m, initial=0))):
        total = total + np.where(k < m, term, 0.0)
        term = term * x / (k + 1)
    return 1.0 - np.exp(-x) * total


def _safediv(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a/b, zero where b is zero."""
    empty = np.equal(b, 0)
    return np.where(empty, 0.0, a / np.where(empty, 1.0, b))


def helpers() -> dict[str, Callable]:
    """Return what Python written by ``write`` calls, for numpy arrays."""
    return {"exp": np.exp, "poisson_tail": _poisson_tail, "safediv": _safediv}


def evaluate(text: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return what an expression without ties is worth, element by element; a name not among ``values`` raises.

    Examples
    --------
    >>> float(evaluate("b*(1 - exp(-n))", {"b": 2.0, "n": 0.0}))
    0.0
    """
    code = _compiled(text)
    for name in code.co_names:
        if name not in values and name not in FUNCTIONS:
            raise UnknownNameError(f"name in {quoted(text)}", name, values)
    return np.asarray(eval(code, helpers() | {"__builtins__": {}}, dict(values)))


@lru_cache(1024)
def _compiled(text: str) -> CodeType:
    return compile(write(parse(text), PYTHON), text, "eval")  # written by ourselves from a checked tree
