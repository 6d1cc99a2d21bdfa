"""What the evidence says about each hypothesis: one short function a hypothesis, and the state of every claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialcommerce import data, paper, verdicts
from socialcommerce.errors import UnknownNameError
from socialcommerce.paper import CLASSES, EVIDENCE, GRADES, Claim, Hypothesis
from socialcommerce.verdicts import HypothesisTest, NotTestable, Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATES", "TESTS", "Assessment", "Pending", "Tally", "assess", "assess_all"]

Words = Mapping[str, str]

STATES = {
    "decided": {"en": "decided", "zh": "已有结论"},
    "pending": {"en": "pending", "zh": "待检验"},
    "not testable": {"en": "not testable", "zh": "无法检验"},
    "no hypothesis": {"en": "no hypothesis", "zh": "未设假设"},
}
"""How far a claim is; a claim some of whose parts are still pending is pending."""


@dataclass(frozen=True)
class Pending:
    """A hypothesis that a later part of the project decides: no verdict yet."""

    hypothesis: Hypothesis

    @property
    def words(self) -> dict[str, str]:
        """The state in words, with the part that brings the test."""
        part = paper.PARTS[self.hypothesis.part]
        return {"en": f"pending ({part['en']})", "zh": f"待检验（{part['zh']}）"}


@dataclass(frozen=True)
class Tally:
    """Counts, rows by columns, and what each row and column is called: ``{key: {"en", "zh"}}``."""

    counts: pd.DataFrame
    rows: Mapping[str, Words]
    columns: Mapping[str, Words]

    def summary(self) -> pd.DataFrame:
        """One row a row of the tally: its name, its counts, and their total."""
        frame = self.counts.assign(total=self.counts.sum(axis=1))
        frame.insert(0, "name", [self.rows[key] for key in frame.index])
        return frame.reset_index(drop=True)


@dataclass(frozen=True)
class Assessment:
    """Every claim, every hypothesis, and a verdict or Pending for each hypothesis, by id."""

    claims: tuple[Claim, ...]
    hypotheses: tuple[Hypothesis, ...]
    results: dict[str, Verdict | Pending]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Verdicts that say something about a hypothesis: the pending and the not testable left out."""
        return tuple(result for result in self.results.values() if _state(result) == "decided")

    def state(self, claim: Claim) -> str:
        """Return how far a claim is, a key of ``STATES``."""
        states = {_state(self.results[name]) for name in claim.hypotheses}
        return next((state for state in ("pending", "decided", "not testable") if state in states), "no hypothesis")

    def outcome(self, claim: Claim) -> dict[str, str]:
        """Return a claim's verdict in words where all its parts have one, else its state."""
        state = self.state(claim)
        if state != "decided":
            return STATES[state]
        parts = [self.results[name] for name in claim.hypotheses]
        return verdicts.combine(claim.id, claim.text, parts).words

    def summary(self) -> pd.DataFrame:
        """One row a hypothesis: what it rests on, what was found, what came out."""
        import pandas as pd

        frame = pd.DataFrame([_row(hypothesis, self.results[hypothesis.id]) for hypothesis in self.hypotheses])
        return frame.astype({"n": "Int64"})

    def claim_table(self) -> pd.DataFrame:
        """One row a claim: place, paraphrase, hypotheses, state (a key of ``STATES``) and outcome in words."""
        frame = paper.summary(self.claims)
        frame["state"] = [self.state(claim) for claim in self.claims]
        frame["outcome"] = [self.outcome(claim) for claim in self.claims]
        frame["reason"] = [self._reason(claim) for claim in self.claims]
        return frame

    def by_section(self) -> Tally:
        """Claims of each section by state."""
        sections = {name: {"en": f"§{name}", "zh": f"§{name}"} for name in paper.SECTIONS}
        return _tally(((claim.section, self.state(claim)) for claim in self.claims), sections, STATES)

    def by_kind(self) -> Tally:
        """Claims of each kind by state."""
        kinds = {kind: {"en": kind, "zh": chinese} for kind, chinese in paper.KINDS.items()}
        return _tally(((claim.kind, self.state(claim)) for claim in self.claims), kinds, STATES)

    def by_evidence(self) -> Tally:
        """Hypotheses by the kind of evidence each rests on (none on two) and, for data on the world, its grade."""
        kinds = {kind: {"en": kind, "zh": chinese} for kind, chinese in EVIDENCE.items()}
        grades = {grade: {"en": grade, "zh": chinese} for grade, chinese in GRADES.items()}
        kinds["none"] = {"en": "nothing at hand", "zh": "手头没有"}
        grades["none"] = {"en": "no data on the world", "zh": "非现实数据"}
        pairs = ((next(iter(h.kinds), "none"), _grade(h) or "none") for h in self.hypotheses)
        return _tally(pairs, kinds, grades)

    def _reason(self, claim: Claim) -> dict[str, str] | None:
        """Why no data decide a claim: its own reason, or that of its first hypothesis that cannot be tested."""
        reasons = (self.results[name].result.reason for name in claim.hypotheses
                   if _state(self.results[name]) == "not testable")
        return claim.untested or next(reasons, None)


