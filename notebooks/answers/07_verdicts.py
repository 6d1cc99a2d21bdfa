"""Answers to the exercises of 07_verdicts."""

import pandas as pd

from socialcommerce import evidence

assessment = evidence.assess_all()
hypotheses = assessment.summary()

# 1. Half of the hypotheses are exploratory, nearly all on public data among them; what is left rests on the
#    synthetic sample for the most part.
confirmatory = hypotheses[~hypotheses["exploratory"]]
print(pd.crosstab(confirmatory["side"], confirmatory["evidence"]))

# 2. Estimates beyond twice the smallest effect of interest, in the claimed direction.
measured = hypotheses[hypotheses["low"].notna()].set_index("id")
scaled = measured["estimate"] / measured["smallest"]
print(scaled[scaled > 2].nlargest(20).round(1))

# 3. Claims with parts on different sides.
claims = assessment.claim_table()
parts = claims.assign(part=claims["hypotheses"].str.split(", ")).explode("part")
sides = parts.merge(hypotheses, left_on="part", right_on="id").groupby("id_x")["side"].unique()
print(sides[sides.map(len) > 1])
