"""Read a system dynamics model from an XMILE or Vensim file and run it as PySD does: Euler's method, the same names."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from graphlib import CycleError, TopologicalSorter
from operator import itemgetter
from pathlib import Path
from types import CodeType
from typing import Any
from xml.etree import ElementTree

import numpy as np

from stockflow.errors import DataError, UnknownNameError, check_file, named, quoted

FORMATS = {".xmile": "xmile", ".stmx": "xmile", ".xml": "xmile", ".mdl": "vensim"}
CONTROL = ("INITIAL TIME", "FINAL TIME", "TIME STEP", "SAVEPER")
PARTS = {"doc", "eqn", "units", "inflow", "outflow", "gf", "non_negative", "range", "scale", "format"}
PARTS |= {"xscale", "yscale", "xpts", "ypts"}
UNREADABLE = (SyntaxError, ValueError, TypeError, IndexError, RecursionError, MemoryError)
SMALL = 1e-6  # what Vensim takes for zero
MOST = 1e7  # steps
CLOSE = 1e-5  # of a step: a time that near the end, or near one that is kept, is it
SIGNS = {"^": "**", "=": "==", "<>": "!=", ":and:": " and ", ":or:": " or ", ":not:": " not "}
LOGIC = {"and": " and ", "or": " or ", "not": " not ", "if": "if_then_else((", "then": "),(", "else": "),("}
NAMES = {"vensim": r"[^\W\d][\w$']*(?:\s+[\w$']+)*", "xmile": r"[^\W\d][\w$'.]*"}  # Vensim's hold spaces
TOKEN = r'\s*(?:((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|("[^"]*"|{})|(<>|<=|>=|:\w+:|[-+*/^()<>=,]))\s*'


def _pulse(time: float, dt: float, start: float, width: float, every: float = 0.0, size: float = 1.0) -> float:
    into = (time - start + SMALL) % every if every and time >= start else time - start
    return size if -SMALL <= into < width else 0.0


TIMED = {
    "step": lambda time, dt, height, start: height * (time + dt / 2 > start),
    "ramp": lambda time, dt, slope, start, end=math.inf: (time + SMALL > start) * slope * (min(end, time) - start),
    "pulse": _pulse,
    "pulse_train": lambda time, dt, start, width, every, end: _pulse(time, dt, start, width, every) * (time < end),
    "sized_pulse": lambda time, dt, size, start, every=0.0: _pulse(time, dt, start, dt / 2, every, size / dt),
}
PLAIN = {name: getattr(np, name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "sqrt", "abs")}
PLAIN |= {"ln": np.log, "integer": np.trunc, "modulo": np.fmod, "min": min, "max": max}
PLAIN["zidz"] = lambda a, b: a / b if abs(b) >= SMALL else 0.0
PLAIN["xidz"] = lambda a, b, other: a / b if abs(b) >= SMALL else other
PLAIN["safediv"] = lambda a, b, other=0.0: a / b if b else other
DELAYS = {"smooth": 1, "smooth3": 3, "delay1": -1, "delay3": -3}  # their order, negative where material is delayed
KNOWN = {name: name for name in (*TIMED, *PLAIN, *DELAYS, "if_then_else", "with_lookup", "integ", "initial")}
CALLED = {"vensim": KNOWN | {f"{name}i": name for name in DELAYS}, "xmile": KNOWN | {"int": "integer"}}
CALLED["xmile"] |= {"init": "initial", "smth1": "smooth", "smth3": "smooth3", "pulse": "sized_pulse"}


@dataclass
class SystemModel:
    """Stocks, flows, auxiliaries, constants and lookups of a file.

    Attributes
    ----------
    source : str
        The file's name.
    names : dict
        What the file calls its stocks, flows, auxiliaries and constants, by their names in the Python below.
    stocks : dict
        By name, the change per unit of time and the initial value, as Python; those of smooths and delays too.
    equations : dict
        By name, every other element, as Python.
    tables : dict
        By name, the points of a lookup, shape (2, points): linear between them, constant outside.
    """

    source: str
    names: dict[str, str] = field(default_factory=dict)
    stocks: dict[str, tuple[str, str]] = field(default_factory=dict)
    equations: dict[str, str] = field(default_factory=dict)
    tables: dict[str, np.ndarray] = field(default_factory=dict)

    def run(self, parameters: Mapping[str, float] | None = None) -> dict[str, np.ndarray]:
        """Run from the file's initial to its final time by Euler's method.

        Parameters
        ----------
        parameters : mapping, optional
            Constants in place of the file's equations; for a stock, in place of its initial value.

        Returns
        -------
        dict
            ``time`` and every stock, flow, auxiliary and constant by its name, shape (times,).

        Raises
        ------
        UnknownNameError
            For a parameter that the file does not name.
        DataError
            Where an element has no finite value.
        """
        given = {_key(name): repr(float(value)) for name, value in (parameters or {}).items()}
        for name in given.keys() - self.names:
            raise UnknownNameError(f"element of {named(self.source)}", name[2:], [key[2:] for key in self.names])
        rates = {f"{name}'": compile(rate, name, "eval") for name, (rate, _) in self.stocks.items()}
        now: dict[str, Any] = {"__builtins__": {}, **PLAIN}
        now["tables"] = {name: partial(np.interp, xp=xs, fp=ys) for name, (xs, ys) in self.tables.items()}
        for name, act in TIMED.items():
            now[name] = lambda *given, act=act: act(now["v_time"], now["v_time_step"], *given)
        with np.errstate(all="ignore"):
            self._values(self.order(given), now)
            start, stop, dt, every = (now[_key(name)] for name in CONTROL)
            kept = round(every / dt) if dt > 0 else 0
            if not (start < stop <= start + MOST * dt and kept >= 1 and abs(every / dt - kept) < CLOSE):
                got = f"runs from {start:g} to {stop:g} by {dt:g}, kept every {every:g}"
                raise DataError(f"{named(self.source)} {got}; allowed are {MOST:g} steps, every so-many-th kept.")
            shown, later = ("v_time", *self.names), self.order(given, ["v_time", *self.stocks])
            rows = [[now[name] for name in shown]]
            for step in range(1, math.ceil((stop - start) / dt - CLOSE) + 1):
                change = self._values(rates, now)
                now |= {name: now[name] + dt * change[f"{name}'"] for name in self.stocks}
                now["v_time"] = start + step * dt
                self._values(later, now)
                if step % kept == 0:
                    rows.append([now[name] for name in shown])
        return dict(zip(["time", *self.names.values()], np.array(rows).T, strict=True))

    def order(self, given: dict[str, str], known: Collection[str] = ()) -> dict[str, CodeType]:
        """Return initial values, compiled, each after those that it needs; those known are left out."""
        texts = {"v_time": "v_initial_time"} | {name: initial for name, (_, initial) in self.stocks.items()}
        texts = {name: text for name, text in (texts | self.equations | given).items() if name not in known}
        needs = {name: _names(text) for name, text in texts.items()}
        for name, text in [*texts.items(), *((name, rate) for name, (rate, _) in self.stocks.items())]:
            for missing in sorted(one for one in _names(text) - {*texts, *known} if one.startswith("v_")):
                raise self.wrong(name, f"needs {quoted(missing[2:])}; allowed is what the file defines")
        try:
            order = [*TopologicalSorter({name: needs[name] & {*texts} for name in texts}).static_order()]
        except CycleError as error:
            circle = [name for name in error.args[1][::-1] if name in self.names]
            through = ", ".join(self.names[name] for name in circle)
            raise self.wrong(circle[0], f"needs itself, by {through}; allowed is that by way of a stock") from None
        return {name: compile(texts[name], name, "eval") for name in order}

    def wrong(self, name: str, what: str) -> DataError:
        """Return an error that names file and element."""
        return DataError(f"{named(self.source)}, element {quoted(self.names.get(name, name))}: {what}.")

    def _values(self, codes: Mapping[str, CodeType], now: dict[str, Any]) -> dict[str, np.float64]:
        """Compute one after the other, each for those after it to see."""
        for name, code in codes.items():
            try:
                now[name] = np.float64(float(eval(code, now)))  # numbers, names, operators, calls: the reader's own
            except TypeError:
                raise self.wrong(name, "is no number or calls a function with other arguments than its own") from None
            except (ArithmeticError, NameError):  # a number too large to be one is written as a name, inf
                now[name] = np.nan
            if not np.isfinite(now[name]):
                at = f"time {now['v_time']:g}" if "v_time" in now else "the start"
                raise self.wrong(name, f"has no finite value at {at}; allowed are numbers")
        return {name: now[name] for name in codes}


def read_model(path: str | Path) -> SystemModel:
    """Read a model from an XMILE file (.xmile, .stmx, .xml) or a Vensim file (.mdl).

    Stocks, flows, auxiliaries, constants, lookups (linear between their points, constant outside) and time settings;
    arithmetic, comparisons, logic, IF THEN ELSE; the usual functions of either program, smooths and delays of order 1
    and 3. Names are the same in capitals and small letters, with spaces or underscores.

    Raises
    ------
    DataError
        For anything else, as subscripts, macros or other functions: the message names file and element.

    Notes
    -----
    ``SAFEDIV`` is zero where the divisor is, as XMILE says; to PySD, as in Vensim's ``ZIDZ``, it is below 1e-6.

    References
    ----------
    OASIS (2015), XML Interchange Language for System Dynamics (XMILE) Version 1.0; Martin-Martinez et al. (2022),
    doi:10.21105/joss.04329 (PySD).
    """
    path = Path(path)
    kind = FORMATS.get(path.suffix.lower(), "")
    if not kind:
        raise DataError(f"{named(path.name)} is no model by its name; allowed are names in {', '.join(FORMATS)}.")
    check_file(path)
    reader = _Reader(SystemModel(path.name), kind)
    try:
        reader.text = path.read_text(encoding="utf-8-sig")
        reader.take([*(reader.vensim(reader.text) if kind == "vensim" else reader.xmile(reader.text))])
    except UNREADABLE:
        got = quoted(" ".join(reader.text.split()))
        raise reader.model.wrong(reader.name, f"cannot be read; got {got}; allowed is what {kind} writes") from None
    reader.model.order({})
    return reader.model


Row = tuple[str, str, bool]  # name, equation or points, whether these are the points of a lookup


class _Reader(ast.NodeTransformer):
    """Takes a file's elements to the Python of a model; what remembers, as a delay does, becomes a stock."""

    def __init__(self, model: SystemModel, kind: str) -> None:
        self.model, self.kind, self.token = model, kind, re.compile(TOKEN.format(NAMES[kind]), re.IGNORECASE)
        self.name, self.text = "the file", ""  # what is being read

    def vensim(self, text: str) -> Iterator[Row]:
        text = re.sub(r"\{[^}]*\}|\\\s*\n", " ", text.partition("\\\\\\---///")[0])
        for self.text in (part.partition("~")[0].strip() for part in text.split("|")):
            if self.text and not self.text.startswith("***"):
                self.name = " ".join(self.text[:40].split())
                found = re.fullmatch(r'("[^"]*"|[^"=(:[<]+?)\s*(\(.*\)|==?[^=].*)', self.text, re.DOTALL)
                if not found:
                    raise SyntaxError
                text = re.sub(r"\[\s*\([^]]*\]\s*,?", "", found[2].lstrip("="))  # the limits of a lookup's drawing
                yield " ".join(found[1].split()), text, found[2].startswith("(")

    def xmile(self, text: str) -> Iterator[Row]:
        root = ElementTree.fromstring(text)
        specs, models = root.findall("{*}sim_specs"), root.findall("{*}model")
        got = [f"<{tag}>" for tag in ("macro", "behavior", "dimensions") if root.find("{*}" + tag) is not None]
        got += [one.get("method", "") for one in specs if one.get("method", "Euler").lower() != "euler"]
        if got or len(models) != 1 or len(specs) != 1:
            given = ", ".join([*got, f"{len(models)} models", f"{len(specs)} sim_specs"])
            raise self.model.wrong(self.name, f"got {given}; allowed is one model by Euler's method")
        for self.name, tag in zip(CONTROL, ("start", "stop", "dt", "dt"), strict=True):
            (part,) = specs[0].findall("{*}" + tag)
            yield self.name, f"1/({part.text})" if part.get("reciprocal") == "true" else str(part.text), False
        for node in models[0].iterfind("{*}variables/*"):
            yield self.variable(node)

    def variable(self, node: ElementTree.Element) -> Row:
        space, _, tag = node.tag.rpartition("}")
        self.name, equation, gf = node.get("name", ""), node.findtext("{*}eqn", ""), node.find("{*}gf")
        odd = {part.tag.rpartition("}")[2] for part in node if part.tag.rpartition("}")[0] == space} - PARTS
        positive = node.find("{*}non_negative") is not None
        if tag not in ("stock", "flow", "aux", "gf") or odd or (positive and tag != "flow"):
            got = f"<{tag}> with {', '.join(sorted(odd)) or 'non_negative'}"
            raise self.model.wrong(self.name, f"is {got}; allowed are {', '.join(sorted(PARTS))} of stock, flow, aux")
        if tag == "gf":
            return self.name, self.points(node), True
        if tag == "stock":
            flows = [f"+ {one.text}" for one in node.iterfind("{*}inflow")]
            flows += [f"- {one.text}" for one in node.iterfind("{*}outflow")]
            return self.name, f"INTEG({' '.join(flows) or '0'}, {equation})", False
        equation = equation if gf is None else f"WITH_LOOKUP({equation}, {self.points(gf)})"
        return self.name, f"MAX({equation}, 0)" if positive else equation, False

    def points(self, gf: ElementTree.Element) -> str:
        """Write the points of an XMILE lookup as Vensim does."""
        x, y = (list(map(float, re.findall(r"[^,;\s]+", gf.findtext("{*}" + tag, "")))) for tag in ("xpts", "ypts"))
        if (scale := gf.find("{*}xscale")) is not None:
            x = np.linspace(float(scale.get("min", "")), float(scale.get("max", "")), len(y)).tolist()
        if gf.get("type", "continuous") != "continuous":
            raise self.model.wrong(self.name, f"has a lookup of type {quoted(gf.get('type'))}; allowed is continuous")
        return str(tuple(zip(x, y, strict=True)))

    def take(self, rows: list[Row]) -> None:
        """Read all lookups, then all equations."""
        for self.name, self.text, lookup in sorted(rows, key=lambda row: not row[2]):
            key = _key(self.name)
            if key in {*self.model.names, *self.model.tables}:
                raise self.model.wrong(self.name, "is there twice; allowed is one of a name, whatever its capitals")
            if lookup:
                self.table(key, self.text)
                continue
            self.model.names[key] = self.name
            body = ast.parse(f"({self.python(self.text)})", mode="eval").body
            if isinstance(body, ast.Call) and isinstance(body.func, ast.Name) and body.func.id == "integ":
                rate, initial = (ast.unparse(self.visit(arg)) for arg in body.args)
                self.model.stocks[key] = rate, initial
            else:
                self.model.equations[key] = ast.unparse(self.visit(body))
        for self.name in CONTROL:
            if _key(self.name) not in self.model.names:
                raise self.model.wrong(self.name, f"is missing; needed are {', '.join(CONTROL)}")

    def table(self, key: str, text: str) -> None:
        x, y = np.array(sorted(ast.literal_eval(f"[{text.strip()[1:-1]}]"), key=itemgetter(0)), float).T
        self.model.tables[key] = np.array([x, y])

    def python(self, text: str) -> str:
        """Write an equation in Python, where the name of an element begins with ``v_``."""
        out: list[str] = []
        ifs, at, text = [0], 0, text.strip()  # conditions open in each pair of brackets; they end where these do
        while at < len(text):
            token = self.token.match(text, at)
            if token is None:
                raise SyntaxError
            at, (number, word, sign) = token.end(), (part.lower() for part in token.groups(default=""))
            if sign in ("(", ")", ","):
                out.append("))" * (0 if sign == "(" else ifs[-1]) + sign)
                ifs = [*ifs, 0] if sign == "(" else ifs[:-1] if sign == ")" else [*ifs[:-1], 0]
            elif self.kind == "xmile" and word in LOGIC:
                ifs[-1] += word == "if"
                out.append(LOGIC[word])
            elif word:
                out.append(self.called(word) if text[at : at + 1] == "(" else _key(word))
            else:
                out.append(repr(float(number)) if number else SIGNS.get(sign, sign))
        return "".join(out) + "))" * ifs[0]

    def called(self, word: str) -> str:
        name, allowed = "_".join(word.split()), CALLED[self.kind]
        if _key(word) in self.model.tables:
            return f"tables[{_key(word)!r}]"
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            raise self.model.wrong(self.name, f"calls {quoted(word)}; allowed are the file's lookups and {known}")
        return allowed[name]

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Have logic say whether, where Python's says the last value that it looked at."""
        self.generic_visit(node)
        node.values = [ast.Compare(value, [ast.NotEq()], [ast.Constant(0.0)]) for value in node.values]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Write out a call of what is no function of numbers."""
        name, text = getattr(node.func, "id", ""), ""
        if name == "with_lookup":
            key, (x, points) = f"{_key(self.name)} {len(self.model.tables)}", node.args
            self.table(key, ast.unparse(points))
            return ast.parse(f"tables[{key!r}]({ast.unparse(self.visit(x))})", mode="eval").body
        self.generic_visit(node)
        given = [f"({ast.unparse(arg)})" for arg in node.args]
        if name == "if_then_else":
            text = "{1} if {0} else {2}".format(*given)
        elif name in ("initial", "integ"):
            text = self.stock(*["0.0", *given][-2:])
        elif name in DELAYS:
            text, time, first = (*given, given[0])[:3]
            for _ in range(order := abs(DELAYS[name])):
                if DELAYS[name] > 0:
                    text = self.stock(f"({text} - {{}}) * {order} / {time}", first)
                else:
                    text = self.stock(f"({text} - {{}} / {time}) * {order}", f"{first} * {time}") + f" / {time}"
        return ast.parse(text, mode="eval").body if text else node

    def stock(self, rate: str, initial: str) -> str:
        """Add a stock that the file does not name, its value in the rate's braces, and return what it is called."""
        key = f"v_kept_{len(self.model.stocks)}"
        self.model.stocks[key] = rate.format(key), initial
        return key


def _key(name: str) -> str:
    """Return what an element is called in Python: small letters, an underscore for space, numbers for the rest."""
    words = "_".join(re.split(r"(?:[\s_]|\\n)+", name.strip().strip('"').lower()))
    return "v_" + re.sub(r"[^a-z0-9_]", lambda found: f"_{ord(found[0]):x}_", words)


def _names(text: str) -> set[str]:
    """Return the names in an equation, with what a function of time looks at."""
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return names | ({"v_time", "v_time_step"} if names & {*TIMED} else set())
