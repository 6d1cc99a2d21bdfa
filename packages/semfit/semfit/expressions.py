"""Evaluate what stands right of `:=` and around `==`, `<` and `>`: arithmetic over parameter labels."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semfit.errors import ParameterError, quoted

LARGEST = np.finfo(float).max
FUNCTIONS = {"sqrt": np.sqrt, "exp": np.exp, "log": np.log}
OPERATORS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power}
DEEPEST = 400  # operations inside one another: far below Python's own limit of calls
ALLOWED = "labels, numbers, + - * / ^ ( ) and the functions " + ", ".join(FUNCTIONS)


@dataclass(frozen=True)
class Expression:
    """An arithmetic expression over labels.

    Parameters
    ----------
    text : str
        As written in the model, for example ``"a*b + c"``; ``^`` is a power.

    Raises
    ------
    ParameterError
        Where the text holds anything but labels, numbers, operators, and ``sqrt``, ``exp``, ``log``.

    Examples
    --------
    >>> float(Expression("a*b^2")({"a": 3.0, "b": 2.0}))
    12.0
    """

    text: str

    def __post_init__(self) -> None:
        _check(self._tree, self.text)

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text.strip().replace("^", "**"), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # null characters; brackets without end
            raise ParameterError(f"cannot read the expression {quoted(self.text)}; allowed are {ALLOWED}.") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The labels it uses, in order of appearance."""
        calls = {id(n.func) for n in ast.walk(self._tree) if isinstance(n, ast.Call)}
        found = [n for n in ast.walk(self._tree) if isinstance(n, ast.Name) and id(n) not in calls]
        return tuple(dict.fromkeys(n.id for n in sorted(found, key=lambda n: n.col_offset)))

    def __call__(self, values: Mapping[str, np.ndarray | float]) -> np.ndarray | float:
        """Return its value; arrays broadcast."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return _evaluate(self._tree, values)


@dataclass(frozen=True)
class Inequality(Expression):
    """An expression that must not be negative, and the statement it was written as."""

    said: str = ""


def _check(node: ast.AST, text: str, depth: int = 0) -> None:
    """Refuse every node that is not arithmetic, numbers beyond all limits, and what is nested without end."""
    known = (
        (isinstance(node, ast.Constant) and not isinstance(node.value, bool))
        and (isinstance(node.value, int | float) and abs(node.value) <= LARGEST)
        or isinstance(node, ast.Name)
        or (isinstance(node, ast.BinOp) and type(node.op) in OPERATORS)
        or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd))
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in FUNCTIONS
            and len(node.args) == 1
            and not node.keywords
        )
    )
    if not known or depth > DEEPEST:
        raise ParameterError(f"cannot use the expression {quoted(text)}; allowed are {ALLOWED}.")
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _check(child, text, depth + 1)


def _evaluate(node: ast.expr, values: Mapping[str, np.ndarray | float]) -> np.ndarray | float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)  # whole numbers of numpy have no negative powers
        case ast.Name():
            return values[node.id]
        case ast.BinOp():
            return OPERATORS[type(node.op)](_evaluate(node.left, values), _evaluate(node.right, values))
        case ast.UnaryOp():
            value = _evaluate(node.operand, values)
            return -value if isinstance(node.op, ast.USub) else value
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return FUNCTIONS[name](_evaluate(inner, values))
    raise TypeError(f"{ast.dump(node)} is none of what _check lets through.")


def jacobian(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Differentiate an analytic function of a vector by the complex step, exact to rounding.

    Parameters
    ----------
    function : callable
        Takes an array of shape (..., q), returns (..., m); must be analytic.
    at : array, shape (..., q)
        Where.

    Returns
    -------
    array, shape (..., m, q)

    References
    ----------
    Squire & Trapp (1998), SIAM Review 40, 110-112, doi:10.1137/S003614459631241X.

    Examples
    --------
    >>> jacobian(lambda x: x**2, np.array([1.0, 3.0])).tolist()
    [[2.0, 0.0], [0.0, 6.0]]
    """
    step = 1e-30
    moved = at[..., None, :] + 1j * step * np.eye(at.shape[-1])
    return np.swapaxes(function(moved).imag / step, -1, -2)
