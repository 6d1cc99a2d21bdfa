"""What a survey asks: constructs, items, scales, checks and controls, and the toml file in which they are written."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import combinations, pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbproof import read_bytes, read_toml
from nbproof.shapes import FLAG, LIST, TABLE, Field, check, one_of
from surveysem.errors import DataError, ParameterError, UnknownNameError, nearest, quoted, require, require_known

LANGUAGES = ("en", "zh")  # of wordings
FARTHEST = 10**6  # from zero that a code may lie
MODELS = (".txt", ".lav", ".lavaan")  # endings of a file that holds a model in lavaan's language
LARGEST = 2**20  # bytes of a model
TEMPLATE = Path(__file__).with_name("template.toml")
"""A small codebook to start from."""
SCHEMA = Path(__file__).with_name("codebook.schema.json")
"""What editors check a codebook by."""


@dataclass(frozen=True)
class Scale:
    """Whole numbers from low to high; ``en`` and ``zh`` label each of them, or are empty for a counted number."""

    name: str
    low: int
    high: int
    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the codebook states no range: the answers will say (`surveysem.responses.settled`)."""
        return self.high - self.low > FARTHEST

    @property
    def allowed(self) -> str:
        """The codes in words.

        >>> Scale("five", 1, 5).allowed
        'whole numbers from 1 to 5'
        """
        if self.is_open:
            return "whole numbers"
        labels = f", or one of {', '.join(self.en)}; {', '.join(self.zh)}" if self.en else ""
        return f"whole numbers from {self.low} to {self.high}{labels}"


@dataclass(frozen=True)
class Item:
    """One question: its code, scale and wording.

    ``role`` is "item", "check" or "control"; ``expected`` is the code that passes a check; ``reverse`` marks an item
    worded against its construct; ``column`` is the heading it has in a file of answers, where that is another;
    ``error`` the variance its error is fixed at, where it measures a construct alone.
    """

    code: str
    scale: Scale
    en: str = ""
    zh: str = ""
    construct: str = ""
    role: str = "item"
    reverse: bool = False
    expected: int | None = None
    column: str = ""
    error: float | None = None


OPEN = Scale("as answered", -FARTHEST, FARTHEST)


@dataclass(frozen=True)
class Construct:
    """What items measure in common; ``role`` is "construct", or "control" for one outside the hypotheses.

    A single item cannot show how reliable it is: ``reliability`` states it, in (0, 1], and fixes the item's error
    variance (`Codebook.fitted_to`); until there are answers their variance is taken for 1. One of second order has no
    items: ``dimensions`` are the constructs that measure it. One whose ``kind`` is "composite" is made of its items
    (`semfit.composite`), as an index is; ``first`` is the item that its lines begin with.
    """

    name: str
    items: tuple[Item, ...]
    en: str = ""
    zh: str = ""
    role: str = "construct"
    reliability: float = 1.0
    dimensions: tuple[str, ...] = ()
    kind: str = "factor"
    first: str = ""

    @property
    def codes(self) -> list[str]:
        """The items' codes."""
        return [item.code for item in self.items]

    @property
    def measured(self) -> str:
        """Lines of a model that measure the construct, or make it up."""
        if self.kind == "composite":
            from semfit import composite

            return composite(self.name, self.codes, self.first)
        line = f"{self.name} =~ {' + '.join(self.dimensions or self.codes)}"
        if len(self.items) != 1:
            return line
        return f"{line}\n{self.codes[0]} ~~ {self.error:.10g}*{self.codes[0]}"

    @property
    def error(self) -> float:
        """The error variance of a single item."""
        return 1 - self.reliability if self.items[0].error is None else self.items[0].error


@dataclass(frozen=True)
class ExpectedPath:
    """An expected dependence of ``outcome`` on ``predictor`` with its direction, 1 or -1."""

    outcome: str
    predictor: str
    direction: int


@dataclass(frozen=True)
class Moderation:
    """An expected dependence of the path from ``predictor`` to ``outcome`` on ``moderator``, direction 1 or -1."""

    outcome: str
    predictor: str
    moderator: str
    direction: int


