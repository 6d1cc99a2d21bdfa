"""The state of every claim and hypothesis: a verdict, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbproof import snap
from socialcommerce import paper, verdicts
from socialcommerce.errors import UnknownNameError
from socialcommerce.evidence import modes, numbers, people, survey
from socialcommerce.paper import CLASSES, EVIDENCE, GRADES, Claim, Hypothesis
from socialcommerce.verdicts import HypothesisTest, NotTestable, Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OUTCOME_LABELS", "STATES", "TESTS", "Assessment", "Tally", "assess", "assess_all",
           "read_outcomes"]

Words = Mapping[str, str]
OUTCOME_LABELS = {
    "id": {"en": "id", "zh": "编号"}, "claims": {"en": "claims", "zh": "论断"},
    "statement": {"en": "statement", "zh": "陈述"}, "estimate": {"en": "share that holds", "zh": "成立比例"},
    "n": {"en": "sets", "zh": "参数组数"}, "outcome": {"en": "verdict", "zh": "结论"},
}
"""Heads of a table of what models say."""

TESTS = {**numbers.TESTS, **people.TESTS, **survey.TESTS, **modes.TESTS}
"""The function that tests each decided hypothesis."""

STATES = {
    "decided": {"en": "decided", "zh": "已有结论"},
    "not testable": {"en": "not testable", "zh": "无法检验"},
    "no hypothesis": {"en": "no hypothesis", "zh": "未设假设"},
}
"""How far a claim is."""


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
    """Every claim, every hypothesis, and a verdict on each hypothesis, by id."""

    claims: tuple[Claim, ...]
    hypotheses: tuple[Hypothesis, ...]
    results: Mapping[str, Verdict]

    @property
    def states(self) -> dict[str, str]:
        """How far each hypothesis is, a key of ``STATES``, by its entry: known without testing it."""
        return {h.id: "decided" if h.testable else "not testable" for h in self.hypotheses}

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Verdicts that say something about a hypothesis: the not testable left out."""
        return tuple(result for result in self.results.values() if _state(result) == "decided")

    def state(self, claim: Claim) -> str:
        """Return how far a claim is, a key of ``STATES``."""
        states = {self.states[name] for name in claim.hypotheses}
        return next((state for state in ("decided", "not testable") if state in states), "no hypothesis")

    def outcome(self, claim: Claim) -> dict[str, str]:
        """Return a claim's verdict in words where all its parts have one, else its state.

        Parts on different classes of evidence are never merged: each class then has its own verdict, with its kind.
        """
        state = self.state(claim)
        if state != "decided":
            return STATES[state]
        parts = [self.results[name] for name in claim.hypotheses]
        classes = {CLASSES[kind]: None for part in parts if _state(part) == "decided" for kind in part.evidence}
        if len(classes) == 1:
            return verdicts.combine(claim.id, claim.text, parts).words
        groups = [[part for part in parts if _state(part) == "decided" and CLASSES[part.evidence[0]] == name]
                  for name in classes]
        merged = [verdicts.combine(claim.id, claim.text, group) for group in groups]
        return {"en": "; ".join(f"{v.words['en']} ({', '.join(v.evidence)})" for v in merged),
                "zh": "；".join(f"{v.words['zh']}（{'、'.join(EVIDENCE[k] for k in v.evidence)}）" for v in merged)}

    def summary(self) -> pd.DataFrame:
        """One row a hypothesis: what it rests on, what was found, what came out."""
        return self.subset(*(hypothesis.id for hypothesis in self.hypotheses))

    def subset(self, *names: str) -> pd.DataFrame:
        """Return the rows of the summary for some hypotheses, in the order given; only these are tested."""
        import pandas as pd

        by_id = {hypothesis.id: hypothesis for hypothesis in self.hypotheses}
        frame = pd.DataFrame([_row(by_id[name], self.results[name]) for name in names])
        return frame.astype({"n": "Int64"})

    def progress(self) -> pd.DataFrame:
        """One row a claim: place, kind, paraphrase, hypotheses and state, a key of ``STATES``; nothing is tested."""
        return paper.summary(self.claims).assign(state=[self.state(claim) for claim in self.claims])

    def claim_table(self) -> pd.DataFrame:
        """One row a claim: its progress, its outcome in words, and the reason why no data decide it."""
        frame = self.progress()
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
    >>> assess("H02").words["en"]
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


def read_outcomes(rows: pd.DataFrame) -> dict[str, str]:
    """Say of how many statements which outcome came out, and of which; rows of a summary."""
    by: dict[str, dict[str, Any]] = {}
    for name, words in zip(rows["id"], rows["outcome"], strict=True):
        by.setdefault(words["en"], {"zh": words["zh"], "ids": []})["ids"].append(name)
    n = len(rows)
    return {"en": f"the verdicts on {n} statements are: " + "; ".join(
                      f"{words} ({', '.join(one['ids'])})" for words, one in by.items()) + ".",
            "zh": f"对{n}条陈述的结论为：" + "；".join(
                      f"{one['zh']}（{'、'.join(one['ids'])}）" for one in by.values()) + "。"}


class _Results(Mapping[str, Verdict]):
    """Results by hypothesis, each computed once, when it is asked for."""

    def __init__(self, hypotheses: Mapping[str, Hypothesis]) -> None:
        self._hypotheses, self._known = hypotheses, {}

    def __getitem__(self, name: str) -> Verdict:
        if name not in self._known:
            self._known[name] = _assess(self._hypotheses[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._hypotheses)

    def __len__(self) -> int:
        return len(self._hypotheses)


def _assess(hypothesis: Hypothesis) -> Verdict:
    if not hypothesis.testable:
        return verdicts.decide(hypothesis, NotTestable(hypothesis.reason))
    return verdicts.decide(hypothesis, TESTS[hypothesis.id](hypothesis))


def _state(result: Verdict) -> str:
    return "not testable" if result.outcome == "not testable" else "decided"


def _row(hypothesis: Hypothesis, result: Verdict) -> dict[str, Any]:
    test = result.result if isinstance(result.result, HypothesisTest) else None
    grade = _grade(hypothesis)
    return {
        "id": hypothesis.id, "claims": ", ".join(hypothesis.claims), "statement": hypothesis.statement,
        "design": hypothesis.design, "part": hypothesis.part, "family": hypothesis.family.name,
        "basis": {"en": ", ".join(hypothesis.kinds) or "none",
                  "zh": "、".join(EVIDENCE[kind] for kind in hypothesis.kinds) or "无"},
        "grade": {"en": grade, "zh": GRADES[grade]} if grade else None,
        "estimate": test.estimate if test else None,
        "interval": _interval(test) if test else None, "n": test.n if test else None,
        "unit": test.unit if test else None, "rule": hypothesis.rule.words if hypothesis.rule else None,
        "state": _state(result), "outcome": result.words, "reason": hypothesis.reason,
        "exploratory": hypothesis.known is not None,
    }


def _interval(test: HypothesisTest) -> str | None:
    """The interval as it is printed beside an estimate of two decimals."""
    return test.interval and f"[{snap(test.interval[0]):.2f}, {snap(test.interval[1]):.2f}]".replace("-", "−")


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
