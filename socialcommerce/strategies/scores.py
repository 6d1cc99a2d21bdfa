"""What a respondent's answers to the items of a construct come to: the mean of those answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from socialcommerce.survey import Codebook

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["mean_scores"]


def mean_scores(book: Codebook, answers: pd.DataFrame, constructs: Sequence[str]) -> pd.DataFrame:
    """Return one column a construct, rows as in ``answers``; missing where none of its items was answered.

    Parameters
    ----------
    answers : pandas.DataFrame
        Scored, reverse-keyed items turned round.

    Examples
    --------
    >>> import pandas as pd
    >>> from socialcommerce.survey import Construct, Item, Scale
    >>> pair = Item("a", Scale("five", 1, 5)), Item("b", Scale("five", 1, 5))
    >>> mean_scores(Codebook("x", (Construct("f", pair),), pair), pd.DataFrame({"a": [1, None], "b": [4, 3]}), ["f"])
         f
    0  2.5
    1  3.0
    """
    import pandas as pd

    scores = {name: answers[book.scales[name]].astype(float).mean(axis=1) for name in constructs}
    return pd.DataFrame(scores, index=answers.index)
