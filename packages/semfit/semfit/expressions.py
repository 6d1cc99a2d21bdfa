"""Evaluate what stands right of `:=` and around `==`, `<` and `>`: arithmetic over parameter labels."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semfit.errors import ParameterError, quoted

LARGEST = float(np.finfo(float).max)
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
        _ = self.names  # or says what cannot be used

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text.strip().replace("^", "**"), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # null characters; brackets without end
            raise ParameterError(f"cannot read the expression {quoted(self.text)}; allowed are {ALLOWED}.") from None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The labels it uses, in order of appearance."""
        asked: defaultdict[str, float] = defaultdict(lambda: np.nan)
        try:
            self(asked)
        except TypeError:
            raise ParameterError(f"cannot use the expression {quoted(self.text)}; allowed are {ALLOWED}.") from None
        return tuple(asked)

    def __call__(self, values: Mapping[str, np.ndarray | float]) -> np.ndarray | float:
        """Return its value; arrays broadcast."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return _evaluate(self._tree, values)


@dataclass(frozen=True)
class Inequality(Expression):
    """An expression that must not be negative, and the statement it was written as."""

    said: str = ""


def _evaluate(node: ast.expr, values: Mapping[str, np.ndarray | float], depth: int = 0) -> np.ndarray | float:
    """Return the value of arithmetic; TypeError for all else, too large numbers and what is nested without end."""
    if depth <= DEEPEST:
        match node:
            case ast.Constant(value=int() | float() as number) if number is not bool(number) and abs(number) <= LARGEST:
                return float(number)  # whole numbers of numpy have no negative powers
            case ast.Name():
                return values[node.id]
            case ast.BinOp(left, op, right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](_evaluate(left, values, depth + 1), _evaluate(right, values, depth + 1))
            case ast.UnaryOp(ast.USub() | ast.UAdd() as op, operand):
                value = _evaluate(operand, values, depth + 1)
                return -value if isinstance(op, ast.USub) else value
            case ast.Call(ast.Name(id=name), [inner], []) if name in FUNCTIONS:
                return FUNCTIONS[name](_evaluate(inner, values, depth + 1))
    raise TypeError(type(node).__name__)


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
