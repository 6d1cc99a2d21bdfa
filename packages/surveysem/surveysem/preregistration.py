"""A survey registered before its answers are seen: the plan under one hash, and whether an analysis kept to it.

Hypotheses and analyses fixed beforehand: Nosek et al. (2018), doi:10.1073/pnas.1708274114.
"""

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from nbproof import read_bytes, write_whole
from surveysem import __version__
from surveysem.codebook import LANGUAGES, TEMPLATE, Codebook, Item, Labelled, load_codebook
from surveysem.errors import DataError, named, require, require_known
from surveysem.hypotheses import ALPHA, SIGNS, hypotheses_of, path_in, sign_of
from surveysem.said import filled
from surveysem.sensitivity import SMALLEST, power_before
from surveysem.study import ESTIMATORS, Study

FILE = "registration.json"
TOLD = tomllib.loads(Path(__file__).with_name("preregistration.toml").read_text(encoding="utf-8"))
SETTLED = ("screening", "analysis")  # parts whose items have names of ours
SWITCHED = {"None": "off", "False": "off", "True": "on"}
Plan = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Registration:
    """What was planned: ``plan`` by part and item, all as text, and ``sample``, the numbers behind its size."""

    name: str
    plan: Plan
    sample: dict[str, float]

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of all of it: JSON with sorted keys and no spaces, in UTF-8."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def write(self, folder: str | Path, book: Codebook) -> list[Path]:
        """Write the file that a report compares itself with, and the registration as html and docx in each language."""
        import pypandoc

        held = json.dumps({"registered": asdict(self), "sha256": self.digest}, ensure_ascii=False, indent=1) + "\n"
        made = [write_whole(Path(folder) / FILE, held.encode())]
        for language in LANGUAGES:
            text, place = self.page(book, language), Path(folder) / f"registration-{language}.docx"
            pypandoc.convert_text(text, "docx", "html", outputfile=str(place), extra_args=["--quiet"], sandbox=True)
            made += [place, write_whole(place.with_suffix(".html"), text.encode())]
        return made

    def page(self, book: Codebook, language: str) -> str:
        """Return the registration as a page of html that needs nothing beside it; every text is escaped."""
        return filled(
            "preregistration.html",
            **vars(self),
            book=book,
            called=book.names(language),
            digest=self.digest,
            hypotheses=[(one, path_in(book, one, language), SIGNS[sign_of(book, one)]) for one in hypotheses_of(book)],
            indirect=any(path.predictor in book.causes for path in book.paths),
            language=language,
            say=TOLD[language],
            smallest=SMALLEST,
            title=book.title[LANGUAGES.index(language)] or book.name,
        )


def register(
    book: Codebook, respondents: int | None = None, *, effect: float = 0.2, wanted: float = 0.8, loading: float = 0.7,
    correlation: float = 0.3, **analysis: Any,
) -> Registration:  # fmt: skip
    """Return the registration of a survey, whose size lets each path of the stated size be found supported.

    That is: its interval, at the strictest level that Holm's correction may ask, excludes zero, and its estimate
    reaches the smallest effect of interest d. With s the standard error for one respondent (`power_before`), b the path
    and z normal quantiles, N = max((z(1 - alpha / 2) + z(wanted)) s / b, z(wanted) s / (b - d))^2 respondents do.

    Parameters
    ----------
    book : Codebook
        Its paths, hypotheses, rules and group are what is registered.
    respondents : int, optional
        Planned; by default as many as are needed.
    effect : float
        Standardised size that every path is expected to have, above the smallest of interest, below 1.
    wanted : float
        Power, between the level of a test and 1.
    loading, correlation : float
        As in `power_before`.
    **analysis
        ``estimator``, ``draws``, ``seed`` and ``screening`` as of `surveysem.read_study`.

    Raises
    ------
    DataError, ParameterError, UnknownNameError
        For a codebook without paths, a number outside its range, another estimator.
    """
    require_known("estimator", ESTIMATORS, analysis.get("estimator", Study.estimator))
    if not book.paths:
        raise DataError(f"codebook {book.name} states no paths between its constructs; a registration needs one.")
    require(SMALLEST < effect < 1, "effect", effect, f"a path above {SMALLEST}, the smallest of interest, to 1")
    of_paths = [one.outcome for one in hypotheses_of(book) if not (one.moderator or one.mediator)]
    alpha = ALPHA / max(Counter(of_paths).values(), default=1)
    told = {"alpha": alpha, "loading": loading, "correlation": correlation}
    s = power_before(book, [1], smallest=effect, wanted=wanted, **told).frame["se"].max()
    z, beta = norm.ppf([1 - alpha / 2, wanted])
    needed = int(np.ceil(max((z + beta) * s / effect, beta * s / (effect - SMALLEST)) ** 2))
    sample = {"effect": effect, "power": wanted, **told, "needed": needed, "respondents": respondents or needed}
    return Registration(book.name, plan_of(book, **analysis), sample)


