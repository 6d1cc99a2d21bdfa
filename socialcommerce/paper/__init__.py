"""Claims and hypotheses of the paper: what can fail, how it would be tested, and on what kind of evidence."""

from socialcommerce.paper.read import (
    load_changes,
    load_claims,
    load_coding,
    load_hypotheses,
    load_rules,
    load_steps,
    summary,
    translations,
    vocabulary,
)
from socialcommerce.paper.terms import (
    BASES,
    CLASSES,
    DIRECTIONS,
    EVIDENCE,
    GRADES,
    KINDS,
    PARTS,
    SECTIONS,
    STEPS,
    Claim,
    Evidence,
    Family,
    Hypothesis,
    NumberRule,
    SmallestEffect,
)

__all__ = ["CLASSES", "DIRECTIONS", "BASES", "EVIDENCE", "GRADES", "KINDS", "PARTS", "SECTIONS", "STEPS", "Claim",
           "Evidence", "Family", "Hypothesis", "NumberRule", "SmallestEffect", "load_changes", "load_claims",
           "load_coding", "load_hypotheses", "load_rules", "load_steps", "summary", "translations", "vocabulary"]
