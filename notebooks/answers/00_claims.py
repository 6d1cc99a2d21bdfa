"""Answers to the exercises of 00_claims."""

import pandas as pd

from socialcommerce import paper

claims = paper.summary(paper.load_claims())
hypotheses = paper.summary(paper.load_hypotheses())

# 1. The share of claims without a hypothesis is largest in the one-claim section 3, then in 3.1 and 4.2.
missing = pd.crosstab(claims["section"], claims["hypotheses"] == "", normalize="index")[True]
print(missing.sort_values(ascending=False).round(2))

# 2. Of the proxies, only BeiBei's groups and the publishers' figures come from social commerce in China.
print(hypotheses.loc[hypotheses["grade"] == "proxy", ["id", "short", "data"]])

# 3. Claims whose hypotheses rest on two kinds of evidence.
parts = claims.assign(part=claims["hypotheses"].str.split(", ")).explode("part")
kinds = parts.merge(hypotheses[hypotheses["testable"]], left_on="part", right_on="id")
kinds = kinds.groupby("id_x")["evidence"].nunique()
print(kinds[kinds > 1])
