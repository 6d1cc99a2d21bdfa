"""Short names of the hypotheses, which way a verdict points, and where the reports show each hypothesis."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DELAYS", "PLACES", "SHORT", "SIDES", "SIDE_OF", "TITLES", "place"]

SIDES: Mapping[str, Mapping[str, str]] = {
    "against": {"en": "against the paper", "zh": "与论文不合"},
    "with": {"en": "with the paper", "zh": "与论文相合"},
    "open": {"en": "undecided", "zh": "未决"},
    "method": {"en": "about the method only", "zh": "仅涉及方法"},
}
"""Which way a verdict points."""

SIDE_OF = {
    "contradicted": "against", "differs": "against", "inconsistent (proxy)": "against", "not supported": "against",
    "does not follow": "against", "depends": "open", "inconclusive": "open", "recovered": "method",
    "not recovered": "method", "consistent (proxy)": "with", "follows": "with", "agrees": "with", "supported": "with",
}
"""The side of each outcome but *not testable*, which is on none."""

TITLES = {
    "00_claims": {"en": "claims", "zh": "论断"},
    "01_market_size": {"en": "market size", "zh": "市场规模"},
    "02_content_mode": {"en": "content mode", "zh": "内容型模式"},
    "03_sharing_mode": {"en": "interaction mode", "zh": "互动型模式"},
    "05_strategies": {"en": "strategies", "zh": "对策"},
    "06_open_questions": {"en": "open questions", "zh": "未决问题"},
    "07_verdicts": {"en": "verdicts", "zh": "结论"},
}
"""What the reports are called in a table."""

PLACES = {
    **dict.fromkeys(("H01", "H02", "H05", "H06", "H07"), ("01_market_size", "table-audit")),
    **dict.fromkeys(("H03", "H04"), ("01_market_size", "figure-context")),
    **dict.fromkeys(("H08", "H09", "H10", "H11", "H12", "H13"), ("07_verdicts", "table-not_testable-{}")),
    **dict.fromkeys(("H18", "H19", "H20", "H21", "H22"), ("07_verdicts", "figure-messages")),
    "H24": ("03_sharing_mode", "table-record_table"),
    "H25": ("07_verdicts", "figure-deliveries"),
    "H26": ("07_verdicts", "table-neighbours"),
    **dict.fromkeys((f"H{number}" for number in range(30, 53)), ("05_strategies", "table-verdicts_table-{}")),
    **dict.fromkeys(("H53", "H54", "H55", "H56", "H61"), ("02_content_mode", "table-verdicts_table-{}")),
    **dict.fromkeys(("H57", "H58", "H59"), ("03_sharing_mode", "table-verdicts_table-{}")),
    **dict.fromkeys(("H60", "H62", "H63", "H64", "H65", "H66", "H67", "H68"),
                    ("06_open_questions", "table-verdicts_table-{}")),
}
"""The report and the anchor in it that show a hypothesis best; the others stand in the table of all of them."""

DELAYS = {
    "11 or more early": {"en": "11 or more\nearly", "zh": "早11天以上"},
    "1 to 10 early": {"en": "1 to 10\nearly", "zh": "早1–10天"},
    "on the day": {"en": "on the\nday", "zh": "当天"}, "1 to 2 late": {"en": "1 to 2\nlate", "zh": "迟1–2天"},
    "3 to 6 late": {"en": "3 to 6\nlate", "zh": "迟3–6天"}, "7 to 13 late": {"en": "7 to 13\nlate", "zh": "迟7–13天"},
    "14 or more late": {"en": "14 or more\nlate", "zh": "迟14天以上"},
}
"""Days from the promised one, as the registered table names them and as a figure does."""

SHORT: Mapping[str, Mapping[str, str]] = {
    "H01": {"en": "number of internet users", "zh": "网民规模"},
    "H02": {"en": "penetration rate", "zh": "互联网普及率"},
    "H03": {"en": "slower growth of users", "zh": "网民增速放缓"},
    "H04": {"en": "online shoppers hardly grow", "zh": "网购用户几乎不再增长"},
    "H05": {"en": "forecast of the market as reported later", "zh": "市场预测与事后公布值"},
    "H06": {"en": "an independent count of the market", "zh": "另一家机构的市场规模"},
    "H07": {"en": "the market grew every year", "zh": "市场逐年增长"},
    "H08": {"en": "private traffic converts better", "zh": "私域转化更高"},
    "H09": {"en": "private pools keep buyers longer", "zh": "私域复购与留存更高"},
    "H10": {"en": "invitations replace each buyer", "zh": "邀请裂变自我维持"},
    "H11": {"en": "private pools reach buyers cheaper", "zh": "私域触达成本更低"},
    "H12": {"en": "private traffic raises profits", "zh": "私域提升盈利"},
    "H13": {"en": "members cost ever more to win", "zh": "私域获客成本上升"},
    "H14": {"en": "identification and urge to buy", "zh": "情感认同与购买冲动"},
    "H15": {"en": "trust and urge to buy", "zh": "信任与购买冲动"},
    "H16": {"en": "hedonic benefit and urge to buy", "zh": "享乐利益与购买冲动"},
    "H17": {"en": "enjoyment and urge to buy", "zh": "愉悦与购买冲动"},
    "H18": {"en": "a message raises conversion", "zh": "推送提高转化"},
    "H19": {"en": "matched message: visits", "zh": "匹配推送：访问"},
    "H20": {"en": "matched message: conversion", "zh": "匹配推送：转化"},
    "H21": {"en": "matched message: spend", "zh": "匹配推送：消费"},
    "H22": {"en": "matching against the best single mail", "zh": "匹配推送与最优统一推送"},
    "H23": {"en": "returning sessions convert more", "zh": "回访会话转化更高"},
    "H24": {"en": "most groups fill", "zh": "多数拼团成功"},
    "H25": {"en": "late delivery lowers ratings", "zh": "迟到配送拉低评分"},
    "H26": {"en": "neighbours' take-up is followed", "zh": "邻里参与带动参与"},
    "H27": {"en": "website quality and trust", "zh": "网站质量与信任"},
    "H28": {"en": "satisfaction and loyalty", "zh": "满意与忠诚"},
    "H29": {"en": "trust and loyalty", "zh": "信任与忠诚"},
    "H30": {"en": "quality assurance → trust", "zh": "质量保证→信任"},
    "H31": {"en": "disclosure → trust", "zh": "信息披露→信任"},
    "H32": {"en": "data security → trust", "zh": "数据安全→信任"},
    "H33": {"en": "brand building → trust", "zh": "品牌建设→信任"},
    "H34": {"en": "logistics → satisfaction", "zh": "物流→满意"},
    "H35": {"en": "customer service → satisfaction", "zh": "客户服务→满意"},
    "H36": {"en": "personalisation → satisfaction", "zh": "个性化→满意"},
    "H37": {"en": "disclosure → satisfaction", "zh": "信息披露→满意"},
    "H38": {"en": "fit to segment → satisfaction", "zh": "细分契合→满意"},
    "H39": {"en": "intrusiveness lowers satisfaction", "zh": "打扰降低满意"},
    "H40": {"en": "trust → stickiness", "zh": "信任→粘性"},
    "H41": {"en": "satisfaction → stickiness", "zh": "满意→粘性"},
    "H42": {"en": "identification → stickiness", "zh": "情感认同→粘性"},
    "H43": {"en": "stickiness → buying again", "zh": "粘性→复购"},
    "H44": {"en": "benefit → buying again", "zh": "利益→复购"},
    "H45": {"en": "trust → buying again", "zh": "信任→复购"},
    "H46": {"en": "satisfaction → sharing", "zh": "满意→分享"},
    "H47": {"en": "trust → sharing", "zh": "信任→分享"},
    "H48": {"en": "benefit × price sensitivity", "zh": "利益×价格敏感"},
    "H49": {"en": "contact: rise, then fall", "zh": "接触频率先升后降"},
    "H50": {"en": "same paths in both modes", "zh": "两类模式路径相同"},
    "H51": {"en": "interaction → trust", "zh": "互动→信任"},
    "H52": {"en": "strategies through trust, satisfaction", "zh": "对策经信任或满意的间接效应"},
    "H53": {"en": "a reinforcing loop is there", "zh": "存在增强回路"},
    "H54": {"en": "satisfaction decides growth", "zh": "满意比例决定兴衰"},
    "H55": {"en": "without content the pool empties", "zh": "没有内容则私域枯竭"},
    "H56": {"en": "word of mouth raises purchases", "zh": "口碑提高购买"},
    "H57": {"en": "sharing grows by itself", "zh": "分享自我增长"},
    "H58": {"en": "growth without end", "zh": "无限增长"},
    "H59": {"en": "trust carried over brings buyers", "zh": "信任传递带来买家"},
    "H60": {"en": "product quality is the first lever", "zh": "产品质量是首要杠杆"},
    "H61": {"en": "faster delivery alone", "zh": "仅加快配送"},
    "H62": {"en": "a breach shrinks the pool", "zh": "数据泄露缩小私域"},
    "H63": {"en": "more personalisation always pays", "zh": "个性化越多越好"},
    "H64": {"en": "finer classes pay", "zh": "细分越细越划算"},
    "H65": {"en": "an inner best contact frequency", "zh": "接触频率有内部最优"},
    "H66": {"en": "deeper discount, smaller group: more buyers", "zh": "折扣更深、团更小则买家更多"},
    "H67": {"en": "one cheapest content quality", "zh": "内容质量有唯一最省点"},
    "H68": {"en": "inner optimum of promotion and contact", "zh": "推广与接触有内部最优"},
}
"""A few words for each hypothesis, for figures and lists; its statement is in ``paper/hypotheses.toml``."""


def place(name: str) -> dict[str, str]:
    """Return where a hypothesis is shown: the report's words with its ``page`` and the ``anchor`` in it.

    Examples
    --------
    >>> place("H14")["anchor"], place("H55")["page"]
    ('table-all_hypotheses-H14', '02_content_mode')
    """
    page, anchor = PLACES.get(name, ("07_verdicts", "table-all_hypotheses-{}"))
    return {**TITLES[page], "page": page, "anchor": anchor.format(name)}