def assess(name: str) -> Verdict | Pending:
    """Return the verdict on one hypothesis, or Pending.

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
    >>> assess("H02").words["en"]
    'agrees'
    """
    hypotheses = {hypothesis.id: hypothesis for hypothesis in paper.load_hypotheses()}
    if name not in hypotheses:
        raise UnknownNameError("hypothesis", name, hypotheses)
    return _assess(hypotheses[name])


def assess_all() -> Assessment:
    """Return every claim and hypothesis with what is known about it."""
    claims, hypotheses = paper.load_claims(), paper.load_hypotheses()
    return Assessment(claims, hypotheses, {hypothesis.id: _assess(hypothesis) for hypothesis in hypotheses})


def _assess(hypothesis: Hypothesis) -> Verdict | Pending:
    if hypothesis.status == "pending":
        return Pending(hypothesis)
    if not hypothesis.testable:
        return verdicts.decide(hypothesis, NotTestable(hypothesis.reason))
    return verdicts.decide(hypothesis, TESTS[hypothesis.id](hypothesis))


# Numbers: what the paper states against what official or other publishers print


def users(hypothesis: Hypothesis) -> HypothesisTest:
    """H01: internet users in December 2023, the paper's figure minus CNNIC's."""
    return _number(hypothesis, _stated("users-2023") - _official("internet users", 2023), n=2)


def penetration(hypothesis: Hypothesis) -> HypothesisTest:
    """H02: the paper's penetration rate minus users over the official population, in percentage points."""
    rate = 100 * _persons("internet users", 2023) / _persons("population", 2023)
    return _number(hypothesis, _stated("penetration-2023") - rate, n=3)


def user_growth(hypothesis: Hypothesis) -> HypothesisTest:
    """H03: yearly growth of internet users after 2020 over that of the two years before, both from December."""
    before, after = (_yearly_growth("internet users", *years) for years in ((2018, 2020), (2020, 2023)))
    return _number(hypothesis, after / before, n=3)


def shopper_growth(hypothesis: Hypothesis) -> HypothesisTest:
    """H04: growth of online shoppers from December 2022 to December 2023, in per cent."""
    return _number(hypothesis, _yearly_growth("online shoppers", 2022, 2023), n=2)


def market_reported(hypothesis: Hypothesis) -> HypothesisTest:
    """H05: the paper's market size of 2023 minus the report of 2023 that lies furthest from it."""
    reported = [value for status, value in _levels(2023) if status == "reported"]
    return _number(hypothesis, _furthest(_stated("market-2023"), reported), n=1 + len(reported))


def market_rival(hypothesis: Hypothesis) -> HypothesisTest:
    """H06: the paper's market size of 2023 minus eMarketer's forecast for that year."""
    rivals = [value for _, value in _levels(2023, publisher="eMarketer")]
    return _number(hypothesis, _furthest(_stated("market-2023"), rivals), n=1 + len(rivals))


def market_growth(hypothesis: Hypothesis) -> HypothesisTest:
    """H07: the lowest yearly growth rate of 2018 to 2023, printed or between two levels of one report, in per cent."""
    rates = [*_printed_rates(2018, 2023), *_rates_within_reports(2018, 2023)]
    return _number(hypothesis, min(rates), n=len(rates))


TESTS: dict[str, Callable[[Hypothesis], HypothesisTest]] = {
    "H01": users,
    "H02": penetration,
    "H03": user_growth,
    "H04": shopper_growth,
    "H05": market_reported,
    "H06": market_rival,
    "H07": market_growth,
}
"""The function that tests each decided hypothesis."""


