"""Turn a parsed model into the table of its parameters, with everything lavaan's sem() adds by default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import isnan
from typing import TypeVar

from semfit.errors import ParameterError, one_of
from semfit.expressions import Expression
from semfit.syntax import ModelText, Term, unordered

Entry = TypeVar("Entry")
RESPONSE = ("|", "~*~")  # parameters of responses, which have no cell in a matrix of paths
CLASSES = {"=~": "loadings", "<~": "composite.loadings", "~": "regressions", "|": "thresholds"}
GROUP_EQUAL = (
    *CLASSES.values(),
    "intercepts",
    "means",
    "residuals",
    "residual.covariances",
    "lv.variances",
    "lv.covariances",
)


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
    """All parameters of a model, group by group, its defined parameters and its constraints."""

    rows: tuple[Parameter, ...]
    roles: Roles
    groups: int
    means: bool
    fixed_covariates: tuple[str, ...]
    defined: Mapping[str, Expression]
    constraints: tuple[Expression, ...]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Keys of the free parameters in order of appearance."""
        return tuple(self.position)

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each key stands among those of the free parameters."""
        return {key: k for k, key in enumerate(dict.fromkeys(row.key for row in self.rows if row.free))}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables as a model's matrices have them: observed, "1" where means are modelled, latent."""
        return (*self.roles.observed, *(("1",) if self.means else ()), *self.roles.latent)

    @cached_property
    def cells(self) -> tuple[tuple[bool, int, int], ...]:
        """Directed?, row and column of every row in the matrices of its group; the first cell for responses."""
        at = {name: k for k, name in enumerate(self.names)}
        return tuple((False, 0, 0) if row.op in RESPONSE else cell(row, at) for row in self.rows)


def cell(row: Parameter, at: Mapping[str, int]) -> tuple[bool, int, int]:
    """Return (directed?, row, column) of a parameter."""
    if row.op == "=~":
        return True, at[row.rhs], at[row.lhs]
    return row.op != "~~", at[row.lhs], at[row.rhs or "1"]


def build(
    model: ModelText,
    *,
    groups: int = 1,
    group_equal: Sequence[str] = (),
    std_lv: bool = False,
    means: bool | None = None,
    fixed_x: bool = True,
    ordered: Mapping[str, int] | None = None,
    parameterization: str = "delta",
) -> ParameterTable:
    """Build the parameter table.

    Parameters
    ----------
    model : ModelText
        A parsed model.
    groups : int
        Number of groups; every group gets the same variables.
    group_equal : sequence of str
        Classes of parameters held equal across groups, of ``GROUP_EQUAL``.
    std_lv, means
        As in :func:`semfit.fit`, which calls ``means`` the mean structure.
    fixed_x : bool
        Take the moments of observed covariates from the sample, unless the model names one of them.
    ordered : mapping of str to int, optional
        Number of thresholds of each ordered item.
    parameterization : {"delta", "theta"}
        Of ordered items: their scales (`~*~`) are parameters, fixed to 1 in the first group, and residual variances
        follow; or the other way round.

    Raises
    ------
    ParameterError, UnknownNameError
        Where labels, values by group or intercepts contradict one another or the options.

    Examples
    --------
    >>> from semfit.syntax import parse
    >>> table = build(parse("f =~ x1 + x2 + x3"))
    >>> [row.name for row in table.rows if row.free]
    ['f=~x2', 'f=~x3', 'x1~~x1', 'x2~~x2', 'x3~~x3', 'f~~f']
    """
    for name in group_equal:
        one_of("class of parameters in group_equal", name, GROUP_EQUAL)
    roles = find_roles(model.terms)
    ordered = dict(ordered or {})
    check_responses(model.terms, ordered, parameterization)
    says_means = any(t.op == "~1" for t in model.terms)
    means = (says_means or groups > 1) if means is None else means
    if says_means and not means:
        raise ParameterError("the model names an intercept (~ 1) while mean_structure is False; leave it None or True.")
    named = {n for t in model.terms if t.op in ("~~", "~1") for n in (t.lhs, t.rhs)}
    fixed = tuple(n for n in roles.covariates if fixed_x and n not in named)
    defaults = _defaults(roles, std_lv, means, fixed, ordered, parameterization == "theta")
    marked = {t.lhs: t for t in reversed(model.terms) if t.op == "=~" and not std_lv}
    rows: list[Parameter] = []
    for g in range(1, groups + 1):
        said = [_from_term(t, g, groups, 1.0 if marked.get(t.lhs) is t else None) for t in model.terms]
        have = {unordered(row.lhs, row.op, row.rhs) for row in said}
        left = [row for relation, row in defaults.items() if relation not in have]
        rows += said + (left if g == 1 else [replace(row, group=g) for row in left])
    if groups > 1:
        rows = _equal_across_groups(rows, roles, set(group_equal), std_lv, ordered)
    rows = _one_value_per_label(rows)
    table = ParameterTable(tuple(rows), roles, groups, means, fixed, model.defined, model.constraints)
    _check_labels(table)
    return table


