"""The state of every claim and hypothesis: a verdict, or why there is none; and tables of them to filter.

Texts are English; the Chinese of claims and hypotheses is in ``paper.translations``, that of all else in the catalogue.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from nbproof import words
from socialcommerce import paper, verdicts
from socialcommerce.errors import UnknownNameError
from socialcommerce.evidence import modes, numbers, public_data, survey
from socialcommerce.modes import content, sharing
from socialcommerce.modes.forms import part_words
from socialcommerce.paper import CLASSES, Claim, Hypothesis
from socialcommerce.verdicts import ModelTest, Verdict
from surveysem import EffectTest, NotTestable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATES", "TESTS", "Assessment", "assess", "assess_all"]

TESTS = {**numbers.TESTS, **public_data.TESTS, **survey.TESTS, **modes.TESTS}
"""The function that tests each decided hypothesis."""

STATES = ("decided", "no evidence about people yet", "not testable", "further questions only", "no hypothesis")
"""How far a claim is; a synthetic sample is no evidence about people."""


@dataclass(frozen=True)
class Assessment:
    """Every claim, every hypothesis, and a verdict on each hypothesis, by id."""

    claims: tuple[Claim, ...]
    hypotheses: tuple[Hypothesis, ...]
    results: Mapping[str, Verdict]

    @property
    def states(self) -> dict[str, str]:
        """How far each hypothesis is, one of ``STATES``, by its entry: known without testing it."""
        decided = {True: "no evidence about people yet", False: "decided"}
        return {h.id: decided["synthetic sample" in h.kinds] if h.testable else "not testable" for h in self.hypotheses}

    def parts(self, claim: Claim) -> list[str]:
        """Return the hypotheses that speak for or against a claim: all but its extensions."""
        return [h.id for h in self.hypotheses if h.id in claim.hypotheses and h.step != "extension"]

    def state(self, claim: Claim) -> str:
        """Return how far a claim is, one of ``STATES``."""
        states = {self.states[name] for name in self.parts(claim)}
        none = "further questions only" if claim.hypotheses else "no hypothesis"
        return next((state for state in STATES if state in states), none)

    def outcome(self, claim: Claim) -> str:
        """Return a claim's verdict in words where a part has one, else its state.

        Parts on different classes of evidence are never merged: each class then has its own verdict, with its kind.
        """
        state = self.state(claim)
        if state != "decided":
            return state
        parts, groups = [self.results[name] for name in self.parts(claim)], dict[str, list[Verdict]]()
        for part in parts:
            if part.outcome != "not testable":
                groups.setdefault(CLASSES[part.evidence[0]], []).append(part)
        if not groups:
            return "not testable"
        if len(groups) == 1:
            return verdicts.combine(claim.id, claim.text, parts).words
        merged = [verdicts.combine(claim.id, claim.text, groups[of]) for of in sorted(groups, key="synthetic".__eq__)]
        said = {True: "in part {outcome}", False: "{evidence}: {outcome}"}
        return listed(
            words(said[v.evidence == ("synthetic sample",)], evidence=listed(v.evidence, ", "), outcome=v.words)
            for v in merged
        )

    def summary(self) -> pd.DataFrame:
        """Return one row a hypothesis: what it says, what was found, which way it points and where it is shown.

        Returns
        -------
        pandas.DataFrame
            Beside the columns of ``paper.summary``: outcome, side, rule, estimate (of a model, a share of parameter
            sets), low, high, unit, n, smallest (the effect, or the bound of its rule, it is compared with, with the
            sign of the claimed direction), truth (of a synthetic sample), why (of the undecided; of a statement about a
            model, on what it depends most), shown (the report's name), address (``page.html#anchor``) and state.

        Examples
        --------
        >>> from socialcommerce import evidence
        >>> table = evidence.assess_all().summary()
        >>> table.loc[table["id"] == "H25", "outcome"].to_list()
        ['consistent (proxy evidence)']
        """
        return self.subset(*(hypothesis.id for hypothesis in self.hypotheses))

    def subset(self, *names: str) -> pd.DataFrame:
        """Return the rows of the summary for some hypotheses, in the order given; only these are tested."""
        import pandas as pd

        by_id = {hypothesis.id: hypothesis for hypothesis in self.hypotheses}
        asked = [by_id[name] for name in names]
        found = pd.DataFrame([_row(hypothesis, self.results[hypothesis.id]) for hypothesis in asked])
        found["state"] = [self.states[name] for name in names]
        numbers = {"n": "Int64", **dict.fromkeys(("estimate", "low", "high", "truth"), float)}
        return paper.summary(asked).assign(**found).astype(numbers)

    def claim_table(self) -> pd.DataFrame:
        """Return one row a claim: the columns of ``paper.summary``, state, outcome, reason (why there is none), shown.

        Where it is shown (the report's name, and as address) is where the part that speaks most against it is.
        """
        addresses = [self._address(claim) for claim in self.claims]
        return paper.summary(self.claims).assign(
            state=[self.state(claim) for claim in self.claims],
            outcome=[self.outcome(claim) for claim in self.claims],
            reason=[self._reason(claim) for claim in self.claims],
            shown=[_title(address) for address in addresses],
            address=addresses,
        )

    def forms(self) -> pd.DataFrame:
        """Return for each statement about a model the share of draws in which it holds: over all, and by form.

        Returns
        -------
        pandas.DataFrame
            id, short, part (``all`` for all draws), form (its words) and share.
        """
        import pandas as pd

        rows = [
            (one.id, one.short["en"], part, form, share)
            for one in self.hypotheses
            if one.kinds == ("model",) and isinstance(test := self.results[one.id].result, ModelTest)
            for part, by in {"all": {"all forms": test.estimate}, **test.forms}.items()
            for form, share in by.items()
        ]
        return pd.DataFrame(rows, columns=["id", "short", "part", "form", "share"]).replace({"part": part_words()})

    def power(self, sizes: tuple[int, ...] = (300, 1000)) -> pd.DataFrame:
        """Return what a survey could show of each hypothesis that only the synthetic sample touches.

        Returns
        -------
        pandas.DataFrame
            id, short, design (what would decide it), truth, low and high of the sample, covered (yes or no) and, by
            size of a survey, the probability that an effect as large as the smallest of interest is told from zero:
            errors are the sample's, scaled by the root of n, at the level of the first step of Holm's correction. NaN
            for the least or the largest of several effects, whose power is no closed form.
        """
        import numpy as np
        import pandas as pd
        from scipy.stats import norm

        rows = []
        one: Any  # has a smallest effect and a family with an error rate, and its test an interval and a truth
        for one in (each for each in self.hypotheses if self.states[each.id] == "no evidence about people yet"):
            test: Any = self.results[one.id].result
            among = sum(other.family == one.family for other in self.hypotheses)
            (low, high), closed = test.interval, one.family.id != "structure"
            error = (high - low) / 2 / norm.ppf((1 + test.level) / 2)
            sizes_of = one.smallest_effect.value / (error * (test.n / np.array(sizes)) ** 0.5)
            found = norm.cdf(sizes_of - norm.isf(one.family.alpha / among / 2)) if closed else [np.nan] * len(sizes)
            covered = "yes" if low <= test.truth <= high else "no"
            rows.append((one.id, one.short["en"], one.design["en"], test.truth, low, high, covered, *found))
        columns = ["id", "short", "design", "truth", "low", "high", "covered", *(f"power_{n}" for n in sizes)]
        return pd.DataFrame(rows, columns=columns)

    def _reason(self, claim: Claim) -> str | None:
        """Why no data decide a claim: its own reason, or that of its first hypothesis that cannot be tested."""
        tests = (self.results[name].result for name in claim.hypotheses)
        reason = claim.untested or next((test.reason for test in tests if isinstance(test, NotTestable)), None)
        return reason["en"] if isinstance(reason, Mapping) else reason

    def _address(self, claim: Claim) -> str:
        """Return where the part that speaks most against a claim is shown, else an extension or a synthetic sample."""
        if not claim.hypotheses:
            return f"00_claims.html#table-all_claims-{claim.id}"
        order, aside = list(verdicts.OUTCOMES), ("further questions", "no evidence about people yet")
        results = [self.results[one.id] for one in self.hypotheses if one.id in claim.hypotheses]
        worst = min(results, key=lambda result: (result.side in aside, order.index(result.outcome)))
        return _address(next(one for one in self.hypotheses if one.id == worst.id))


def assess(name: str) -> Verdict:
    """Return the verdict on one hypothesis.

    Parameters
    ----------
    name : str
        The hypothesis, for example ``"H01"``.

    Raises
    ------
    UnknownNameError
        For a hypothesis that is not in ``paper/hypotheses.toml``.

    Examples
    --------
    >>> assess("H02").words
    'agrees'
    """
    hypotheses = {hypothesis.id: hypothesis for hypothesis in paper.load_hypotheses()}
    if name not in hypotheses:
        raise UnknownNameError("hypothesis", name, hypotheses)
    return _assess(hypotheses[name])


def assess_all() -> Assessment:
    """Return every claim and hypothesis with what is known about it; each is tested when it is first asked for."""
    claims, hypotheses = paper.load_claims(), paper.load_hypotheses()
    return Assessment(claims, hypotheses, _Results({hypothesis.id: hypothesis for hypothesis in hypotheses}))


def listed(texts: Iterable[str], separator: str = "; ") -> str:
    """Join texts so that each, and the mark between them, can still be translated."""
    return reduce(lambda first, rest: words(f"{{first}}{separator}{{rest}}", first=first, rest=rest), texts)


class _Results(UserDict[str, Any]):
    """Results by hypothesis, each computed once, when it is asked for."""

    def __getitem__(self, name: str) -> Verdict:
        if isinstance(found := self.data[name], Hypothesis):
            self.data[name] = _assess(found)
        return self.data[name]


def _assess(hypothesis: Hypothesis) -> Verdict:
    found = TESTS[hypothesis.id]() if hypothesis.testable else NotTestable(hypothesis.reason)
    return verdicts.decide(hypothesis, found)


def _row(hypothesis: Hypothesis, result: Verdict) -> dict[str, Any]:
    """Return what the summary says of a hypothesis beside what it claims."""
    test, size, address = result.result, hypothesis.smallest_effect or hypothesis.rule, _address(hypothesis)
    row: dict[str, Any] = {
        "outcome": result.words,
        "side": result.side,
        "rule": hypothesis.rule and hypothesis.rule.condition,
    }
    row |= dict.fromkeys(("estimate", "low", "high", "unit", "n", "truth"))
    if isinstance(test, EffectTest):
        row |= {"estimate": test.estimate, "unit": hypothesis.unit["en"], "n": test.n, "truth": test.truth}
        row |= dict(zip(("low", "high"), test.interval or (), strict=False))
    sign = -1.0 if hypothesis.direction == "negative" else 1.0  # a model's share is a share
    row |= {"smallest": sign * (size.value if size else 1.0), "why": _why(hypothesis, result)}
    return row | {"shown": _title(address), "address": address}


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


def _title(address: str) -> str:
    """Return what a table calls the report of an address: its file's name in words, modes as the paper names them."""
    return address.partition(".")[0][3:].replace("_", " ").replace("sharing", "interaction")
