"""The two operating mechanisms of social commerce as models: declared once as data, and everything that follows.

The engine is the package ``stockflow``: equations, thresholds, persons on networks, experiments.
"""

from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import SHARING

__all__ = ["CONTENT", "SHARING"]
