"""A survey from its codebook to answers that can be analysed: read, screened, scored; or drawn from a stated truth."""

from socialcommerce.survey.codebook import (
    Codebook,
    Construct,
    Contact,
    Item,
    Moderation,
    Scale,
    load_codebook,
    own_codebook,
)
from socialcommerce.survey.questionnaire import item_table, write_docx, write_html, write_items
from socialcommerce.survey.responses import Responses, read_responses
from socialcommerce.survey.screening import Rules, Screened, screen
from socialcommerce.survey.synthetic import Defects, Departures, Sample, draw_respondents, own_sample, own_truth
from socialcommerce.survey.truth import ContactCurve, Truth, contact_truth, total_effects, true_values

__all__ = ["Codebook", "Construct", "Contact", "ContactCurve", "Defects", "Departures", "Item", "Moderation",
           "Responses", "Rules", "Sample", "Scale", "Screened", "Truth", "contact_truth", "draw_respondents",
           "item_table", "load_codebook", "own_codebook", "own_sample", "own_truth", "read_responses",
           "screen", "total_effects", "true_values", "write_docx", "write_html", "write_items"]
