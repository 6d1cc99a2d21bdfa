"""What the evidence says about each hypothesis: one short function a hypothesis, and the state of every claim."""

from socialcommerce.evidence.assessment import (
    OUTCOME_LABELS,
    STATES,
    TESTS,
    Assessment,
    assess,
    assess_all,
    read_outcomes,
)

__all__ = ["OUTCOME_LABELS", "STATES", "TESTS", "Assessment", "assess", "assess_all", "read_outcomes"]
