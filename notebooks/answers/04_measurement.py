"""Answers to the exercises of 04_measurement."""

import semfit
from semfit import psychometrics
from socialcommerce.survey import read_study

study = read_study()
scales = {name: study.codebook.scales[name] for name in study.constructs}

# 1. Alpha rises for constructs worded in one direction: who gives one answer to everything agrees with himself. It
#    falls where an item is reverse-scored, since the same answer then counts once high and once low.
everybody = read_study(screening="report-only")
for name, codes in scales.items():
    kept, all_ = (psychometrics.alpha(one.answers, codes).estimate for one in (study, everybody))
    reverse = any(study.codebook.by_code[code].reverse for code in codes)
    print(f"{name}: {kept:.3f} -> {all_:.3f}{' (with a reverse-scored item)' if reverse else ''}")

# 2. No item of the first construct would be dropped: without any of them alpha is lower.
first = scales[study.constructs[0]]
library = psychometrics.alpha(study.answers, first).by_item.set_index("item")["alpha_if_deleted"]
whole = study.answers[first].dropna()  # the library too leaves out whoever lacks one of the items
for code in first:
    rest = whole.drop(columns=code)
    k = rest.shape[1]
    by_hand = k / (k - 1) * (1 - rest.var().sum() / rest.sum(axis=1).var())
    print(f"without {code}: {by_hand:.3f} by hand, {library[code]:.3f} by the library")
    assert abs(by_hand - library[code]) < 1e-9
    assert by_hand < psychometrics.alpha(study.answers, first).estimate

# 3. One factor for the two constructs of the largest HTMT fits far worse: they are distinct, as their HTMT says, whose
#    interval ends well below the bound.
ratios = psychometrics.htmt(study.answers, scales, bootstrap=200, seed=1).frame.query("measure == 'htmt'")
top = ratios.loc[ratios["estimate"].idxmax()]
pair = [" + ".join(scales[top[side]]) for side in ("construct", "other")]
options = study.options | {"estimator": "ML"}  # where the misfit is so large, a scaled difference may have no value
two = semfit.fit(f"one =~ {pair[0]}\nother =~ {pair[1]}", study.answers, **options)
merged = semfit.fit(f"both =~ {' + '.join(pair)}", study.answers, **options)
test = semfit.difference(merged, two)
print(f"{top['construct']} and {top['other']}: HTMT {top['estimate']:.2f}, upper end {top['ci_high']:.2f}; "
      f"one factor: chi2 = {test.chisq:.1f}, df = {test.df}, p = {test.pvalue:.3g}")
assert test.pvalue < 0.001
assert top["ci_high"] < 0.85
