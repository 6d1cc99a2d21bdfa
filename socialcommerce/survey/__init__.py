"""A survey from its codebook to its constructs: answers read and screened, reliability, validity, method bias.

>>> from socialcommerce import sem, survey
>>> data = sem.simulate("f =~ 1*x1 + 1*x2 + 1*x3; f ~~ 1*f; x1 ~~ 1*x1; x2 ~~ 1*x2; x3 ~~ 1*x3", 500, seed=1)
>>> 0.7 < survey.alpha(data, ["x1", "x2", "x3"]).estimate < 0.8
True
"""

from socialcommerce.survey.bias import CommonFactor, SingleFactor, common_factor, single_factor
from socialcommerce.survey.codebook import Codebook, Construct, Contact, Item, Moderation, Scale
from socialcommerce.survey.codebook_file import load_codebook, own_codebook
from socialcommerce.survey.composites import MeasurementQuality, measurement_quality
from socialcommerce.survey.defects import Defects
from socialcommerce.survey.items import Factorability, describe, factorability
from socialcommerce.survey.marker import MarkerCorrelations, MarkerModels, marker_correlations, marker_models
from socialcommerce.survey.own_sample import own_sample, own_truth
from socialcommerce.survey.questionnaire import item_table, write_docx, write_html, write_items
from socialcommerce.survey.reliability import Alpha, alpha
from socialcommerce.survey.responses import Responses, read_responses
from socialcommerce.survey.screening import Rules, Screened, screen
from socialcommerce.survey.synthetic import Departures, Sample, draw_respondents
from socialcommerce.survey.true_values import contact_truth, null_truth, pseudo_truth, total_effects, true_values
from socialcommerce.survey.truth import ContactCurve, Truth
from socialcommerce.survey.validity import FornellLarcker, HeterotraitMonotrait, fornell_larcker, htmt

__all__ = [
    "Alpha",
    "Codebook",
    "CommonFactor",
    "Construct",
    "Contact",
    "ContactCurve",
    "Defects",
    "Departures",
    "Factorability",
    "FornellLarcker",
    "HeterotraitMonotrait",
    "Item",
    "MarkerCorrelations",
    "MarkerModels",
    "MeasurementQuality",
    "Moderation",
    "Responses",
    "Rules",
    "Sample",
    "Scale",
    "Screened",
    "SingleFactor",
    "Truth",
    "alpha",
    "common_factor",
    "contact_truth",
    "describe",
    "draw_respondents",
    "factorability",
    "fornell_larcker",
    "htmt",
    "item_table",
    "load_codebook",
    "marker_correlations",
    "marker_models",
    "measurement_quality",
    "null_truth",
    "own_codebook",
    "own_sample",
    "own_truth",
    "pseudo_truth",
    "read_responses",
    "screen",
    "single_factor",
    "total_effects",
    "true_values",
    "write_docx",
    "write_html",
    "write_items",
]