def _number(hypothesis: Hypothesis, estimate: float, n: int) -> HypothesisTest:
    evidence = hypothesis.data[0]
    return HypothesisTest(estimate=float(estimate), n=n, unit=hypothesis.rule.unit, method=hypothesis.design,
                          null=hypothesis.null, evidence=evidence.kind, grade=evidence.grade)


def _stated(name: str) -> float:
    """A number of the paper, by its id in the registered table."""
    return data.load("paper_numbers").set_index("id").at[name, "value"]


def _official(series: str, year: int) -> float:
    table = data.load("context_figures")
    return table.set_index(["series", "year"]).at[(series, year), "value"]


def _persons(series: str, year: int) -> float:
    """An official count in persons: its unit begins with the scale, as in ``1e8 persons``."""
    units = data.load("context_figures").set_index(["series", "year"])["unit"]
    return _official(series, year) * float(units[(series, year)].split()[0])


def _yearly_growth(series: str, first: int, last: int) -> float:
    """Mean growth a year in per cent between two Decembers."""
    return 100 * ((_official(series, last) / _official(series, first)) ** (1 / (last - first)) - 1)


def _market() -> pd.DataFrame:
    return data.load("market_figures")


def _levels(year: int, publisher: str | None = None) -> list[tuple[str, float]]:
    """Status and level of each figure printed in yuan for one year."""
    rows = _market().query("measure == 'level' and unit == '1e8 CNY' and year == @year")
    rows = rows if publisher is None else rows[rows["publisher"] == publisher]
    return list(zip(rows["status"], rows["value"], strict=True))


def _furthest(stated: float, others: list[float]) -> float:
    return max((stated - other for other in others), key=abs)


def _printed_rates(first: int, last: int) -> Iterator[float]:
    rows = _market().query("measure == 'growth' and @first <= year <= @last")
    return iter(rows["value"])


def _rates_within_reports(first: int, last: int) -> Iterator[float]:
    """Growth in per cent between levels of consecutive years in one report and one unit."""
    rows = _market().query("measure == 'level'").sort_values("year")
    for _, levels in rows.groupby(["publisher", "document", "unit"]):
        by_year = dict(zip(levels["year"], levels["value"], strict=True))
        yield from (100 * (by_year[year] / by_year[year - 1] - 1)
                    for year in range(first, last + 1) if {year, year - 1} <= set(by_year))


def _state(result: Verdict | Pending) -> str:
    if isinstance(result, Pending):
        return "pending"
    return "not testable" if result.outcome == "not testable" else "decided"


def _row(hypothesis: Hypothesis, result: Verdict | Pending) -> dict[str, Any]:
    test = result.result if isinstance(result, Verdict) and isinstance(result.result, HypothesisTest) else None
    grade = _grade(hypothesis)
    return {
        "id": hypothesis.id, "claims": ", ".join(hypothesis.claims), "statement": hypothesis.statement,
        "design": hypothesis.design, "part": hypothesis.part, "family": hypothesis.family.name,
        "basis": {"en": ", ".join(hypothesis.kinds) or "none",
                  "zh": "、".join(EVIDENCE[kind] for kind in hypothesis.kinds) or "无"},
        "grade": {"en": grade, "zh": GRADES[grade]} if grade else None,
        "estimate": test.estimate if test else None, "n": test.n if test else None,
        "unit": test.unit if test else None, "rule": hypothesis.rule.words if hypothesis.rule else None,
        "state": _state(result), "outcome": result.words, "reason": hypothesis.reason,
        "exploratory": hypothesis.known is not None,
    }


def _grade(hypothesis: Hypothesis) -> str | None:
    """Return the weakest grade among data on the world; a model or a synthetic sample has none."""
    graded = (d.grade for d in hypothesis.data if CLASSES[d.kind] in ("number", "people"))
    return max(graded, key=list(GRADES).index, default=None)


def _tally(pairs: Iterable[tuple[str, str]], rows: Mapping[str, Words], columns: Mapping[str, Words]) -> Tally:
    import pandas as pd

    counts = pd.DataFrame(0, index=list(rows), columns=list(columns))
    for row, column in pairs:
        counts.at[row, column] += 1
    counts = counts[counts.any(axis=1)]  # a row without any is no row
    return Tally(counts, {row: rows[row] for row in counts.index}, columns)
