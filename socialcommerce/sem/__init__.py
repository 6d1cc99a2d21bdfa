"""Structural equation models that agree with lavaan; knows nothing of commerce."""

from socialcommerce.sem.fit import fit
from socialcommerce.sem.moments import Moments
from socialcommerce.sem.result import SemFit

__all__ = ["Moments", "SemFit", "fit"]
