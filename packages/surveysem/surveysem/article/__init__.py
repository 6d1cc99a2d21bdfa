"""Tables of executed notebooks as an article prints them, in Word and in Excel."""

from surveysem.article.excel import excel
from surveysem.article.tables import ArticleTable, tables_of
from surveysem.article.word import word

__all__ = ["ArticleTable", "excel", "tables_of", "word"]
