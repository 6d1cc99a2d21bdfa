"""Respondents: what a survey by the project's codebook says of each hypothesis of the paper on people.

On the project's synthetic sample a verdict says whether the method recovers the truth; on anybody's respondents,
whether the claim is supported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

import surveysem
from socialcommerce import data, paper, survey, verdicts
from socialcommerce.paper import Evidence, Hypothesis
from socialcommerce.verdicts import Verdict
from surveysem import Effect, EffectTest, NotTestable, Study, contact, groups, moderation, paths

__all__ = [
    "PATHS",
    "TABLE",
    "TESTS",
    "estimate_table",
    "hypotheses_of",
    "hypothesis_tests",
    "true_effects",
    "verdict_table",
    "verdicts_of",
]

PATHS = {one.label: (one.outcome, one.predictor) for one in survey.load_codebook().hypotheses if not one.moderator}
"""Outcome and predictor of each hypothesis on a path, as the codebook labels them."""

MODERATION, CONTACT, EQUAL, INDIRECT = "H48", "H49", "H50", "H52"
COMPARED = ("stickiness", "repurchase")  # outcomes whose paths H50 compares
OUTCOMES = {
    "recovered": "interval covers the true value",
    "not recovered": "interval misses the true value",
    "not supported": "negligible",
}
"""What an outcome of a survey is called where its key alone could be misread."""
TABLE = "survey_estimates"  # the registered table of the synthetic sample
Found = Effect | NotTestable | Callable[[float], EffectTest]
"""An effect with its error; why there is none; or, by the error rate left to it, an interval for several effects."""


def hypotheses_of(study: Study) -> tuple[Hypothesis, ...]:
    """Return the hypotheses on a survey; where the answers are anybody's own, the kind of evidence is theirs."""
    evidence = (Evidence("survey", study.basis, "direct"),)
    return tuple(replace(h, data=evidence) for h in paper.load_hypotheses() if h.id in TESTS)


def hypothesis_tests(study: Study, known: Mapping[str, Any] | None = None) -> dict[str, EffectTest | NotTestable]:
    """Return the test of each hypothesis, intervals as wide as the correction of its family asks.

    Parameters
    ----------
    known : mapping, optional
        Results at hand, so that they are not worked out twice: ``"indirect"`` from `surveysem.paths.indirect` and
        ``"groups"`` from `surveysem.groups.compare_groups`.
    """
    hypotheses = hypotheses_of(study)  # nothing is known of anybody's respondents
    truth = true_effects(survey.own_truth(), study.answers) if study.basis == "synthetic sample" else {}
    found = {h.id: _found(study, h.id, known or {}) for h in hypotheses}
    rates = _rates(hypotheses, found)
    return {name: _test(one, rates[name], truth.get(name)) for name, one in found.items()}


def verdicts_of(study: Study, known: Mapping[str, Any] | None = None) -> tuple[Verdict, ...]:
    """Return the verdicts by the rules of ``paper/hypotheses.toml``; ``known`` as in :func:`hypothesis_tests`."""
    tests = hypothesis_tests(study, known)
    return tuple(verdicts.decide(h, tests[h.id]) for h in hypotheses_of(study))


def verdict_table(found: Sequence[Verdict]) -> pd.DataFrame:
    """One row a hypothesis: id, statement, estimate, low, high, level in per cent, n, p, truth, outcome, reason."""
    rows = []
    for verdict in found:
        seen = vars(verdict.result)  # of a test, or only why there is none
        row = {name: seen.get(name) for name in ("estimate", "n", "truth", "reason")} | {"p": seen.get("p_value")}
        row |= {"id": verdict.id, "statement": verdict.statement["en"], "level": seen.get("level")}
        row |= dict(zip(("low", "high"), seen.get("interval") or (None, None), strict=True))
        rows.append(row | {"outcome": OUTCOMES.get(verdict.outcome, verdict.outcome)})
    table = pd.DataFrame(rows).astype({"n": "Int64", "level": float})
    return table.assign(level=100 * table["level"])


def estimate_table(study: Study) -> pd.DataFrame:
    """Return what ``data/processed/survey_estimates.csv`` holds: the tests on the synthetic sample, one row each."""
    rows = []
    test: Any  # none of them is without intervals
    for name, test in hypothesis_tests(study).items():
        ends, inner = (*test.interval, test.level), (*test.equivalence_interval, test.equivalence_level)
        rows.append((name, test.estimate, test.n, *ends, *inner, test.p_value, test.truth))
    levels = ["low", "high", "level", "inner_low", "inner_high", "inner_level"]
    return pd.DataFrame(rows, columns=["id", "estimate", "nobs", *levels, "p_value", "truth"])


