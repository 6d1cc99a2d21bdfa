"""The stress set: small, weak, sparse and incomplete samples, generated from seeds, that lavaan and this engine fit.

    python packages/semfit/tests/reference/stress.py FOLDER           writes the data and models.json there
    Rscript packages/semfit/tests/reference/stress.R FOLDER           fits them with lavaan and writes stress.json here

The draws are the raw stream of numpy's PCG64, which numpy promises not to change, mapped to uniform and normal numbers
and rounded to six digits; so no data are committed, and both programs read the same numbers.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pandas as pd
from scipy.special import ndtri

import semfit
from semfit.estimate import Likelihood
from semfit.least_squares import LeastSquares
from semfit.missing import Expectation

HERE = Path(__file__).parent
Array = np.ndarray


class Draws:
    """Random numbers of a seed."""

    def __init__(self, *seed: int) -> None:
        self.bits = np.random.PCG64(list(seed))

    def uniform(self, *shape: int) -> Array:
        """Return numbers between 0 and 1, both excluded."""
        return ((self.bits.random_raw(int(np.prod(shape))) >> np.uint64(11)) + 0.5).reshape(shape) * 2.0**-53

    def normal(self, *shape: int) -> Array:
        """Return standard normal numbers."""
        return ndtri(self.uniform(*shape))

    def rows(self, table: pd.DataFrame, n: int) -> pd.DataFrame:
        """Draw rows with replacement."""
        return table.iloc[(self.uniform(n) * len(table)).astype(int)].reset_index(drop=True)

    def factors(self, n: int, loadings: list[list[float]], phi: float = 0.3) -> pd.DataFrame:
        """Return standardised items x1, x2, ... of factors that correlate by phi."""
        common, own = self.normal(n, 1), self.normal(n, len(loadings))
        return self.items(np.sqrt(phi) * common + np.sqrt(1 - phi) * own, loadings)

    def items(self, scores: Array, loadings: list[list[float]], prefix: str = "x") -> pd.DataFrame:
        """Return items of given factor scores."""
        columns = [
            w * f + np.sqrt(1 - w * w) * self.normal(len(f))
            for f, own in zip(scores.T, loadings, strict=True)
            for w in own
        ]
        return pd.DataFrame({f"{prefix}{k}": column for k, column in enumerate(columns, 1)})

    def holes(self, table: pd.DataFrame, share: float) -> pd.DataFrame:
        """Return the table with a share of its cells empty, at random; no row is left without any."""
        empty = self.uniform(*table.shape) < share
        empty[empty.all(1), 0] = False
        return table.mask(empty)


@dataclass(frozen=True)
class Case:
    """One model and the call that makes its data."""

    about: str
    model: str
    make: Callable[[], pd.DataFrame]
    args: dict = field(default_factory=dict)

    def data(self) -> pd.DataFrame:
        """Return the rows, rounded as they are written."""
        return self.make().round(6)


def measured(loadings: list[list[float]]) -> str:
    """Return the measurement model of ``Draws.items``."""
    lines, k = [], 0
    for j, own in enumerate(loadings, 1):
        lines.append(f"f{j} =~ " + " + ".join(f"x{k + i}" for i in range(1, len(own) + 1)))
        k += len(own)
    return "\n".join(lines)


def cfa() -> Iterator[tuple[str, Case]]:
    """Small samples, Heywood cases and weak indicators."""
    plain = [[0.7, 0.7, 0.6]] * 3
    for n in (30, 40, 50, 75, 100):
        for k in range(3):
            yield (
                f"small_{n}_{k}",
                Case(
                    f"three factors of three items, N = {n}",
                    measured(plain),
                    lambda n=n, k=k: Draws(1, n, k).factors(n, plain),
                ),
            )
    strong = [[0.95, 0.5], [0.95, 0.4, 0.4]]
    for n in (30, 40, 60, 100):
        for k in range(4):
            yield (
                f"heywood_{n}_{k}",
                Case(
                    f"two and three items, one of each strong, N = {n}",
                    measured(strong),
                    lambda n=n, k=k: Draws(2, n, k).factors(n, strong, 0.4),
                ),
            )
    weak = [[0.35, 0.3, 0.25, 0.2]] * 2
    for n in (50, 75, 100):
        for k in range(5):
            yield (
                f"weak_{n}_{k}",
                Case(
                    f"loadings of .2 to .35, N = {n}",
                    measured(weak),
                    lambda n=n, k=k: Draws(3, n, k).factors(n, weak, 0.5),
                    {"std_lv": True} if k == 4 else {},
                ),
            )


def resampled() -> Iterator[tuple[str, Case]]:
    """Bootstrap samples of the two textbook examples."""
    models = json.loads((HERE / "models.json").read_text())
    for k in range(10):
        yield (
            f"boot_democracy_{k}",
            Case(
                "a bootstrap sample of the 75 countries",
                models["democracy"]["model"],
                lambda k=k: Draws(4, k).rows(_read("political_democracy"), 75),
            ),
        )
    for k in range(10):
        yield (
            f"boot_hs_{k}",
            Case(
                "a bootstrap sample of 50 pupils",
                models["hs_cfa"]["model"],
                lambda k=k: Draws(5, k).rows(_read("holzinger_swineford"), 50),
                {"estimator": "MLR"} if k > 6 else {},
            ),
        )


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / "data" / f"{name}.csv")


def incomplete() -> Iterator[tuple[str, Case]]:
    """A quarter of the answers missing."""
    plain = [[0.7, 0.7, 0.6]] * 3
    fiml = {"missing": "fiml"}
    for n in (60, 80, 100):
        for k in range(4):
            yield (
                f"fiml_{n}_{k}",
                Case(
                    f"a quarter missing of nine items, N = {n}",
                    measured(plain),
                    lambda n=n, k=k: (d := Draws(6, n, k)).holes(d.factors(n, plain), 0.25),
                    fiml | ({"estimator": "MLR"} if k == 3 else {}),
                ),
            )
    for k in range(5):
        yield (
            f"fiml_ecsi_{k}",
            Case(
                "a quarter missing of 24 items, N = 80",
                ECSI,
                lambda k=k: (d := Draws(7, k)).holes(satisfaction(d, 80), 0.25),
                fiml,
            ),
        )
    for k in range(3):
        yield (
            f"fiml_whole_{k}",
            Case(
                "full information although nothing is missing, N = 50",
                measured(plain),
                lambda k=k: Draws(8, k).factors(50, plain),
                fiml,
            ),
        )
    for n in (40, 60):
        for k in range(2):
            yield (
                f"attrition_{n}_{k}",
                Case(
                    f"growth with panel attrition, N = {n}", GROWTH, lambda n=n, k=k: dropping(Draws(9, n, k), n), fiml
                ),
            )
    free = "\n".join(" ~~ ".join(pair) for pair in combinations(("t1", "t2", "t3", "t4", "x"), 2))
    yield (
        "saturated_40",
        Case("panel attrition, every covariance free, N = 40", free, lambda: dropping(Draws(9, 40, 0), 40), fiml),
    )


GROWTH = "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\ni ~ x\ns ~ x\ni ~ 1\ns ~ 1\n" + "\n".join(
    f"t{t} ~ 0*1" for t in range(1, 5)
)


def growing(draws: Draws, n: int, slope: float = 0.3) -> pd.DataFrame:
    """Four measures that grow; the slopes hardly differ."""
    x, one, two = draws.normal(n), draws.normal(n), draws.normal(n)
    level, rise = 1 + 0.4 * x + one, 0.5 + 0.2 * x + slope * two
    return pd.DataFrame({f"t{t + 1}": level + t * rise + 0.9 * draws.normal(n) for t in range(4)} | {"x": x})


def dropping(draws: Draws, n: int) -> pd.DataFrame:
    """The same, where who leaves never comes back."""
    table, gone = growing(draws, n), draws.uniform(n)
    for t, share in ((2, 0.15), (3, 0.3), (4, 0.45)):
        table[f"t{t}"] = table[f"t{t}"].mask(gone < share)
    return table


ECSI = """image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
expect =~ EXPE1 + EXPE2 + EXPE3
quality =~ QUAL1 + QUAL2 + QUAL3 + QUAL4 + QUAL5 + QUAL6 + QUAL7
value =~ VALU1 + VALU2
satis =~ SATI1 + SATI2 + SATI3
complain =~ COMP1
loyal =~ LOYA1 + LOYA2 + LOYA3
expect ~ image
quality ~ expect
value ~ expect + quality
satis ~ image + expect + quality + value
complain ~ satis
loyal ~ image + satis + complain"""


def satisfaction(draws: Draws, n: int) -> pd.DataFrame:
    """Answers from 1 to 10 as the European customer satisfaction index has them, expectations weakly measured."""
    e = draws.normal(n, 7)
    image = e[:, 0]
    expect = 0.75 * image + 0.5 * e[:, 1]
    quality = 0.85 * expect + 0.35 * e[:, 2]
    value = 0.05 * expect + 0.6 * quality + 0.7 * e[:, 3]
    satis = 0.2 * image + 0.1 * expect + 0.5 * quality + 0.2 * value + 0.4 * e[:, 4]
    complain = 0.5 * satis + 0.8 * e[:, 5]
    loyal = 0.2 * image + 0.5 * satis + 0.1 * complain + 0.6 * e[:, 6]
    of = {
        "IMAG": (image, 5, 0.6),
        "EXPE": (expect, 3, 0.4),
        "QUAL": (quality, 7, 0.7),
        "VALU": (value, 2, 0.85),
        "SATI": (satis, 3, 0.75),
        "COMP": (complain, 1, 0.8),
        "LOYA": (loyal, 3, 0.5),
    }
    return pd.DataFrame(
        {
            f"{name}{i}": np.clip(np.round(7.5 + 1.8 * (w * f + np.sqrt(1 - w * w) * draws.normal(n))), 1, 10)
            for name, (f, items, w) in of.items()
            for i in range(1, items + 1)
        }
    )


def ordinal() -> Iterator[tuple[str, Case]]:
    """Skewed items whose upper categories hardly anyone uses."""
    plain, args = [[0.8, 0.7, 0.6]] * 3, {"estimator": "WLSMV", "ordered": True}
    skewed, binary = [0.2, 1.0, 1.5, 1.9], [1.0]
    for n in (60, 80, 100, 150):
        for k in range(4):
            yield (
                f"sparse_{n}_{k}",
                Case(
                    f"nine skewed items of five categories, N = {n}",
                    measured(plain),
                    lambda n=n, k=k: cut(Draws(10, n, k).factors(n, plain, 0.4), skewed),
                    args,
                ),
            )
    for n in (60, 100):
        for k in range(4):
            yield (
                f"rare_{n}_{k}",
                Case(
                    f"nine items, few above the first category, N = {n}",
                    measured(plain),
                    lambda n=n, k=k: cut(Draws(24, n, k).factors(n, plain, 0.5), [1.3, 1.8]),
                    args,
                ),
            )
    for n in (60, 100):
        for k in range(3):
            yield (
                f"binary_{n}_{k}",
                Case(
                    f"nine binary items, one answer in six, N = {n}",
                    measured(plain),
                    lambda n=n, k=k: cut(Draws(11, n, k).factors(n, plain, 0.4), binary),
                    args,
                ),
            )
    for k in range(4):
        yield (
            f"ordinal_groups_{k}",
            Case(
                "two groups of 120, three categories",
                measured(plain),
                lambda k=k: cut(grouped(Draws(12, k), [120, 120], plain), [0.0, 1.0]),
                args | {"group": "g", "group_equal": ["thresholds", "loadings"] * (k % 2)},
            ),
        )


def cut(table: pd.DataFrame, cuts: list[float]) -> pd.DataFrame:
    """Cut answers into categories."""
    return pd.DataFrame({name: table[name] if name == "g" else 1 + np.digitize(table[name], cuts) for name in table})


def grouped(draws: Draws, sizes: list[int], loadings: list[list[float]], shift: float = 0.1) -> pd.DataFrame:
    """Groups that differ in a mean or two."""
    parts = []
    for g, n in enumerate(sizes):
        part = draws.factors(n, loadings)
        part["x2"] += shift * (g % 3)
        parts.append(part.assign(g=f"g{g + 1}"))
    return pd.concat(parts, ignore_index=True)


def groups() -> Iterator[tuple[str, Case]]:
    """Many small groups."""
    plain = [[0.8, 0.7, 0.6, 0.5], [0.8, 0.7, 0.6]]
    levels = {"configural": [], "metric": ["loadings"], "scalar": ["loadings", "intercepts"]}
    for count, n in ((4, 40), (6, 50), (8, 35), (12, 60)):
        for level, equal in levels.items():
            yield (
                f"groups_{count}_{level}",
                Case(
                    f"{count} groups of {n}, {level}",
                    measured(plain),
                    lambda c=count, n=n: grouped(Draws(13, c), [n] * c, plain),
                    {"group": "g", "group_equal": equal},
                ),
            )


def structures() -> Iterator[tuple[str, Case]]:
    """Structural models on few rows."""
    for n in (100, 250):
        for k in range(5):
            yield (
                f"ecsi_{n}_{k}",
                Case(f"customer satisfaction index, N = {n}", ECSI, lambda n=n, k=k: satisfaction(Draws(14, n, k), n)),
            )
    plain = [[0.7, 0.6, 0.6]] * 3
    paths = measured(plain) + "\nf2 ~ a*f1\nf3 ~ b*f2 + c*f1\nindirect := a*b"
    for n in (30, 40, 60):
        for k in range(2):
            yield (
                f"mediation_{n}_{k}",
                Case(f"latent mediation, N = {n}", paths, lambda n=n, k=k: chained(Draws(15, n, k), n, plain)),
            )
    for k in range(4):
        yield (
            f"product_{k}",
            Case(
                "a constraint that is not linear, N = 60",
                paths + "\na*b == 0.2",
                lambda k=k: chained(Draws(16, k), 60, plain),
            ),
        )
    equal = measured(plain).replace("+ x3", "+ w*x3").replace("+ x6", "+ w*x6").replace("+ x9", "+ w*x9")
    for k in range(4):
        yield (
            f"equal_{k}",
            Case("a loading equal in three factors, N = 40", equal, lambda k=k: Draws(17, k).factors(40, plain)),
        )
    general = [[0.6] * 3] * 4
    second = measured(general) + "\ng =~ f1 + f2 + f3 + f4"
    for n in (40, 80):
        for k in range(3):
            yield (
                f"second_order_{n}_{k}",
                Case(
                    f"a factor of four factors, N = {n}",
                    second,
                    lambda n=n, k=k: Draws(18, n, k).factors(n, general, 0.5),
                ),
            )
    two = "g =~ " + " + ".join(f"x{k}" for k in range(1, 10)) + "\n" + measured([[0.5] * 3] * 3)
    two += "\n" + "\n".join(
        f"{a} ~~ 0*{b}" for a, b in (("g", "f1"), ("g", "f2"), ("g", "f3"), ("f1", "f2"), ("f1", "f3"), ("f2", "f3"))
    )
    for n in (100, 200):
        for k in range(3):
            yield (
                f"bifactor_{n}_{k}",
                Case(
                    f"general and group factors, N = {n}",
                    two,
                    lambda n=n, k=k: Draws(19, n, k).factors(n, [[0.75] * 3] * 3, 0.6),
                ),
            )
    for n in (30, 50):
        for k in range(3):
            yield (
                f"growth_{n}_{k}",
                Case(
                    f"growth whose slopes hardly differ, N = {n}",
                    GROWTH,
                    lambda n=n, k=k: growing(Draws(20, n, k), n, 0.1),
                ),
            )
    mimic = measured([[0.7, 0.7, 0.6]]) + "\nf1 ~ z1 + z2 + z3"
    for n in (30, 50):
        for k in range(3):
            yield (
                f"mimic_{n}_{k}",
                Case(
                    f"a latent variable on three covariates, N = {n}",
                    mimic,
                    lambda n=n, k=k: caused(Draws(21, n, k), n),
                    {"estimator": ("ML", "MLR", "MLM")[k]},
                ),
            )
    for k in range(4):
        yield (
            f"feedback_{k}",
            Case(
                "two variables that drive each other, N = 50",
                "a ~ b + z1\nb ~ a + z2\na ~~ b",
                lambda k=k: feedback(Draws(22, k), 50),
            ),
        )
    for estimator in ("MLR", "MLM"):
        for k in range(4):
            yield (
                f"heavy_{estimator.lower()}_{k}",
                Case(
                    f"heavy tails by {estimator}, N = 60",
                    paths,
                    lambda k=k: chained(Draws(23, k), 60, plain) ** 3,
                    {"estimator": estimator},
                ),
            )


def chained(draws: Draws, n: int, loadings: list[list[float]]) -> pd.DataFrame:
    """Items of f1 -> f2 -> f3."""
    e = draws.normal(n, 3)
    two = 0.5 * e[:, 0] + 0.85 * e[:, 1]
    return draws.items(np.column_stack([e[:, 0], two, 0.4 * two + 0.2 * e[:, 0] + 0.85 * e[:, 2]]), loadings)


def caused(draws: Draws, n: int) -> pd.DataFrame:
    """Items of a latent variable with three causes."""
    z = draws.normal(n, 3)
    f = z @ np.array([0.4, 0.3, 0.0]) + 0.8 * draws.normal(n)
    return draws.items(f[:, None], [[0.7, 0.7, 0.6]]).assign(z1=z[:, 0], z2=z[:, 1], z3=z[:, 2])


def feedback(draws: Draws, n: int) -> pd.DataFrame:
    """Two variables that drive each other, with an instrument each."""
    z, e = draws.normal(2, n), draws.normal(2, n)
    a, b = np.linalg.solve([[1, -0.3], [-0.3, 1]], 0.6 * z + e)
    return pd.DataFrame({"a": a, "b": b, "z1": z[0], "z2": z[1]})


CASES: dict[str, Case] = {
    name: case for family in (cfa, resampled, incomplete, ordinal, groups, structures) for name, case in family()
}


@dataclass(frozen=True)
class Outcome:
    """What came of a case here: ``chisq`` nan without a solution or a test, ``why`` then; and what it took.

    ``seconds`` are the processor's: no test looks at them.
    """

    solved: bool
    chisq: float
    why: str
    warned: bool
    fmin: float
    steps: int
    passes: int
    seconds: float
    gfi: float
    agfi: float


@contextmanager
def counted() -> Iterator[Mock]:
    """Count evaluations of derivatives (``steps``), and predictions of all missing values (``passes``)."""
    counter = Mock()

    def told(name: str, function: Callable) -> Callable:
        def wrapped(*args, **options):
            getattr(counter, name)()
            return function(*args, **options)

        return wrapped

    with (
        patch.object(Likelihood, "derivatives", told("steps", Likelihood.derivatives)),
        patch.object(LeastSquares, "derivatives", told("steps", LeastSquares.derivatives)),
        patch.object(Expectation, "at", told("passes", Expectation.at)),
    ):
        yield counter


@cache
def outcome(name: str) -> Outcome:
    """Fit a case with this engine."""
    case = CASES[name]
    args = {key: value for key, value in case.args.items() if value != []}
    with warnings.catch_warnings(record=True) as said, counted() as counter:
        warnings.simplefilter("always")
        data, begin = case.data(), time.process_time()
        fit = semfit.fit(case.model, data, **args)
        seconds = time.process_time() - begin
    m, warned = fit.fit_measures, any(issubclass(one.category, semfit.FitWarning) for one in said)
    why = "" if np.isfinite(m["chisq"]) else fit.problems[0]
    took = counter.steps.call_count, counter.passes.call_count
    solved, chisq, fmin = fit.converged and fit.identified, float(m["chisq"]), float(m["fmin"])
    return Outcome(solved, chisq, why, warned, fmin, *took, seconds, float(m["gfi"]), float(m["agfi"]))


def lavaan() -> dict[str, dict]:
    """Return lavaan's answers by case; ``solved`` where it converged and has standard errors."""
    found = json.loads((HERE / "stress.json").read_text())["models"]
    return {name: one | {"solved": bool(one.get("converged")) and one["errors"]} for name, one in found.items()}


def main(folder: Path) -> None:
    """Write every table and what R needs to know of the models."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        case.data().to_csv(folder / f"{name}.csv", index=False)
    models = {name: {"model": case.model, "args": case.args} for name, case in CASES.items()}
    (folder / "models.json").write_text(json.dumps(models))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
