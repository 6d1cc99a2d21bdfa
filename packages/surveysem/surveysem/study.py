"""A survey and how it is analysed, settled before its results are seen: who is kept, and which models are fitted."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from filelock import FileLock

import semfit
from nbproof import processors, words, write_whole
from surveysem.codebook import Codebook, load_codebook, opening
from surveysem.effects import REASONS, NotTestable
from surveysem.errors import DataError, ParameterError, require_known
from surveysem.responses import Reading, Responses, read_responses
from surveysem.screening import Screened, screen

if TYPE_CHECKING:
    import pandas as pd

Found = TypeVar("Found")
ESTIMATORS = ("MLR", "ML", "WLSMV", "PLS")
MANY, QUICK = 5000, 10_000  # respondents: beyond the first, one step a resample; up to the second, a fit takes a second
SHELF = ".shared"  # where the notebooks of a report run: what they find once for all of them
SIMULATED = "simulated by surveysem from a stated truth, not answered by people"


def counting(key: str, draws: int) -> Callable[[int, int], None]:
    """Return what says to a program that watches how many draws of a long step are done; it says at once that none is.

    Nothing is said to people: a notebook keeps what it prints, so the line goes past it to the command's own output.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    # a kernel of Jupyter's own keeps for the notebook whatever is written
    watched, last = os.environ.get("NBPROOF_PROGRESS") == "json" and not hasattr(shell, "kernel"), -1.0

    def say(done: int, draws: int) -> None:
        nonlocal last
        if watched and (done == draws or time.monotonic() > last + 0.4):
            last = time.monotonic()
            os.write(1, f"{json.dumps(['draws', key, done, draws])}\n".encode())

    say(0, draws)
    return say


