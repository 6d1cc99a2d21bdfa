"""The "Social + Commerce" mode: content draws a public audience into a pool that buys, and leaders draw the next."""

from __future__ import annotations

from socialcommerce.modes.compartments import Auxiliary, Flow, Mode, Parameter, State

__all__ = ["CONTENT"]


def _rate(name, symbol, default, lower, upper, en, zh, unit="1/day", kind="rate"):
    return Parameter(name, symbol, default, unit, lower, upper, {"en": en, "zh": zh}, kind)


def _state(name, role, en, zh):
    return State(name, role, {"en": en, "zh": zh})


CONTENT = Mode(
    name="content",
    words={"en": "Social + Commerce", "zh": "社交 + 电商"},
    states=(
        _state("P", "susceptible", "reachable public audience", "可触达的公域受众"),
        _state("M", "carrying", "private pool, not yet buying", "私域流量池（未购买）"),
        _state("O", "carrying", "orders in delivery", "配送中的订单"),
        _state("C", "carrying", "customers", "顾客"),
        _state("L", "carrying", "opinion leaders", "意见领袖"),
        _state("D", "other", "disturbed or lapsed", "受打扰或流失者"),
    ),
    parameters=(
        _rate("lambda0", "λ0", 0.0005, 0.0, 0.002, "acquisition by content", "内容获客率"),
        _rate("beta", "β", 0.06, 0.02, 0.12, "new entrants per leader and day", "每位领袖每日带来的新进入者"),
        _rate("eta", "η", 0.1, 0.0, 0.3, "weight of a customer beside a leader", "顾客相对领袖的权重", "1", "weight"),
        _rate("pi0", "π0", 0.01, 0.004, 0.02, "purchase hazard without promotion", "无推广时的购买率"),
        _rate("b1", "b1", 0.02, 0.005, 0.04, "purchases per promotion seen", "每次推广带来的购买", "1", "weight"),
        _rate("pi1", "π1", 0.0, 0.0, 0.05, "purchase hazard by social proof", "社会认同带来的购买率"),
        _rate("n", "n", 0.5, 0.1, 2.0, "promotions per person and day", "每人每日推广次数"),
        _rate("delta0", "δ0", 0.005, 0.001, 0.01, "exit from the pool without promotion", "无推广时的退出率"),
        _rate("delta1", "δ1", 0.02, 0.005, 0.05, "annoyance: exit by promotion squared", "推广反感系数", "day"),
        _rate("kappa", "κ", 0.3, 0.1, 0.6, "delivery rate", "配送速率"),
        _rate("s", "s", 0.9, 0.7, 0.98, "satisfied share of buyers", "满意买家比例", "1", "probability"),
        _rate("phi", "φ", 0.005, 0.001, 0.01, "customers who become leaders", "顾客转为领袖的速率"),
        _rate("gammaC", "γC", 0.02, 0.01, 0.04, "lapse of customers", "顾客流失率"),
        _rate("gammaL", "γL", 0.01, 0.005, 0.02, "lapse of leaders", "领袖流失率"),
        _rate("omega", "ω", 0.005, 0.001, 0.01, "return to the public audience", "回流公域的速率"),
    ),
    auxiliaries=(
        Auxiliary("Lambda", "Λ", "beta*contact(eta*C + L)", "1/day", {"en": "draw of customers and leaders",
                                                                      "zh": "顾客与领袖的引流率"}),
        Auxiliary("pi", "π", "pi0 + b1*n + pi1*contact(L)", "1/day", {"en": "purchase hazard", "zh": "购买率"}),
        Auxiliary("delta", "δ", "delta0 + delta1*n**2", "1/day", {"en": "exit by annoyance", "zh": "因反感退出的速率"}),
    ),
    flows=(
        Flow("P", "M", "lambda0 + Lambda", {"en": "enter the pool", "zh": "进入流量池"}, enters=True),
        Flow("M", "O", "pi", {"en": "buy", "zh": "购买"}),
        Flow("M", "D", "delta", {"en": "leave, annoyed", "zh": "因反感离开"}),
        Flow("O", "C", "s*kappa", {"en": "receive, satisfied", "zh": "收货且满意"}),
        Flow("O", "D", "(1 - s)*kappa", {"en": "receive, disappointed", "zh": "收货但失望"}),
        Flow("C", "L", "phi", {"en": "become a leader", "zh": "成为意见领袖"}),
        Flow("C", "D", "gammaC", {"en": "lapse", "zh": "流失"}),
        Flow("L", "D", "gammaL", {"en": "fall silent", "zh": "不再发声"}),
        Flow("D", "P", "omega", {"en": "become reachable again", "zh": "重新可触达"}),
    ),
    customer_free={"P": 1.0},
    external=("lambda0",),
)
"""The declaration (section 3.1; the paper gives no values, every default is illustrative). P + M + O + C + L + D = N.

Social proof ``pi1`` is off by default; with ``b1 = 0`` the purchase hazard does not answer to promotion.
"""
