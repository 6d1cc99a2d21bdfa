"""The two modes: for which share of the parameter sets a statement about them holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from socialcommerce.modes import content, policy, sharing
from socialcommerce.modes.diagram import load_diagram
from socialcommerce.paper import Hypothesis
from socialcommerce.verdicts import HypothesisTest
from stockflow import Mode, Values, elasticity, integrate, next_generation

__all__ = ["SEED", "SETS", "TESTS", "parameter_sets"]

SETS, RUNS, SEED = 1000, 200, 20240531  # sets where a formula decides, sets that are run through time
YEARS, STEP = 30, 5  # of a long run; days
STILL = 0.001  # sales rise still if the last year's exceed those of the year before by more than this share
SHARE = {"en": "share of the parameter sets", "zh": "参数组中成立的比例"}


def marketing_loop(hypothesis: Hypothesis) -> HypothesisTest:
    """H53: is there a reinforcing loop through promotion, purchase, delivery and what customers give back, to the pool.

    What customers give back is their reports, or their word as opinion leaders.
    """
    loops = [set(loop.nodes) for loop in load_diagram("content").feedback_loops() if loop.polarity == "R"]
    closed = any({"promotion", "purchase", "delivery", "pool"} <= nodes and nodes & {"feedback", "leaders"}
                 for nodes in loops)
    return _share(hypothesis, np.array([closed]))


def satisfaction(hypothesis: Hypothesis) -> HypothesisTest:
    """H54: does R0 rise with the satisfied share and cross one within its range."""
    p, s = parameter_sets(content.CONTENT), content.CONTENT.parameter["s"]
    low, high = (content.reproduction(p | {"s": np.full(SETS, end)}) for end in (s.lower, s.upper))
    return _share(hypothesis, (low < 1) & (high > 1))


def no_content(hypothesis: Hypothesis) -> HypothesisTest:
    """H55: does the pool empty without content where R0 is below one; each set without and with social proof."""
    p = parameter_sets(content.CONTENT) | {"lambda0": np.zeros(SETS)}
    below = content.reproduction(p) < 1
    emptied = [np.isnan(content.steady_leaders(p | {"pi1": pi1})[0][below]) for pi1 in (np.zeros(SETS), _social())]
    return _share(hypothesis, np.concatenate(emptied))


def social_proof(hypothesis: Hypothesis) -> HypothesisTest:
    """H56: are purchases at the first steady state higher with social proof than without (they follow the leaders)."""
    p = parameter_sets(content.CONTENT)
    without, having = (content.steady_leaders(p | {"pi1": pi1})[0] for pi1 in (np.zeros(SETS), _social()))
    return _share(hypothesis, having > without)


def self_growth(hypothesis: Hypothesis) -> HypothesisTest:
    """H57: does one new buyer bring more than one, in capped and in open groups."""
    p = parameter_sets(sharing.SHARING)
    return _share(hypothesis, np.concatenate([sharing.reproduction(p, variant) > 1 for variant in sharing.VARIANTS]))


def endless_growth(hypothesis: Hypothesis) -> HypothesisTest:
    """H58: do sales still rise after decades in a finite population, in capped and in open groups."""
    rising = []
    for variant in sharing.VARIANTS:
        mode = sharing.declare(variant)
        run = integrate(mode, parameter_sets(mode, RUNS), 365 * YEARS, "map", STEP, {"F": 0.01}, every=365 // STEP)
        sales = run.flow("U", "A") + run.flow("U", "B")
        rising.append(sales[-1] > (1 + STILL) * sales[-2])
    return _share(hypothesis, np.concatenate(rising))


def trust_transfer(hypothesis: Hypothesis) -> HypothesisTest:
    """H59: does K rise when those who came through acquaintances become fans more readily."""
    p = parameter_sets(sharing.SHARING)
    return _share(hypothesis, elasticity(sharing.reproduction, p, "psiA") > 0)


def delivery(hypothesis: Hypothesis) -> HypothesisTest:
    """H61: does R0 of the next-generation matrix rise when delivery gets twice as fast and nothing else changes."""
    p = parameter_sets(content.CONTENT)
    before, after = (next_generation(content.CONTENT, p | {"kappa": times * p["kappa"]}).r0 for times in (1, 2))
    return _share(hypothesis, after > before * (1 + 1e-9))


TESTS: dict[str, Callable[[Hypothesis], HypothesisTest]] = {
    "H53": marketing_loop,
    "H54": satisfaction,
    "H55": no_content,
    "H56": social_proof,
    "H57": self_growth,
    "H58": endless_growth,
    "H59": trust_transfer,
    "H61": delivery,
}


def parameter_sets(mode: Mode, count: int = SETS) -> Values:
    """Return a Latin hypercube over the declared ranges of a mode, social proof left off."""
    return policy.draw(mode.parameters, count, SEED)


def _social() -> np.ndarray:
    """Strengths of social proof, one from each equal part of its range, in random order."""
    rng, one = np.random.default_rng(SEED + 1), content.CONTENT.parameter["pi1"]
    return one.lower + (one.upper - one.lower) * (rng.permutation(SETS) + rng.random(SETS)) / SETS


def _share(hypothesis: Hypothesis, holds: np.ndarray) -> HypothesisTest:
    evidence = hypothesis.data[0]
    return HypothesisTest(estimate=float(holds.mean()), n=holds.size, unit=SHARE, method=hypothesis.design,
                          null=hypothesis.null, evidence=evidence.kind, grade=evidence.grade)
