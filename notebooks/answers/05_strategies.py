"""Answers to the exercises of 05_strategies: run as it stands, or paste a part into the notebook."""

import pandas as pd
import statsmodels.formula.api as smf

from socialcommerce.survey import read_study
from surveysem import paths

study = read_study()
book = study.codebook

# 1. The changes are small and go both ways: seven categories are nearly a continuous scale, and WLSMV leaves out
# whoever skipped an item, so that it sees other respondents too.
ordered = read_study(estimator="WLSMV")
table = paths.path_table(study)[["outcome", "predictor", "std"]]
table["change"] = paths.path_table(ordered)["std"] - table["std"]
print(table.sort_values("change", key=abs, ascending=False).head(3).round(3))
print(f"respondents: {study.structural.nobs}, and {ordered.structural.nobs} with complete answers")

# 2. A shorter scale is less reliable, so the predictors explain less (R² falls) and most coefficients shrink; one may
# rise, since error in a predictor leaves part of its effect to those it correlates with.
formula = "trust ~ quality + disclosure + security + brand + interaction"
for last in (None, -1):
    means = pd.DataFrame({name: study.answers[codes[:last]].mean(axis=1) for name, codes in book.scales.items()})
    z = (means - means.mean()) / means.std()
    fit = smf.ols(formula, data=z).fit(cov_type="HC3")
    print(f"items left out: {0 if last is None else 1}, R² = {fit.rsquared:.3f}", fit.params.round(3).to_dict())

# 3. Standardising changes the units only: R², F and the slopes' z values stay, the coefficients do not.
means = pd.DataFrame({name: study.answers[codes].mean(axis=1) for name, codes in book.scales.items()})
z = (means - means.mean()) / means.std()
for scores in (z, means):
    fit = smf.ols(formula, data=scores).fit(cov_type="HC3")
    print(f"R² = {fit.rsquared:.3f}, b = {fit.params['quality']:.3f}, z = {fit.tvalues['quality']:.2f}")