@dataclass(frozen=True)
class Study:
    """Screened answers to a codebook's questions, and the models fitted to them.

    Parameters
    ----------
    responses : Responses
        What was answered, and how it was read.
    screened : Screened
        Whom the rules flag and who is left.
    estimator : {"MLR", "ML", "WLSMV", "PLS"}
        Normal theory with robust errors, without them, or ordered answers by their polychoric correlations. Under PLS,
        which composes constructs of their items (``composites``), all other models are fitted by MLR.
    draws : int
        Bootstrap resamples.
    seed : int
        Of everything drawn at random.
    drawn : str
        Which program drew the respondents, of what stated truth, where that is known.
    shelf : Path, optional
        A folder in which processes that analyse these answers share what they found, see :func:`shared`.

    Raises
    ------
    UnknownNameError
        For another estimator.
    DataError
        For a codebook without paths or with a circle of them, one of second order under PLS, a composite under WLSMV,
        composites alone but under PLS, or fewer respondents left than items.
    """

    responses: Responses
    screened: Screened
    estimator: str = "MLR"
    draws: int = 5000
    seed: int = 20240531
    drawn: str = ""
    shelf: Path | None = None

    def __post_init__(self) -> None:
        require_known("estimator", ESTIMATORS, self.estimator)
        book, ordered, by_pls = self.codebook, self.estimator == "WLSMV", self.estimator == "PLS"
        second = sorted({*self.constructs} & {*book.second_order})
        listed = {"controls": book.covariates, "composites": self.composed, "second": second}
        told = {"circle": _circle(book), **{name: ", ".join(each) for name, each in listed.items()}}
        faults = {
            "no_paths": not book.paths,
            "circle": told["circle"],
            "controls": ordered and book.covariates,
            "equal_loadings": ordered and book.equal_loadings,
            "ordered_composites": ordered and self.composed,
            "composites_alone": not by_pls and not self.factors,
            "second_order": by_pls and second,
        }
        for key in [key for key, fault in faults.items() if fault]:
            raise DataError(f"codebook {book.name}{REASONS['study'][key].format(**told)}")
        if len(self.answers) <= len(self.items):
            raise DataError(
                f"{self.responses.file}: {len(self.answers)} respondents are left after screening for "
                f"{len(self.items)} items; more respondents than items are needed."
            )

    @cached_property
    def codebook(self) -> Codebook:
        """What was asked, with the error variance of single items and the first item of composites."""
        return self.responses.codebook.fitted_to(self.screened.answers)

    @property
    def basis(self) -> str:
        """The kind of evidence: "synthetic sample", or "own survey" for anybody's respondents."""
        return "synthetic sample" if self.responses.basis == "synthetic sample" else "own survey"

    @property
    def source(self) -> str:
        """Where the answers are from: their file, or the program that drew them."""
        return self.drawn or (SIMULATED if self.basis == "synthetic sample" else self.responses.file)

    @cached_property
    def words(self) -> dict[str, dict[str, str]]:
        """Every text of the codebook, and the file's name, with translations, as `nbproof.Page.speak` takes them."""
        return self.codebook.translations | {self.responses.file: {}}

    @cached_property
    def constructs(self) -> list[str]:
        """Constructs that a path names, in the order of the codebook: the models hold these."""
        named = {name for path in self.codebook.paths for name in (path.outcome, path.predictor)}
        return [name for name in self.codebook.scales if name in named]

    @cached_property
    def scales(self) -> dict[str, list[str]]:
        """Item codes of the constructs that items measure: dimensions in place of constructs of second order."""
        return {name: self.codebook.scales[name] for name in self.codebook.measured(self.constructs)}

    @cached_property
    def factors(self) -> dict[str, list[str]]:
        """Those of ``scales`` that their items measure: all but composites, which their items make up."""
        return {name: codes for name, codes in self.scales.items() if name not in self.codebook.composites}

    @cached_property
    def composed(self) -> dict[str, list[str]]:
        """Item codes of the composites."""
        return {name: codes for name, codes in self.scales.items() if name not in self.factors}

    @cached_property
    def items(self) -> list[str]:
        """Codes of the constructs' items."""
        return [code for codes in self.scales.values() for code in codes]

    @cached_property
    def strategies(self) -> list[str]:
        """Constructs whose indirect effects are asked for: as the codebook says, else those no path leads to."""
        named = self.codebook.strategies or [name for name in self.constructs if name not in self.codebook.causes]
        return [name for name in named if name in self.constructs]

    @cached_property
    def outcomes(self) -> list[str]:
        """Constructs at the end of the paths: as the codebook says, else those no path starts from."""
        leading = {path.predictor for path in self.codebook.paths}
        named = self.codebook.outcomes or [name for name in self.constructs if name not in leading]
        return [name for name in named if name in self.constructs]

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Answers of those kept, as `scored` gives them; indexed by row of the file."""
        return self.scored(self.screened.answers)

    def scored(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Return answers with reverse-keyed items turned round, and the columns of the covariates.

        Parameters
        ----------
        answers : pandas.DataFrame
            As they were given, one column a question.
        """
        scored = self.codebook.score(answers)
        columns = {
            name: scored[code] if label is None else (scored[code] == label).where(scored[code].notna())
            for name, (code, label) in self.covariates.items()
        }
        return scored.assign(**{name: column.astype(float) for name, column in columns.items()})

    @cached_property
    def covariates(self) -> dict[str, tuple[str, int | None]]:
        """Control and label behind every column that the paths hold constant, by the column's name.

        A control whose answers are numbers is one column, its own. Of labelled answers every label that was given has
        a column of 0 and 1, but the first, with which the others are compared.
        """
        found: dict[str, tuple[str, int | None]] = {}
        for code in self.codebook.covariates:
            given = self.screened.answers[code].dropna().unique()
            labelled = self.codebook.by_code[code].scale.en
            labels: list[int | None] = [int(label) for label in sorted(given)[1:]] if labelled else [None]
            for label in labels:
                name = code if label is None else f"{code}_{label}"
                while label is not None and (name in self.codebook.by_code or name in self.codebook.scales):
                    name += "_"
                found[name] = code, label
        return found

    def kinds(self, codes: Iterable[object]) -> tuple[str, ...]:
        """Return what the groups of these codes are called: as the codebook words their answers, up to a colon."""
        scale, whole = self.codebook.by_code[self.codebook.group].scale, [int(float(str(code))) for code in codes]
        return tuple(opening(scale.en[code - scale.low]) if scale.en else str(code) for code in whole)

    def model(self, held: Sequence[str] = (), *, without: str = "", ordered: bool = False) -> str:
        """Return measurement and paths as `semfit.fit` reads them, with the covariates, and columns beside them, held.

        Every construct is regressed on what is held, and what that leaves of the predictors stays correlated: a control
        may be related to the predictors too.

        Parameters
        ----------
        held : sequence of str
            More columns of the answers.
        without : str
            A control not to hold, such as the one that tells groups apart where they are compared.
        ordered : bool
            Whether it is for ordered answers, of which equal loadings across waves alone mean nothing.
        """
        own = [name for name, (code, _) in self.covariates.items() if code != without]
        text, columns = self.codebook.model(self.constructs), list(dict.fromkeys([*own, *held]))
        if self.codebook.equal_loadings and not ordered:
            asked = {each.name: [one for one in each.constructs if one in self.scales] for each in self.codebook.waves}
            text = semfit.wave_model(text, {name: own for name, own in asked.items() if len(own) > 1}, "metric")
        if not columns:
            return text
        lines = [f"{name} ~ {' + '.join(columns)}" for name in self.constructs]
        first = [name for name in self.constructs if name not in self.codebook.causes]
        return "\n".join([text, *lines, *(f"{one} ~~ {other}" for one, other in combinations(first, 2))])

    @property
    def nobs(self) -> int:
        """Respondents kept."""
        return len(self.answers)

    @cached_property
    def options(self) -> dict[str, Any]:
        """What ``semfit.fit`` is told beside the model."""
        if self.estimator == "WLSMV":
            return {"estimator": "WLSMV", "ordered": True}
        missing = "fiml" if self.answers[self.items].isna().any(axis=None) else "listwise"
        return {"estimator": "MLR" if self.estimator == "PLS" else self.estimator, "missing": missing}

    @cached_property
    def composites(self) -> semfit.PlsFit:
        """The paths by PLS, with the draws of their bootstrap."""
        return self.compose(bootstrap=self.draws)

    def compose(self, *, consistent: bool = False, bootstrap: int = 0, without: str = "") -> semfit.PlsFit:
        """Estimate the paths by PLS, controls among the causes of every outcome, from respondents who answered all.

        Parameters
        ----------
        consistent, bootstrap
            As in ``semfit.pls``.
        without : str
            A control to leave out, such as the one that tells groups apart where they are compared.
        """
        held = [name for name, (code, _) in self.covariates.items() if code != without]
        lines = [
            f"{name} {'=~' if name in self.factors else '<~'} {' + '.join(codes)}"
            for name, codes in self.scales.items()
        ]
        lines += [f"{name} ~ {' + '.join([*own, *held])}" for name, own in self.codebook.causes.items()]
        return semfit.pls("\n".join(lines), self.answers, consistent=consistent, bootstrap=bootstrap, seed=self.seed)

    @cached_property
    def measurement(self) -> semfit.SemFit:
        """Confirmatory factor analysis of all constructs, freely correlated."""
        return self.fit(self.codebook.model(self.constructs, structural=False))

    @cached_property
    def structural(self) -> semfit.SemFit:
        """Measurement and the codebook's paths, its covariates held constant."""
        return self.fit(self.model())

    @property
    def resampling(self) -> str:
        """How indirect effects get their intervals, of ``semfit.bootstrap``: refits, unless they would take too long.

        One scoring step a resample where answers are missing and beyond ``MANY`` respondents; draws from the estimates'
        normal distribution for ordered answers, whose polychoric correlations take half a second a resample.
        """
        if self.estimator == "WLSMV":
            return "normal"
        return "one-step" if self.options.get("missing") == "fiml" or self.nobs > MANY else "refit"

    @cached_property
    def resampled(self) -> semfit.Bootstrap:
        """Draws of the structural model's estimates; they do not depend on the number of processors."""
        return semfit.bootstrap(
            self.structural, self.draws, seed=self.seed, workers=processors(), method=self.resampling,
            progress=counting("resamples", self.draws),
        )  # fmt: skip

    def fit(self, model: str, data: pd.DataFrame | None = None, **groups: Any) -> semfit.SemFit:
        """Fit a model to the answers as the study says: its estimator and treatment of missing values.

        Parameters
        ----------
        model, **groups
            As in ``semfit.fit``: group, group_equal.
        data : pandas.DataFrame, optional
            Some of the answers; by default all.
        """
        return semfit.fit(model, self.answers if data is None else data, **groups, **self.options)


