"""What published studies of others say: paths to impulse buying, and correlations pooled over meta-analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialcommerce.errors import UnknownNameError
from surveysem import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["impulse_buying_effect", "pooled_correlation"]


def impulse_buying_effect(
    paths: pd.DataFrame, name: str, *, model: str = "with trust", estimator: str = "WLSMV", sample: str = "all"
) -> Effect:
    """Return the standardised path from one driver to the urge, the other three of its model held fixed.

    Parameters
    ----------
    paths : pandas.DataFrame
        The registered table ``hanoi_paths``: ordinal items, WLSMV, need the rows, so ``data/prepare`` fits the model.
        Or ``tiktok_paths``, whose drivers and models are its own and whose sample is one.
    name : {"PAR", "HED", "TRU", "ENJ", "INT", "CON"}
        Interest in opinion leaders, pleasure in shopping, trust and enjoyment (codes without published wording),
        reliance on others' reports, self-control.
    model : {"with trust", "published"}
        PAR, TRU, HED and ENJ, or PAR, INT, HED and CON, as the publisher fitted them.
    estimator : {"WLSMV", "ML"}
        WLSMV treats the answers as ordered, ML as continuous.
    sample : {"all", "distinct", "varied", "distinct and varied"}
        All answers, without repeated ones, without straight-liners, without either.

    Raises
    ------
    UnknownNameError
        For a driver, estimator or sample that the table does not hold.
    """
    way = {"model": model, "driver": name, "estimator": estimator, "sample": sample}
    for column, given in ((column, given) for column, given in way.items() if column in paths):
        if given not in set(paths[column]):
            raise UnknownNameError(column, given, sorted(set(paths[column])))
        paths = paths[paths[column] == given]
    row = paths.iloc[0]
    return Effect(float(row["estimate"]), float(row["standard_error"]), int(row["nobs"]))


RELATIONS = 4  # between three constructs, one of them coded both ways, of which a pool says how many studies it has
SPREAD = 0.4  # our choice: standard deviation of Fisher's z among studies, so that a sixth of them lie below r = .22


def pooled_correlation(pairs: pd.DataFrame, first: str, second: str) -> Effect:
    """Return a correlation pooled over studies, its error that of a random-effects mean.

    With k studies whose Fisher's z spread by tau, the mean of z has error tau / sqrt(k) however many persons each asked
    (Borenstein et al. 2009, doi:10.1002/9780470743386, ch. 12), and r that times 1 - r^2 by the delta method. Neither k
    of one relation nor tau is printed: k is the studies of the pool by ``RELATIONS``, tau is ``SPREAD``.

    Parameters
    ----------
    pairs : pandas.DataFrame
        The registered table ``pooled_correlations``.
    first, second : str
        Of ``trust``, ``satisfaction``, ``loyalty``.
    """
    row = pairs.set_index(["row", "column"]).loc[(first, second)]
    r, k = float(row["correlation"]), int(row["studies"]) // RELATIONS
    return Effect(r, (1 - r**2) * SPREAD / k**0.5, k, df=k - 1)
