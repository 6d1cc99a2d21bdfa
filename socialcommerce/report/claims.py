"""The front page's table of claims and figure of estimates, from the results of the report on the verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from nbproof import format_number
from socialcommerce.figures import style
from socialcommerce.verdicts import SIDES

__all__ = ["Verdicts", "read_verdicts"]

REPORT = "07_verdicts"
UNTESTED = "no hypothesis"


@dataclass(frozen=True)
class Verdicts:
    """What the report on the verdicts left: its results, its drawings by language, and the pages that were built.

    ``words`` returns what the front page says in a language.
    """

    results: Mapping[str, Any]
    drawings: Mapping[str, str]
    built: Mapping[str, Mapping[str, Any]]
    words: Callable[[str], Mapping[str, str]]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of one table by column."""
        found = self.results["tables"][table]
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]

    def section(self, language: str) -> str:
        """Return what the front page shows readers of one language between its head and the list of reports."""
        from jinja2 import Environment, PackageLoader

        if language not in self.drawings:  # not built in this language
            return ""
        words = self.words(language)
        claims = [claim | self._links(claim, language) for claim in self.rows("all_claims")]
        shown = {_say(row["verdict"]): _say(row["verdict"], language) for row in self.rows("balance")}
        shown[UNTESTED] = words["untested"]
        outcomes = [(key, text, sum(key in claim["verdicts"] for claim in claims)) for key, text in shown.items()]
        pages = Environment(loader=PackageLoader(__package__, ""), autoescape=True, trim_blocks=True)
        pages.filters["said"] = partial(_say, language=language)
        return pages.get_template("claims.html").render(
            language=language,
            words=words,
            claims=claims,
            outcomes=outcomes,
            sides=self._sides(language),
            drawing=style.inline(self.drawings[language], prefix=f"drawn-{language}"),
        )

    def _sides(self, language: str) -> list[tuple[str, int, str]]:
        """Name hypotheses by the way their verdicts point and by verdict, what goes against the paper first."""
        words, sides = self.words(language), []
        for side in SIDES:
            rows = [row for row in self._hypotheses.values() if _say(row["side"]) == side != "not testable"]
            by: dict[str, list[str]] = {}
            for row in rows:
                name = words["bracket"].format(_say(row["short"], language), row["id"])
                by.setdefault(_say(row["outcome"], language), []).append(name)
            named = words["semicolon"].join(
                f"{outcome}{words['colon']}{words['list'].join(names)}" for outcome, names in by.items()
            )
            said = words["simulated"] if side == "no evidence about people yet" else named + words["stop"]
            sides += [(_say(rows[0]["side"], language), len(rows), said)] if rows else []
            if side == "against the paper" and not rows:  # said first, and said where it is nothing
                sides = [(words["against"], 0, words["none"])]
        return sides

    def _links(self, claim: Mapping[str, Any], language: str) -> dict[str, Any]:
        """Return where a claim is shown, the verdicts on its parts in English, and its parts."""
        own = f"{language}/{REPORT}.html#table-all_claims-{claim['id']}"
        names = filter(None, _say(claim["hypotheses"]).split(", "))
        parts = [self._hypotheses[name] for name in names]
        verdicts = [*dict.fromkeys(_say(part["outcome"]) for part in parts)] or [UNTESTED]
        return {
            "own": own,
            "address": self._address(claim["shown"], language, own),
            "verdicts": verdicts,
            "parts": [part | self._part(part, language) for part in parts],
        }

    def _part(self, row: Mapping[str, Any], language: str) -> dict[str, str]:
        """Return where a hypothesis is shown, its estimate or the reason why there is none, and its evidence."""
        own = f"{language}/{REPORT}.html#table-all_hypotheses-{row['id']}"
        kinds = [_say(row[key], language) for key in ("evidence", "grade") if _say(row[key]) != "none"]
        said = _estimate(row, language) or _say(self._reasons.get(row["id"], row["outcome"]), language)
        return {
            "address": self._address(row["shown"], language, own),
            "said": said,
            "kinds": self.words(language)["list"].join(kinds),
        }

    def _address(self, shown: Mapping[str, str], language: str, own: str) -> str:
        """Where a result is shown, if that page was built; else its row in the report on the verdicts."""
        if language not in self.built.get(shown["page"], {}):
            return own
        return f"{language}/{shown['page']}.html#{shown['anchor']}"

    @cached_property
    def _hypotheses(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.rows("all_hypotheses")}

    @cached_property
    def _reasons(self) -> dict[str, Any]:
        return {row["id"]: row["reason"] for row in self.rows("not_testable")}


def read_verdicts(
    out: Path, built: Mapping[str, Mapping[str, Any]], words: Callable[[str], Mapping[str, str]]
) -> Verdicts | None:
    """Read what the report on the verdicts left in a folder of reports; None where it was not built there.

    Parameters
    ----------
    out : Path
        The folder of built reports.
    built : mapping of report to its languages
        Every report that has a page in the folder, by name.
    words : callable
        Returns what the front page says in a language, by key.
    """
    file = out / "results" / f"{REPORT}.json"
    drawn = {language: out / "figures" / REPORT / f"estimates.{language}.svg" for language in built.get(REPORT, ())}
    if not drawn or not all(path.is_file() for path in (file, *drawn.values())):
        return None
    texts = {language: path.read_text(encoding="utf-8") for language, path in drawn.items()}
    return Verdicts(json.loads(file.read_text(encoding="utf-8")), texts, built, words)


def _say(text: str | Mapping[str, str], language: str = "en") -> str:
    """A text of the results, which is kept by language where the languages differ."""
    return text if isinstance(text, str) else text[language]


def _estimate(row: Mapping[str, Any], language: str) -> str:
    """An estimate with interval and unit, to three or so significant digits."""
    if row["estimate"] is None:
        return ""
    size = abs(row["estimate"])
    digits = 3 if size < 1 else 2 if size < 100 else 0
    ends = "" if row["low"] is None else f" [{format_number(row['low'], digits)}, {format_number(row['high'], digits)}]"
    unit = _say(row["unit"], language)
    return f"{format_number(row['estimate'], digits)}{ends} {f'({unit})' if unit[0].isdigit() else unit}"
