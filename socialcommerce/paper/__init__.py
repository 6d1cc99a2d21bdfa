"""Claims and hypotheses of the paper: what can fail, how it would be tested, and on what kind of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socialcommerce.paper import read
from socialcommerce.paper.terms import (
    BASES,
    CLASSES,
    COMPARISONS,
    CORRECTIONS,
    DIRECTIONS,
    EVIDENCE,
    GRADES,
    KINDS,
    PARTS,
    SECTIONS,
    Claim,
    Evidence,
    Family,
    Hypothesis,
    NumberRule,
    Rules,
    SmallestEffect,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CLASSES",
    "COMPARISONS",
    "CORRECTIONS",
    "DIRECTIONS",
    "BASES",
    "EVIDENCE",
    "GRADES",
    "KINDS",
    "PARTS",
    "SECTIONS",
    "Claim",
    "Evidence",
    "Family",
    "Hypothesis",
    "NumberRule",
    "Rules",
    "SmallestEffect",
    "load_claims",
    "load_hypotheses",
    "load_rules",
    "summary",
]


def load_claims(folder: str | Path | None = None) -> tuple[Claim, ...]:
    """Read and check the claims, in the order of the file.

    Parameters
    ----------
    folder : path, optional
        The folder that holds claims.toml and hypotheses.toml; by default ``paper/`` of this checkout.

    Raises
    ------
    PaperError
        When either file breaks its schema, or claims and hypotheses do not name each other.

    Examples
    --------
    >>> load_claims()[0].place["en"]
    '§1, par. 1, s. 1'
    """
    return read.claims_and_hypotheses(folder)[0]


def load_hypotheses(folder: str | Path | None = None) -> tuple[Hypothesis, ...]:
    """Read and check the hypotheses, in the order of the file; parameters and errors as in :func:`load_claims`.

    Examples
    --------
    >>> load_hypotheses()[0].kinds
    ('official statistic',)
    """
    return read.claims_and_hypotheses(folder)[1]


def load_rules(folder: str | Path | None = None) -> Rules:
    """Read and check the decision rules; parameters and errors as in :func:`load_claims`.

    Examples
    --------
    >>> load_rules().families["matching"].correction
    'holm'
    """
    return read.decision_rules(folder)


def summary(items: Iterable[Claim] | Iterable[Hypothesis]) -> pd.DataFrame:
    """Return a tidy frame, one row a claim or a hypothesis, bilingual texts as {"en", "zh"}."""
    import pandas as pd  # heavy: only where a table is wanted

    return pd.DataFrame([_claim_row(item) if isinstance(item, Claim) else _hypothesis_row(item) for item in items])


def _claim_row(claim: Claim) -> dict[str, Any]:
    return {"id": claim.id, "section": claim.section, "place": claim.place,
            "kind": {"en": claim.kind, "zh": KINDS[claim.kind]}, "text": claim.text,
            "hypotheses": ", ".join(claim.hypotheses), "untested": claim.untested}


def _hypothesis_row(hypothesis: Hypothesis) -> dict[str, Any]:
    return {"id": hypothesis.id, "claims": ", ".join(hypothesis.claims), "statement": hypothesis.statement,
            "null": hypothesis.null, "design": hypothesis.design, "data": ", ".join(d.name for d in hypothesis.data),
            "kinds": _joined(hypothesis.kinds, EVIDENCE),
            "grades": _joined(dict.fromkeys(d.grade for d in hypothesis.data), GRADES),
            "family": hypothesis.family.name, "part": PARTS[hypothesis.part],
            "exploratory": hypothesis.known is not None, "reason": hypothesis.reason}


def _joined(keys: Iterable[str], chinese: Mapping[str, str]) -> dict[str, str]:
    keys = list(keys)
    return {"en": ", ".join(keys) or "none", "zh": "、".join(chinese[key] for key in keys) or "无"}
