"""Claims and hypotheses of the paper: what can fail, how it would be tested, and on what kind of evidence."""

from socialcommerce.paper import read, terms
from socialcommerce.paper.read import *  # noqa: F403 - what each of the two lists as its own
from socialcommerce.paper.terms import *  # noqa: F403

__all__ = [*read.__all__, *terms.__all__]
