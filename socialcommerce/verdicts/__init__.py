"""Tests and verdicts: what came out of a hypothesis, on what kind of evidence, and the rules in between.

The rules are those of ``paper/hypotheses.toml``. A verdict always carries its kind of evidence, and a closed list says
which outcomes that kind may have: a model can never say "supported".
"""

from socialcommerce.verdicts.multiplicity import Adjusted, adjust
from socialcommerce.verdicts.records import ALLOWED, OUTCOMES, HypothesisTest, NotTestable, Verdict
from socialcommerce.verdicts.rules import combine, decide

__all__ = [
    "ALLOWED",
    "OUTCOMES",
    "Adjusted",
    "HypothesisTest",
    "NotTestable",
    "Verdict",
    "adjust",
    "combine",
    "decide",
]
