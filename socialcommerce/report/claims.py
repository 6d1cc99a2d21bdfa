"""The front page's table of claims and figure of estimates, from the results of the report on the verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nbproof import format_number
from socialcommerce.figures import style

__all__ = ["REPORT", "Verdicts", "read_verdicts"]

REPORT = "07_verdicts"
WORDS = {
    "en": {"title": "The claims, and what came out", "figure_title": "All estimates", "reports": "The reports",
           "against": "Against the paper", "with": "With the paper", "open": "Undecided",
           "method": "About the method only",
           "drawn": "these were put to a sample drawn by a program; whether the method recovers its truth "
                    "says nothing of people, for or against the paper.", "stop": ".", "colon": ": ",
           "filter": "Show claims with a part that is", "every": "any verdict", "none": "no hypothesis",
           "claim": "Claim, paraphrased", "parts": "Evidence and estimate", "verdict": "Verdict", "shown": "Shown in",
           "own": "verdicts",
           "caption": "Effects are divided by the smallest effect of interest; a model's statements show the share of "
                      "parameter sets for which they hold. Intervals are widened for the family of each test."},
    "zh": {"title": "论断与结论", "figure_title": "全部估计值", "reports": "各份报告",
           "against": "与论文不合", "with": "与论文相合", "open": "未决", "method": "仅涉及方法",
           "drawn": "这些假设用程序生成的样本检验；方法能否还原其真值，与真实人群无关，既不支持也不反对论文。",
           "stop": "。", "colon": "：",
           "filter": "只看含有以下结论的论断", "every": "全部结论", "none": "未设假设",
           "claim": "论断（转述）", "parts": "证据与估计值", "verdict": "结论", "shown": "见", "own": "结论",
           "caption": "效应除以最小关注效应；模型的陈述给出其成立的参数组比例。区间已按各自的假设族放宽。"},
}


@dataclass(frozen=True)
class Verdicts:
    """What the report on the verdicts left: its results, its drawings by language, and the pages that were built."""

    results: Mapping[str, Any]
    drawings: Mapping[str, str]
    built: Mapping[str, Mapping[str, Any]]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of one table by column."""
        found = self.results["tables"][table]
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]

    def section(self, language: str) -> str:
        """Return what the front page shows readers of one language between its head and the list of reports."""
        from jinja2 import Environment, PackageLoader

        if language not in self.drawings:  # not built in this language
            return ""
        claims = [claim | self._links(claim, language) for claim in self.rows("all_claims")]
        shown = {row["outcome"]["en"]: row["outcome"][language] for row in self.rows("balance")}
        shown[WORDS["en"]["none"]] = WORDS[language]["none"]
        outcomes = [(key, words, sum(key in claim["verdicts"] for claim in claims)) for key, words in shown.items()]
        pages = Environment(loader=PackageLoader(__package__, ""), autoescape=True, trim_blocks=True)
        return pages.get_template("claims.html").render(
            self.results, language=language, words=WORDS[language], claims=claims, outcomes=outcomes,
            drawing=style.inline(self.drawings[language], prefix=f"drawn-{language}"))

    def _links(self, claim: Mapping[str, Any], language: str) -> dict[str, Any]:
        """Return where a claim is shown, the verdicts on its parts in English, and its parts."""
        own = f"{language}/{REPORT}.html#table-all_claims-{claim['id']}"
        names = claim["hypotheses"].split(", ") if claim["hypotheses"] else []
        parts = [self._hypotheses[name] for name in names]
        verdicts = [*dict.fromkeys(part["outcome"]["en"] for part in parts)] or [WORDS["en"]["none"]]
        return {"own": own, "address": self._address(claim["shown"], language, own), "verdicts": verdicts,
                "parts": [part | self._part(part, language) for part in parts]}

    def _part(self, row: Mapping[str, Any], language: str) -> dict[str, str]:
        """Return where a hypothesis is shown, and its estimate or the reason why there is none."""
        own = f"{language}/{REPORT}.html#table-all_hypotheses-{row['id']}"
        return {"address": self._address(row["shown"], language, own),
                "said": _estimate(row, language) or self._reasons.get(row["id"], row["outcome"])[language]}

    def _address(self, shown: Mapping[str, str], language: str, own: str) -> str:
        """Where a result is shown, if that page was built; else its row in the report on the verdicts."""
        if language not in self.built.get(shown["page"], {}):
            return own
        return f"{language}/{shown['page']}.html#{shown['anchor']}"

    @cached_property
    def _hypotheses(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.rows("all_hypotheses")}

    @cached_property
    def _reasons(self) -> dict[str, dict[str, str]]:
        return {row["id"]: row["reason"] for row in self.rows("not_testable")}


def read_verdicts(out: Path, built: Mapping[str, Mapping[str, Any]]) -> Verdicts | None:
    """Read what the report on the verdicts left in a folder of reports; None where it was not built there.

    Parameters
    ----------
    out : Path
        The folder of built reports.
    built : mapping of report to its languages
        Every report that has a page in the folder, by name.
    """
    file = out / "results" / f"{REPORT}.json"
    drawn = {language: out / "figures" / REPORT / f"estimates.{language}.svg" for language in built.get(REPORT, ())}
    if not drawn or not all(path.is_file() for path in (file, *drawn.values())):
        return None
    texts = {language: path.read_text(encoding="utf-8") for language, path in drawn.items()}
    return Verdicts(json.loads(file.read_text(encoding="utf-8")), texts, built)


def _estimate(row: Mapping[str, Any], language: str) -> str:
    """An estimate with interval and unit, to three or so significant digits."""
    if row["estimate"] is None:
        return ""
    size = abs(row["estimate"])
    digits = 3 if size < 1 else 2 if size < 100 else 0
    ends = "" if row["low"] is None else f" [{format_number(row['low'], digits)}, {format_number(row['high'], digits)}]"
    unit = row["unit"][language]
    return f"{format_number(row['estimate'], digits)}{ends} {f'({unit})' if unit[0].isdigit() else unit}"
