"""What a model may say of thresholds (`|`) and scales (`~*~`), the parameters of ordered items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semfit.errors import ParameterError, UnknownNameError
from semfit.syntax import Term

RESPONSE = ("|", "~*~")  # parameters of responses, which have no cell in a matrix of paths


def check_responses(terms: Sequence[Term], ordered: Mapping[str, int], parameterization: str) -> None:
    """Raise where a model's thresholds, scales and residual variances do not fit its ordered items.

    Parameters
    ----------
    terms : sequence of Term
        The model as written.
    ordered : mapping of str to int
        Number of thresholds of each ordered item; empty where there are none.
    parameterization : {"delta", "theta"}
        Residual variances follow from the rest in "delta", scales in "theta".

    Raises
    ------
    ParameterError
        With line and column.
    """
    for t in terms:
        where = f"line {t.line}, column {t.column}: {t.lhs} {t.op} {t.rhs}"
        if t.op in RESPONSE and t.lhs not in ordered:
            raise ParameterError(f"{where}, but {t.lhs} is not an ordered item; name it in ordered=….")
        if t.op == "|" and t.rhs not in (known := [f"t{k + 1}" for k in range(ordered[t.lhs])]):
            raise UnknownNameError(f"threshold of {t.lhs}", t.rhs, known)
        if t.op == "~*~" and t.lhs != t.rhs:
            raise ParameterError(f"{where}; a scale has its item on both sides.")
        follows = "~*~" if parameterization == "theta" else "~~"
        if t.op == follows and t.lhs == t.rhs in ordered:
            raise ParameterError(
                f"{where} follows from the other parameters in parameterization {parameterization!r}; "
                f"use {'delta' if parameterization == 'theta' else 'theta'!r} to set it."
            )