@dataclass(frozen=True)
class Labelled:
    """A hypothesis by the label its author gave it, such as H1a: which of a codebook's expectations it is about.

    It is about the path from ``predictor`` to ``outcome``, about what ``moderator`` changes in it, or about what goes
    from one to the other by way of ``mediator``; with both, about what ``moderator`` changes in the latter, through the
    path to the mediator or, where ``second``, through that from it. ``nil`` says that no effect is expected; else the
    direction follows from the codebook's paths and moderations.
    """

    label: str
    outcome: str
    predictor: str
    moderator: str = ""
    mediator: str = ""
    nil: bool = False
    second: bool = False

    @property
    def way(self) -> tuple[str, ...]:
        """The constructs it is about, from the predictor to the outcome."""
        return tuple(name for name in (self.predictor, self.mediator, self.outcome) if name)

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Outcome and predictor of every path it is about, from the predictor on."""
        return [(outcome, cause) for cause, outcome in pairwise(self.way)]


@dataclass(frozen=True)
class Waves:
    """Constructs, in order of time, that the same items measure, by position; ``name`` is what they measure."""

    name: str
    constructs: tuple[str, ...]


@dataclass(frozen=True)
class Contact:
    """The counted controls that hold how often a respondent is addressed and what it may bring."""

    frequency: str
    outcome: str


@dataclass(frozen=True)
class Rules:
    """What flags a respondent; None or False switches a rule off.

    Two people may give the same answers by chance, and one answer to all items where most think alike; how many do is
    estimated from the answers (`surveysem.screening.Chance`). ``sd`` and ``one_answer`` are not applied where more than
    2% of careful respondents would be flagged, ``duplicates`` only to answers that hardly two people give.

    Parameters
    ----------
    missing : float
        Share of items unanswered, in [0, 1], those of missed waves aside: above it.
    run : int
        Length of the longest run of one answer over items in the order asked: at or above it.
    sd : float
        Standard deviation of the answers to the items, as answered, divisor k - 1: at or below it.
    one_answer : bool
        The same answer to every item answered, two or more.
    seconds : float
        Seconds a question: below it.
    failed_checks : int
        Attention checks failed or unanswered: above it.
    invalid : int
        Answers that are no code of their scale: above it.
    duplicates : bool
        The same answers to all questions as an earlier row, whose number is the value.
    report : tuple of str
        Rules whose flagged rows stay in the answers; by default repeated rows, which may be two people.
    """

    missing: float | None = 0.2
    run: int | None = None
    sd: float | None = 0.0
    one_answer: bool = True
    seconds: float | None = 2.0
    failed_checks: int | None = 0
    invalid: int | None = 0
    duplicates: bool = True
    report: tuple[str, ...] = ("duplicates",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "report", tuple(self.report))
        *switches, _ = fields(self)
        require_known("screening rule", [each.name for each in switches], *self.report)
        for each in switches:
            value = getattr(self, each.name)
            number = isinstance(value, (int, float)) and value >= 0
            holds = isinstance(value, bool) == (each.type == "bool") and (value is None or number)
            allowed = "True, False" if each.type == "bool" else "a number from 0, or None"
            require(holds, f"rule {each.name}", value, allowed)
        require(self.missing is None or self.missing <= 1, "rule missing", self.missing, "a share from 0 to 1")


@dataclass(frozen=True)
class Codebook:
    """A survey's constructs and everything asked beside them, in the order of the questionnaire (``questions``).

    ``paths``, ``moderations`` and ``contact`` are what is expected; ``strategies`` and ``outcomes`` name the constructs
    whose indirect effects are asked for; ``group`` is the control that tells two kinds of respondents apart and
    ``marker`` a construct that theory relates to no other; ``screening`` holds what flags a respondent. ``covariances``
    are pairs of items whose errors, or of constructs whose disturbances, the models let covary, and ``covariates`` the
    controls that the paths hold constant. Of a file of answers, ``missing`` are the marks that mean no answer,
    ``leave_out`` the columns it does not use ("*": all others) and ``duration`` the one that holds how long each
    respondent took. ``hypotheses`` are those that have labels; without any, every path is one (`surveysem.hypotheses`).
    ``waves`` are constructs asked again; unless ``wave_errors`` is False, ``covariances`` holds the errors of the same
    item at all of them and outcomes' at one wave, and with ``equal_loadings`` the paths' model has equal loadings.
    """

    name: str
    constructs: tuple[Construct, ...]
    questions: tuple[Item, ...]
    paths: tuple[ExpectedPath, ...] = ()
    group: str = ""
    title: tuple[str, str] = ("", "")  # English, Chinese
    introduction: tuple[str, str] = ("", "")
    moderations: tuple[Moderation, ...] = ()
    contact: Contact | None = None
    strategies: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    marker: str = ""
    screening: Rules = Rules()
    covariances: tuple[tuple[str, str], ...] = ()
    covariates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    duration: str = ""
    hypotheses: tuple[Labelled, ...] = ()
    waves: tuple[Waves, ...] = ()
    wave_errors: bool = True
    equal_loadings: bool = False

    @cached_property
    def by_code(self) -> dict[str, Item]:
        """Every question under its code."""
        return {item.code: item for item in self.questions}

    @property
    def items(self) -> list[str]:
        """Codes of the constructs' items, in the order asked."""
        return [item.code for item in self.questions if item.role == "item"]

    @property
    def scales(self) -> dict[str, list[str]]:
        """The item codes of every construct; of one of second order, those of its dimensions."""
        own = {construct.name: construct.codes for construct in self.constructs}
        return own | {name: [code for part in parts for code in own[part]] for name, parts in self.second_order.items()}

    @cached_property
    def causes(self) -> dict[str, list[str]]:
        """The predictors of every outcome, in the order of the paths."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.outcome, []).append(path.predictor)
        return found

    @cached_property
    def second_order(self) -> dict[str, tuple[str, ...]]:
        """The dimensions of every construct of second order."""
        return {construct.name: construct.dimensions for construct in self.constructs if construct.dimensions}

    @cached_property
    def composites(self) -> tuple[str, ...]:
        """The constructs that are made of their items."""
        return tuple(construct.name for construct in self.constructs if construct.kind == "composite")

    @cached_property
    def wave_of(self) -> dict[str, str]:
        """What each construct that was asked again measures, by the name it has there."""
        return {name: each.name for each in self.waves for name in each.constructs}

    def measured(self, constructs: Iterable[str]) -> list[str]:
        """Return the constructs that items measure: those named, and the dimensions of those of second order."""
        named = [part for name in constructs for part in self.second_order.get(name, (name,))]
        return [name for name in self.scales if name in named]

    @cached_property
    def called(self) -> dict[str, str]:
        """What each construct is called in English: its name where the codebook has no word of its own for it."""
        wanted = {construct.name: construct.en or construct.name for construct in self.constructs}
        times = Counter(wanted.values())
        return {name: words if times[words] == 1 else name for name, words in wanted.items()}

    def names(self, language: str) -> dict[str, str]:
        """Return what each construct is called in a language; as in English where it has no word of its own there."""
        return {each.name: getattr(each, language) or self.called[each.name] for each in self.constructs}

    @cached_property
    def translations(self) -> dict[str, dict[str, str]]:
        """Every English text and every code with its Chinese, as `nbproof.Page.speak` takes them."""
        scales = {item.scale.name: item.scale for item in self.questions}.values()
        labels = [pair for scale in scales for pair in zip(scale.en, scale.zh, strict=True)]
        pairs = [
            *labels,
            *((item.en, item.zh) for item in self.questions),
            *((code, "") for code in self.by_code),
            *((self.called[construct.name], construct.zh) for construct in self.constructs),
            *((one.label, "") for one in self.hypotheses),
            (self.name, ""),
            self.title,
        ]
        short = {opening(en): {"zh": opening(zh)} for en, zh in labels}
        return short | {en: {"zh": zh} if zh else {} for en, zh in pairs if en}

    def score(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Return the answers with reverse-keyed items turned round (low + high - answer).

        >>> five = Scale("five", 1, 5)
        >>> pair = Item("a", five), Item("b", five, reverse=True)
        >>> Codebook("x", (Construct("f", pair),), pair).score(pd.DataFrame({"a": [1], "b": [1]})).values.tolist()
        [[1, 5]]
        """
        turned = {
            item.code: item.scale.low + item.scale.high - answers[item.code]
            for item in self.questions
            if item.reverse and item.code in answers
        }
        return answers.assign(**turned)

    def model(self, constructs: Iterable[str] | None = None, *, structural: bool = True) -> str:
        """Return the model as `sem.fit` reads it: measurement, then the paths between the constructs named.

        Parameters
        ----------
        constructs : iterable of str, optional
            By default those whose role is not "control".
        structural : bool
            Whether to add the paths.
        """
        known = {construct.name: construct for construct in self.constructs}
        parts = {part for dimensions in self.second_order.values() for part in dimensions}
        default = [name for name, one in known.items() if one.role == "construct" and name not in parts]
        chosen = default if constructs is None else list(constructs)
        require_known("construct", known, *chosen)
        every = [*self.measured(chosen), *(name for name in chosen if name in self.second_order)]
        lines = [known[name].measured for name in every]
        held = {*chosen, *every} if structural else {name for name in every if name not in chosen}
        held |= {code for name in every for code in known[name].codes}
        lines += [f"{one} ~~ {other}" for one, other in self.covariances if {one, other} <= held]
        for outcome in self.causes if structural else ():
            names = [name for name in self.causes[outcome] if name in chosen and outcome in chosen]
            lines += [f"{outcome} ~ {' + '.join(names)}"] if names else []
        return "\n".join(lines)

    def fitted_to(self, answers: pd.DataFrame) -> Codebook:
        """Return the codebook with the error variance of every construct of one item: (1 - reliability) s².

        The lines of a composite begin with the item that tells most of the items outside, by regression: its weight
        must not be zero.
        """
        alone = {each.codes[0]: 1 - each.reliability for each in self.constructs if each.reliability < 1}
        errors = {code: share * float(answers[code].var()) for code, share in alone.items()}
        book = self.with_items({code: replace(self.by_code[code], error=error) for code, error in errors.items()})
        R = answers[self.items if self.composites else []].astype(float).corr().fillna(0.0)
        constructs = []
        for each in book.constructs:
            if each.kind == "composite":
                own, others = R.loc[each.codes, each.codes], R.loc[each.codes].drop(columns=each.codes)
                told = np.linalg.lstsq(own.to_numpy(), others.to_numpy(), rcond=None)[0]
                each = replace(each, first=each.codes[int((told**2).sum(1).argmax())])
            constructs.append(each)
        return replace(book, constructs=tuple(constructs)) if self.composites else book

    def with_items(self, changed: dict[str, Item]) -> Codebook:
        """Return the codebook with other items in the place of those of the same code."""
        now = self.by_code | changed
        constructs = tuple(replace(each, items=tuple(now[code] for code in each.codes)) for each in self.constructs)
        return replace(self, constructs=constructs, questions=tuple(now[code] for code in self.by_code))

    def needs_ranges(self) -> None:
        """Refuse a codebook that leaves ranges open, naming its questions, where no answers can tell them."""
        waiting = [item.code for item in self.questions if item.scale.is_open]
        if waiting:
            raise DataError(
                f"codebook {self.name}: no scale for {', '.join(waiting[:5])}{' ...' if len(waiting) > 5 else ''}; "
                "without answers one is needed, such as `scale = [1, 5]` at the top."
            )


