"""How well a survey's items measure its constructs, as journals print it: descriptives, loadings, validity, fit."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from nbproof import snap
from semfit import psychometrics
from socialcommerce.errors import DataError
from socialcommerce.strategies.study import Study

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Measurement", "fit_table", "words_of"]

Words = dict[str, str]
LOW_LOADING, ENOUGH, SHARED = 0.5, 0.7, 0.5  # loading, reliability, average variance extracted
CLOSE = 0.85  # HTMT of constructs that differ in meaning
INDICES = ("chisq", "df", "pvalue", "chisq.scaled", "pvalue.scaled", "cfi", "tli", "rmsea", "srmr")


def words_of(study: Study) -> dict[str, Words]:
    """Return what each construct is called, ``{"en", "zh"}``; its name where the codebook has no words."""
    return {c.name: {"en": c.en or c.name, "zh": c.zh or c.en or c.name} for c in study.codebook.constructs}


class Measurement:
    """The measurement model of a study, read as a journal's tables.

    Parameters
    ----------
    study : Study
        Whose measurement model has a solution.
    htmt_draws : int
        Bootstrap resamples behind the intervals of HTMT.

    Raises
    ------
    DataError
        Without a solution: loadings and reliability would mean nothing.
    """

    def __init__(self, study: Study, htmt_draws: int = 1000) -> None:
        self.study, self.fit, self.htmt_draws = study, study.measurement, htmt_draws
        if not (self.fit.converged and self.fit.identified):
            raise DataError(f"{study.responses.file}: the measurement model has no solution on these {self.fit.nobs} "
                            f"answers ({' '.join(self.fit.problems)}); more answers, or fewer constructs, are needed.")

    @cached_property
    def quality(self) -> psychometrics.MeasurementQuality:
        """Alpha, omega, composite reliability and average variance extracted, with intervals."""
        return psychometrics.measurement_quality(self.fit)

    @cached_property
    def htmt(self) -> psychometrics.HeterotraitMonotrait:
        """Heterotrait-monotrait ratios of every pair; rows with a missing item are left out and counted."""
        scales = {name: self.study.codebook.scales[name] for name in self.study.constructs}
        return psychometrics.htmt(self.study.answers, scales, bootstrap=self.htmt_draws, seed=self.study.seed)

    def descriptives(self) -> pd.DataFrame:
        """One row a construct: number, name, items, mean and SD of the mean score, then correlations of the constructs.

        Columns "1", "2", ... hold the lower triangle; the diagonal is the square root of the average variance
        extracted, which should exceed what stands in its row and column (Fornell & Larcker 1981,
        doi:10.1177/002224378101800104).
        """
        study, words = self.study, words_of(self.study)
        matrix = psychometrics.fornell_larcker(self.fit).matrix.loc[study.constructs, study.constructs]
        rows = []
        for k, name in enumerate(study.constructs):
            score = study.answers[study.codebook.scales[name]].mean(axis=1)
            row = {"k": k + 1, "construct": words[name], "items": len(study.codebook.scales[name]),
                   "mean": score.mean(), "sd": score.std()}
            rows.append(row | {str(j + 1): matrix.iloc[k, j] for j in range(k + 1)})
        return _triangle(rows)

    def loadings(self) -> pd.DataFrame:
        """One row an item: construct, item, standardised loading, its error and interval; reliability in first rows."""
        words, table = words_of(self.study), self.quality.table()
        found = self.fit.standardized.query("op == '=~'")
        frame = found.rename(columns={"lhs": "name", "rhs": "item", "std_all": "loading", "ci_low": "low",
                                      "ci_high": "high"})[["name", "item", "loading", "se", "low", "high"]]
        frame = frame.reset_index(drop=True).assign(construct=frame["name"].map(words).to_numpy())
        for measure in table:
            frame[measure] = frame["name"].map(table[measure]).where(~frame["name"].duplicated())
        return frame

    def reliability(self) -> pd.DataFrame:
        """One row a construct: alpha, then omega and average variance extracted with their intervals."""
        words, frame = words_of(self.study), self.quality.summary()
        wide = frame.pivot(index="construct", columns="measure", values=["estimate", "ci_low", "ci_high"])
        wide = wide.loc[self.study.constructs]
        pick = {"alpha": ("estimate", "alpha")} | {
            f"{measure}{end}": (column, measure) for measure in ("omega", "ave")
            for end, column in (("", "estimate"), ("_low", "ci_low"), ("_high", "ci_high"))}
        return pd.DataFrame({"construct": [words[name] for name in wide.index],
                             **{name: wide[column].to_numpy() for name, column in pick.items()}})

    def discriminant(self) -> pd.DataFrame:
        """One row a construct, numbered as in the descriptives, with HTMT of each pair below the diagonal."""
        words, table = words_of(self.study), self.htmt.table()
        table = table.reindex(index=self.study.constructs, columns=self.study.constructs)
        rows = [{"k": k + 1, "construct": words[name], **{str(j + 1): table.iloc[k, j] for j in range(k)}}
                for k, name in enumerate(self.study.constructs)]
        return _triangle(rows)

    def read_items(self) -> Words:
        """Say how strong the loadings are and which items are weak."""
        found = self.loadings()
        weak = found.loc[found["loading"] < LOW_LOADING, "item"].tolist()
        low, high = found["loading"].min(), found["loading"].max()
        span = f"{snap(low):.2f}", f"{snap(high):.2f}"
        return {"en": f"standardised loadings run from {span[0]} to {span[1]}; "
                      + (f"below {LOW_LOADING} are {', '.join(weak)}." if weak else f"none is below {LOW_LOADING}."),
                "zh": f"标准化载荷介于{span[0]}与{span[1]}之间；"
                      + (f"低于{LOW_LOADING}的题项为{'、'.join(weak)}。" if weak else f"没有低于{LOW_LOADING}的题项。")}

    def read_reliability(self) -> Words:
        """Say which constructs miss the customary bounds of composite reliability and average variance extracted."""
        words, table = words_of(self.study), self.quality.table()
        poor = {measure: [words[name] for name in table.index[table[measure] < bound]]
                for measure, bound in (("cr", ENOUGH), ("ave", SHARED))}
        return {"en": " ".join(_missed("composite reliability", ENOUGH, [w["en"] for w in poor["cr"]], len(table))
                               + _missed("average variance extracted", SHARED, [w["en"] for w in poor["ave"]],
                                         len(table))),
                "zh": "".join(_missed_zh("组合信度", ENOUGH, [w["zh"] for w in poor["cr"]])
                              + _missed_zh("平均方差抽取量", SHARED, [w["zh"] for w in poor["ave"]]))}

    def read_discriminant(self) -> Words:
        """Say which pairs the ratio cannot tell apart: those whose interval reaches the bound."""
        words = words_of(self.study)
        mine = self.htmt.frame.query("measure == 'htmt'")
        close = mine[~mine[f"below_{CLOSE:.2f}"].astype(bool)]
        pairs = [(words[a], words[b]) for a, b in zip(close["construct"], close["other"], strict=True)]
        if not pairs:
            return {"en": f"every pair of constructs stays below {CLOSE} with its whole interval.",
                    "zh": f"每对构念的区间上限都低于{CLOSE}。"}
        return {"en": f"not told apart at {CLOSE}: " + "; ".join(f"{a['en']} and {b['en']}" for a, b in pairs) + ".",
                "zh": f"以{CLOSE}为界未能区分：" + "；".join(f"{a['zh']}与{b['zh']}" for a, b in pairs) + "。"}


def fit_table(study: Study, models: Mapping[str, Words] | None = None) -> pd.DataFrame:
    """One row a model: chi-square, df, p, scaled ones where there are, CFI, TLI, RMSEA with its interval, SRMR.

    CFI, TLI and RMSEA are the robust ones where the estimator has them (Brosseau-Liard & Savalei 2014,
    doi:10.1080/00273171.2014.933697), for ordered items the scaled ones.
    """
    models = models or {"measurement": {"en": "measurement model", "zh": "测量模型"},
                        "structural": {"en": "structural model", "zh": "结构模型"}}
    rows = []
    for name, words in models.items():
        fit = getattr(study, name)
        m = fit.fit_measures
        row = {"model": words, "n": fit.nobs, **{key: m.get(key) for key in INDICES}}
        for key in ("cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper"):
            row[key] = next((m[k] for k in (f"{key}.robust", f"{key}.scaled", key) if pd.notna(m.get(k))), None)
        rows.append(row | {"plain_cfi": m.get("cfi"), "plain_rmsea": m.get("rmsea")})
    return pd.DataFrame(rows)


def _triangle(rows: list[dict]) -> pd.DataFrame:
    """Return rows of growing length as a table, blank above the diagonal."""
    return pd.DataFrame(rows).astype(object).where(lambda frame: frame.notna(), "")


def _missed(name: str, bound: float, poor: list[str], of: int) -> list[str]:
    met = f"all {of} constructs reach {bound} in {name}."
    return [f"{name} falls short of {bound} for {', '.join(poor)}." if poor else met]


def _missed_zh(name: str, bound: float, poor: list[str]) -> list[str]:
    return [f"{'、'.join(poor)}的{name}未达{bound}。" if poor else f"各构念的{name}均达到{bound}。"]
