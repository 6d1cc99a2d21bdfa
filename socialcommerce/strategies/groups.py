"""BeiBei's group-buying records: how many groups find the joiners they need."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from socialcommerce.strategies.effects import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["success"]


def success(initiators: pd.DataFrame) -> Effect:
    """Return the share of groups on record that succeeded, with an error clustered by initiator.

    A share among the released records: a part of the successful ones is not at hand, so it is a lower bound. The error
    is that of a ratio of cluster totals (Cochran 1977, Sampling Techniques, 3rd ed., sec. 3.12).

    Parameters
    ----------
    initiators : pandas.DataFrame
        The registered table ``beibei_initiators``.

    Examples
    --------
    >>> import pandas as pd
    >>> alike = pd.DataFrame({"failed": [2, 0], "successful": [0, 2], "initiators": [50, 50]})
    >>> effect = success(alike)  # 200 groups that carry no more than 100 independent ones
    >>> effect.estimate, round(effect.standard_error**2 * 99, 4)
    (0.5, 0.25)
    """
    failed, succeeded, clusters = (initiators[name] for name in ("failed", "successful", "initiators"))
    count, total = int(clusters.sum()), int(clusters @ (failed + succeeded))
    share = clusters @ succeeded / total
    spread = clusters @ (succeeded - share * (failed + succeeded)) ** 2
    return Effect(float(share), sqrt(spread * count / (count - 1)) / total, total, df=count - 1)
