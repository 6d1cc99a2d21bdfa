"""Name each kind of misuse, so that the command line can say it in one sentence and exit with 2.

A message has three parts: what is wrong (and where), what was given, what is allowed.
"""

from __future__ import annotations

import nbproof

__all__ = [
    "ChecksumError",
    "DataError",
    "FetchError",
    "OutputError",
    "PaperError",
    "ParameterError",
    "UnknownNameError",
]


class SocialCommerceError(Exception):
    """Base of all errors that mean "the input is wrong", not "the program is".

    The command line and the builder know such an error by ``input_is_wrong``, which each package's own base carries.
    """

    input_is_wrong = True


class DataError(SocialCommerceError):
    """A table breaks its schema: the message names file, row and column."""


class ChecksumError(DataError):
    """A registered file is not the file that was registered: the message shows both hashes."""


class FetchError(SocialCommerceError):
    """A registered data set could not be brought here."""


class PaperError(SocialCommerceError):
    """claims.toml or hypotheses.toml breaks its schema."""


class ParameterError(SocialCommerceError, ValueError):
    """A parameter is unknown, of the wrong type or out of range."""


class OutputError(SocialCommerceError):
    """A result cannot be written where it was asked for."""


class UnknownNameError(nbproof.UnknownNameError, SocialCommerceError):
    """A name is not among those known; the nearest known one is offered.

    Examples
    --------
    >>> print(UnknownNameError("language", "zn", ["en", "zh"]))
    unknown language 'zn'; did you mean 'zh'? Allowed: en, zh.
    """