def shared(shelf: Path | None, name: str, make: Callable[[], Found]) -> Found:
    """Return what ``make`` finds, or what another process found and put on the shelf; without one it is made here."""
    if shelf is None:
        return make()
    file = shelf / name
    with FileLock(shelf / f"{name}.lock"):  # who comes while it is made waits
        if file.exists():
            return pickle.loads(file.read_bytes())
        found = make()
        write_whole(file, pickle.dumps(found))
        return found


def attempt(said: str, find: Callable[..., Found], *given: Any, **options: Any) -> Found | NotTestable:
    """Return what a function finds, or, where the answers cannot carry it, ``said`` with the engine's reason as why.

    Warnings of fits are not shown: a result says itself what is wrong with it.
    """
    try:
        with warnings.catch_warnings(action="ignore", category=semfit.FitWarning):
            return find(*given, **options)
    except (DataError, semfit.DataError, semfit.ParameterError) as wrong:
        return NotTestable(words(said, why=str(wrong)) if said else str(wrong))


def _circle(book: Codebook) -> str:
    """Return the constructs along a circle of paths; empty where there is none."""
    try:
        TopologicalSorter(book.causes).prepare()
    except CycleError as circle:
        return " - ".join(circle.args[1])
    return ""


def read_study(
    answers: str | Path,
    codebook: str | Path,
    *,
    screening: str = "drop",
    estimator: str = "MLR",
    draws: int = 5000,
    seed: int = 20240531,
    shelf: Path | None = None,
    **reading: Unpack[Reading],
) -> Study:
    """Return the study of a file of answers.

    Parameters
    ----------
    answers : path
        csv, xlsx or sav.
    codebook : path
        toml.
    screening : {"drop", "report-only"}
        Whether flagged respondents leave the answers.
    estimator, draws, seed, shelf
        As in :class:`Study`.
    **reading
        As of `surveysem.read_responses`.
    """

    def read() -> tuple[Responses, Screened]:
        responses = read_responses(answers, load_codebook(codebook), **reading)
        return responses, screen(responses, mode=screening)

    if shelf is not None:  # each study has a place of its own there
        files = [each.read_bytes() for each in (Path(answers), Path(codebook)) if each.is_file()]
        told = sorted((name, str(value)) for name, value in reading.items() if value)
        shelf /= hashlib.sha256(repr([files, screening, estimator, draws, seed, told]).encode()).hexdigest()[:16]
        shelf.mkdir(exist_ok=True)
    return Study(*shared(shelf, "answers", read), estimator, draws, seed, shelf=shelf)


