"""Claims and hypotheses of the paper: what can fail, how it would be tested, and on what kind of evidence."""

from __future__ import annotations

__all__ = ["EVIDENCE"]

EVIDENCE = {
    "official statistic": "官方统计",
    "published figure": "已公开发表的数字",
    "derived from published figures": "由已发表数字推算",
    "public data set": "公开数据集",
    "model": "模型",
    "synthetic sample": "合成样本",
}
"""Kinds of evidence, English and Chinese. Only data about people can support a claim; the reports always show the kind."""
