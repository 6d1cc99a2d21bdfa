"""The UCI online shoppers: do sessions of returning visitors convert more than those of new ones?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from socialcommerce.strategies.effects import Effect, linear_probability

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CONTROLS", "returning"]

CONTROLS = ("month", "traffic", "region", "browser")
"""What is fixed before a session begins; page values, bounce and depth come after the kind of visit."""


def returning(cells: pd.DataFrame, controls: Sequence[str] = CONTROLS) -> Effect:
    """Return returning minus new sessions' conversion in percentage points; sessions of unknown kind are left out.

    Parameters
    ----------
    cells : pandas.DataFrame
        The registered table ``uci_cells``.
    controls : sequence of str
        Columns that are held fixed; none for the crude difference.
    """
    known = cells[cells["visitor"] != "other"].rename(columns={"sessions": "n", "purchases": "total"})
    return linear_probability(known, "visitor", "returning", controls)
