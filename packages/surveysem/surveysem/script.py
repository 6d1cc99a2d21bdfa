"""An R script that computes a study's tables again with lavaan, and the data it reads."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from surveysem import __version__, groups, measurement, moderation, paths, waves
from surveysem.codebook import Labelled, Moderation
from surveysem.effects import NotTestable
from surveysem.said import filled
from surveysem.study import Study

DATA = "data.csv"


def lavaan_script(study: Study) -> str:
    """Return R code that computes the tables on items, constructs, paths, moderations, waves and groups again.

    Its list ``tables`` holds them by name, and ``measurement`` and ``structural`` the fits. R needs lavaan alone; omega
    of ordered answers is left to semTools where it is installed, and groups of ordered answers are left out.
    """
    book, ordered = study.codebook, study.estimator == "WLSMV"
    return filled(
        "model.R.jinja",
        study=study,
        title="".join(character for character in book.name if character.isprintable()),
        version=__version__,
        file=DATA,
        second_order={name: book.second_order[name] for name in study.constructs if name in book.second_order},
        ordered=ordered,
        fiml=study.options.get("missing") == "fiml",
        measurement=book.model(study.constructs, structural=False),
        structural=study.model(),
        quality=measurement.quality_model(study),
        options=_options(study.options),
        plain=_options({**study.options, "estimator": "ML"}),
        indirect=list(paths.claimed_signs(study)),
        ways=paths.ways(book),
        moderations=[_moderated(study, entry) for entry in book.moderations],
        mediations=[_mediated(study, one) for one in book.hypotheses if one.mediator and one.moderator],
        groups=None if ordered else _groups(study),
        waves=_waves(study) if book.waves else None,
    )


def script_data(study: Study) -> pd.DataFrame:
    """Return the answers that the script reads: the codebook's items, scored, of those kept; whole numbers or missing.

    Beside them stand the question that tells groups apart and what the paths hold constant. Nothing else of the file is
    in it: no check, no other control, no column outside the codebook.
    """
    group = [study.codebook.group] if study.codebook.group else []
    columns = dict.fromkeys([*study.codebook.items, *group, *study.covariates])
    return study.answers[list(columns)].astype("Int64")


def _options(options: Mapping[str, Any]) -> str:
    """What ``sem`` is told beside model and data, as R writes it."""
    told = {name.replace("_", ""): value for name, value in options.items() if value != "listwise"}
    return ", ".join(
        f"{name} = {str(value).upper() if isinstance(value, bool) else json.dumps(value)}"
        for name, value in told.items()
    )


def _moderated(study: Study, entry: Moderation, other: str = "") -> dict[str, Any]:
    model, data, items = moderation.submodel(study, entry, other)
    made = [(item, *item.split(".", 1)) for item in items if item not in study.answers.columns]
    missing = "fiml" if data[items].isna().any(axis=None) else "listwise"
    plain, robust = (_options({"estimator": estimator, "missing": missing}) for estimator in ("ML", "MLR"))
    return {**vars(entry), "products": made, "model": model, "options": robust, "plain": plain}


def _mediated(study: Study, one: Labelled) -> dict[str, Any]:
    first, other = one.steps[::-1] if one.second else one.steps
    made = _moderated(study, moderation.entry_of(study.codebook, one), other[0])
    return made | vars(one) | {"first": "~".join(first), "other": "~".join(other)}


def _waves(study: Study) -> dict[str, Any] | None:
    again = waves.partially_again(study)
    if isinstance(again, NotTestable):
        return None
    whole, part = waves.wave_models(study), waves.wave_models(study, again.freed)
    return {
        "options": _options(waves.fit_options(study)),
        "whole": {level: whole[level] for level in again.whole.fits},
        "eased": {level: part[level] for level in again.ladder.fits} if len(again.freed) else {},
        "means": waves.means_level(again),
        "constructs": list(study.codebook.wave_of),
    }


def _groups(study: Study) -> dict[str, Any] | None:
    rows = groups.comparable(study)
    if isinstance(rows, NotTestable):
        return None
    kept = sorted(rows[study.codebook.group].unique().astype(int).tolist())
    group, alike = study.codebook.group, groups.partially_alike(study)
    beside = [name for name, (code, _) in study.covariates.items() if code != group]
    found: dict[str, Any] = {
        "column": group,
        "kept": kept,
        "model": study.model(without=group),
        "whole": [*(study.items if study.options.get("missing") != "fiml" else ()), *beside],
    }
    found |= {"permuted": groups.PERMUTATIONS * (study.resampling == "refit"), "eased": "", "reached": []}
    if isinstance(alike, NotTestable) or not len(alike.freed):
        return found
    texts = found["model"], study.codebook.model(study.constructs, structural=False)
    found["model"], found["eased"] = (groups.eased(study, text, alike.freed) for text in texts)
    return found | {"reached": [*alike.ladder.fits][1:]}