def opening(label: str) -> str:
    """Return an answer's label up to a colon, what stands for it where there is little room.

    >>> opening("Mainly content: posts, videos or live streams")
    'Mainly content'
    """
    return re.split("[:：]", label)[0]


def plain(text: str) -> str:
    """Return a text as it is compared: full-width forms narrowed, case and spaces dropped, no closing mark.

    >>> plain("Ｑ１ Agree.")
    'q1agree'
    """
    narrow = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\s+", "", narrow).rstrip(".。:?!；;,，")


def tidy(text: str) -> str:
    """Return a text on one line, with single spaces and nothing that cannot be printed.

    >>> tidy(" Q1\\n agree ")
    'Q1 agree'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")  # what a model text takes as a variable
# Words that cannot be a variable of model.R: R reserves them (?Reserved), lavaan the last. Backticks do not help, since
# lavaan takes its model apart itself, and other names in R than in the report would have to be explained wherever they
# stand. The codebook comes before all data, so it is where another name costs least. T and F are ordinary names in R.
RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "Inf",
            "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "intercept"}  # fmt: skip
LONGEST = 1000  # characters of one text
LEAST_DIMENSIONS = 3  # two leave a construct of second order without a degree of freedom of its own
LINE = Field(
    lambda value: isinstance(value, str) and len(value) <= LONGEST and value.isprintable(),
    f"one line of at most {LONGEST} characters",
)
WHOLE = Field(lambda value: type(value) is int, "a whole number")
LABELS = Field(
    lambda value: isinstance(value, list) and all(LINE.holds(text) and text.strip() for text in value),
    "a list of texts on one line each",
)
LIST_OR_TABLE = Field(lambda value: isinstance(value, dict | list), "a table or a list")
RANGE = Field(
    lambda value: LINE.holds(value) or (isinstance(value, list) and [type(end) for end in value] == [int, int]),
    "the name of a scale, or its ends such as [1, 5]",
)
MARKS = Field(
    lambda value: isinstance(value, list) and all(type(mark) is int or LINE.holds(mark) for mark in value),
    "a list of whole numbers or texts",
)
SHARE = Field(lambda value: type(value) in (int, float) and 0 < value <= 1, "a number above 0, at most 1")
FORMS = {"line": LINE, "whole": WHOLE, "flag": FLAG, "list": LIST, "table": TABLE, "labels": LABELS, "range": RANGE,
         "marks": MARKS, "share": SHARE, "either": LIST_OR_TABLE, "role": one_of(("construct", "control")),
         "kind": one_of(("factor", "composite")),
         "rule": Field(lambda value: True, "")}  # fmt: skip
Fields = dict[str, Field]


def _keys() -> Iterator[tuple[str, tuple[Fields, Fields]]]:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for kind, table in {"codebook": schema, **schema["$defs"]}.items():
        known = {key: FORMS[about["$comment"]] for key, about in table["properties"].items()}
        yield kind, ({key: known.pop(key) for key in table.get("required", ())}, known)


KEYS = dict(_keys())
"""The keys of every table of a codebook, those it must have first, from the schema by which editors check it."""


def load_codebook(path: str | Path) -> Codebook:
    """Return a codebook, read from a toml file, or made from a model in lavaan's language (.txt, .lav, .lavaan).

    Raises
    ------
    DataError
        When the file cannot be read or breaks the schema; the message names file, construct and item.
    """
    file = Path(path)
    if file.suffix.lower() in MODELS:
        return _Reader(file.name).codebook(tables_of(file))
    try:
        raw = read_toml(file, DataError)
    except DataError as wrong:
        raise DataError(f"codebook {wrong}") from wrong
    return _Reader(file.name).codebook(raw)


class _Reader:
    """Turns toml tables into a codebook, or says where they break the schema."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.scales: dict[str, Scale] = {}
        self.scale_of_all = OPEN
        self.names: list[str | None] = []
        self.unlike: dict[str, str] = {}  # constructs that no items measure, and what they are

    def wrong(self, where: str, what: str, allowed: str) -> DataError:
        return DataError(f"codebook {self.file}, {where}: {what}; allowed: {allowed}.")

    def refuse(self, fault: object, where: str, what: str, allowed: str) -> None:
        if fault:
            raise self.wrong(where, what, allowed)

    def known(self, name: str, constructs: Iterable[str], where: str) -> None:
        guess = f"{near} (nearest) of " if (near := nearest(name, constructs)) else ""
        self.refuse(name not in constructs, where, f"unknown construct {quoted(name)}", guess + ", ".join(constructs))

    def take(self, table: object, where: str, kind: str) -> dict:
        """Return a table that has the keys of its kind."""
        return check(DataError, f"codebook {self.file}, {where}", table, *KEYS[kind])

    def codebook(self, raw: dict) -> Codebook:
        top = self.take(raw, "top", "codebook")
        self.scales = {name: self.scale(name, table) for name, table in top.get("scales", {}).items()}
        self.scale_of_all = self.pick(top.get("scale"), "scale")
        given = self.measured(top["constructs"])
        self.names = [table.get("name") for table in given]
        constructs = tuple(self.construct(k, table) for k, table in enumerate(given, 1))
        self.refuse(not constructs, "constructs", "there is none", "one or more")
        self.once("construct", [construct.name for construct in constructs])
        asked = [item for construct in constructs for item in construct.items]
        asked += [self.control(table) for table in top.get("controls", ())]
        checks = [self.check(table) for table in top.get("checks", ())]
        shared = {construct.name for construct in constructs} & {item.code for item in asked}
        if shared:
            raise self.wrong(f"item {min(shared)}", "a construct has the same name", "names unlike, if only in case")
        self.once("item", [item.code for item in [*asked, *checks]])
        worded = list(asked)
        for item, after in zip(checks, [table.get("after") for table in top.get("checks", ())], strict=True):
            codes = [other.code for other in asked]
            if after and after not in codes:
                raise self.wrong(f"check {item.code}", f"it stands after {quoted(after)}", "an item asked before it")
            asked.insert(codes.index(after) + 1 if after else len(asked), item)
        controls = [item.code for item in asked if item.role == "control"]
        group, marker = top.get("group", ""), top.get("marker", "")
        if group and group not in controls:
            raise self.wrong("group", f"got {quoted(group)}", f"a control: {', '.join(controls) or 'none'}")
        self.unlike = {each.name: "of second order" for each in constructs if each.dimensions}
        self.unlike |= {each.name: "a composite" for each in constructs if each.kind == "composite"}
        parts = self.parts(constructs)
        names = [construct.name for construct in constructs if construct.name not in parts]
        first = [construct.name for construct in constructs if construct.name not in self.unlike]
        self.refuse(marker and marker not in first, "marker", f"unknown construct {quoted(marker)}", ", ".join(first))
        paths = self.paths(top.get("paths", {}), names, parts)
        waves = self.waves(top, {each.name: each for each in constructs})
        later = {name for each in waves for name in each.constructs[1:]}  # asked in the same words as the first time
        again = {code for construct in constructs if construct.name in later for code in construct.codes}
        for language in LANGUAGES:
            texts = [getattr(item, language) for item in worded if item.code not in again]
            self.once(f"wording ({language})", [text for text in texts if text])
        told = [self.take(top.get(key, {}), key, key) for key in ("title", "introduction")]
        title, introduction = ((each.get("en", ""), each.get("zh", "")) for each in told)
        moderations = self.moderations(top.get("moderation", {}), first, paths)
        steps = [f"{path.outcome} ~ {path.predictor}" for path in paths]
        products = [f"{m.outcome} ~ {m.predictor} * {m.moderator}" for m in moderations]
        labelled = (self.labelled(name, said, steps, products) for name, said in top.get("hypotheses", {}).items())
        as_stated = ("name", "group", "marker", "duration", "wave_errors", "equal_loadings")
        stated = {"name": Path(self.file).stem} | {key: top[key] for key in as_stated if key in top}
        return Codebook(
            constructs=constructs,
            questions=tuple(asked),
            paths=paths,
            title=title,
            introduction=introduction,
            moderations=moderations,
            contact=self.contact(top.get("contact"), asked),
            strategies=self.among("strategies", top, dict.fromkeys(path.predictor for path in paths)),
            outcomes=self.among("outcomes", top, dict.fromkeys(path.outcome for path in paths)),
            screening=self.rules(top.get("screening", {})),
            covariances=self.covariances(top, constructs, waves, paths),
            covariates=self.among("covariates", top, controls, "the codebook has no controls"),
            missing=tuple(plain(str(mark)) for mark in top.get("missing", ())),
            leave_out=tuple(map(str, top.get("leave_out", ()))),
            hypotheses=tuple(labelled),
            waves=waves,
            **stated,
        )

    def measured(self, given: dict | list) -> list[dict]:
        """Return one table a construct, its name among its keys."""
        if isinstance(given, dict):
            outside = next((name for name in given if name in KEYS["codebook"][0] | KEYS["codebook"][1]), "")
            what = "it stands below [constructs], so it is taken for one"
            self.refuse(outside, f"constructs, {quoted(outside)}", what, f"{outside} above the first line in brackets")
            tables = ((name, table if isinstance(table, dict) else {"items": table}) for name, table in given.items())
            given = [{**table, "name": name} for name, table in tables]
        return [self.take(table, f"construct {k}", "construct") for k, table in enumerate(given, 1)]

    def scale(self, name: str, table: object) -> Scale:
        where = f"scale {quoted(self.named(name, 'scales'))}"
        found = self.take(table, where, "scale")
        given = [tuple(found.get(language, ())) for language in LANGUAGES]
        for language, labels in zip(LANGUAGES, given, strict=True):
            repeated = [text for text, times in Counter(plain(text) for text in labels).items() if times > 1]
            if repeated:
                raise self.wrong(where, f"label {repeated[0]!r} ({language}) stands for two codes", "one label a code")
        en, zh = (labels or max(given, key=len) for labels in given)  # one language stands for both
        self.refuse(len(en) != len(zh), where, f"{len(en)} English and {len(zh)} Chinese labels", "as many")
        self.refuse("high" not in found and not en, where, "neither high nor labels", "one of them")
        low = found["low"]
        return self.ranged(where, name, low, found.get("high", low + len(en) - 1), en, zh)

    def ranged(self, where: str, name: str, low: int, high: int, *labels: tuple[str, ...]) -> Scale:
        points = len(labels[0]) if labels else 0
        if high <= low or abs(low) > FARTHEST or high > FARTHEST or (points and high - low + 1 != points):
            raise self.wrong(where, f"low {low}, high {high}, {points} labels", "low < high, and a label for each code")
        return Scale(name, low, high, *labels)

    def pick(self, given: str | list[int] | Scale | None, where: str) -> Scale:
        """Return the scale of a name or of two ends; without either, the one of the whole codebook."""
        if given is None:
            return self.scale_of_all
        if isinstance(given, Scale):
            return given
        if isinstance(given, list):
            return self.ranged(where, f"{given[0]} to {given[1]}", given[0], given[1])
        if given not in self.scales:
            raise self.wrong(where, f"unknown scale {quoted(given)}", ", ".join(self.scales) or "none is defined")
        return self.scales[given]

    def named(self, name: str, where: str) -> str:
        self.refuse(not NAME.fullmatch(name), where, f"got {quoted(name)}", "a letter, then letters, digits, _ or .")
        self.refuse(name in RESERVED, where, f"{name} is a word that R or lavaan reserves", f"another, such as {name}1")
        return name

    def construct(self, k: int, found: dict) -> Construct:
        self.refuse("name" not in found, f"construct {k}, field name", "got nothing", LINE.allowed)
        name = self.named(found["name"], f"construct {k}")
        where = f"construct {name}"
        scale = self.pick(found.get("scale"), where)
        known = [other for other in self.names if other != name]
        parts = tuple(entry for entry in found["items"] if isinstance(entry, str) and entry in known)
        others = ", ".join(quoted(entry) for entry in found["items"] if entry not in parts)
        what = f"{', '.join(parts)} are constructs and {others} is none"
        self.refuse(parts and others, where, what, "items or constructs")
        items = tuple(self.item(entry, name, scale) for entry in found["items"] if not parts)
        self.refuse(not items and not parts, where, "no item", "one or more")
        made = ", ".join(parts) or "one item, which is that item"
        composite = found.get("kind") == "composite"
        self.refuse(composite and len(items) < 2, where, f"it is a composite of {made}", "two items or more")
        if len(found["items"]) > 1 and "reliability" in found:
            raise self.wrong(where, f"a reliability is stated for {len(found['items'])} items", "for a single one")
        stated = {key: found[key] for key in found if key not in ("items", "scale")}
        return Construct(items=items, dimensions=parts, **stated)

    def parts(self, constructs: tuple[Construct, ...]) -> dict[str, str]:
        """Return the construct of second order that each dimension measures."""
        found = []
        for name, dimensions in ((each.name, each.dimensions) for each in constructs if each.dimensions):
            few, shown = len(dimensions), ", ".join(dimensions)
            what = f"it is of second order with {few} construct{'s' * (few > 1)} ({shown})"
            itself = f"add another, or let paths name {' and '.join(dimensions)} itself"
            self.refuse(few < LEAST_DIMENSIONS, f"construct {name}", what, f"{LEAST_DIMENSIONS} or more: {itself}")
            for part in dimensions:
                what = f"{part} is {self.unlike.get(part)} itself"
                self.refuse(part in self.unlike, f"construct {name}", what, "constructs that items measure")
                found.append((part, name))
        self.once("dimension", [part for part, _ in found])
        return dict(found)

    def item(self, table: object, construct: str, scale: Scale) -> Item:
        if isinstance(table, str):  # a minus marks one that is worded against its construct
            table = {"code": table.removeprefix("-"), "reverse": table.startswith("-")}
        return self.question(table, "item", f"construct {construct}, item", scale, construct=construct)

    def question(self, table: object, kind: str, where: str, scale: Scale | None = None, **more: Any) -> Item:
        found = self.take(table, where, kind)
        code = self.named(found["code"], where)
        stated = {key: found[key] for key in found if key not in ("scale", "after")}
        return Item(scale=self.pick(found.get("scale", scale), f"{where} {code}"), **stated, **more)

    def control(self, table: object) -> Item:
        given = {"code": table} if isinstance(table, str) else table
        return self.question(given, "control", "control", OPEN, role="control")

    def check(self, table: object) -> Item:
        item = self.question(table, "check", "check", role="check")
        if item.expected is None or not item.scale.low <= item.expected <= item.scale.high:
            raise self.wrong(f"check {item.code}", f"expected is {item.expected}", item.scale.allowed)
        return item

    def paths(self, given: dict | list, constructs: list[str], parts: Mapping[str, str]) -> tuple[ExpectedPath, ...]:
        found = []
        for outcome, predictors in given.items() if isinstance(given, dict) else map(self.path, given):
            where = f"paths, {quoted(outcome)}"
            for signed in self.texts(predictors, where, "a list of constructs"):
                name = signed.removeprefix("-")
                self.refuse(outcome == name, where, "it depends on itself", "other constructs")
                for construct in (outcome, name):
                    whole = parts.get(construct)
                    self.refuse(whole, "paths", f"{construct} is a dimension of {whole}", f"paths of {whole}")
                    self.known(construct, constructs, "paths")
                found.append(ExpectedPath(outcome, name, -1 if signed.startswith("-") else 1))
        for outcome in dict.fromkeys(path.outcome for path in found):
            self.once(f"predictor of {outcome}", [path.predictor for path in found if path.outcome == outcome])
        return tuple(found)

    def texts(self, given: object, where: str, allowed: str) -> list[str]:
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise self.wrong(where, f"got {quoted(given)}", allowed)
        return given

    def path(self, line: object) -> tuple[str, list[str]]:
        """Read "outcome ~ predictor + predictor - predictor", a minus before one whose effect is to be negative."""
        outcome, _, predictors = re.sub(r"\s", "", line if isinstance(line, str) else "").partition("~")
        terms = re.findall(r"([+-]*)([^+-]+)", predictors)
        if not (outcome and terms and "".join(map("".join, terms)) == predictors) or "~" in predictors:
            raise self.wrong("paths", f"got {quoted(line)}", "'outcome ~ predictor + predictor'")
        return outcome, ["-" * ("-" in sign) + name for sign, name in terms]

    def waves(self, top: dict, constructs: Mapping[str, Construct]) -> tuple[Waves, ...]:
        """Return the constructs that were asked again, whose items can be compared one by one."""
        found = []
        for name, given in top.get("waves", {}).items():
            where = f"waves, {quoted(self.named(name, 'waves'))}"
            for each in self.texts(given, where, "a list of constructs in order of time"):
                self.known(each, constructs, where)
                kind = self.unlike.get(each) or ("measured by a single item" if len(constructs[each].items) < 2 else "")
                allowed = "constructs that two items or more measure; leave the others out of [waves]"
                self.refuse(kind, where, f"{each} is {kind}", allowed)
            self.refuse(len(given) < 2, where, f"one wave, {', '.join(given) or 'none'}", "two constructs or more")
            sizes = {each: len(constructs[each].items) for each in given}
            unlike, shown = len({*sizes.values()}) > 1, ", ".join(f"{each} has {size}" for each, size in sizes.items())
            self.refuse(unlike, where, f"{shown} items", "the same items, by position, in each wave")
            for items in zip(*(constructs[each].items for each in given), strict=True):
                unlike = len({(item.scale.low, item.scale.high) for item in items}) > 1
                shown = ", ".join(f"{item.code} is {item.scale.low} to {item.scale.high}" for item in items)
                self.refuse(unlike, where, f"on unlike scales, {shown}", "one scale for an item in all waves")
            found.append(Waves(name, tuple(given)))
        self.once("construct in [waves]", [each for one in found for each in one.constructs])
        for key in ("wave_errors", "equal_loadings"):
            self.refuse(key in top and not found, key, "no waves are stated", "with a table [waves]")
        self.refuse(found and top.get("group"), "group", "there are [waves] too", "one of them, `group` or [waves]")
        return tuple(found)

    def covariances(
        self, top: dict, constructs: tuple[Construct, ...], waves: tuple, paths: tuple[ExpectedPath, ...]
    ) -> tuple[tuple[str, str], ...]:
        names = [construct.name for construct in constructs]
        codes = [code for construct in constructs if construct.kind == "factor" for code in construct.codes]
        found = []
        for line in top.get("covariances", ()):
            pair = [part.strip() for part in line.split("~~")] if isinstance(line, str) else []
            fit = len({*pair}) == 2 and ({*pair} <= {*names} or {*pair} <= {*codes})
            allowed = "'item ~~ item' or 'construct ~~ construct'; items of a composite covary freely among themselves"
            self.refuse(not fit, "covariances", f"got {quoted(line)}", allowed)
            found.append((pair[0], pair[1]))
        own = {each.name: each.codes for each in constructs}
        waves = waves if top.get("wave_errors", True) else ()
        again = [items for each in waves for items in zip(*(own[name] for name in each.constructs), strict=True)]
        for asked in zip_longest(*(each.constructs for each in waves)):  # one wave, where none causes another
            if not any({path.outcome, path.predictor} <= {*asked} for path in paths):
                again.append(tuple(name for name in asked if name in {path.outcome for path in paths}))
        for one, other in (pair for items in again for pair in combinations(items, 2)):
            found += [] if {(one, other), (other, one)} & {*found} else [(one, other)]
        return tuple(found)

    def moderations(self, table: dict, names: list[str], paths: tuple[ExpectedPath, ...]) -> tuple[Moderation, ...]:
        found = []
        for outcome, texts in table.items():
            where, shape = f"moderation, {quoted(outcome)}", "'predictor * moderator', or with a minus before it"
            self.refuse(not isinstance(texts, list), where, f"got {quoted(texts)}", f"a list of {shape}")
            predictors = [path.predictor for path in paths if path.outcome == outcome]
            for text in texts:
                factors = [part.strip() for part in text.removeprefix("-").split("*")] if isinstance(text, str) else []
                self.refuse(len(factors) != 2, where, f"got {quoted(text)}", shape)
                predictor, moderator = factors
                if predictor not in predictors:
                    raise self.wrong(where, f"{quoted(predictor)} has no path to it", ", ".join(predictors) or "none")
                if moderator not in names or moderator in (predictor, outcome):
                    raise self.wrong(where, f"moderator is {quoted(moderator)}", "another construct, measured by items")
                what = f"{predictor} is {self.unlike.get(predictor)}, and a product needs items that measure it"
                self.refuse(predictor not in names, where, what, "constructs that items measure")
                found.append(Moderation(outcome, predictor, moderator, -1 if text.startswith("-") else 1))
            first: dict[frozenset[str], str] = {}
            given = [(m.predictor, m.moderator) for m in found if m.outcome == outcome]
            products = [first.setdefault(frozenset(pair), " * ".join(pair)) for pair in given]
            self.once(f"moderation of {outcome}", products)
        return tuple(found)

    def labelled(self, label: str, text: object, steps: list[str], products: list[str]) -> Labelled:
        """Return a hypothesis about some of the paths and moderations that are stated, each given as a text."""
        where = f"hypotheses, {quoted(label)}"
        shape = "'outcome ~ predictor', '... * moderator' or 'outcome ~ mediator ~ predictor'"
        parts = [part.strip() for part in text.split("~")] if isinstance(text, str) else []
        self.refuse(len(parts) not in (2, 3) or not label.strip(), where, f"got {quoted(text)}", shape)
        nil, mediating = parts[-1].startswith("0*"), parts[1] if len(parts) == 3 else ""
        predictor, _, first = (part.strip() for part in parts[-1].removeprefix("0*").partition("*"))
        mediator, _, second = (part.strip() for part in mediating.partition("*"))
        if first and second:
            raise self.wrong(where, f"{first} and {second} moderate both of its paths", "a moderator of one of them")
        found = Labelled(label, parts[0], predictor, first or second, mediator, nil, bool(second))
        for outcome, cause in found.steps:
            step = f"{outcome} ~ {cause}"
            self.refuse(step not in steps, where, f"there is no path {quoted(step)}", ", ".join(steps) or "none")
        outcome, cause = found.steps[second != ""]
        product = f"{outcome} ~ {cause} * {found.moderator}"
        what = f"no moderation {quoted(product)} is stated"
        self.refuse(found.moderator and product not in products, where, what, ", ".join(products) or "none")
        return found

    def contact(self, table: dict | None, asked: list[Item]) -> Contact | None:
        if table is None:
            return None
        found = self.take(table, "contact", "contact")
        counts = [item.code for item in asked if item.role == "control" and not item.scale.en]
        allowed = f"a counted control: {', '.join(counts) or 'none'}"
        for key, code in found.items():
            self.refuse(code not in counts, "contact", f"{key} is {quoted(code)}", allowed)
        self.once("contact", list(found.values()))
        return Contact(**found)

    def rules(self, table: dict) -> Rules:
        found = self.take(table, "screening", "screening")
        off = {name: None for name in found if found[name] is False and name not in ("one_answer", "duplicates")}
        try:
            return Rules(**found | off)
        except (ParameterError, UnknownNameError, TypeError) as wrong:
            raise DataError(f"codebook {self.file}, screening: {wrong}") from wrong

    def among(
        self, key: str, top: dict, allowed: Iterable[str], without: str = "there are no paths"
    ) -> tuple[str, ...]:
        names = top.get(key, [])
        for name in names:
            self.refuse(name not in list(allowed), key, f"got {quoted(name)}", ", ".join(allowed) or f"none, {without}")
        self.once(key, names)
        return tuple(names)

    def once(self, kind: str, names: list[str]) -> None:
        repeated = [name for name, times in Counter(map(plain, names)).items() if times > 1]
        if repeated:
            shown = next(name for name in names if plain(name) == repeated[0])
            raise self.wrong(f"{kind} {quoted(shown)}", "it is there twice", "once, upper and lower case alike")


