"""The crop-insurance experiment: does a household insure because others in its village did before?"""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt
from typing import TYPE_CHECKING

from nbproof import snap
from socialcommerce.public_data.records import only
from surveysem import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ADJUSTED", "peers", "strength", "summary"]

HOUSEHOLD = "administrative village and household"
ADJUSTED = ("nothing", "administrative village", HOUSEHOLD)
"""What can be held fixed."""


def peers(moments: pd.DataFrame, adjusted: str = HOUSEHOLD) -> Effect:
    """Return what the share of insured neighbours, from none to all, adds to the chance that a household insures.

    Two-stage least squares. The instrument is the default answer on the forms of the first round, drawn at random for
    each natural village (Cai, de Janvry & Sadoulet 2015, doi:10.1257/app.20130442); the error is clustered by natural
    village. With one instrument the effect is the ratio of the two reduced forms, b = y / x, and its variance
    (V_yy - 2 b V_yx + b^2 V_xx) / x^2, V being their covariance.

    Parameters
    ----------
    moments : pandas.DataFrame
        The registered table ``social_insure_moments``.
    adjusted : str
        Of ``ADJUSTED``. The design asks for the administrative village; with the household's traits beside it the
        estimate is the one that was seen before.

    Raises
    ------
    UnknownNameError
        For controls that the table does not hold.

    Examples
    --------
    >>> from socialcommerce import data
    >>> effect = peers(data.load("social_insure_moments"))
    >>> round(effect.estimate, 2), effect.n
    (0.79, 1378)
    """
    y, x, both = _reduced(moments, adjusted)
    ratio = y.estimate / x.estimate
    variance = y.standard_error**2 - 2 * ratio * both + ratio**2 * x.standard_error**2
    return replace(y, estimate=ratio, standard_error=sqrt(variance) / abs(x.estimate))


def pushed(moments: pd.DataFrame, adjusted: str = HOUSEHOLD) -> Effect:
    """Return what the neighbours' default adds to the chance that a household insures: the reduced form."""
    return _reduced(moments, adjusted)[0]


def first_stage(moments: pd.DataFrame, adjusted: str = HOUSEHOLD) -> Effect:
    """Return what the default adds to the share of insured neighbours."""
    return _reduced(moments, adjusted)[1]


def strength(moments: pd.DataFrame, adjusted: str = HOUSEHOLD) -> float:
    """Return the first stage's F, robust to clusters: below 104.7 the interval of :func:`peers` may be too short.

    The bound, for a t test at .05 whose size is .05, is that of Lee et al. (2022), doi:10.1257/aer.20211063.
    """
    stage = first_stage(moments, adjusted)
    return (stage.estimate / stage.standard_error) ** 2


def anderson_rubin(
    moments: pd.DataFrame, adjusted: str = HOUSEHOLD, level: float = 0.95
) -> tuple[tuple[float, float], ...]:
    """Return all effects of neighbours that the data do not reject, however weak the instrument.

    An effect b is kept where the default does not move y - b x (Anderson & Rubin 1949, doi:10.1214/aoms/1177730090):
    (y - b x)^2 <= F (V_yy - 2 b V_yx + b^2 V_xx). The bounds solve that quadratic. The set holds the estimate; it is an
    interval where the first stage is significant, else the whole line or all but an interval.

    Parameters
    ----------
    moments, adjusted
        As in :func:`peers`.
    level : float
        In (0, 1).

    Returns
    -------
    tuple of (float, float)
        Intervals, from low to high.
    """
    from scipy.stats import f

    y, x, both = _reduced(moments, adjusted)
    limit = float(f.ppf(level, 1, x.df))
    square = x.estimate**2 - limit * x.standard_error**2  # square b^2 - 2 half b + rest <= 0
    half = x.estimate * y.estimate - limit * both
    rest = y.estimate**2 - limit * y.standard_error**2
    if half**2 < square * rest:
        return ((-inf, inf),)
    root = sqrt(half**2 - square * rest)
    low, high = sorted(((half - root) / square, (half + root) / square))
    return ((low, high),) if square > 0 else ((-inf, low), (high, inf))


def summary(moments: pd.DataFrame) -> pd.DataFrame:
    """Return neighbours' effect and the reduced form under each set of controls.

    Returns
    -------
    pandas.DataFrame
        adjusted, effect, estimate, low and high (95 per cent), set (of :func:`anderson_rubin`) and strength of the
        instrument, n, villages.
    """
    import pandas as pd

    neighbours, default = "insured neighbours (instrumental variable)", "neighbours' default (reduced form)"
    rows = []
    for adjusted in ADJUSTED:
        sets = " ∪ ".join(_span(ends) for ends in anderson_rubin(moments, adjusted))
        for name, found, *more in (
            (neighbours, peers(moments, adjusted), sets, strength(moments, adjusted)),
            (default, pushed(moments, adjusted), None, None),
        ):
            rows.append((adjusted, name, found.estimate, *found.interval(), found.n, int(found.df) + 1, *more))
    columns = ["adjusted", "effect", "estimate", "low", "high", "n", "villages", "set", "strength"]
    return pd.DataFrame(rows, columns=columns)


def _reduced(moments: pd.DataFrame, adjusted: str) -> tuple[Effect, Effect, float]:
    """Return what the default adds to y and to x, and the covariance of the two, corrected for few clusters as usual.

    Student's t gets one degree of freedom fewer than there are villages (Cameron & Miller 2015,
    doi:10.3368/jhr.50.2.317).
    """
    import numpy as np

    row = only(moments, adjusted=adjusted)
    n, villages, names = int(row["households"]), int(row["villages"]), ("zy", "zx", "zz")
    y, x = (float(row[name] / row["zz"]) for name in names[:2])
    products = np.array([[row.get(f"{a}_{b}", row.get(f"{b}_{a}")) for a in names] for b in names], float)
    score = np.array([[1, 0, -y], [0, 1, -x]])  # a village's zy - y zz and zx - x zz
    correction = villages / (villages - 1) * (n - 1) / (n - row["regressors"])
    (yy, yx), (_, xx) = (correction * score @ products @ score.T / row["zz"] ** 2).tolist()
    return Effect(y, sqrt(yy), n, villages - 1), Effect(x, sqrt(xx), n, villages - 1), yx


def _span(ends: tuple[float, float]) -> str:
    return "[{:.2f}, {:.2f}]".format(*map(snap, ends)).replace("-", "−").replace("inf", "∞")
