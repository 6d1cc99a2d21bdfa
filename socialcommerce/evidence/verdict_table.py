"""The verdicts as tables to filter: what was found on each hypothesis and each claim, what came out, where it is shown.

Texts are English; the Chinese of claims and hypotheses is in ``paper.translations``, that of all else in the catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbproof import words
from socialcommerce import verdicts
from socialcommerce.evidence.assessment import Assessment
from socialcommerce.modes import content, sharing
from socialcommerce.modes.forms import part_words
from socialcommerce.paper import Claim, Hypothesis
from socialcommerce.verdicts import ModelTest, Verdict
from surveysem import EffectTest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["claims", "forms", "hypotheses", "models", "power"]

TITLES = {
    "00_claims": "claims",
    "01_market_size": "market size",
    "02_content_mode": "content mode",
    "03_sharing_mode": "interaction mode",
    "05_strategies": "strategies",
    "06_open_questions": "open questions",
    "07_verdicts": "verdicts",
}
"""What the reports are called in a table."""


def hypotheses(assessment: Assessment) -> pd.DataFrame:
    """Return one row a hypothesis: what it says, what was found, which way it points and where it is shown.

    Returns
    -------
    pandas.DataFrame
        Beside the columns of ``assessment.summary()``: smallest (the effect, or the bound of its rule, it is compared
        with, with the sign of the claimed direction), truth (of a synthetic sample), why (of the undecided), shown (the
        report's name) and address (``page.html#anchor``). Of a model, estimate is a share of parameter sets.

    Examples
    --------
    >>> from socialcommerce import evidence
    >>> table = hypotheses(evidence.assess_all())
    >>> table.loc[table["id"] == "H25", "outcome"].to_list()
    ['consistent (proxy evidence)']
    """
    frame = assessment.summary()
    pairs = [(hypothesis, assessment.results[hypothesis.id]) for hypothesis in assessment.hypotheses]
    frame["smallest"] = [_smallest(hypothesis) for hypothesis, _ in pairs]
    frame["truth"] = [getattr(result.result, "truth", None) for _, result in pairs]
    frame["why"] = [_why(hypothesis, result) for hypothesis, result in pairs]
    return _placed(frame, [_address(hypothesis) for hypothesis, _ in pairs]).astype({"truth": float})


def claims(assessment: Assessment) -> pd.DataFrame:
    """Return one row a claim: place, text, hypotheses, outcome, the reason why there is none, and where it is shown."""
    return _placed(assessment.claim_table(), [_claim_address(assessment, claim) for claim in assessment.claims])


def forms(assessment: Assessment) -> pd.DataFrame:
    """Return for each statement about a model the share of draws in which it holds: over all, and by form.

    Returns
    -------
    pandas.DataFrame
        id, short, part (``all`` for all draws), form (its words) and share.
    """
    import pandas as pd

    rows = [
        (one.id, one.short["en"], part, form, share)
        for one in assessment.hypotheses
        if one.kinds == ("model",) and isinstance(test := assessment.results[one.id].result, ModelTest)
        for part, by in {"all": {"all forms": test.estimate}, **test.forms}.items()
        for form, share in by.items()
    ]
    return pd.DataFrame(rows, columns=["id", "short", "part", "form", "share"]).replace({"part": part_words()})


def models(assessment: Assessment, *names: str) -> pd.DataFrame:
    """Return the rows of the summary for some statements about models, and on what each depends most (why)."""
    by_id = {one.id: one for one in assessment.hypotheses}
    return assessment.subset(*names).assign(why=[_why(by_id[name], assessment.results[name]) for name in names])


def power(assessment: Assessment, sizes: tuple[int, ...] = (300, 1000)) -> pd.DataFrame:
    """Return what a survey could show of each hypothesis that only the synthetic sample touches.

    Returns
    -------
    pandas.DataFrame
        id, short, design (what would decide it), truth, low and high of the sample, covered (yes or no) and, by size of
        a survey, the probability that an effect as large as the smallest of interest is told from zero: errors are the
        sample's, scaled by the root of n, at the level of the first step of Holm's correction. NaN for the least or the
        largest of several effects, whose power is no closed form.
    """
    import numpy as np
    import pandas as pd
    from scipy.stats import norm

    rows = []
    one: Any  # has a smallest effect and a family with an error rate, and its test an interval and a truth
    for one in (each for each in assessment.hypotheses if assessment.states[each.id] == "no evidence about people yet"):
        test: Any = assessment.results[one.id].result
        among = sum(other.family == one.family for other in assessment.hypotheses)
        (low, high), closed = test.interval, one.family.id != "structure"
        error = (high - low) / 2 / norm.ppf((1 + test.level) / 2)
        sizes_of = one.smallest_effect.value / (error * (test.n / np.array(sizes)) ** 0.5)
        found = norm.cdf(sizes_of - norm.isf(one.family.alpha / among / 2)) if closed else [np.nan] * len(sizes)
        covered = "yes" if low <= test.truth <= high else "no"
        rows.append((one.id, one.short["en"], one.design["en"], test.truth, low, high, covered, *found))
    columns = ["id", "short", "design", "truth", "low", "high", "covered", *(f"power_{n}" for n in sizes)]
    return pd.DataFrame(rows, columns=columns)


def _placed(frame: pd.DataFrame, addresses: list[str]) -> pd.DataFrame:
    return frame.assign(shown=[TITLES[address.partition(".")[0]] for address in addresses], address=addresses)


def _smallest(hypothesis: Hypothesis) -> float:
    """Return what an estimate is measured by; a model's share is a share."""
    size = hypothesis.smallest_effect or hypothesis.rule
    return (-1.0 if hypothesis.direction == "negative" else 1.0) * (size.value if size else 1.0)


def _why(hypothesis: Hypothesis, result: Verdict) -> str | None:
    """Return why a verdict is undecided, or on what a statement about a model depends most."""
    test = result.result
    if isinstance(test, ModelTest) and result.outcome == "depends":
        by = {**test.halves, **test.forms}
        most = max(by, key=lambda name: max(by[name].values()) - min(by[name].values()))
        least, largest = (end(by[most], key=by[most].__getitem__) for end in (min, max))
        ends = {"least": least, "low": by[most][least], "largest": largest, "high": by[most][largest]}
        return words("{part}: {least} {low:.2f}, {largest} {high:.2f}", part=_called(most), **ends)
    if result.side != "undecided" or not isinstance(test, EffectTest):
        return None
    if hypothesis.smallest_effect is None:
        return "only a part of the interval satisfies the rule"
    low, high = test.interval or (test.estimate, test.estimate)
    return "interval includes zero" if low <= 0 <= high else "estimate below the smallest effect of interest"


def _called(name: str) -> str:
    """Return what a part of a model or a parameter is called; one beside the modes by its own name."""
    known = {**content.CONTENT.parameter, **sharing.SHARING.parameter}
    return known[name].words if name in known else part_words().get(name, name)


def _address(hypothesis: Hypothesis) -> str:
    return hypothesis.shown or f"07_verdicts.html#table-all_hypotheses-{hypothesis.id}"


def _claim_address(assessment: Assessment, claim: Claim) -> str:
    """Return where the part that speaks most against a claim is shown, else an extension or a synthetic sample."""
    if not claim.hypotheses:
        return f"00_claims.html#table-all_claims-{claim.id}"
    order, results = list(verdicts.OUTCOMES), {name: assessment.results[name] for name in claim.hypotheses}
    aside = ("further questions", "no evidence about people yet")
    worst = min(results, key=lambda name: (results[name].side in aside, order.index(results[name].outcome)))
    return _address(next(hypothesis for hypothesis in assessment.hypotheses if hypothesis.id == worst))