def _found(study: Study, name: str, known: Mapping[str, Any]) -> Found:
    """Return what a study says of one hypothesis."""
    if name == MODERATION:
        return _moderation(study)
    if name == CONTACT:  # the smaller of the slope at few messages and minus the slope at many
        slopes = contact.contact_frequency(study)
        return slopes if isinstance(slopes, NotTestable) else lambda alpha: slopes.interior(alpha)
    if name == EQUAL:  # the largest difference of a path to stickiness or repurchase, where the items measure alike
        apart = known["groups"] if "groups" in known else groups.compare_groups(study)
        return apart if isinstance(apart, NotTestable) else lambda alpha: apart.largest(COMPARED, alpha=alpha)
    if name == INDIRECT:
        return _indirect(known["indirect"] if "indirect" in known else paths.indirect(study), study)
    return paths.direct(study, *PATHS[name])


def _moderation(study: Study) -> Found:
    """H48: by how much price sensitivity, one SD more of it, adds to the path from benefit to repurchase."""
    entry = next(m for m in study.codebook.moderations if (m.predictor, m.moderator) == ("benefit", "price"))
    found = moderation.moderation(study, entry)
    return found if isinstance(found, NotTestable) else found.effect


def _indirect(found: paths.Indirect | NotTestable, study: Study) -> Found:
    """H52: the least of the strategies' indirect effects on repurchase, each in its claimed direction."""
    if isinstance(found, NotTestable):
        return found
    total, signs = found.totals("repurchase"), paths.claimed_signs(study)
    sign = [signs[name] for name in total.names]
    turned = replace(total, estimates=total.estimates * sign, draws=total.draws * sign)
    return lambda alpha: surveysem.least(
        turned.estimates, turned.interval, total.nobs, alpha=alpha, p_values=turned.p_values
    )


def _rates(hypotheses: Sequence[Hypothesis], found: Mapping[str, Found]) -> dict[str, float]:
    """Return the error rate its family's correction leaves to each; what cannot be tested counts as p = 1."""
    rates: dict[str, float] = {}
    family: Any  # has an error rate, as every one of hypotheses on respondents
    for family in {h.family.id: h.family for h in hypotheses}.values():
        own = {h.id: found[h.id] for h in hypotheses if h.family.id == family.id}
        whole = {name: one(family.alpha) if callable(one) else one for name, one in own.items()}
        p = {name: 1.0 if (p := getattr(one, "p_value", None)) is None else p for name, one in whole.items()}
        rates |= {name: one.alpha for name, one in surveysem.adjust(p, family.alpha).items()}
    return rates


def _test(found: Found, alpha: float, truth: float | None) -> EffectTest | NotTestable:
    if isinstance(found, NotTestable):
        return found
    return replace(found.test(alpha) if isinstance(found, Effect) else found(alpha), truth=truth)


def true_effects(truth: surveysem.Truth, answers: pd.DataFrame | None = None) -> dict[str, float]:
    """Return the truth of every hypothesis on a survey; ``answers`` as of `surveysem.true_values`."""
    table = surveysem.true_values(truth, answers)
    value = table.set_index(["kind", "outcome", "predictor", "moderator"])["value"].to_dict()
    sign = {path.predictor: path.direction for path in truth.codebook.paths}
    through = [sign[x] * v for (kind, y, x, _), v in value.items() if (kind, y) == ("indirect", "repurchase")]
    apart = [abs(v) for (kind, y, *_), v in value.items() if kind == "difference" and y in COMPARED]
    return {name: value["path", *path, ""] for name, path in PATHS.items()} | {
        MODERATION: value["moderation", "repurchase", "benefit", "price"],
        CONTACT: next(v for (kind, *_), v in value.items() if kind == "contact"),
        EQUAL: max(apart),
        INDIRECT: min(through),
    }


def _on_sample(name: str) -> EffectTest:
    """Return the test on the synthetic sample as it was kept."""
    row = data.load(TABLE).set_index("id").loc[name]
    ends, inner = (row["low"], row["high"]), (row["inner_low"], row["inner_high"])
    numbers = ends, row["level"], inner, row["inner_level"], row["p_value"], row["truth"]
    return EffectTest(row["estimate"], int(row["nobs"]), *numbers)


TESTS: dict[str, Callable[[], EffectTest]] = {
    name: partial(_on_sample, name) for name in sorted([*PATHS, MODERATION, CONTACT, EQUAL, INDIRECT])
}
"""The tests on the project's synthetic sample, from the registered table that ``data/prepare`` makes."""