def tables_of(file: Path) -> dict[str, Any]:
    """Return what a codebook of the model would hold: constructs, paths, covariances, indirect effects asked for.

    An observed variable in a regression becomes a construct of one item, named with an underscore behind it. Labels
    serve only the defined effects: sums of products along paths, which the report gives anyway. A negative direction is
    expected where a path carries a negative ``start()``.

    Raises
    ------
    DataError
        Where the text is no model, or says more than a codebook can hold, naming the line.
    """
    import semfit

    try:
        model = semfit.parse(read_bytes(file, DataError, LARGEST).decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        raise DataError(f"model {file.name} is not in UTF-8: byte {wrong.start + 1}; a text is needed.") from wrong
    except semfit.ParameterError as wrong:
        raise DataError(f"model {file.name}, {wrong}") from wrong
    if model.constraints:
        raise DataError(f"model {file.name}: constraints on parameters are not carried over; leave them out.")
    return _Tables(file.name, model).filled()


class _Tables:
    """What a parsed model says, sorted into a codebook's tables."""

    def __init__(self, file: str, model: Any) -> None:
        self.file, self.model = file, model
        self.constructs: dict[str, list[str]] = {}
        self.paths: dict[str, list[str]] = {}
        self.alone: dict[str, list[str]] = {}
        self.labelled: dict[str, tuple[str, str]] = {}

    def filled(self) -> dict[str, Any]:
        for term in self.model.terms:
            if term.op not in ("=~", "<~", "~", "~~") or not term.rhs:
                raise self.wrong(term, "means, thresholds and scales are not carried over", "=~, <~, ~, ~~, :=")
            if len(term.fixed) > 1:
                raise self.wrong(term, f"{term.rhs} carries a value for each group", "one value for all")
            if term.op in ("=~", "<~"):
                self.constructs.setdefault(term.lhs, []).append(term.rhs)
        for term in self.model.terms:
            fixed = None if term.fixed[0] != term.fixed[0] else term.fixed[0]  # nan is NA*, free
            another_scale = fixed == 1 and (term.op in ("=~", "<~") or term.lhs == term.rhs in self.constructs)
            if fixed is not None and not another_scale:
                allowed = "parameters that are estimated; a codebook states the reliability of a single item"
                raise self.wrong(term, f"{term.lhs} {term.op} {term.rhs} is fixed", allowed)
            if term.op == "~":
                self.path(term)
        constructs: dict[str, Any] = self.constructs | self.alone
        for name in {term.lhs for term in self.model.terms if term.op == "<~"}:
            constructs[name] = {"items": self.constructs[name], "kind": "composite"}
        tables: dict[str, Any] = {"constructs": constructs, "paths": self.paths}
        tables["covariances"] = [line for term in self.model.terms if term.op == "~~" for line in self.covariance(term)]
        tables["leave_out"] = ["*"]  # a model says nothing of other columns
        asked = [ends for name in self.model.defined for ends in self.asked(name)]
        for key, found in zip(("strategies", "outcomes"), zip(*asked, strict=True), strict=False):
            tables[key] = list(dict.fromkeys(found))
        return tables

    def wrong(self, term: Any, what: str, allowed: str) -> DataError:
        return DataError(f"model {self.file}, line {term.line}: {what}; allowed: {allowed}.")

    def construct(self, name: str) -> str:
        """Return the construct of a variable in a regression."""
        if name not in self.constructs:
            self.alone[f"{name}_"] = [name]
        return name if name in self.constructs else f"{name}_"

    def path(self, term: Any) -> None:
        outcome, predictor = self.construct(term.lhs), self.construct(term.rhs)
        if term.label[0]:
            self.labelled[term.label[0]] = (predictor, outcome)
        negative = term.start[0] is not None and term.start[0] < 0
        self.paths.setdefault(outcome, []).append("-" * negative + predictor)

    def covariance(self, term: Any) -> list[str]:
        """Return a covariance of errors or disturbances; none where the model holds it anyway."""
        pair = {term.lhs, term.rhs}
        if not pair <= {code for codes in self.constructs.values() for code in codes}:
            pair = {self.construct(name) for name in pair}
        depending = {*self.paths, *(name for names in self.constructs.values() for name in names)}
        free = pair <= {*self.constructs, *self.alone} and not pair & depending  # of causes that depend on none
        return [] if len(pair) == 1 or free else [" ~~ ".join(sorted(pair))]

    def asked(self, name: str) -> list[tuple[str, str]]:
        """Return where each product of paths in a definition starts and where it leads."""
        found, text = [], self.model.defined[name].text.replace("(", "").replace(")", "")
        for product in text.split("+"):
            labels = [label.strip() for label in product.split("*")]
            if len(labels) == 1 and labels[0] in self.model.defined:
                continue
            ends = _ends([self.labelled.get(label, ("", "")) for label in labels])
            if ends is None:
                raise DataError(
                    f"model {self.file}: {name} := {text} is no sum of products of labelled paths, each "
                    "leading on from the one before; leave it out."
                )
            found += [ends] * (len(labels) > 1)
        return found


def _ends(paths: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Return the ends of a chain of paths (from, to), in whatever order they are given; None for what is no chain."""
    leads = dict(paths)
    starts = leads.keys() - leads.values()
    if len(leads) < len(paths) or len(starts) != 1 or "" in leads:
        return None
    at, steps = min(starts), 0
    while at in leads:
        at, steps = leads[at], steps + 1
    return (min(starts), at) if steps == len(paths) else None
