"""The front page's table of claims and figure of estimates, from the results of the report on the verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
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
        words = WORDS[language]
        ways = {"estimates": "figure_title", "reports": "reports"}
        links = "".join(f'<a href="#{anchor}-{language}">{words[key]}</a>' for anchor, key in ways.items())
        if language not in self.drawings:  # not built in this language
            return ""
        return "\n".join([f'<h2>{words["title"]}</h2><p class="formats">{links}</p>', self._summary(language),
                          self._filter(language), self._table(language), self._figure(language),
                          f'<h2 id="reports-{language}">{words["reports"]}</h2>'])

    def _summary(self, language: str) -> str:
        """Say what goes against the paper first, then what goes with it, then what is undecided."""
        words, numbers, texts = WORDS[language], self.results["numbers"], self.results["texts"]
        items = [f'<li><strong>{words[side]} ({numbers[f"{side}_n"]["value"]})</strong>{words["colon"]}'
                 f'{escape(texts[f"{side}_list"][language])}{words["stop"]}</li>'
                 for side in ("against", "with", "open")]
        if tried := numbers["method_n"]["value"]:
            items.append(f'<li><strong>{words["method"]} ({tried})</strong>{words["colon"]}{words["drawn"]}</li>')
        return f'<ul class="sides">{"".join(items)}</ul>'

    def _filter(self, language: str) -> str:
        words, claims = WORDS[language], self.rows("all_claims")
        outcomes = {row["outcome"]["en"]: row["outcome"][language] for row in self.rows("balance")}
        outcomes[WORDS["en"]["none"]] = words["none"]
        counts = {key: sum(key in self._outcomes(claim) for claim in claims) for key in outcomes}
        options = "".join(f'<option value="{escape(key)}">{escape(shown)} ({counts[key]})</option>'
                          for key, shown in outcomes.items() if counts[key])
        return (f'<p class="filter" hidden><label>{words["filter"]} <select><option value="">{words["every"]} '
                f'({len(claims)})</option>{options}</select></label></p>')

    def _table(self, language: str) -> str:
        words = WORDS[language]
        heads = "".join(f'<th scope="col">{words[key]}</th>' for key in ("claim", "parts", "verdict", "shown"))
        rows = "\n".join(self._row(claim, language) for claim in self.rows("all_claims"))
        return (f'<div class="wide long" tabindex="0" role="region" aria-label="{words["title"]}">'
                f'<table class="claims"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>')

    def _row(self, claim: Mapping[str, Any], language: str) -> str:
        words, own = WORDS[language], f"{language}/{REPORT}.html#table-all_claims-{claim['id']}"
        parts = [self._part(self._hypotheses[name], language) for name in _names(claim)]
        found = "".join(parts) or f'<div>{escape(claim["found"][language])}</div>'
        keys, address = escape("|".join(self._outcomes(claim))), self._address(claim["shown"], language, own)
        label = claim["shown"][language] if address != own else words["own"]
        return (f'<tr data-verdicts="{keys}"><td><a href="{own}">{claim["id"]}</a> {escape(claim["text"][language])} '
                f'<span class="provenance">{escape(claim["place"][language])}</span></td><td>{found}</td>'
                f'<td>{escape(claim["outcome"][language])}</td>'
                f'<td><a href="{address}">{escape(label)}</a></td></tr>')

    def _part(self, row: Mapping[str, Any], language: str) -> str:
        """One hypothesis: its id with a link to where it is shown, evidence, and estimate or reason."""
        own = f"{language}/{REPORT}.html#table-all_hypotheses-{row['id']}"
        said = _estimate(row, language) or self._reasons.get(row["id"], row["outcome"])[language]
        return (f'<div><a href="{self._address(row["shown"], language, own)}">{row["id"]}</a> {escape(said)} '
                f'<span class="provenance">{escape(row["evidence"][language])}</span></div>')

    def _address(self, shown: Mapping[str, str], language: str, own: str) -> str:
        """Where a result is shown, if that page was built; else its row in the report on the verdicts."""
        if language not in self.built.get(shown["page"], {}):
            return own
        return f"{language}/{shown['page']}.html#{shown['anchor']}"

    def _outcomes(self, claim: Mapping[str, Any]) -> list[str]:
        """The verdicts on a claim's parts, in English."""
        names = _names(claim)
        return [*dict.fromkeys(self._hypotheses[n]["outcome"]["en"] for n in names)] or [WORDS["en"]["none"]]

    @cached_property
    def _hypotheses(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.rows("all_hypotheses")}

    @cached_property
    def _reasons(self) -> dict[str, dict[str, str]]:
        return {row["id"]: row["reason"] for row in self.rows("not_testable")}

    def _figure(self, language: str) -> str:
        words, alt = WORDS[language], escape(self.results["texts"]["estimates_alt"][language])
        drawing = style.inline(self.drawings[language], prefix=f"drawn-{language}")
        return (f'<h2 id="estimates-{language}">{words["figure_title"]}</h2><figure>'
                f'<div class="drawing" role="img" aria-label="{alt}">{drawing}</div>'
                f'<figcaption><p>{words["caption"]}</p></figcaption></figure>')


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


def _names(claim: Mapping[str, Any]) -> list[str]:
    return claim["hypotheses"].split(", ") if claim["hypotheses"] else []


def _estimate(row: Mapping[str, Any], language: str) -> str:
    """An estimate with interval and unit, to three or so significant digits."""
    if row["estimate"] is None:
        return ""
    size = abs(row["estimate"])
    digits = 3 if size < 1 else 2 if size < 100 else 0
    ends = "" if row["low"] is None else f" [{format_number(row['low'], digits)}, {format_number(row['high'], digits)}]"
    unit = row["unit"][language]
    return f"{format_number(row['estimate'], digits)}{ends} {f'({unit})' if unit[0].isdigit() else unit}"
