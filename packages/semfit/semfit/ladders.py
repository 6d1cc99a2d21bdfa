"""The ladders of measurement invariance that are written as model text: ordered items across groups; across waves.

Ordered items have no means and variances of their own, so that equalities across groups must come in the order
thresholds, loadings, intercepts, residual variances, and what identifies the model changes from level to level. In the
first group intercepts are 0 and scales (theta: residual variances) 1 throughout.

=============  =================================================================================================
configural     nothing equal; in every group intercepts and latent means 0, scales 1
thresholds     thresholds equal; later groups' intercepts free, and scales of items with three or more categories
loadings       loadings equal too; scales of binary items free, latent variance equal where all items are binary
intercepts     intercepts 0 in every group; later groups' latent means and variances free
residuals      residual variances 1 in every group (always in the theta parameterisation: scales do not show them)
=============  =================================================================================================

Equal thresholds restrict an item of c categories by c - 3 in each later group: nothing for three categories or fewer.
Binary items are restricted by no level before the intercepts.

Across waves, within one group, constructs are held equal, their items by position. The latent mean of the first wave is
0, later ones are free from the level of equal intercepts on; the first loading of every construct is 1.

==================================  ================================================================================
configural                          nothing equal
metric, scalar, strict              loadings, then intercepts, then residual variances equal
thresholds, loadings, intercepts    of ordered items with three categories or more, in the delta parameterisation: in
                                    the first wave intercepts are 0 and scales 1; thresholds equal (later intercepts and
                                    scales free), then loadings, then intercepts 0 and later latent means free
==================================  ================================================================================

References: Wu & Estabrook (2016), doi:10.1007/s11336-016-9506-0; waves: Widaman, Ferrer & Conger (2010),
doi:10.1111/j.1750-8606.2009.00110.x; of ordered items: Liu et al. (2017), doi:10.1037/met0000075.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from semfit.errors import ParameterError, one_of, quoted
from semfit.syntax import ModelText, parse
from semfit.table import RESPONSE, Parameter

ORDINAL_LADDER: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "thresholds": ("thresholds",),
    "loadings": ("thresholds", "loadings"),
    "intercepts": ("thresholds", "loadings"),
    "residuals": ("thresholds", "loadings", "residuals"),
}
WAVE_LADDER = ("configural", "metric", "scalar", "strict")
ORDINAL_WAVE_LADDER = ("configural", "thresholds", "loadings", "intercepts")


def check_ladder(parsed: ModelText) -> None:
    """Raise where a model itself speaks of thresholds, scales, intercepts or residual variances of items."""
    latents = {t.lhs for t in parsed.terms if t.op == "=~"}
    for t in parsed.terms:
        if t.op in (*RESPONSE, "~1") or t.op == "~~" and t.lhs == t.rhs not in latents:
            raise ParameterError(
                f"line {t.line}, column {t.column}: {t.lhs} {t.op} {t.rhs or 1}; the ladder itself sets thresholds, "
                "scales, intercepts and residual variances: leave them out of the model."
            )


def level_model(
    model: str,
    categories: Mapping[str, int],
    level: str,
    *,
    groups: int = 2,
    parameterization: str = "delta",
    std_lv: bool = False,
) -> str:
    """Return the model text of a level: the model, with what the level fixes and frees in later groups.

    Parameters
    ----------
    model : str
        A measurement model.
    categories : mapping of str to int
        Number of categories of each item.
    level : str
        Of ``ORDINAL_LADDER``.
    groups : int
        Number of groups.
    parameterization : {"delta", "theta"}
        Whether scales or residual variances are parameters.
    std_lv : bool
        Whether latent variances are 1 in the first group.

    Examples
    --------
    >>> print(level_model("f =~ a + b + c", {"a": 4, "b": 4, "c": 2}, "thresholds"))
    f =~ a + b + c
    a ~ c(0, NA)*1 + c(int_a1, int_a2)*1
    b ~ c(0, NA)*1 + c(int_b1, int_b2)*1
    c ~ c(0, NA)*1 + c(int_c1, int_c2)*1
    f ~ c(0, 0)*1
    c ~*~ c(1, 1)*c
    """
    if level not in ("thresholds", "loadings"):
        return model
    loadings = [t for t in parse(model).terms if t.op == "=~"]
    latents = list(dict.fromkeys(t.lhs for t in loadings))
    labels = {item: ", ".join(f"int_{item}{g + 1}" for g in range(groups)) for item in categories}  # else they are tied
    lines = [f"{item} ~ {_each(0, 'NA', groups)}*1 + c({own})*1" for item, own in labels.items()]
    lines += [f"{latent} ~ {_each(0, 0, groups)}*1" for latent in latents]
    if level == "thresholds":
        op = "~*~" if parameterization == "delta" else "~~"
        lines += [f"{item} {op} {_each(1, 1, groups)}*{item}" for item, c in categories.items() if c == 2]
    else:
        binary = [x for x in latents if all(categories.get(t.rhs) == 2 for t in loadings if t.lhs == x)]
        variances = [1 if std_lv else f"var_{x}" for x in binary]
        lines += [f"{x} ~~ {_each(v, v, groups)}*{x}" for x, v in zip(binary, variances, strict=True)]
    return "\n".join([model.rstrip(), *lines])


def _each(first: object, later: object, groups: int) -> str:
    return f"c({', '.join(map(str, [first] + [later] * (groups - 1)))})"


def level_rows(rows: tuple[Parameter, ...], items: tuple[str, ...], level: str) -> list[Parameter]:
    """Return what a level holds equal in later groups, one row for each: the candidates of partial invariance."""
    op = {"thresholds": "|", "loadings": "=~", "intercepts": "~1", "residuals": "~~"}[level]
    later = [row for row in rows if row.group > 1 and row.op == op]
    if level in ("thresholds", "loadings"):
        shared = {row.key for row in rows if row.group == 1 and row.free}
        return [row for row in later if row.free and row.key in shared]
    return [row for row in later if row.value is not None and row.lhs in items and row.rhs in ("", row.lhs)]


def wave_model(
    model: str,
    waves: Mapping[str, Sequence[str]],
    level: str,
    *,
    categories: Mapping[str, int] | None = None,
    freed: Collection[tuple[str, str]] = (),
) -> str:
    """Return the model text of a level: the model, with what the level holds equal across waves.

    Where means can be compared, ``:=`` defines the change of each latent mean from wave to wave, and from the first to
    the last, in standard deviations of the first: ``change_NAME_1_2``, ``change_NAME_2_3``, ``change_NAME_1_3``. To
    compare levels by ML, fit all with ``mean_structure=True``.

    Parameters
    ----------
    model : str
        In which every construct of a wave has one line ``construct =~ item + item``, without modifiers.
    waves : mapping of str to sequence of str
        The constructs, in order of time, that measure the same: a name -> latent variables of the model.
    level : str
        Of ``WAVE_LADDER``, or with ``categories`` of ``ORDINAL_WAVE_LADDER``.
    categories : mapping of str to int, optional
        Of ordered items: how many categories each has, three or more.
    freed : collection of (level, item)
        Partial invariance: items, by their name at the first wave, that are each wave's own in what ``level`` and
        stricter levels hold equal. Where a loading is, the first item that is not sets the scale.

    Raises
    ------
    ParameterError
        Where waves have no such line, or lines of unequal length.
    UnknownNameError
        For another level, or an item that no first wave has.

    Examples
    --------
    >>> print(wave_model("f1 =~ a1 + b1\\nf2 =~ a2 + b2", {"f": ["f1", "f2"]}, "scalar"))
    f1 =~ a1 + load_f_2*b1
    f2 =~ a2 + load_f_2*b2
    a1 ~ int_f_1*1
    a2 ~ int_f_1*1
    b1 ~ int_f_2*1
    b2 ~ int_f_2*1
    f1 ~ 0*1
    f2 ~ NA*1 + mean_f_2*1
    f1 ~~ var_f*f1
    change_f_1_2 := mean_f_2/sqrt(var_f)
    """
    ladder = ORDINAL_WAVE_LADDER if categories else WAVE_LADDER
    for one in (level, *(at for at, _ in freed)):
        one_of("level of invariance across waves", one, ladder)
    loads: dict[str, list[str]] = {}
    for term in parse(model).terms:
        if term.op == "=~":
            loads.setdefault(term.lhs, []).append(term.rhs)
    for _, item in freed:
        one_of("item of a first wave", item, [each for first, *_ in waves.values() for each in loads.get(first, ())])
    lines, more, place = [line.strip() for line in model.splitlines()], list[str](), ladder.index(level)
    gone = {step: {item for at, item in freed if at in ladder[: k + 1]} for k, step in enumerate(ladder)}
    for name, constructs in waves.items():
        rows = [loads.get(construct, []) for construct in constructs]
        if len(rows) < 2 or not rows[0] or len({*map(len, rows)}) > 1:
            given = ", ".join(f"{one} with {len(row)}" for one, row in zip(constructs, rows, strict=True))
            raise ParameterError(f"waves {name}: {given} items; two constructs or more with as many items are needed.")
        stated = [f"{construct} =~ {' + '.join(row)}" for construct, row in zip(constructs, rows, strict=True)]
        if absent := [line for line in stated if line not in lines]:
            raise ParameterError(f"waves {name}: the model needs a line {quoted(absent[0])}, without modifiers.")
        kinds = dict(enumerate(zip(*rows, strict=True), 1))
        own = {step: {k for k, items in kinds.items() if items[0] in gone[step]} for step in ladder}
        step = "loadings" if categories else "metric"
        if place >= ladder.index(step):
            order = sorted(kinds, key=lambda k: k in own[step])
            for w, construct in enumerate(constructs):
                terms = [f"load_{name}_{k}*" * (k not in {order[0], *own[step]}) + kinds[k][w] for k in order]
                lines[lines.index(stated[w])] = f"{construct} =~ {' + '.join(terms)}"
        more += _ordered(kinds, categories, place, own) if categories else _measured(name, kinds, place, own)
        if place >= ladder.index("intercepts" if categories else "scalar"):
            more += _means(name, constructs)
    return "\n".join([*lines, *more])


def _measured(
    name: str, kinds: Mapping[int, tuple[str, ...]], place: int, own: Mapping[str, set[int]]
) -> Iterator[str]:
    """Yield equal intercepts and residual variances; those of an item that was let go are free."""
    for step, line in (("scalar", "{item} ~ {label}*1"), ("strict", "{item} ~~ {label}*{item}")):
        for k, items in kinds.items():
            if place >= WAVE_LADDER.index(step) and k not in own[step]:
                label = f"{'int' if step == 'scalar' else 'res'}_{name}_{k}"
                yield from (line.format(item=item, label=label) for item in items)


def _ordered(
    kinds: Mapping[int, tuple[str, ...]], categories: Mapping[str, int], place: int, own: Mapping[str, set[int]]
) -> Iterator[str]:
    """Yield equal thresholds, and what that lets free: scales of later waves, and intercepts until they are equal."""
    for k, items in kinds.items() if place else ():
        few = {categories[item] for item in items}
        if len(few) > 1 or min(few) < 3:
            raise ParameterError(
                f"{', '.join(f'{item} has {categories[item]}' for item in items)} categories; as many in every wave, "
                "three or more, are needed."
            )
        if k in own["thresholds"]:
            continue
        for item in items:
            yield f"{item} | {' + '.join(f'cut_{items[0]}_{c}*t{c}' for c in range(1, min(few)))}"
        yield from (f"{item} ~*~ NA*{item}" for item in items[1:])
        if place < ORDINAL_WAVE_LADDER.index("intercepts") or k in own["intercepts"]:
            yield from (f"{item} ~ NA*1" for item in items[1:])


def _means(name: str, constructs: Sequence[str]) -> Iterator[str]:
    """Yield latent means, the first 0, and their changes."""
    yield f"{constructs[0]} ~ 0*1"
    yield from (f"{each} ~ NA*1 + mean_{name}_{w}*1" for w, each in enumerate(constructs[1:], 2))
    yield f"{constructs[0]} ~~ var_{name}*{constructs[0]}"
    last = len(constructs)
    for one, other in [*pairwise(range(1, last + 1)), *([(1, last)] if last > 2 else [])]:
        gain = f"mean_{name}_{other}" if one == 1 else f"(mean_{name}_{other} - mean_{name}_{one})"
        yield f"change_{name}_{one}_{other} := {gain}/sqrt(var_{name})"