def options_of(reading: str) -> Reading:
    """Return how a file is read, as ``read_study`` takes it, from JSON."""
    known = Reading.__annotations__
    with suppress(ValueError):
        found: Reading = json.loads(reading)
        if isinstance(found, dict) and found.keys() <= {*known}:
            return found
    raise ParameterError(f'reading is JSON of {", ".join(known)}, such as {{"sheet": "answers"}}; got {reading!r}.')


def check_study(study: Study) -> None:
    """Say which column of the file keeps a study's models from being fitted.

    Where that takes no time (no answer missing, not too many respondents), the models are fitted too.

    Raises
    ------
    DataError
        Naming file and column, what stands there and what is needed.
    """
    book, file = study.codebook, study.responses.file
    needed = dict.fromkeys(study.items, "answers that differ are needed")
    needed |= dict.fromkeys(book.covariates, "answers that differ are needed of a covariate")
    if book.group:
        needed[book.group] = "two groups are needed to compare them, or a codebook without the line `group`"
    for code, why in needed.items():
        found = study.screened.answers[code].dropna().unique()
        if len(found) < 2:
            column = study.responses.mapping.set_index("question").at[code, "column"]
            what = f"every answer kept is {found[0]:g}" if len(found) else "no answer is kept"
            raise DataError(f"{file}, column {column} ({code}): {what}; {why}.")
    quick = study.options.get("missing") != "fiml" and study.nobs <= QUICK
    models = {name: partial(getattr, study, name) for name in ("measurement", "structural") if quick}
    for name, fitted in ({"PLS": study.compose} if study.estimator == "PLS" else models).items():
        try:
            fit = fitted()
        except Exception as wrong:
            if not getattr(wrong, "input_is_wrong", False):
                raise
            raise DataError(f"{file}, {name} model: {wrong}") from wrong
        check_solution(fit, file, name)


def check_solution(fit: semfit.SemFit | semfit.PlsFit, file: str, model: str = "measurement") -> None:
    """Refuse a model without a solution: what it says would mean nothing.

    Raises
    ------
    DataError
        Naming the file of the answers, what is wrong and what is needed.
    """
    if not (fit.converged and getattr(fit, "identified", True)):
        raise DataError(
            f"{file}: the {model} model has no solution on these {fit.nobs} answers "
            f"({' '.join(fit.problems)}); more answers, or fewer constructs and paths, are needed."
        )


def mean_scores(book: Codebook, answers: pd.DataFrame, constructs: Sequence[str]) -> pd.DataFrame:
    """Return one column a construct, rows as in ``answers``; missing where none of its items was answered.

    Parameters
    ----------
    answers : pandas.DataFrame
        Scored, reverse-keyed items turned round.

    Examples
    --------
    >>> import pandas as pd
    >>> from surveysem import Construct, Item, Scale
    >>> pair = Item("a", Scale("five", 1, 5)), Item("b", Scale("five", 1, 5))
    >>> mean_scores(Codebook("x", (Construct("f", pair),), pair), pd.DataFrame({"a": [1, None], "b": [4, 3]}), ["f"])
         f
    0  2.5
    1  3.0
    """
    import pandas as pd

    scores = {name: answers[book.scales[name]].astype(float).mean(axis=1) for name in constructs}
    return pd.DataFrame(scores, index=answers.index)
