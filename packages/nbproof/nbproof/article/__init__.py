"""Tables of executed notebooks as an article prints them, in Word and in Excel."""

from nbproof.article.tables import ArticleTable, tables_of
from nbproof.errors import extra

with extra("article"):
    from nbproof.article.excel import excel
    from nbproof.article.word import word

__all__ = ["ArticleTable", "excel", "tables_of", "word"]
