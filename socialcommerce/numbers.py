"""Numbers that are the same on every processor."""

from __future__ import annotations

__all__ = ["SIGNIFICANT", "snap"]

SIGNIFICANT = 12  # digits on which linear algebra of different processors agrees, some three short of a double's


def snap(value: float) -> float:
    """Round to 12 significant digits, so that what processors compute differently in the last bits is one number.

    Ties then fall the same way everywhere: 0.55449999999999999 and 0.55450000000000002 are both 0.5545.

    Examples
    --------
    >>> snap(0.1 + 0.2), snap(2), snap(float("inf"))
    (0.3, 2.0, inf)
    """
    return float(f"{value:.{SIGNIFICANT}g}")
