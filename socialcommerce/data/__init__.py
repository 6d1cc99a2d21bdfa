"""Registered tables and public data sets: what they are, whether they are whole, and how to bring them here.

``load`` returns a committed table after checking its hash, ``load_series`` reads a reader's own series of a market,
``fetch`` brings a public data set, ``verify`` checks every committed file. Importing this package imports no pandas.
"""

from socialcommerce.data.download import fetch
from socialcommerce.data.registry import data_path, listing, load, source, sources, verify
from socialcommerce.data.series import load_series

__all__ = ["data_path", "fetch", "listing", "load", "load_series", "source", "sources", "verify"]
