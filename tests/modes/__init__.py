"""Tests of the modes; their Chinese, as pages say it."""

from nbproof.translation import Catalogue
from socialcommerce.project import root

CHINESE = Catalogue("zh", root() / "socialcommerce" / "locale" / "modes.zh.po")
