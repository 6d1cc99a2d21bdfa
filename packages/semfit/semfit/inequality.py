"""Hold inequality constraints: which of them bind at the minimum, and the minimum on those bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semfit.errors import ParameterError
from semfit.estimate import Likelihood, Solution, minimise
from semfit.expressions import Inequality, jacobian
from semfit.inference import Constraints, labelled
from semfit.table import ParameterTable

SLACK = 1e-9  # below zero, from which on a constraint counts as violated


def inequalities(table: ParameterTable) -> tuple[Inequality, ...]:
    """Return the ``<`` and ``>`` lines of a model."""
    return tuple(c for c in table.constraints if isinstance(c, Inequality))


def refuse(constraints: tuple, what: str) -> None:
    """Raise where there are inequality constraints, naming the first and what does not take them."""
    for c in constraints:
        if isinstance(c, Inequality):
            raise ParameterError(f"{what} with the constraint {c.said!r}; inequalities take one fit by ML, MLM or MLR.")


def enforce(
    problem: Likelihood, solution: Solution, table: ParameterTable
) -> tuple[Likelihood, Solution, tuple[str, ...]]:
    """Move a minimum to where the model's inequality constraints hold.

    An active-set search: the most violated constraint becomes an equality, one whose multiplier says that f falls on
    its inner side is let go, until neither happens (Nocedal & Wright 2006, Numerical Optimization, section 16.5,
    doi:10.1007/978-0-387-40065-5).

    Parameters
    ----------
    problem : Likelihood
        With the model's equality constraints.
    solution : Solution
        Its minimum.
    table : ParameterTable
        With the inequalities.

    Returns
    -------
    problem, solution, active
        With the active constraints among the equalities, and these as they were written. Without a minimum that meets
        all constraints the solution is marked as not converged.
    """
    bounds, (position, numbers) = inequalities(table), labelled(table)
    equal = tuple(c for c in table.constraints if c not in bounds)
    held = problem
    active: list[Inequality] = []
    tried: list[set[Inequality]] = [set()]
    while solution.converged:
        slack = Constraints(bounds, position, numbers)(solution.theta)
        pull = np.zeros(0)  # by how much f would rise for each unit that a constraint's left side rises above zero
        if held.constraints is not None:
            gradient = held.derivatives(solution.theta[None])[0][0]
            pull = np.linalg.lstsq(jacobian(held.constraints, solution.theta).T, gradient, rcond=None)[0][len(equal) :]
        if len(pull) and pull.min() < 0:
            active.pop(int(pull.argmin()))
        elif slack.min() < -SLACK:
            active.append(bounds[int(slack.argmin())])
        else:
            break
        if set(active) in tried:
            solution = replace(solution, converged=np.array(False))
            break
        tried.append(set(active))
        constraints = Constraints((*equal, *active), position, numbers) if equal or active else None
        held = replace(problem, constraints=constraints)
        solution = minimise(held, solution.theta)
    return held, solution, tuple(c.said for c in active)
