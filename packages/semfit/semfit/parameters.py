"""What a parameter table holds: its rows, the part each variable plays, what is defined and constrained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from semfit.expressions import Expression
from semfit.syntax import Definition


@dataclass(frozen=True)
class Parameter:
    """One line of the table: a directed or symmetric path, an intercept or a threshold, in one group (from 1).

    ``value`` is the number it is fixed to, None where it is free; ``exogenous`` marks moments of fixed covariates,
    whose value is the sample's; ``implied`` marks residual variances of ordered items, which the others determine.
    Free lines with the same ``key`` are one parameter.
    """

    lhs: str
    op: str
    rhs: str
    group: int = 1
    label: str = ""
    equal: str = ""
    value: float | None = None
    start: float | None = None
    user: bool = False
    exogenous: bool = False
    implied: bool = False

    @property
    def name(self) -> str:
        """What lavaan calls it: its label, or the relation itself."""
        return self.label or self.relation + (f".g{self.group}" if self.group > 1 else "")

    @property
    def relation(self) -> str:
        """Left side, operator and right side without blanks."""
        return f"{self.lhs}{self.op}{self.rhs}"

    @cached_property
    def key(self) -> str:
        """What decides which lines are one parameter."""
        return self.label or self.equal or self.name

    @property
    def free(self) -> bool:
        """Whether it is estimated."""
        return self.value is None and not self.exogenous and not self.implied


@dataclass(frozen=True)
class Roles:
    """Which variable plays which part in a model."""

    latent: tuple[str, ...]
    observed: tuple[str, ...]
    covariates: tuple[str, ...]  # observed, predict, are predicted by nothing
    exogenous_latent: tuple[str, ...]
    outcomes: tuple[str, ...]  # predicted, predict nothing, indicate nothing
    single: tuple[str, ...]  # the only item of a latent variable
    composites: tuple[str, ...] = ()  # latent, made of others by <~


@dataclass(frozen=True)
class ParameterTable:
    """All parameters of a model, its defined parameters and its constraints."""

    rows: tuple[Parameter, ...]
    roles: Roles
    groups: int
    means: bool
    fixed_covariates: tuple[str, ...]
    defined: tuple[Definition, ...]
    constraints: tuple[Expression, ...]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Keys of the free parameters in order of appearance."""
        return tuple(self.position)

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each key stands among those of the free parameters."""
        return {key: k for k, key in enumerate(dict.fromkeys(row.key for row in self.rows if row.free))}