def find_roles(terms: Iterable[Term]) -> Roles:
    """Sort the variables of a model by the part they play."""
    terms = list(terms)
    unique = dict.fromkeys
    composites = unique(t.lhs for t in terms if t.op == "<~")
    latent = unique(t.lhs for t in terms if t.op in ("=~", "<~"))
    items = unique(t.rhs for t in terms if t.op == "=~")
    predicted = unique(t.lhs for t in terms if t.op in ("~", "<~"))
    predictors = unique(t.rhs for t in terms if t.op in ("~", "<~"))
    every = [*items, *(n for t in terms if t.op != "=~" for n in ((t.lhs, t.rhs) if t.op != "|" else (t.lhs,)) if n)]
    observed = unique(n for n in every if n not in latent)
    covariates = [n for n in observed if n in predictors and n not in predicted and n not in items]
    indicators = Counter(t.lhs for t in terms if t.op == "=~")
    single = [t.rhs for t in terms if t.op == "=~" and indicators[t.lhs] == 1]
    return Roles(
        latent=tuple(latent),
        observed=tuple(observed),
        covariates=tuple(covariates),
        exogenous_latent=tuple(n for n in latent if n not in predicted and n not in items),
        outcomes=tuple(n for n in [*latent, *observed] if n in predicted and n not in predictors and n not in items),
        single=tuple(n for n in single if n not in latent),
        composites=tuple(composites),
    )


def _defaults(
    roles: Roles, std_lv: bool, means: bool, fixed: tuple[str, ...], ordered: Mapping[str, int], theta: bool
) -> dict[tuple[str, str, str], Parameter]:
    """By relation, the rows of the first group where the model says nothing of them."""
    rows: dict[tuple[str, str, str], Parameter] = {}

    def add(
        lhs: str, op: str, rhs: str, value: float | None = None, *, implied: bool = False, exogenous: bool = False
    ) -> None:
        row = Parameter(lhs, op, rhs, value=value, implied=implied, exogenous=exogenous)
        rows.setdefault(unordered(lhs, op, rhs), row)

    for name in ordered:
        for k in range(ordered[name]):
            add(name, "|", f"t{k + 1}")
        add(name, "~~", name, *((1.0,) if theta else ()), implied=not theta)
        add(name, "~*~", name, *(() if theta else (1.0,)), implied=theta)
    for name in roles.observed:
        if name not in fixed and name not in ordered:
            add(name, "~~", name, 0.0 if name in roles.single else None)
    for name in roles.latent:
        add(name, "~~", name, 1.0 if std_lv else 0.0 if name in roles.composites else None)
    for first, second in [*combinations(roles.exogenous_latent, 2), *combinations(roles.outcomes, 2)]:
        add(first, "~~", second)
    for k, first in enumerate(fixed):
        for second in fixed[k:]:
            add(first, "~~", second, exogenous=True)
    if means:
        for name in roles.observed:
            add(name, "~1", "", 0.0 if name in ordered else None, exogenous=name in fixed)
        for name in roles.latent:
            add(name, "~1", "", 0.0)
    return rows


def _from_term(term: Term, group: int, groups: int, default: float | None) -> Parameter:
    """The row a term asks for in one group; fixed by default where it says nothing else and there is a number."""

    def of(entries: tuple[Entry, ...], what: str) -> Entry:
        if len(entries) == 1:
            return entries[0]
        if len(entries) != groups:
            raise ParameterError(
                f"line {term.line}, column {term.column}: c(…) gives {len(entries)} {what}s for {groups} "
                f"group{'s' if groups > 1 else ''}; give one for each group."
            )
        return entries[group - 1]

    value, label, start = of(term.fixed, "value"), of(term.label, "label"), of(term.start, "start value")
    value = default if value is None else None if isnan(value) else value
    relation = "=~" in label or "~" in label
    return Parameter(
        term.lhs, term.op, term.rhs, group, "" if relation else label, label if relation else "", value, start, True
    )


