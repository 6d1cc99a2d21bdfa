"""How often the analysis of a survey, from screening to verdict, says what is true of drawn respondents."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from time import process_time
from typing import Self

import numpy as np
import pandas as pd
from scipy import special, stats

import semfit
import surveysem
from socialcommerce import verdicts
from socialcommerce.errors import UnknownNameError
from socialcommerce.evidence import survey as respondents
from socialcommerce.paper import Hypothesis
from surveysem import Defects, EffectTest, NotTestable, Study, Truth, groups, paths
from surveysem.errors import require
from surveysem.synthetic import cut_answers, draw_errors

__all__ = [
    "Cell", "DepartingTruth", "data_set", "discoveries", "family_errors", "hypothesis_rates", "judge", "null_truth",
    "pseudo_true",
]  # fmt: skip

JOINT = (respondents.CONTACT, respondents.EQUAL, respondents.INDIRECT)  # least or largest of several: at least nominal
LEFT_OUT = "Left out of this cell."
LEVEL = 0.95
NO_TEST = (surveysem.DataError, surveysem.ParameterError, semfit.DataError, semfit.ParameterError)
FOUND = ("estimate", "low", "high", "low95", "high95", "p")
NULLS = ("a", "b", "both")


def null_truth(truth: Truth, where: str, strategies: Iterable[str] | None = None) -> Truth:
    """Return a truth in which strategies have no indirect effect.

    Parameters
    ----------
    where : {"a", "b", "both"}
        The paths that are zero: from the strategies ("a"), from the constructs they lead to ("b"), or both.
    strategies : iterable of str, optional
        By default all that the codebook names.
    """
    if where not in NULLS:
        raise UnknownNameError("place of the zero", where, NULLS)
    first = set(truth.codebook.strategies if strategies is None else strategies)
    then = {outcome for outcome, predictors in truth.paths.items() if first & set(predictors)}
    zero = {"a": first, "b": then, "both": first | then}[where]
    effects = {outcome: {name: 0.0 if name in zero else b for name, b in predictors.items()}
               for outcome, predictors in truth.paths.items()}  # fmt: skip
    return replace(truth, effects=effects)


@dataclass(frozen=True)
class DepartingTruth(Truth):
    """A truth whose respondents depart from the model that is fitted to them; by default they do not.

    Parameters
    ----------
    skew : float
        Every latent answer is cut so many standard deviations lower, so that answers pile up at the top.
    cross_loading : float
        Of the first item of every construct on the next construct of the codebook.
    method : float
        Loading of every answer, as given before reverse-keyed items are turned, on a method factor of its own.
    missing : float
        Share of the items' cells that are empty, from 0 to below 1.
    missing_slope : float
        Of the probit of an empty cell on its latent answer: 0 is at random, above 0 high answers go missing.
    careless : float
        Chance that a respondent answers all items at random, from 0 to 1; checks are passed and time is taken, so
        that screening does not see it.
    """

    skew: float = 0.0
    cross_loading: float = 0.0
    method: float = 0.0
    missing: float = 0.0
    missing_slope: float = 0.0
    careless: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("skew", "cross_loading", "method", "missing", "missing_slope", "careless"):
            require(np.isfinite(getattr(self, name)), f"departure {name}", getattr(self, name), "a finite number")
        require(0 <= self.missing < 1, "departure missing", self.missing, "a share from 0 to 1")
        require(0 <= self.careless <= 1, "departure careless", self.careless, "a share from 0 to 1")

    @classmethod
    def of(cls, truth: Truth, **departures: float) -> Self:
        """Return a truth that departs as stated, and is else the one given."""
        return cls(**{each.name: getattr(truth, each.name) for each in fields(truth)}, **departures)

    def draw_items(self, constructs: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """Draw the answers to the items, shape (N, items): latent answers of variance 1, cut, some of them lost.

        Raises
        ------
        ParameterError
            When the departures leave an item no variance of its own.
        """
        items, names = [self.codebook.by_code[code] for code in self.codebook.items], list(self.codebook.scales)
        L, S = self._item_loadings(), self.pooled.covariance.loc[names, names].to_numpy()
        left = 1 - ((L @ S) * L).sum(1) - self.method**2
        if left.min() < 0:  # zero is what a single item stated to be without error leaves
            code = items[left.argmin()].code
            raise surveysem.ParameterError(
                f"the departures explain all the variance of {code}; allowed: loadings that leave some."
            )
        F = np.column_stack([constructs[name] for name in names])
        latent = F @ L.T + np.sqrt(left) * draw_errors(self, len(F), rng)
        if self.method:
            turn = np.array([-1.0 if item.reverse else 1.0 for item in items])
            latent += self.method * turn * rng.standard_normal((len(F), 1))
        codes = cut_answers(self, latent + self.skew)
        if self.careless:
            careless = rng.random(len(F)) < self.careless
            low, high = ([getattr(item.scale, end) for item in items] for end in ("low", "high"))
            codes[careless] = rng.integers(low, np.add(high, 1), (careless.sum(), len(items)))
        if self.missing:
            slope = self.missing_slope
            tendency = (slope * latent + rng.standard_normal(latent.shape)) / np.sqrt(1 + slope**2)
            codes[tendency > special.ndtri(1 - self.missing)] = np.nan
        return codes

    def _item_loadings(self) -> np.ndarray:
        """Return the loadings of every item, in the order asked, on every construct."""
        book = self.codebook
        at, firsts = list(book.scales), {codes[0] for codes in book.scales.values()}
        L = np.zeros((len(book.items), len(at)))
        for row, code in zip(L, book.items, strict=True):
            own = at.index(book.by_code[code].construct)
            row[own] = self.loadings[at[own]]
            row[(own + 1) % len(at)] += self.cross_loading * (code in firsts)
        return L


@dataclass(frozen=True)
class Cell:
    """What data sets are drawn from, and how they are analysed.

    Parameters
    ----------
    truth : Truth
        A DepartingTruth where answers depart from the model that is fitted.
    nobs : int
        Respondents drawn, before screening.
    defects
        Planted for screening to find.
    draws : int
        Bootstrap resamples.
    method : {"one-step", "refit"}
        Of the bootstrap, whether or not answers are missing.
    left_out : tuple of str
        Hypotheses that are not tested; in their family they count as p = 1.
    targets : mapping
        What intervals are held against, by hypothesis, where it is not what is true: pseudo-true values.
    """

    truth: Truth
    nobs: int = 600
    defects: Defects = field(default_factory=Defects)
    draws: int = 500
    method: str = "one-step"
    left_out: tuple[str, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Resampled(Study):
    """A study whose bootstrap is of a stated kind."""

    method: str = "one-step"

    @cached_property
    def resampled(self) -> semfit.Bootstrap:
        return semfit.bootstrap(self.structural, self.draws, seed=self.seed, method=self.method)


def data_set(cells: Mapping[str, Cell], cell: str, seed: np.random.SeedSequence) -> pd.DataFrame:
    """Draw respondents, screen them, test every hypothesis and decide as if they were people.

    Parameters
    ----------
    cells, cell
        Where to draw from: ``functools.partial(data_set, cells)`` is what ``experiments.run`` takes.
    seed : SeedSequence

    Returns
    -------
    pandas.DataFrame
        One row a hypothesis: id, family, direction, smallest, truth (stated), target (what the intervals are held
        against), estimate, low and high (as wide as the family's correction asks), low95 and high95, p, outcome,
        failure (why there is no test; empty otherwise), nobs, seconds (of processor time, of the whole data set). Of a
        study that cannot be analysed every row tells why.
    """
    start, of = process_time(), cells[cell]
    study = _drawn(of, *map(int, seed.generate_state(2)))
    truth = respondents.true_effects(of.truth, study.answers)
    hypotheses = respondents.hypotheses_of(study)
    try:
        tests, plain = _tests(study, of.left_out)
    except (*NO_TEST, np.linalg.LinAlgError) as wrong:
        reason = NotTestable(f"{type(wrong).__name__}: {wrong}")
        tests, plain = {h.id: NotTestable(LEFT_OUT) if h.id in of.left_out else reason for h in hypotheses}, {}
    rows = [_row(h, tests[h.id], plain.get(h.id), truth[h.id], of.targets.get(h.id, truth[h.id])) for h in hypotheses]
    _settle()
    return pd.DataFrame(rows).assign(nobs=study.nobs, seconds=process_time() - start)


def pseudo_true(cell: Cell, seed: int, nobs: int, samples: int = 1) -> dict[str, float]:
    """Return what paths, moderation and least indirect effect approach as respondents grow many.

    Means over samples of so many respondents without planted defects. Indirect effects are averaged before the least
    is taken, which would else be drawn downward. The contact curve does not depend on how items are answered.

    References
    ----------
    White (1982), doi:10.2307/1912526.
    """
    found, through = [], []
    for k in range(samples):
        study = _drawn(replace(cell, nobs=nobs, defects=Defects(), draws=2), seed + k, seed)
        total = paths.indirect(study).totals("repurchase")
        sign = {path.predictor: path.direction for path in study.codebook.paths}
        through.append([sign[x] * effect for (x, *_), effect in zip(total.names, total.estimates, strict=True)])
        one = {name: paths.direct(study, *path).estimate for name, path in respondents.PATHS.items()}
        found.append(one | {respondents.MODERATION: respondents._moderation(study).estimate})
    least = float(np.mean(through, axis=0).min())
    return pd.DataFrame(found).mean().to_dict() | {respondents.INDIRECT: least}


def hypothesis_rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, by cell and hypothesis, counts of data sets and of what came out of them.

    ``rows`` are those of :func:`data_set` with columns ``cell`` and ``set``, which tells a cell's data sets apart.
    Columns: cell, id, truth (mean over data sets), target, estimate (mean), bias and spread (mean and standard
    deviation of estimate less target), se (mean, by the interval of level .95), joint, sets (tested), failed, covered95
    and rejected95 (by the interval of level .95), covered and rejected (by that of the family), supported,
    contradicted, not_supported, inconclusive (counts). ``sets`` excludes what failed.
    """
    lines = []
    for (cell, name), part in rows[rows["failure"] != LEFT_OUT].groupby(["cell", "id"], sort=False):
        one = part[part["failure"] == ""]
        counts = {
            outcome.replace(" ", "_"): int((one["outcome"] == outcome).sum())
            for outcome in ("supported", "contradicted", "not supported", "inconclusive")
        }
        lines.append(
            {
                "cell": cell,
                "id": name,
                "truth": part["truth"].mean(),
                "target": part["target"].mean(),
                "estimate": one["estimate"].mean(),
                "bias": (one["estimate"] - one["target"]).mean(),
                "spread": (one["estimate"] - one["target"]).std(),
                "se": (one["high95"] - one["low95"]).mean() / (2 * special.ndtri((1 + LEVEL) / 2)),
                "joint": name in JOINT,
                "sets": len(one),
                "failed": len(part) - len(one),
                "covered95": _held(one["low95"], one["target"], one["high95"]),
                "rejected95": len(one) - _held(one["low95"], 0.0, one["high95"]),
                "covered": _held(one["low"], one["target"], one["high"]),
                "rejected": len(one) - _held(one["low"], 0.0, one["high"]),
                **counts,
            }
        )
    return pd.DataFrame(lines)


def family_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, by cell and family, in how many data sets a true null hypothesis, an effect of zero, was rejected.

    Columns: cell, family, nulls (hypotheses whose effect is zero), sets, errors. What failed rejects nothing. An effect
    through tables of respondents' own values counts as zero below 1e-12.
    """
    tested = rows[(rows["failure"] != LEFT_OUT) & (rows["truth"].abs() < 1e-12)]
    wrong = tested.assign(wrong=(tested["low"] > 0) | (tested["high"] < 0))
    by_set = wrong.groupby(["cell", "family", "set"], sort=False).agg(wrong=("wrong", "any"), nulls=("id", "nunique"))
    found = by_set.groupby(["cell", "family"], sort=False).agg(
        nulls=("nulls", "max"), sets=("wrong", "size"), errors=("wrong", "sum")
    )
    return found.reset_index()


def discoveries(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, by cell, how many verdicts are false under the stated truth.

    "Supported" is false where the effect is zero or against the claim, of a claim of equality where it is the smallest
    effect of interest or more; "contradicted" where the claim holds; "not supported", which says that an effect is too
    small to matter, where it is not. Columns: cell, sets, supported, false_supported, share (of all supported that are
    false), fdr (mean over data sets of false among supported, 0 where none is: Benjamini & Hochberg 1995,
    doi:10.1111/j.2517-6161.1995.tb02031.x), fdr_error (its Monte-Carlo standard error), contradicted,
    false_contradicted, not_supported, false_not_supported.
    """
    equal = rows["direction"] == "equal"
    signed = rows["truth"].where(rows["direction"] != "negative", -rows["truth"])
    absent = (signed <= 1e-12).where(~equal, signed.abs() >= rows["smallest"] - 1e-12)
    relevant = rows["truth"].abs() >= rows["smallest"] - 1e-12
    held = (signed > 1e-12).where(~equal, ~absent)
    flags = pd.DataFrame(
        {
            "supported": rows["outcome"] == "supported",
            "contradicted": rows["outcome"] == "contradicted",
            "not_supported": rows["outcome"] == "not supported",
        }
    )
    false = {"supported": absent, "contradicted": held, "not_supported": relevant}
    flags = flags.assign(**{f"false_{name}": flags[name] & wrong for name, wrong in false.items()})
    by_set = flags.groupby([rows["cell"], rows["set"]], sort=False).sum()
    share = by_set["false_supported"] / by_set["supported"].clip(lower=1)
    groups = share.groupby(level="cell", sort=False)
    total = (
        by_set.groupby(level="cell", sort=False)
        .sum()
        .assign(sets=groups.size(), fdr=groups.mean(), fdr_error=groups.std() / np.sqrt(groups.size()))
    )
    return total.assign(share=total["false_supported"] / total["supported"].clip(lower=1)).reset_index()


def judge(count: int, sets: int, nominal: float, rates: int, side: str = "two-sided") -> tuple[float, str]:
    """Return the p value of an exact binomial test, and whether the rate is within Monte-Carlo error of the nominal.

    Parameters
    ----------
    rates : int
        On the page: "outside" is beyond error among all of them (Bonferroni), "outside alone" taken by itself.
    side : {"two-sided", "less", "greater"}
        Which departures count.

    Examples
    --------
    >>> judge(950, 1000, 0.95, 50)[1], judge(935, 1000, 0.95, 50)[1], judge(915, 1000, 0.95, 50)[1]
    ('within', 'outside alone', 'outside')
    """
    p = float(stats.binomtest(int(count), int(sets), nominal, alternative=side).pvalue)
    return p, "within" if p >= 0.05 else "outside alone" if p >= 0.05 / rates else "outside"


def _drawn(of: Cell, seed: int, resampling: int) -> Study:
    """Draw, read and screen respondents; their basis is that of people, so that the rules about people apply."""
    sample = surveysem.draw_respondents(of.truth, of.nobs, defects=of.defects, seed=seed)
    responses = replace(sample.responses, basis="survey")
    return _Resampled(responses, surveysem.screen(responses), draws=of.draws, seed=resampling, method=of.method)


def _tests(study: Study, left_out: tuple[str, ...]) -> tuple[dict[str, EffectTest | NotTestable], dict]:
    """Return the tests, and intervals of level .95 of those that are the least or the largest of several effects."""
    equal, reason = respondents.EQUAL, NotTestable(LEFT_OUT)
    known = {"indirect": paths.indirect(study), "groups": reason if equal in left_out else groups.compare_groups(study)}
    tests = respondents.hypothesis_tests(study, known)
    joint = {
        name: respondents._found(study, name, known) for name in (respondents.CONTACT, equal, respondents.INDIRECT)
    }
    return (
        {name: reason if name in left_out else test for name, test in tests.items()},
        {name: one(1 - LEVEL).interval for name, one in joint.items() if not isinstance(one, NotTestable)},
    )


def _row(
    h: Hypothesis, test: EffectTest | NotTestable, plain: tuple[float, float] | None, truth: float, target: float
) -> dict[str, object]:
    row = {
        "id": h.id,
        "family": h.family.id,
        "direction": h.direction,
        "smallest": h.smallest_effect.value,
        "truth": truth,
        "target": target,
    } | dict.fromkeys(FOUND, np.nan)
    if isinstance(test, NotTestable):
        return row | {"outcome": "not testable", "failure": test.reason}
    low, high = test.interval
    if plain is None:  # symmetric about the estimate: from the family's level to .95
        reach = (high - low) / 2 * special.ndtri((1 + LEVEL) / 2) / special.ndtri((1 + test.level) / 2)
        plain = (test.estimate - reach, test.estimate + reach)
    outcome = verdicts.decide(h, test).outcome
    return row | {
        "estimate": test.estimate,
        "low": low,
        "high": high,
        "low95": plain[0],
        "high95": plain[1],
        "p": test.p_value,
        "outcome": outcome,
        "failure": "",
    }


@cache
def _settle() -> None:
    """Spare garbage collection what is loaded by now: statsmodels has all looked through at every correction."""
    gc.freeze()


def _held(low: pd.Series, value: pd.Series | float, high: pd.Series) -> int:
    return int(((low <= value) & (value <= high)).sum())
