"""The "Commerce + Social" mode: buyers open groups, invite friends and strangers, and full groups bring new buyers."""

from __future__ import annotations

from functools import cache

from socialcommerce.errors import UnknownNameError
from socialcommerce.modes.compartments import Auxiliary, Flow, Mode, Parameter, State

__all__ = ["SEATS", "SHARING", "VARIANTS", "declare"]

VARIANTS = {"capped": "(g - 1)*safediv(poisson_tail(g - 1, {x}), {x})", "open": "poisson_tail(g - 2, {x})"}
"""The share of accepted invitations that is seated: a group closes when full, or anyone may still join."""
SEATS = {"new": "mA*qA*contact(U) + mB*qB*anyone(U)", "anyone": "mA*qA + mB*qB"}
"""Acceptances that fill seats: by people who have not bought before (new), or by existing buyers too (anyone)."""


def _rate(name, symbol, default, lower, upper, en, zh, unit="1/day", kind="rate"):
    return Parameter(name, symbol, default, unit, lower, upper, {"en": en, "zh": zh}, kind)


def _state(name, role, en, zh):
    return State(name, role, {"en": en, "zh": zh})


@cache
def declare(variant: str = "capped", seats: str = "new") -> Mode:
    """Declare the mode (section 3.2; the paper gives no values, every default is illustrative). U + A + B + F + Z = N.

    A group of size g sends Poisson numbers of invitations to friends and to strangers; it completes with g - 1 joiners.

    Parameters
    ----------
    variant : {"capped", "open"}
        Capped groups close when full (expected joiners (g - 1) P(X >= g - 1)); open ones seat everybody who accepts
        once complete (x P(X >= g - 2)).
    seats : {"new", "anyone"}
        Whether existing buyers may fill seats; only the untapped count as new buyers either way.

    Examples
    --------
    >>> declare("open").name
    'sharing (open, new)'
    """
    for kind, given, allowed in (("variant of a group", variant, VARIANTS), ("rule for seats", seats, SEATS)):
        if given not in allowed:
            raise UnknownNameError(kind, given, allowed)
    return Mode(
        name=f"sharing ({variant}, {seats})",
        words={"en": "Commerce + Social", "zh": "电商 + 社交"},
        states=(
            _state("U", "susceptible", "untapped", "未触达者"),
            _state("A", "carrying", "new through an acquaintance", "经熟人而来的新客"),
            _state("B", "carrying", "new through a stranger or ordinary traffic", "经陌生人或普通流量而来的新客"),
            _state("F", "carrying", "fans", "粉丝"),
            _state("Z", "other", "lapsed", "流失者"),
        ),
        parameters=(
            _rate("epsilon", "ε", 0.0002, 0.0, 0.001, "buyers from ordinary traffic", "普通流量购买率"),
            _rate("thetaN", "θN", 0.03, 0.01, 0.06, "groups a new customer opens a day", "新客每日开团数"),
            _rate("thetaF", "θF", 0.03, 0.01, 0.06, "groups a fan opens a day", "粉丝每日开团数"),
            _rate("g", "g", 2, 2, 5, "group size, the opener counted", "成团人数（含开团者）", "1", "group"),
            _rate("mA", "mA", 4.0, 1.0, 8.0, "friends invited to a group", "每团邀请的熟人数", "1", "weight"),
            _rate("mB", "mB", 6.8, 0.0, 15.0, "strangers invited to a group", "每团邀请的陌生人数", "1", "weight"),
            _rate("qA", "qA", 0.16, 0.05, 0.3, "friends who accept", "熟人接受率", "1", "probability"),
            _rate("qB", "qB", 0.03, 0.005, 0.06, "strangers who accept", "陌生人接受率", "1", "probability"),
            _rate("psiA", "ψA", 0.03, 0.01, 0.06, "become a fan, came through a friend", "经熟人者转为粉丝的速率"),
            _rate("psiB", "ψB", 0.01, 0.004, 0.03, "become a fan, came otherwise", "其他新客转为粉丝的速率"),
            _rate("gammaN", "γN", 0.02, 0.01, 0.04, "lapse of new customers", "新客流失率"),
            _rate("gammaF", "γF", 0.0096, 0.005, 0.02, "lapse of fans", "粉丝流失率"),
            _rate("omega", "ω", 0.005, 0.001, 0.01, "return to the untapped", "回到未触达的速率"),
        ),
        auxiliaries=(
            Auxiliary("x", "x", SEATS[seats], "1",
                      {"en": "accepted invitations per group", "zh": "每团被接受的邀请数"}),
            Auxiliary("seated", "σ", VARIANTS[variant].format(x="x"), "1",
                      {"en": "share of acceptances seated", "zh": "接受邀请者成功入团的比例"}),
        ),
        flows=(
            Flow("U", "A", "mA*qA*contact((thetaN*(A + B) + thetaF*F)*seated)",
                 {"en": "join a friend's group", "zh": "加入熟人的团"}, enters=True),
            Flow("U", "B", "epsilon + mB*qB*anyone((thetaN*(A + B) + thetaF*F)*seated)",
                 {"en": "join a stranger's group, or buy alone", "zh": "加入陌生人的团或自行购买"}, enters=True),
            Flow("A", "F", "psiA", {"en": "become a fan", "zh": "成为粉丝"}),
            Flow("B", "F", "psiB", {"en": "become a fan", "zh": "成为粉丝"}),
            Flow("A", "Z", "gammaN", {"en": "lapse", "zh": "流失"}),
            Flow("B", "Z", "gammaN", {"en": "lapse", "zh": "流失"}),
            Flow("F", "Z", "gammaF", {"en": "lapse", "zh": "流失"}),
            Flow("Z", "U", "omega", {"en": "be reachable again", "zh": "重新可触达"}),
        ),
        customer_free={"U": 1.0},
        external=("epsilon",),
    )


SHARING = declare()
"""The default declaration: capped groups, seats for new buyers only."""
