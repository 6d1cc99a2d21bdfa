"""What the evidence says about each hypothesis: one short function a hypothesis, and the state of every claim."""

from socialcommerce.evidence.assessment import STATES, TESTS, Assessment, assess, assess_all

__all__ = ["STATES", "TESTS", "Assessment", "assess", "assess_all"]