def _class_of(row: Parameter, roles: Roles) -> str:
    """The class of ``GROUP_EQUAL`` a row belongs to."""
    latent = row.lhs in roles.latent
    if row.op == "~1":
        return "means" if latent else "intercepts"
    if row.op != "~~":
        return CLASSES.get(row.op, "scales")
    if row.lhs == row.rhs:
        return "lv.variances" if latent else "residuals"
    return "lv.covariances" if latent and row.rhs in roles.latent else "residual.covariances"


def _equal_across_groups(
    rows: list[Parameter], roles: Roles, classes: set[str], std_lv: bool, ordered: Mapping[str, int]
) -> list[Parameter]:
    """Tie the classes held equal to the first group, and free what the ties identify.

    That is latent means and variances and, of ordered items, scales or residual variances.
    """
    tied = []
    for row in rows:
        kind = _class_of(row, roles)
        default = not row.user and not row.exogenous and row.group > 1 and row.lhs in roles.latent
        if kind == "means" and default and "means" not in classes and classes & {"intercepts", "thresholds"}:
            row = replace(row, value=None)
        if kind == "lv.variances" and default and std_lv and "loadings" in classes and kind not in classes:
            row = replace(row, value=None)
        response = row.lhs in ordered and not row.user and row.group > 1 and "thresholds" in classes
        if response and kind in {"scales", "residuals"} - classes:
            row = replace(row, value=None)
        if kind in classes and row.free and not row.label and not row.equal:
            row = replace(row, equal=f"{row.relation} in every group")
        tied.append(row)
    return tied


def _one_value_per_label(rows: list[Parameter]) -> list[Parameter]:
    """A label that carries a number carries it everywhere; ``equal()`` points to a relation of the first group."""
    values: dict[str, float] = {}
    for row in rows:
        if row.label and row.value is not None and values.setdefault(row.label, row.value) != row.value:
            raise ParameterError(
                f"label {row.label} is fixed to {values[row.label]:g} and to {row.value:g}; "
                "a label stands for one parameter, give the second another name."
            )
    return [replace(row, value=values[row.label]) if row.label in values and not row.exogenous else row for row in rows]


def _check_labels(table: ParameterTable) -> None:
    """Every label used in an expression must exist, and a defined name must be new."""
    labels = {row.label for row in table.rows if row.label}
    for defined, expression in [*table.defined.items(), *(("", one) for one in table.constraints)]:
        if defined in labels:
            raise ParameterError(f"{defined} is both the label of a parameter and defined by :=; use two names.")
        for name in expression.names:
            one_of(f"label in the expression {expression.text!r}", name, labels)
        if defined:
            labels.add(defined)


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
        if t.op == "|":
            one_of(f"threshold of {t.lhs}", t.rhs, [f"t{k + 1}" for k in range(ordered[t.lhs])])
        if t.op == "~*~" and t.lhs != t.rhs:
            raise ParameterError(f"{where}; a scale has its item on both sides.")
        follows = "~*~" if parameterization == "theta" else "~~"
        if t.op == follows and t.lhs == t.rhs in ordered:
            raise ParameterError(
                f"{where} follows from the other parameters in parameterization {parameterization!r}; "
                f"use {'delta' if parameterization == 'theta' else 'theta'!r} to set it."
            )


def check_terms(terms: Iterable[Term], roles: Roles, ordered: bool) -> None:
    """Ask for observed variables, and for variables that do not explain themselves.

    Raises
    ------
    ParameterError
        With line and column of the term.
    """
    count = len(roles.observed)
    if ordered and count == 1:
        raise ParameterError("the model names one observed variable; ordered items need two or more.")
    if not count:
        raise ParameterError("the model names no observed variable; a latent variable needs items on the right of =~.")
    for term in terms:
        where = f"line {term.line}, column {term.column}"
        if term.op in ("=~", "~") and term.lhs == term.rhs:
            raise ParameterError(f"{where}: {term.lhs} {term.op} {term.rhs}; a variable cannot explain itself.")
