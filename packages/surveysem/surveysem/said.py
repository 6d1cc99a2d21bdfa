"""What the package says in a language: texts by their template, and messages found again by theirs."""

import json
import re
from functools import cache
from typing import Any

from nbproof import Catalogue, format_number
from surveysem import LOCALE

FIELD = re.compile(r"\{(\w+)\}")


@cache
def catalogue(language: str) -> Catalogue:
    """Return the translations of what the package says."""
    return Catalogue(language, *sorted(LOCALE.glob(f"*.{language}.po")))


def told(name: str, language: str, /, **values: Any) -> str:
    """Fill the template ``NAME.LANGUAGE.txt``: sentences stand on lines of their own, paragraphs between dashes."""
    text, between = filled(f"{name}.{language}.txt", **values), " " if language == "en" else ""
    return "\n\n".join(between.join(filter(None, map(str.strip, part.split("\n")))) for part in text.split("---"))


def filled(template: str, /, **values: Any) -> str:
    """Fill a template of the package; in html and xml, what is filled in is escaped."""
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader

    made = Environment(loader=PackageLoader(__package__, ""), trim_blocks=True, lstrip_blocks=True,
                       keep_trailing_newline=True,
                       autoescape=lambda name: str(name).endswith((".html", ".xml")))  # fmt: skip
    made.filters |= {"number": format_number, "quoted": quoted}
    return made


def quoted(value: object) -> str:
    """Return a text or texts as toml writes them."""
    return json.dumps(value, ensure_ascii=False)


def translated(message: Any, language: str) -> Any:
    """Return a message, or several, in a language, the parts it was made of too; as it is where no catalogue knows it.

    A message is made where the fault is found, sometimes in another process, and is English. ``messages.LANGUAGE.po``
    holds the templates of those that the page shows; what stands in a message's fields is looked up alike.
    """
    if isinstance(message, list):
        return [translated(each, language) if isinstance(each, str) else each for each in message]  # events are keys
    for pattern, told in _patterns(language) if isinstance(message, str) else ():
        if found := pattern.fullmatch(message):
            return FIELD.sub(lambda field: translated(found[field[1]], language), told)
    return message


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    known = Catalogue(language, LOCALE / f"messages.{language}.po")
    escaped = {re.sub(r"\\([{}])", r"\1", re.escape(text)): told for text, told in known.items()}
    return [(re.compile(FIELD.sub(r"(?P<\1>.*?)", text), re.DOTALL), told) for text, told in escaped.items()]