def plan_of(
    book: Codebook,
    screening: str = "drop",
    estimator: str = Study.estimator,
    draws: int = Study.draws,
    seed: int = Study.seed,
) -> Plan:
    """Return what a codebook and the choices of an analysis settle, by part and item, as texts that can be compared.

    Parameters
    ----------
    book : Codebook
        What is asked and expected.
    screening, estimator, draws, seed
        As of `surveysem.read_study`.
    """
    model = {f"{path.outcome} ~ {path.predictor}": SIGNS[path.direction] for path in book.paths}
    model |= {f"{m.outcome} ~ {m.predictor} * {m.moderator}": SIGNS[m.direction] for m in book.moderations}
    model |= {f"{one} ~~ {other}": "free" for one, other in book.covariances}
    rules = {name: SWITCHED.get(str(value), value) for name, value in asdict(book.screening).items()}
    plan = {
        "hypotheses": {one.label: f"{_stated(one)} ({SIGNS[sign_of(book, one)]})" for one in hypotheses_of(book)},
        "model": model,
        "constructs": {
            one.name: _listed(one.dimensions or ["-" * item.reverse + item.code for item in one.items])
            + f" (reliability {one.reliability:g})" * (one.reliability < 1)
            + " (composite)" * (one.kind == "composite")
            for one in book.constructs
        },
        "questions": {item.code: _asked(item) for item in book.questions},
        "screening": {
            **rules, "report": _listed(book.screening.report), "flagged": screening, "no answer": _listed(book.missing),
        },
        "analysis": {
            "estimator": estimator, "resamples": draws, "seed": seed, "controls": _listed(book.covariates),
            "group": book.group or "none", "indirect effects of": _listed(book.strategies),
            "indirect effects on": _listed(book.outcomes), "marker": book.marker or "none",
            "waves": _listed(f"{each.name} ({', '.join(each.constructs)})" for each in book.waves)
            + ", equal loadings" * book.equal_loadings,
            "smallest effect": SMALLEST, "error rate": ALPHA, "software": f"surveysem {__version__}",
        },
    }  # fmt: skip
    return {part: {name: str(value) for name, value in items.items()} for part, items in plan.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _stated(one: Labelled) -> str:
    """A hypothesis as a codebook states it."""
    steps = [*one.way]
    if one.moderator:
        steps[one.second] += f" * {one.moderator}"
    return " ~ ".join(reversed(steps))


def _asked(item: Item) -> str:
    """A question: its scale, what passes it where it is a check, its wordings."""
    scale = "as answered" if item.scale.is_open else f"{item.scale.low}–{item.scale.high}"
    labels = " | ".join(dict.fromkeys([*item.scale.en, *item.scale.zh]))
    expected = "" if item.expected is None else f"= {item.expected}"
    return "; ".join(text for text in (scale, labels, expected, item.en, item.zh) if text)


def load_registration(path: str | Path) -> Registration:
    """Return a registration from the file that `surveysem preregister` wrote.

    Raises
    ------
    DataError
        When the file cannot be read, is none, or was changed since.
    """
    name = f"registration {named(Path(path).name)}"
    try:
        held = json.loads(read_bytes(path, DataError))
        found = Registration(**held["registered"])
        stated, digest = str(held["sha256"]), found.digest
    except (ValueError, TypeError, LookupError, RecursionError):
        raise DataError(f"{name} is none; the {FILE} that `surveysem preregister` wrote is needed.") from None
    if stated != digest:
        raise DataError(
            f"{name} was changed: its hash is {stated:.12}..., that of what it holds {digest:.12}...; the file as "
            "`surveysem preregister` wrote it is needed."
        )
    return found


def compare(registration: str | Path, codebook: str | Path, study: Study) -> pd.DataFrame:
    """Return what was registered and what was done, one row an item: part, item, registered, done, same.

    An item that one of them lacks is "none" there; ``attrs["digest"]`` is the registration's hash.

    Parameters
    ----------
    registration : path
        The file that `surveysem preregister` wrote.
    codebook : path
        That of the study, as it was given: its open scales are those of the answers by now.
    study : Study
        Its estimator, resamples, seed, screening and respondents.

    Raises
    ------
    DataError
        As `load_registration`, and for the registration of another codebook: half of its questions are not there.
    """
    planned, book = load_registration(registration), load_codebook(codebook or TEMPLATE)
    asked = planned.plan.get("questions", {})
    if 2 * len(asked.keys() & book.by_code.keys()) < len(asked):
        raise DataError(
            f"registration {named(Path(registration).name)} is of codebook {named(planned.name)}, most of whose "
            f"questions codebook {named(book.name)} does not hold; the registration of this survey is needed."
        )
    done = plan_of(book, study.screened.mode, study.estimator, study.draws, study.seed)
    said, lines = TOLD["en"]["names"], []
    for part, items in done.items():
        registered = planned.plan.get(part, {})
        for item in {**registered, **items}:
            texts = [item, registered.get(item, "none"), items.get(item, "none")]
            shown = [said.get(text, text) if part in SETTLED else text for text in texts]
            lines.append((said[part], *shown, texts[1] == texts[2]))
    wanted = int(planned.sample["respondents"])
    lines.append((said["sample"], said["respondents"], str(wanted), str(study.nobs), study.nobs >= wanted))
    frame = pd.DataFrame(lines, columns=["part", "item", "registered", "done", "same"])
    frame.attrs["digest"] = planned.digest
    return frame


def spoken(followed: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return what such a table says, with translations, as `nbproof.Page.speak` takes them; values stay as they are."""
    names = {language: TOLD[language]["names"] for language in LANGUAGES}
    known = {said: {language: names[language][key] for language in LANGUAGES} for key, said in names["en"].items()}
    values = followed[["item", "registered", "done"]].to_numpy().flat
    return {text: {} for text in [followed.attrs["digest"], *values]} | known
