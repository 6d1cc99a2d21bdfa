"""A survey from its codebook to answers that can be analysed: read, screened, scored; or drawn from a stated truth."""

from socialcommerce.survey.codebook import Codebook, Construct, Contact, Item, Moderation, Scale
from socialcommerce.survey.codebook_file import load_codebook, own_codebook
from socialcommerce.survey.defects import Defects
from socialcommerce.survey.own_sample import own_sample, own_truth
from socialcommerce.survey.questionnaire import item_table, write_docx, write_html, write_items
from socialcommerce.survey.responses import Responses, read_responses
from socialcommerce.survey.screening import Rules, Screened, screen
from socialcommerce.survey.synthetic import Departures, Sample, draw_respondents
from socialcommerce.survey.true_values import contact_truth, null_truth, total_effects, true_values
from socialcommerce.survey.truth import ContactCurve, Truth

__all__ = [
    "Codebook",
    "Construct",
    "Contact",
    "ContactCurve",
    "Defects",
    "Departures",
    "Item",
    "Moderation",
    "Responses",
    "Rules",
    "Sample",
    "Scale",
    "Screened",
    "Truth",
    "contact_truth",
    "draw_respondents",
    "item_table",
    "load_codebook",
    "null_truth",
    "own_codebook",
    "own_sample",
    "own_truth",
    "read_responses",
    "screen",
    "total_effects",
    "true_values",
    "write_docx",
    "write_html",
    "write_items",
]
